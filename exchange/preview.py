"""What an order would cost and risk, said before it is sent; nothing is changed by asking."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec

from exchange.bracketing import refuse_bracket
from exchange.commands import PlaceOrder
from exchange.engine import Engine
from exchange.events import Answered, Filled
from exchange.foretold import foretold_fill, foretold_refusal
from exchange.triggering import refuse_asleep
from matching.reasons import Reason
from matching.types import TRIGGER_TYPES, Order, Side, TimeInForce
from risk.account import MARGIN, POSITION_SIDES, Account, isolated_wallet, position_wallet
from risk.borrowing import refuse_loan
from risk.end_prices import liquidation_price
from risk.fees import discounted_minor, fee_minor, rates_e12
from risk.ledger import FIRST_ACCOUNT
from risk.loan_tiers import isolated_levels, levels, pair_tiers, tier_of
from risk.loans import hour_of_interest_e18, owed_e18, split_repayment
from risk.margin_report import Holdings, holdings, meeting_price_e8
from risk.money import MINOR_IN_E18, ceil_div
from risk.perp_worth import perp_worth, unrealised_e16
from risk.position import fill_effect, released_cost, symbol_of
from risk.reserve import reserve
from risk.reserve_asleep import refuse_asleep_contract
from risk.reserve_contract import contract_requirement
from risk.reserve_spot import BORROW_EFFECTS, refuse_short, refuse_wallet, resting_need, spot_need
from risk.settings import supposed_leverage
from risk.settle_spot import REPAY_EFFECTS
from risk.state import RiskState

HOURS_A_DAY = 24


class Preview(NamedTuple):
    """Prices in 10^-8 of the quote, amounts in minor units; None where it does not apply."""

    reason: Reason | None
    fee_minor: int | None = None
    fee_asset: str | None = None
    margin_minor: int | None = None
    borrow_minor: int | None = None
    borrow_asset: str | None = None
    liquidation_e8: int | None = None
    call_e8: int | None = None
    interest_day_minor: int | None = None
    funding_minor: int | None = None  # Of the resulting position at the predicted rate: a cost.
    fills: tuple[Filled, ...] = ()  # What it would take at once; of a refused one nothing.
    refusal: Answered | None = None
    lots: int | None = None  # Of a perpetual: the position as it would be, signed,
    entry_e8: int = 0  # and its average entry.
    symbol: str = ""


def preview(engine: Engine, wish: PlaceOrder) -> Preview:
    """What `apply` would do with a wish at this moment, as far as it can be told beforehand."""
    engine.risk.refused = None
    found = _preview(engine, wish)
    if found.reason is None:
        return found
    refusal = foretold_refusal(engine, wish, found.reason)
    return found._replace(fills=(), refusal=refusal)


def _preview(engine: Engine, wish: PlaceOrder) -> Preview:
    risk = engine.risk
    account = risk.accounts.get(wish.account_id)
    if account is None or account.id < FIRST_ACCOUNT:
        return Preview(Reason.UNKNOWN_ACCOUNT)
    if wish.symbol not in engine.instruments:
        return Preview(Reason.UNKNOWN_SYMBOL)
    if wish.position_side not in POSITION_SIDES:
        return Preview(Reason.FIELD_OUT_OF_RANGE)
    unfit = refuse_bracket(engine.trading, account, wish)
    if unfit is not None:
        return Preview(unfit)
    if wish.type in TRIGGER_TYPES:
        return _preview_asleep(engine, account, wish)
    if engine.instruments[wish.symbol].kind == "spot":
        return _preview_spot(engine, account, wish)
    leverage = wish.leverage or account.setting(wish.symbol).leverage
    with supposed_leverage(risk, account, wish.symbol, leverage) as unfit:
        return Preview(unfit) if unfit else _preview_contract(engine, account, wish)


def _preview_asleep(engine: Engine, account: Account, wish: PlaceOrder) -> Preview:
    """What it takes to let an order sleep; what it will cost is known when it wakes."""
    risk = engine.risk
    order = engine.trading.order_of(wish)
    reason = refuse_asleep(engine.trading, account, order)
    if engine.instruments[wish.symbol].kind != "spot":
        return Preview(
            reason or refuse_asleep_contract(engine.risk, account, order), margin_minor=0
        )
    asset, need = resting_need(risk, order)
    missing = max(0, need - max(0, account.free(order.wallet, asset)))
    reason = reason or _refuse_spot(risk, account, order, asset, missing)
    borrowed = missing if order.side_effect in BORROW_EFFECTS else 0
    return Preview(
        reason,
        margin_minor=need - borrowed,
        borrow_minor=borrowed or None,
        borrow_asset=asset if borrowed else None,
    )


def _fills(engine: Engine, order: Order, worst_ticks: int) -> list[tuple[int, int]]:
    """(ticks, lots) it would trade: what fills at once, and what may wait at its limit."""
    fills = list(engine.books[order.symbol].prospective_fills(order, worst_ticks))
    left = order.lots - sum(lots for _, lots in fills)
    if left > 0 and order.tif is TimeInForce.FOK:
        return []
    if left > 0 and order.price_ticks and order.tif is not TimeInForce.IOC:
        fills.append((order.price_ticks, left))
    return fills


def _taken(engine: Engine, order: Order, worst_ticks: int) -> int:
    """How many of `_fills` would trade at once."""
    return sum(1 for _ in engine.books[order.symbol].prospective_fills(order, worst_ticks))


def _would_take(engine: Engine, order: Order) -> Reason | None:
    """A post-only order is refused at the book, and only there."""
    book = engine.books[order.symbol]
    if order.side is Side.BUY:
        reached = 0 < book.best_ask_ticks <= order.price_ticks
    else:
        reached = order.price_ticks <= book.best_bid_ticks
    return Reason.WOULD_TAKE if order.post_only and reached else None


# -- perpetuals --------------------------------------------------------------------------------


def _preview_contract(engine: Engine, account: Account, wish: PlaceOrder) -> Preview:
    risk = engine.risk
    order, reason, worst_ticks = engine.trading.consider(account, wish)
    mark_e8 = risk.mark_e8(order.symbol)
    if mark_e8 is None:
        return Preview(Reason.NO_MARK_PRICE)
    if reason is None:
        reason = reserve(risk, account, order, engine.books[order.symbol], worst_ticks)
    reason = reason or _would_take(engine, order)
    fills = _fills(engine, order, worst_ticks)
    after = _after_contract(risk, account, order, fills)
    contract = risk.contracts[order.symbol]
    coming = sum(contract.order_minor(lots, ticks) for ticks, lots in fills)
    likely = (sum(lots for _, lots in fills), coming)
    without, with_it = contract_requirement(risk, account, order, likely)
    perp = risk.marks[order.symbol]
    more_minor = contract.ceil_minor(max(0, with_it - without), mark_e8)
    return Preview(
        reason=reason,
        fee_minor=after.fee,
        fee_asset=risk.instruments[order.symbol].settle,
        margin_minor=more_minor + order.hold_minor,
        liquidation_e8=_ends_e8(risk, account, order.leg, mark_e8, after),
        funding_minor=-contract.flow_minor(after.lots, mark_e8, perp.predicted_e12)
        if after.lots and fills
        else None,
        fills=tuple(after.fills[: _taken(engine, order, worst_ticks)]),
        lots=after.lots,
        entry_e8=contract.entry_e8(after.lots, after.cost),
        symbol=order.symbol,
    )


class _After:
    """A position as each fill would leave it, and the money beside it, in minor units."""

    def __init__(self, lots: int, cost: int, margin: int, free: int) -> None:
        self.lots = lots
        self.cost = cost
        self.margin = margin  # Of an isolated position.
        self.free = free  # What the wallet holds.
        self.fee = 0
        self.fills: list[Filled] = []

    def pay(self, fee: int, closing: int, realised: int, isolated: bool) -> None:
        """An isolated position bears what it realises, and the fee of what it closes, itself."""
        self.fee += fee
        if isolated:
            self.margin += realised - closing
            self.free -= fee - closing
        else:
            self.free += realised - fee

    def move_margin(self, kept: int | None, wanted: int) -> None:
        """Isolated: keep that much of the margin (None: nothing is closed), then add to it."""
        if kept is not None:
            released = max(0, self.margin - kept)
            self.margin -= released
            self.free += released
        allotted = min(wanted, max(0, self.free))
        self.margin += allotted
        self.free -= allotted


def _after_contract(
    risk: RiskState, account: Account, order: Order, fills: list[tuple[int, int]]
) -> _After:
    """What the fills make of the position, as `risk.settle` would book them (A5, P4)."""
    contract = risk.contracts[order.symbol]
    rate_e12 = rates_e12(risk, account, "perp").taker_e12
    isolated = account.is_isolated(order.symbol)
    held = account.positions.get(order.leg)
    after = _After(
        held.lots if held else 0,
        held.cost_minor if held else 0,
        account.minor(position_wallet(order.leg), contract.settle),
        account.minor(contract.cross_wallet, contract.settle),
    )
    sign = 1 if order.side is Side.BUY else -1
    for ticks, lots in fills:
        amount = contract.amount_minor(lots, ticks)
        value = contract.cost_minor(sign, amount)
        before = after.lots, after.cost, after.margin
        effect = fill_effect(after.lots, after.cost, sign * lots, value)
        closed = effect.closed_lots
        fee = fee_minor(amount, rate_e12)
        closing = min(fee, fee_minor(amount - effect.opened_minor, rate_e12))
        kept = None
        if closed == abs(after.lots) and closed:
            kept = 0
        elif closed:
            kept = max(0, after.margin - released_cost(after.margin, closed, abs(after.lots)))
        after.pay(fee, closing, effect.realised_minor, isolated)
        if isolated:
            if kept == 0 and after.margin < 0:
                after.margin = 0  # The fund covers what is lacking.
            leverage = account.setting(order.symbol).leverage
            after.move_margin(kept, ceil_div(effect.opened_minor, leverage))
        after.lots, after.cost = effect.lots, effect.cost_minor
        told = foretold_fill(
            order,
            ticks,
            lots,
            fee_minor=fee,
            fee_asset=contract.settle,
            realised_minor=effect.realised_minor,
            rate_e12=rate_e12,
            lots_before=before[0],
            cost_before_minor=before[1],
            margin_before_minor=before[2],
            margin_after_minor=after.margin,
            leverage=account.setting(order.symbol).leverage,
        )
        after.fills.append(told)
    return after


def _ends_e8(
    risk: RiskState, account: Account, leg: str, mark_e8: int, after: _After
) -> int | None:
    """The liquidation price of the position, with the other positions as they are (P11)."""
    if not after.lots:
        return None
    contract = risk.contracts[symbol_of(leg)]
    legs = [(after.lots, after.cost)]
    balance, others_e28 = after.margin * contract.factor(mark_e8), 0
    if not account.is_isolated(contract.symbol):
        worth = perp_worth(risk, account, contract.cross_wallet)
        wallet = account.minor(contract.cross_wallet, contract.settle)
        balance = worth.balance_e16 + (after.free - wallet) * worth.factor
        others_e28 = worth.maintenance_e28
        for each in account.legs(contract.symbol):
            held = account.positions[each]
            balance -= unrealised_e16(risk, held)
            others_e28 -= contract.maintenance_e28(held.lots, mark_e8)
            if each != leg:
                legs.append((held.lots, held.cost_minor))
    ends = liquidation_price(contract, legs, balance, mark_e8, others_e28)
    return ends.price_e8 if ends else None


# -- spot --------------------------------------------------------------------------------------


def _preview_spot(engine: Engine, account: Account, wish: PlaceOrder) -> Preview:
    risk = engine.risk
    order, reason, worst_ticks = engine.trading.consider(account, wish)
    asset, need = spot_need(risk, order, engine.books[order.symbol], worst_ticks)
    missing = max(0, need - max(0, account.free(order.wallet, asset)))
    reason = reason or _refuse_spot(risk, account, order, asset, missing)
    reason = reason or _would_take(engine, order)
    borrowed = missing if order.side_effect in BORROW_EFFECTS else 0
    trade = _trade(engine, account, order, worst_ticks, (asset, need))
    prices: tuple[int | None, int | None] = (None, None)
    if order.wallet in (MARGIN, isolated_wallet(order.symbol)):
        prices = _after_margin(risk, account, order, trade, borrowed)
    interest = None
    if borrowed:
        hour_e18 = hour_of_interest_e18(borrowed, 0, risk.rates_e12[asset], compound=False)
        interest = ceil_div(hour_e18 * HOURS_A_DAY, MINOR_IN_E18)
    return Preview(
        reason=reason,
        fee_minor=trade.fee,
        fee_asset=trade.fee_asset,
        margin_minor=need - borrowed,
        borrow_minor=borrowed or None,
        borrow_asset=asset if borrowed else None,
        liquidation_e8=prices[0],
        call_e8=prices[1],
        interest_day_minor=interest,
        fills=trade.fills[: _taken(engine, order, worst_ticks)],
    )


def _refuse_spot(
    risk: RiskState, account: Account, order: Order, asset: str, missing: int
) -> Reason | None:
    """What `reserve` would say, without holding or borrowing."""
    refused = refuse_wallet(risk, account, order)
    if refused is not None or not missing:
        return refused
    if order.side_effect not in BORROW_EFFECTS:
        need = missing + max(0, account.free(order.wallet, asset))
        return refuse_short(risk, account, order, asset, need)
    return refuse_loan(risk, account, order.wallet, asset, missing)


class _Trade(NamedTuple):
    """What a spot order would exchange, in minor units, and its fee."""

    base: int
    quote: int
    fee: int
    fee_asset: str
    fills: tuple[Filled, ...] = ()


def _trade(
    engine: Engine, account: Account, order: Order, worst_ticks: int, held: tuple[str, int]
) -> _Trade:
    """The discount asset pays only where what is not held covers the fees of all fills."""
    risk, fees = engine.risk, engine.venue.fees
    instrument = engine.instruments[order.symbol]
    in_base = order.side is Side.BUY and fees.asset != "quote"
    asset = instrument.base if in_base else instrument.quote
    rate_e12 = rates_e12(risk, account, "spot").taker_e12
    base = quote = 0
    paid: list[Filled] = []  # In what is received,
    less: list[Filled] = []  # and with the discount, as far as that can be.
    for ticks, lots in _fills(engine, order, worst_ticks):
        part = instrument.base_minor(lots), instrument.notional_minor(ticks, lots)
        base, quote = base + part[0], quote + part[1]
        charged_on = part[0] if in_base else part[1]
        told = foretold_fill(
            order,
            ticks,
            lots,
            fee_minor=fee_minor(charged_on, rate_e12),
            fee_asset=asset,
            realised_minor=0,
            rate_e12=rate_e12,
        )
        paid.append(told)
        discounted = discounted_minor(risk, account, (asset, charged_on), rate_e12)
        if discounted is not None:
            less.append(_discounted(risk, told, asset, discounted))
    fee = sum(each.fee_minor for each in less)
    if less and len(less) == len(paid):
        free = account.free(order.wallet, fees.discount_asset)
        free = max(0, free - held[1]) if held[0] == fees.discount_asset else free
        received = (base if in_base else quote) if asset == fees.discount_asset else 0
        if fee <= free + received:
            return _Trade(base, quote, fee, fees.discount_asset, tuple(less))
    return _Trade(base, quote, sum(each.fee_minor for each in paid), asset, tuple(paid))


def _discounted(risk: RiskState, told: Filled, asset: str, fee: int) -> Filled:
    """The same fill with its fee in the discount asset, and the terms it comes by."""
    fees = risk.venue.fees
    return msgspec.structs.replace(
        told,
        fee_minor=fee,
        fee_asset=fees.discount_asset,
        discount_e12=fees.discount_e12,
        price_e8=risk.price_e8(asset) or 0,
        paid_e8=risk.price_e8(fees.discount_asset) or 0,
    )


def _after_margin(
    risk: RiskState, account: Account, order: Order, trade: _Trade, borrowed: int
) -> tuple[int | None, int | None]:
    """(liquidation, margin call) price of the pair's base in a margin wallet after the order."""
    instrument = risk.instruments[order.symbol]
    base, quote = instrument.base, instrument.quote
    is_buy = order.side is Side.BUY
    spent, received = (quote, base) if is_buy else (base, quote)
    sign = 1 if is_buy else -1
    money, owed = Counter[str](), Counter[str]()
    money.update(holdings(account, order.wallet).money)
    owed.update(holdings(account, order.wallet).owed_e18)
    money[base] += sign * trade.base
    money[quote] -= sign * trade.quote
    money[trade.fee_asset] -= trade.fee
    money[spent] += borrowed
    owed[spent] += borrowed * MINOR_IN_E18
    if risk.venue.first_charge == "borrow":  # The first hour is charged at once (M7).
        owed[spent] += hour_of_interest_e18(borrowed, 0, risk.rates_e12[spent], compound=False)
    if order.side_effect in REPAY_EFFECTS:
        proceeds = trade.base if is_buy else trade.quote
        proceeds -= trade.fee if trade.fee_asset == received else 0
        loan = account.loans.get((order.wallet, received))
        if loan is not None:
            paid = split_repayment(loan.principal_minor, loan.interest_e18, proceeds)
            money[received] -= paid.taken_minor
            owed[received] -= owed_e18(paid.principal_minor, paid.interest_e18)
    bounds = levels(risk, account, order.wallet)
    if order.wallet != MARGIN:
        loans = {asset: account.loans.get((order.wallet, asset)) for asset in (base, quote)}
        principal = {asset: loan.principal_minor if loan else 0 for asset, loan in loans.items()}
        principal[spent] += borrowed
        base_minor, quote_minor = (  # Interest is repaid first.
            min(principal[asset], ceil_div(owed[asset], MINOR_IN_E18)) for asset in (base, quote)
        )
        tiers = pair_tiers(risk, order.wallet)
        bounds = isolated_levels(tier_of(tiers, base_minor, quote_minor))
    first, second = (
        meeting_price_e8(risk, order.wallet, Holdings(money, owed), base, level)
        for level in (bounds.liquidation_e12, bounds.call_e12)
    )
    return first, second
