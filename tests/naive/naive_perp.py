"""A naive twin of the sums of perpetuals: linear and inverse, one-way and hedged, from MECHANICS.

It reads what an account's owner can see (balances, positions, open orders, settings) and the marks
everybody is told. Everything is a fraction, in the quote at the mark; what the rules round up is
rounded where they say, and nothing else is rounded or kept.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from exchange.engine import Engine
from matching.instrument import Instrument
from matching.types import Order, Side
from risk.account import Account
from risk.parameters import Bracket
from tests.naive.naive_money import ZERO, amount, balance, half_even, price, rate, up

FINE = 16  # Decimal places of a value in the quote that the venue reckons with.
MINOR = 8  # And of money.


def maintenance(brackets: tuple[Bracket, ...], notional: Fraction) -> Fraction:
    """What a notional must keep, slab by slab, as a tax is reckoned (P3)."""
    total = ZERO
    for place, bracket in enumerate(brackets):
        top = notional if place + 1 == len(brackets) else min(notional, amount(bracket.cap_minor))
        total += max(ZERO, top - amount(bracket.floor_minor)) * rate(bracket.mmr_e12)
    return total


class Leg(NamedTuple):
    """A position and the orders on it, or one of the two where long and short are held apart."""

    name: str
    instrument: Instrument
    lots: int  # Signed.
    cost: Fraction  # Signed, in the settle asset.
    margin: Fraction  # What is set aside for it (isolated), in the settle asset.
    mark: Fraction
    leverage: int
    isolated: bool
    brackets: tuple[Bracket, ...]
    orders: tuple[Order, ...]  # Resting ones that may add to the position.

    @property
    def inverse(self) -> bool:
        """Whether it is coins that are won and lost."""
        return self.instrument.kind == "inverse"

    @property
    def wallet(self) -> str:
        """The cross wallet behind it."""
        return f"perp:{self.instrument.settle}" if self.inverse else "perp"

    @property
    def scope(self) -> str:
        """What stands behind it."""
        return f"perp/{self.name}" if self.isolated else self.wallet

    @property
    def worth(self) -> Fraction:
        """What one of the settle asset is worth in the quote, at the mark."""
        return self.mark if self.inverse else Fraction(1)

    @property
    def size(self) -> Fraction:
        """Signed quantity: of the base, or of an inverse contract dollars."""
        return self.lots * amount(self.instrument.face_minor)

    @property
    def notional(self) -> Fraction:
        """|q| x M, or |q| dollars (P3), in the quote."""
        return abs(self.size) * (1 if self.inverse else self.mark)

    @property
    def unrealised(self) -> Fraction:
        """Value less cost (A5, P1), in the quote: q M - C, or (-q / M - C) coins."""
        if self.inverse:
            return (-self.size / self.mark - self.cost) * self.mark
        return self.size * self.mark - self.cost

    @property
    def maintenance(self) -> Fraction:
        """N x mmr - cum, the brackets being of what the contract settles in (P3)."""
        return maintenance(self.brackets, self.notional / self.worth) * self.worth

    @property
    def initial(self) -> Fraction:
        """N / L (P4)."""
        return up(self.notional / self.leverage, FINE)

    def all_of(self, side: Side) -> Fraction:
        """What the open orders of a side come to at their prices, in the settle asset."""
        return sum((self.comes_to(each) for each in self.orders if each.side is side), ZERO)

    def comes_to(self, order: Order) -> Fraction:
        """Remaining quantity x price; of an inverse contract quantity / price, rounded up."""
        at = amount(order.price_ticks * self.instrument.tick_e8)
        size = order.open_lots * amount(self.instrument.face_minor)
        return up(size / at, MINOR) if self.inverse else size * at

    @property
    def order_margin(self) -> Fraction:
        """What the orders need beyond the position: the larger of all buys and all sells (V42)."""
        buys, sells = (self.all_of(side) * self.worth for side in (Side.BUY, Side.SELL))
        if self.isolated and self.lots:
            along = buys if self.lots > 0 else sells
            return max(up(along / self.leverage, FINE), self.turned_round * self.worth)
        held = self.notional if self.lots > 0 else -self.notional
        exposed = max(abs(held + buys), abs(held - sells))
        return up(exposed / self.leverage, FINE) - self.initial

    @property
    def turned_round(self) -> Fraction:
        """What orders that turn an isolated position around need beyond what closing it gives
        back, its margin and its profit at their price (V43); in the settle asset."""
        side = Side.SELL if self.lots > 0 else Side.BUY
        lots = sum(each.open_lots for each in self.orders if each.side is side)
        if lots <= abs(self.lots):
            return ZERO
        value = self.all_of(side) * (1 if (side is Side.BUY) is not self.inverse else -1)
        closing = half_even(value * abs(self.lots) / lots)
        given_back = max(ZERO, self.margin - closing - self.cost)
        return max(ZERO, up(abs(value - closing) / self.leverage, MINOR) - given_back)


def legs(engine: Engine, account: Account) -> list[Leg]:
    """Every leg on which the account holds something or has an order that may add to it."""
    found = []
    brackets = {each.symbol: each.brackets for each in engine.venue.perps}
    orders = [
        order
        for order in account.orders.values()
        if order.wallet == "perp" and not order.reduce_only and not order.is_asleep
    ]
    for name in sorted({*account.positions, *(order.leg for order in orders)}):
        symbol = name.partition("/")[0]
        instrument = engine.instruments[symbol]
        held, setting = account.positions.get(name), account.settings.get(symbol)
        mark_e8 = engine.risk.marks[symbol].mark_e8
        assert mark_e8 is not None
        found.append(
            Leg(
                name,
                instrument,
                lots=held.lots if held else 0,
                cost=amount(held.cost_minor) if held else ZERO,
                margin=balance(account, f"perp/{name}", instrument.settle),
                mark=amount(mark_e8),
                leverage=setting.leverage if setting else 10,
                isolated=setting.isolated if setting else False,
                brackets=brackets[symbol],
                orders=tuple(order for order in orders if order.leg == name),
            )
        )
    return found


class CrossPerp(NamedTuple):
    """A cross wallet of perpetuals (P5), in the quote at the mark."""

    wallet: Fraction
    balance: Fraction
    initial: Fraction  # Of cross positions,
    orders: Fraction  # what resting orders need beyond it,
    kept: Fraction  # and what is kept back for their losses and fees.
    maintenance: Fraction
    worth: Fraction  # One of the wallet's asset, in the quote.

    @property
    def available(self) -> Fraction:
        """What new orders may use, in the wallet's asset (P5)."""
        left = self.balance - self.initial - self.orders - self.kept
        return max(ZERO, left) / self.worth

    @property
    def withdrawable(self) -> Fraction:
        """What may leave: profit that is not realised does not (P5)."""
        left = min(self.wallet, self.balance) - self.initial - self.orders - self.kept
        return max(ZERO, left) / self.worth


def cross_perp(
    engine: Engine, account: Account, wallet: str = "perp", of: list[Leg] | None = None
) -> CrossPerp:
    """A cross wallet of perpetuals: what it is worth, and what positions and orders need.

    `of` are all legs of the account, where they are known already.
    """
    everything = legs(engine, account) if of is None else of
    made = [leg for leg in everything if leg.wallet == wallet]
    cross = [leg for leg in made if leg.lots and not leg.isolated]
    worth = _coin_worth(engine, wallet)
    money = _collateral(engine, account) if account.multi_asset and wallet == "perp" else None
    if money is None:
        asset = wallet.partition(":")[2] or engine.venue.quote
        money = balance(account, wallet, asset) * worth
    return CrossPerp(
        wallet=money,
        balance=money + sum((leg.unrealised for leg in cross), ZERO),
        initial=sum((leg.initial for leg in cross), ZERO),
        orders=sum((leg.order_margin for leg in made), ZERO),
        kept=sum((amount(each.hold_minor) * worth for leg in made for each in leg.orders), ZERO),
        maintenance=sum((leg.maintenance for leg in cross), ZERO),
        worth=worth,
    )


def _coin_worth(engine: Engine, wallet: str) -> Fraction:
    """What one of a cross wallet's asset is worth: at the mark of its one inverse contract."""
    for instrument in engine.venue.instruments:
        if instrument.kind == "inverse" and wallet == f"perp:{instrument.settle}":
            return amount(engine.risk.marks[instrument.symbol].mark_e8 or 10**8)
    return Fraction(1)


def _collateral(engine: Engine, account: Account) -> Fraction:
    """Positive balances at price x ratio, negative ones in full, less interest (P18, V76)."""
    total = ZERO
    for each in engine.venue.assets:
        held = balance(account, "perp", each.asset)
        counts = rate(each.perp_ratio_e12) if held > 0 else Fraction(1)
        owed = Fraction(account.perp_interest_e18.get(each.asset, 0), 10**18)
        total += (held * counts - owed) * price(engine, each.asset)
    return -up(-total, FINE)


class PerpScope(NamedTuple):
    """What stands behind some positions, and what they must keep (P5, P11), in the quote."""

    balance: Fraction
    maintenance: Fraction


def perp_scopes(engine: Engine, account: Account) -> dict[str, PerpScope]:
    """Each cross wallet that carries positions, and each isolated position (P11)."""
    found = {}
    made = legs(engine, account)
    for leg in made:
        if leg.lots and leg.isolated:
            behind = leg.margin * leg.worth + leg.unrealised
            found[leg.scope] = PerpScope(behind, leg.maintenance)
        elif leg.lots and leg.scope not in found:
            cross = cross_perp(engine, account, leg.scope, made)
            found[leg.scope] = PerpScope(cross.balance, cross.maintenance)
    return found
