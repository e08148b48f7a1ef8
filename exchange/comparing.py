"""The same stake both ways: on borrowed coins and on a perpetual, reckoned at this moment; pure.

Both ways begin at the index and pay as takers; each is alone in an isolated wallet that holds the
stake. What is charged, borrowed, reserved and liquidated is asked of the functions that do so, on
an account that exists for the question alone. Nothing is changed by asking.
"""

from __future__ import annotations

from collections.abc import Callable
from math import lcm
from typing import Final, NamedTuple

from exchange.commands import PlaceOrder
from exchange.engine import Engine
from matching.instrument import Instrument
from matching.limits import ID_MAX
from matching.reasons import Reason
from matching.types import Side
from risk.account import PERP, Account, Setting, isolated_wallet
from risk.borrowing import refuse_loan
from risk.end_prices import liquidation_price
from risk.fees import fee_minor, rates_e12
from risk.ledger import Pocket
from risk.loan_tiers import isolated_levels, pair_tiers, tier_of
from risk.loans import hour_of_interest_e18, owed_e18
from risk.margin_report import Holdings, meeting_price_e8
from risk.money import E8, E12, MINOR_IN_E18, ceil_div, half_even_div
from risk.parameters import HOUR_MS
from risk.reserve import reserve
from risk.reserve_spot import BORROW_EFFECTS, affordable, spot_need
from risk.state import RiskState

HOURS_A_DAY: Final = 24
PERCENT: Final = 100
MOVES: Final = (-50, -20, -10, -5, -2, -1, 1, 2, 5, 10, 20, 50)  # Percent, from the price.
NOBODY: Final = ID_MAX  # No account has this id; its fees are those of a first trade.


class Stake(NamedTuple):
    """What is compared: so much of the venue's quote, long (a buy) or short, for some hours."""

    base: str
    stake_minor: int
    leverage: int
    side: Side
    hours: int


class Outcome(NamedTuple):
    """What is left of it where the price has moved by so many percent when the hours are over.

    `profit_minor` is after all fees, interest and funding. Where the way there liquidates, it is
    the whole stake that is lost: at worst, for something may be left of it.
    """

    move_percent: int
    price_e8: int
    profit_minor: int
    liquidated: bool


class Way(NamedTuple):
    """One way to carry a stake; `reason` says why it cannot be gone, and then numbers are missing.

    Amounts in minor units of the quote, but for `borrowed_minor` of `borrow_asset` and `qty_minor`
    of the base; funding is a cost, and negative where it is received.
    """

    symbol: str
    reason: Reason | None
    leverage_max: int
    qty_minor: int = 0
    notional_minor: int = 0
    borrow_asset: str = ""
    borrowed_minor: int = 0
    open_fee_minor: int = 0
    close_fee_minor: int = 0  # Were it closed at the price it began at.
    interest_hour_minor: int = 0
    interest_day_minor: int = 0
    interest_minor: int = 0  # Of all the hours.
    funding_rate_e12: int = 0  # As it would be charged now,
    funding_interval_ms: int = 0
    funding_each_minor: int = 0  # and what that is for this position.
    fundings: int = 0  # Within the hours.
    liquidation_e8: int | None = None
    call_e8: int | None = None
    outcomes: tuple[Outcome, ...] = ()


class Comparison(NamedTuple):
    """Both ways from one price; an asset without a perpetual has only one."""

    stake: Stake
    quote: str
    price_e8: int
    spot: Way
    perpetual: Way | None


def compare(engine: Engine, stake: Stake) -> Comparison | Reason:
    """What a stake buys, costs and risks either way at this moment; O(brackets + hours)."""
    quote = engine.venue.quote
    pair = engine.instruments.get(f"{stake.base}-{quote}")
    contract = engine.instruments.get(f"{stake.base}-{quote}-PERP")
    if pair is None:
        return Reason.UNKNOWN_SYMBOL
    index_e8 = engine.risk.price_e8(stake.base)
    if index_e8 is None:
        return Reason.NO_INDEX_PRICE
    tick_e8 = lcm(*(each.tick_e8 for each in (pair, contract) if each is not None))
    price_e8 = max(1, half_even_div(index_e8, tick_e8)) * tick_e8
    prices = [(move, _moved(price_e8, move, tick_e8)) for move in MOVES]
    return Comparison(
        stake,
        quote,
        price_e8,
        _Borrowed(engine, stake, pair, price_e8).way(prices),
        _Contract(engine, stake, contract, price_e8).way(prices) if contract else None,
    )


def _moved(price_e8: int, percent: int, tick_e8: int) -> int:
    """A price after a move, on the tick."""
    return max(1, half_even_div(price_e8 * (PERCENT + percent), PERCENT * tick_e8)) * tick_e8


def _alone(wallet: str, asset: str, minor: int) -> Account:
    """An account that holds the stake and nothing else; no state knows of it."""
    account = Account(NOBODY, "user", "")
    pocket = account.pockets[wallet, asset] = Pocket(NOBODY, wallet, asset)
    pocket.minor = minor
    return account


def _outcomes(
    prices: list[tuple[int, int]],
    stake: Stake,
    ends_e8: int | None,
    profit: Callable[[int], int],
) -> tuple[Outcome, ...]:
    """The profit at each price, or the stake where the way there liquidates."""
    found = []
    for move, price_e8 in prices:
        beyond = 0 if ends_e8 is None else price_e8 - ends_e8
        ended = ends_e8 is not None and (beyond <= 0 if stake.side is Side.BUY else beyond >= 0)
        told = -stake.stake_minor if ended else profit(price_e8)
        found.append(Outcome(move, price_e8, told, ended))
    return tuple(found)


# -- borrowed coins ----------------------------------------------------------------------------


class _Borrowed:
    """A purchase with a borrowed quote, or a sale of a borrowed base, in an isolated wallet.

    A long of leverage L owns L stakes' worth and owes L - 1 of them; a short owes L - 1 stakes'
    worth of coins, which is as much as it may borrow.
    """

    def __init__(self, engine: Engine, stake: Stake, pair: Instrument, price_e8: int) -> None:
        self.risk: RiskState = engine.risk
        self.engine, self.stake, self.pair, self.price_e8 = engine, stake, pair, price_e8
        self.is_long = stake.side is Side.BUY
        self.ticks = price_e8 // pair.tick_e8
        self.wallet = isolated_wallet(pair.symbol)
        self.tiers = pair_tiers(self.risk, self.wallet)
        self.leverage_max = self.tiers[0].leverage if self.tiers else 0
        self.account = _alone(self.wallet, pair.quote, stake.stake_minor)
        self.rate_e12 = rates_e12(self.risk, self.account, "spot").taker_e12
        self.in_base = self.is_long and engine.venue.fees.asset != "quote"
        self.asset, self.borrowed = (pair.quote if self.is_long else pair.base), 0
        self.money = {pair.quote: stake.stake_minor, pair.base: 0}

    def way(self, prices: list[tuple[int, int]]) -> Way:
        """All of it, or why it cannot be."""
        lots = self._lots()
        reason = self._borrow(lots)
        if reason is not None:
            return Way(self.pair.symbol, reason, self.leverage_max)
        notional = self.pair.notional_minor(self.ticks, lots)
        fee_quote = self._trade(lots, notional)
        hour_e18 = hour_of_interest_e18(
            self.borrowed, 0, self.risk.rates_e12[self.asset], compound=False
        )
        whole_e18 = self._interest_e18(self.stake.hours)
        first_e18 = self._interest_e18(0)
        liquidation_e12, call_e12 = self._levels()
        _, close_fee = self._close(self.price_e8, first_e18)
        return Way(
            self.pair.symbol,
            None,
            self.leverage_max,
            qty_minor=self.pair.base_minor(lots),
            notional_minor=notional,
            borrow_asset=self.asset if self.borrowed else "",
            borrowed_minor=self.borrowed,
            open_fee_minor=fee_quote,
            close_fee_minor=close_fee,
            interest_hour_minor=self._in_quote(hour_e18),
            interest_day_minor=self._in_quote(hour_e18 * HOURS_A_DAY),
            interest_minor=self._in_quote(whole_e18),
            liquidation_e8=self._meets(liquidation_e12, first_e18),
            call_e8=self._meets(call_e12, first_e18),
            outcomes=_outcomes(
                prices,
                self.stake,
                self._meets(liquidation_e12, whole_e18),
                lambda price_e8: self._close(price_e8, whole_e18)[0] - self.stake.stake_minor,
            ),
        )

    def _lots(self) -> int:
        """What the stake and the loan it carries amount to, in whole lots."""
        stake, leverage = self.stake.stake_minor, self.stake.leverage
        one = self.pair.notional_minor(self.ticks, 1)
        if self.is_long:
            return affordable(self.risk, stake * leverage) // one
        return stake * (leverage - 1) // one

    def _borrow(self, lots: int) -> Reason | None:
        """Filters and the loan; why it cannot be, or None once it is known what is borrowed."""
        if not self.tiers:
            return Reason.MARGIN_NOT_ALLOWED
        least = 1 if self.is_long else 2  # Who is short owes coins.
        if not least <= self.stake.leverage <= self.leverage_max:
            return Reason.LEVERAGE_OUT_OF_RANGE
        if not lots:
            return Reason.NOTIONAL_TOO_SMALL
        trading = self.engine.trading
        wish = PlaceOrder(
            account_id=NOBODY,
            symbol=self.pair.symbol,
            side=self.stake.side,
            lots=lots,
            price_ticks=self.ticks,
            wallet=self.wallet,
            side_effect=BORROW_EFFECTS[0],
        )
        order = trading.order_of(wish)
        reason, worst_ticks = trading.admit(self.account, order)
        if reason is not None:
            return reason
        asset, need = spot_need(self.risk, order, trading.books[self.pair.symbol], worst_ticks)
        missing = max(0, need - self.account.free(self.wallet, asset))
        if not missing:
            return None
        self.borrowed = missing
        return refuse_loan(self.risk, self.account, self.wallet, asset, missing)

    def _trade(self, lots: int, notional: int) -> int:
        """Exchange the one for the other; the fee, as it is worth in the quote."""
        sign = 1 if self.is_long else -1
        base_minor = self.pair.base_minor(lots)
        fee = fee_minor(base_minor if self.in_base else notional, self.rate_e12)
        self.money[self.pair.base] += sign * base_minor
        self.money[self.pair.quote] -= sign * notional
        self.money[self.asset] += self.borrowed
        self.money[self.pair.base if self.in_base else self.pair.quote] -= fee
        return ceil_div(fee * self.price_e8, E8) if self.in_base else fee

    def _interest_e18(self, hours: int) -> int:
        """What the loan costs until then: at once by default, and at every full hour (M7)."""
        venue, now_ms = self.engine.venue, self.risk.time_ms
        charges = (now_ms + hours * HOUR_MS) // HOUR_MS - now_ms // HOUR_MS
        charges += venue.first_charge == "borrow"
        rate_e12, interest_e18 = self.risk.rates_e12[self.asset], 0
        if not venue.compound:
            return charges * hour_of_interest_e18(self.borrowed, 0, rate_e12, compound=False)
        for _ in range(charges):
            interest_e18 += hour_of_interest_e18(
                self.borrowed, interest_e18, rate_e12, compound=True
            )
        return interest_e18

    def _in_quote(self, interest_e18: int) -> int:
        """Interest at the price it began at, rounded up."""
        price_e8 = E8 if self.is_long else self.price_e8
        return ceil_div(interest_e18 * price_e8, MINOR_IN_E18 * E8)

    def _levels(self) -> tuple[int, int]:
        """The levels of the loan's tier: liquidation and margin call (M4)."""
        debts = (0, self.borrowed) if self.is_long else (self.borrowed, 0)
        found = isolated_levels(tier_of(self.tiers, *debts))
        return found.liquidation_e12, found.call_e12

    def _meets(self, level_e12: int, interest_e18: int) -> int | None:
        """The price at which the wallet meets a level (M11)."""
        owed = {self.asset: owed_e18(self.borrowed, interest_e18)} if self.borrowed else {}
        held = Holdings(self.money, owed)
        return meeting_price_e8(self.risk, self.wallet, held, self.pair.base, level_e12)

    def _close(self, price_e8: int, interest_e18: int) -> tuple[int, int]:
        """What is left once all is sold, or bought back, and repaid; and the fee, in the quote."""
        debt = ceil_div(owed_e18(self.borrowed, interest_e18), MINOR_IN_E18)
        quote_minor = self.money[self.pair.quote]
        if self.is_long:
            raised = self.money[self.pair.base] * price_e8 // E8
            fee = fee_minor(raised, self.rate_e12)
            return quote_minor + raised - fee - debt, fee
        if self.engine.venue.fees.asset == "quote":
            cost = ceil_div(debt * price_e8, E8)
            fee = fee_minor(cost, self.rate_e12)
            return quote_minor - cost - fee, fee
        bought = ceil_div(debt * E12, E12 - self.rate_e12)  # The fee is taken from it.
        fee = ceil_div((bought - debt) * price_e8, E8)
        return quote_minor - ceil_div(bought * price_e8, E8), fee


# -- a perpetual -------------------------------------------------------------------------------


class _Contract:
    """An isolated position of the largest size that the stake covers, fees included (P4)."""

    def __init__(self, engine: Engine, stake: Stake, perp: Instrument, price_e8: int) -> None:
        self.risk: RiskState = engine.risk
        self.engine, self.stake, self.perp = engine, stake, perp
        self.ticks = price_e8 // perp.tick_e8
        self.contract = self.risk.contracts[perp.symbol]
        self.sign = 1 if stake.side is Side.BUY else -1
        self.leverage_max = self.contract.brackets[0].leverage
        self.account = _alone(PERP, perp.quote, stake.stake_minor)
        self.account.settings[perp.symbol] = Setting(stake.leverage, isolated=True)
        self.rate_e12 = rates_e12(self.risk, self.account, "perp").taker_e12

    def way(self, prices: list[tuple[int, int]]) -> Way:
        """All of it, or why it cannot be."""
        found = self._lots()
        mark_e8 = self.risk.mark_e8(self.perp.symbol)
        if isinstance(found, Reason) or mark_e8 is None:
            reason = found if isinstance(found, Reason) else Reason.NO_MARK_PRICE
            return Way(self.perp.symbol, reason, self.leverage_max)
        lots, contract = self.sign * found, self.contract
        amount = contract.amount_minor(found, self.ticks)
        fee = fee_minor(amount, self.rate_e12)
        margin = min(ceil_div(amount, self.stake.leverage), self.stake.stake_minor - fee)
        cost = contract.cost_minor(lots, amount)
        balance_e16 = margin * contract.factor(mark_e8)
        ends = liquidation_price(contract, [(lots, cost)], balance_e16, mark_e8)
        perp = self.risk.marks[self.perp.symbol]
        each = -contract.flow_minor(lots, mark_e8, perp.predicted_e12)
        fundings = self._fundings()

        def profit(price_e8: int) -> int:
            raised = contract.amount_minor(found, price_e8 // self.perp.tick_e8)
            closing = fee_minor(raised, self.rate_e12)
            return self.sign * (raised - amount) - fee - closing - fundings * each

        return Way(
            self.perp.symbol,
            None,
            self.leverage_max,
            qty_minor=self.perp.base_minor(found),
            notional_minor=amount,
            open_fee_minor=fee,
            close_fee_minor=fee,
            funding_rate_e12=perp.predicted_e12,
            funding_interval_ms=perp.parameters.interval_ms,
            funding_each_minor=each,
            fundings=fundings,
            liquidation_e8=ends.price_e8 if ends else None,
            outcomes=_outcomes(prices, self.stake, ends.price_e8 if ends else None, profit),
        )

    def _lots(self) -> int | Reason:
        """The most lots that the stake is admitted for, or why none are."""
        if self.stake.leverage > self.leverage_max:
            return Reason.LEVERAGE_OUT_OF_RANGE
        most = self.stake.stake_minor * self.stake.leverage
        most //= self.contract.amount_minor(1, self.ticks)
        if not most:
            return Reason.NOTIONAL_TOO_SMALL
        refused = self._refuse(most)
        if refused is Reason.INSUFFICIENT_MARGIN:  # The fees have to come out of it too.
            most = self._covered(most)
            refused = self._refuse(most) if most else refused
        return most if refused is None else refused

    def _covered(self, beyond: int) -> int:
        """The most lots below so many whose margin and fees the stake covers."""
        low, high = 0, beyond - 1
        while low < high:
            middle = -(-(low + high) // 2)
            if self._refuse(middle) is Reason.INSUFFICIENT_MARGIN:
                high = middle - 1
            else:
                low = middle
        return low

    def _refuse(self, lots: int) -> Reason | None:
        """Why an order for so many lots would not be taken now."""
        wish = PlaceOrder(
            account_id=NOBODY,
            symbol=self.perp.symbol,
            side=self.stake.side,
            lots=lots,
            price_ticks=self.ticks,
            wallet=PERP,
        )
        trading = self.engine.trading
        order = trading.order_of(wish)
        reason, worst_ticks = trading.admit(self.account, order)
        book = trading.books[self.perp.symbol]
        return reason or reserve(self.risk, self.account, order, book, worst_ticks)

    def _fundings(self) -> int:
        """How often funding is paid within the hours."""
        perp = self.risk.marks[self.perp.symbol]
        left_ms = self.risk.time_ms + self.stake.hours * HOUR_MS - perp.next_funding_ms
        return 0 if left_ms < 0 else 1 + left_ms // perp.parameters.interval_ms
