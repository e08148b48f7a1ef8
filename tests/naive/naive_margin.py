"""A naive twin of the margin sums: plain fractions of whole units, every account every time.

It reads what an account's owner can see (balances, loans, positions, open orders, settings) and
the prices everybody is told, and says from MECHANICS alone what each scope is worth, what it
must hold, and whether it must be liquidated. Nothing is cached, nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from exchange.engine import Engine
from matching.types import Order, Side
from risk.account import Account
from risk.ledger import FIRST_ACCOUNT
from risk.parameters import Bracket, CollateralTier, IsolatedTier, SpotParameters

E8 = 10**8
E12 = 10**12

Scope = tuple[int, str]


class PerpScope(NamedTuple):
    """What stands behind some positions, and what they must keep (P5, P11), in USDT."""

    balance: Fraction
    maintenance: Fraction


class CrossPerp(NamedTuple):
    """The cross wallet of perpetuals (P5), in USDT."""

    wallet: Fraction
    balance: Fraction
    initial: Fraction  # Of cross positions,
    orders: Fraction  # and what resting orders need beyond it.
    maintenance: Fraction


class MarginScope(NamedTuple):
    """A margin wallet at the index (M3), in USDT."""

    assets: Fraction
    debts: Fraction
    collateral: Fraction
    call: Fraction
    liquidation: Fraction

    @property
    def level(self) -> Fraction | None:
        """Assets / debts; None without a debt."""
        return self.assets / self.debts if self.debts else None


def amount(minor: int) -> Fraction:
    """Minor units as whole units."""
    return Fraction(minor, E8)


def rate(rate_e12: int) -> Fraction:
    """A rate as a fraction."""
    return Fraction(rate_e12, E12)


# -- perpetuals --------------------------------------------------------------------------------


def maintenance(brackets: tuple[Bracket, ...], notional: Fraction) -> Fraction:
    """What a notional must keep, slab by slab, as a tax is reckoned (P3)."""
    total = Fraction(0)
    for place, bracket in enumerate(brackets):
        floor = amount(bracket.floor_minor)
        top = notional if place + 1 == len(brackets) else min(notional, amount(bracket.cap_minor))
        total += max(Fraction(0), top - floor) * rate(bracket.mmr_e12)
    return total


class Contract(NamedTuple):
    """One account's position and orders on one perpetual, in whole units."""

    quantity: Fraction  # Signed.
    cost: Fraction  # Signed.
    mark: Fraction
    leverage: int
    isolated: bool
    buys: Fraction  # Quantity x price of resting buys that may add to a position.
    sells: Fraction
    brackets: tuple[Bracket, ...]
    against: Fraction = Fraction(0)  # Quantity of the orders against the position,
    margin: Fraction = Fraction(0)  # and what is set aside for it (isolated).

    @property
    def unrealised(self) -> Fraction:
        """Value at the mark less what it cost (A5)."""
        return self.quantity * self.mark - self.cost

    @property
    def initial(self) -> Fraction:
        """Initial margin of the position (P4)."""
        return abs(self.quantity) * self.mark / self.leverage

    @property
    def orders(self) -> Fraction:
        """What the orders need beyond it: the larger of all buys and all sells (P4).

        Those that turn an isolated position around are paid by what closing it gives back first,
        its margin and its profit at their price (V43).
        """
        if self.isolated and self.quantity:
            along, back = self.buys, self.sells
            if self.quantity < 0:
                along, back = self.sells, self.buys
            opening, flip = self.against - abs(self.quantity), Fraction(0)
            if opening > 0:
                closing = Fraction(round(back * abs(self.quantity) / self.against * E8), E8)
                gain = (closing if self.quantity > 0 else -closing) - self.cost
                needed = Fraction(ceil((back - closing) / self.leverage * E8), E8)
                flip = max(Fraction(0), needed - max(Fraction(0), self.margin + gain))
            return max(along / self.leverage, flip)
        value = self.quantity * self.mark
        return max(abs(value + self.buys), abs(value - self.sells)) / self.leverage - self.initial

    @property
    def maintenance(self) -> Fraction:
        """What the position must keep."""
        return maintenance(self.brackets, abs(self.quantity) * self.mark)


def contracts(engine: Engine, account: Account) -> dict[str, Contract]:
    """Every perpetual on which the account holds something or has an order."""
    found = {}
    for parameters in engine.venue.perps:
        symbol = parameters.symbol
        orders = [
            order
            for order in account.orders.values()
            if order.symbol == symbol and not order.reduce_only and not order.is_asleep
        ]
        held = account.positions.get(symbol)
        if held is None and not orders:
            continue
        instrument = engine.instruments[symbol]
        setting = account.settings.get(symbol)
        mark_e8 = engine.risk.marks[symbol].mark_e8
        assert mark_e8 is not None
        found[symbol] = Contract(
            quantity=amount(held.lots * instrument.lot_minor) if held else Fraction(0),
            cost=amount(held.cost_minor) if held else Fraction(0),
            mark=amount(mark_e8),
            leverage=setting.leverage if setting else 10,
            isolated=setting.isolated if setting else False,
            buys=sum(
                (_value(engine, each) for each in orders if each.side is Side.BUY), Fraction()
            ),
            sells=sum(
                (_value(engine, each) for each in orders if each.side is Side.SELL), Fraction()
            ),
            brackets=parameters.brackets,
            against=sum(
                (
                    amount(each.open_lots * instrument.lot_minor)
                    for each in orders
                    if held and (each.side is Side.SELL) is (held.lots > 0)
                ),
                Fraction(),
            ),
            margin=_balance(account, f"perp/{symbol}", engine.venue.quote),
        )
    return found


def _value(engine: Engine, order: Order) -> Fraction:
    """What is still open of an order, at its price."""
    instrument = engine.instruments[order.symbol]
    quantity = amount(order.open_lots * instrument.lot_minor)
    return quantity * amount(order.price_ticks * instrument.tick_e8)


def cross_perp(engine: Engine, account: Account) -> CrossPerp:
    """The cross wallet of perpetuals, and what its positions and all orders need."""
    wallet = _balance(account, "perp", engine.venue.quote)
    made = contracts(engine, account).values()
    cross = [each for each in made if not each.isolated]
    return CrossPerp(
        wallet=wallet,
        balance=wallet + sum((each.unrealised for each in cross), Fraction()),
        initial=sum((each.initial for each in cross), Fraction()),
        orders=sum((each.orders for each in made), Fraction()),
        maintenance=sum((each.maintenance for each in cross), Fraction()),
    )


def perp_scopes(engine: Engine, account: Account) -> dict[str, PerpScope]:
    """The cross wallet where it carries positions, and each isolated position (P11)."""
    found = {}
    made = {symbol: each for symbol, each in contracts(engine, account).items() if each.quantity}
    if any(not each.isolated for each in made.values()):
        cross = cross_perp(engine, account)
        found["perp"] = PerpScope(cross.balance, cross.maintenance)
    for symbol, each in made.items():
        if each.isolated:
            margin = _balance(account, f"perp/{symbol}", engine.venue.quote)
            found[f"perp/{symbol}"] = PerpScope(margin + each.unrealised, each.maintenance)
    return found


# -- spot margin -------------------------------------------------------------------------------


def margin_scopes(engine: Engine, account: Account) -> dict[str, MarginScope]:
    """Every margin wallet that owes something (M3, M4)."""
    wallets = {loan.wallet for loan in account.loans.values()}
    return {wallet: margin_scope(engine, account, wallet) for wallet in sorted(wallets)}


def margin_scope(engine: Engine, account: Account, wallet: str) -> MarginScope:
    """One margin wallet: assets, debts with interest, collateral after haircuts."""
    assets = debts = collateral = Fraction(0)
    for each in engine.venue.assets:
        price = _price(engine, each.asset)
        value = _balance(account, wallet, each.asset) * price
        assets += value
        floor = Fraction(0)
        if not _is_fresh(engine, each.asset):
            value = Fraction(0)  # It counts towards nothing new (T27).
        for tier in each.collateral if wallet == "margin" else (CollateralTier(None, E12),):
            top = value if tier.cap_minor is None else min(value, amount(tier.cap_minor))
            collateral += max(Fraction(0), top - floor) * rate(tier.ratio_e12)
            floor = max(floor, top)
        loan = account.loans.get((wallet, each.asset))
        if loan is not None:
            owed = amount(loan.principal_minor) + Fraction(loan.interest_e18, 10**18)
            debts += owed * price
    if wallet == "margin":
        (bounds,) = (x for x in engine.venue.cross if x.leverage == account.margin_leverage)
        return MarginScope(
            assets, debts, collateral, rate(bounds.call_e12), rate(bounds.liquidation_e12)
        )
    pair = wallet.removeprefix("isolated:")
    (spot,) = (x for x in engine.venue.spots if x.symbol == pair)
    step = _tier(engine, account, wallet, spot)
    return MarginScope(assets, debts, collateral, rate(step.call_e12), rate(step.liquidation_e12))


def _tier(engine: Engine, account: Account, wallet: str, spot: SpotParameters) -> IsolatedTier:
    """The strictest of the two tiers that what was borrowed of base and of quote leads to (M4)."""
    instrument = engine.instruments[spot.symbol]
    places = []
    for asset, limits in (
        (instrument.base, [each.base_limit_minor for each in spot.isolated]),
        (instrument.quote, [each.quote_limit_minor for each in spot.isolated]),
    ):
        loan = account.loans.get((wallet, asset))
        principal = loan.principal_minor if loan else 0
        places.append(sum(limit < principal for limit in limits))
    return spot.isolated[min(max(places), len(spot.isolated) - 1)]


def _is_fresh(engine: Engine, asset: str) -> bool:
    quote = engine.venue.quote
    return asset == quote or engine.risk.indexes[f"{asset}-{quote}"].fresh


def _price(engine: Engine, asset: str) -> Fraction:
    if asset == engine.venue.quote:
        return Fraction(1)
    return amount(engine.risk.indexes[f"{asset}-{engine.venue.quote}"].index_e8 or 0)


def _balance(account: Account, wallet: str, asset: str) -> Fraction:
    pocket = account.pockets.get((wallet, asset))
    return amount(pocket.minor if pocket else 0)


# -- who must be liquidated --------------------------------------------------------------------


def customers(engine: Engine) -> Iterator[Account]:
    """Everybody but the house."""
    for account_id, account in sorted(engine.risk.accounts.items()):
        if account_id >= FIRST_ACCOUNT:
            yield account


def must_be_liquidated(engine: Engine) -> set[Scope]:
    """Every scope at or below its maintenance or liquidation level that nothing holds back (I9).

    Held back are scopes in liquidation already, and those that an index without a fresh source
    (P7) or a book that does not trade (S13) concerns.
    """
    found: set[Scope] = set()
    for account in customers(engine):
        for scope, worth in perp_scopes(engine, account).items():
            if worth.balance <= worth.maintenance:
                found.add((account.id, scope))
        for wallet, held in margin_scopes(engine, account).items():
            if held.debts and held.assets <= held.liquidation * held.debts:
                found.add((account.id, wallet))
    return {scope for scope in found if not _held_back(engine, *scope)}


def must_be_called(engine: Engine) -> set[Scope]:
    """Every margin wallet at or below its call level that nothing holds back (M9)."""
    return {
        (account.id, wallet)
        for account in customers(engine)
        for wallet, held in margin_scopes(engine, account).items()
        if held.debts and held.assets <= held.call * held.debts
        if not _held_back(engine, account.id, wallet)
    }


def _held_back(engine: Engine, account_id: int, scope: str) -> bool:
    account = engine.risk.accounts[account_id]
    if scope in account.liquidating:
        return True
    quote = engine.venue.quote
    if scope.startswith("perp"):
        made = contracts(engine, account)
        symbols = {
            symbol
            for symbol, each in made.items()
            if each.quantity and (f"perp/{symbol}" == scope if each.isolated else scope == "perp")
        }
        bases = {engine.instruments[symbol].base for symbol in symbols}
        books, pairs = symbols, {f"{base}-{quote}" for base in bases}
    else:
        assets = {
            name[1] for name, held in account.pockets.items() if name[0] == scope and held.minor
        }
        assets |= {loan.asset for loan in account.loans.values() if loan.wallet == scope}
        books = pairs = {f"{asset}-{quote}" for asset in assets - {quote}}
    stale = any(not engine.risk.indexes[pair].fresh for pair in pairs)
    return stale or any(
        engine.trading.states[book].name in ("HALT", "CANCEL_ONLY") for book in books
    )
