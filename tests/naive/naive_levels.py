"""A naive twin of the risk scan: who must be called, who must be liquidated, and who must wait."""

from __future__ import annotations

from fractions import Fraction

from exchange.engine import Engine
from exchange.events import LiquidationStarted, MarginCalled
from risk.account import Account
from tests.naive.naive_margin import margin_scopes
from tests.naive.naive_money import ZERO, Scope, amount, customers, rate
from tests.naive.naive_perp import legs, maintenance, perp_scopes


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
        held = [leg for leg in legs(engine, account) if leg.lots and leg.scope == scope]
        books = {leg.instrument.symbol for leg in held}
        pairs = {f"{leg.instrument.base}-{quote}" for leg in held}
        if scope == "perp" and account.multi_asset:
            pairs |= {f"{asset}-{quote}" for asset in _assets(account, scope) - {quote}}
    else:
        books = pairs = {f"{asset}-{quote}" for asset in _assets(account, scope) - {quote}}
    stale = any(not engine.risk.indexes[pair].fresh for pair in pairs)
    return stale or any(
        engine.trading.states[book].name in ("HALT", "CANCEL_ONLY", "PRE_OPEN", "AUCTION")
        for book in books
    )


def _assets(account: Account, scope: str) -> set[str]:
    """What a wallet holds and owes."""
    held = {
        name[1] for name, pocket in account.pockets.items() if name[0] == scope and pocket.minor
    }
    return held | {loan.asset for loan in account.loans.values() if loan.wallet == scope}


# -- what was told -----------------------------------------------------------------------------


def was_right_to_liquidate(engine: Engine, event: LiquidationStarted) -> bool:
    """Whether the parts a liquidation tells of come to its sums, and these to a breach."""
    if not event.scope.startswith("perp"):
        assets = sum((amount(minor) * amount(price) for _, minor, price in event.assets), ZERO)
        debts = sum((_owed(owed, price) for _, owed, price in event.debts), ZERO)
        return debts > 0 and assets <= rate(event.bound_e12) * debts
    required = ZERO
    for leg, lots, _, mark_e8, _, _, told_e28 in event.positions:
        symbol = leg.partition("/")[0]
        instrument, mark = engine.instruments[symbol], amount(mark_e8)
        (terms,) = (each for each in engine.venue.perps if each.symbol == symbol)
        size = abs(lots) * amount(instrument.face_minor)
        if instrument.kind == "inverse":
            need = maintenance(terms.brackets, size / mark) * mark
        else:
            need = maintenance(terms.brackets, size * mark)
        if need != _e28(told_e28):
            return False
        required += need
    balance = amount(event.assets_e16) / 10**8
    return balance <= required if event.positions else balance < 0


def was_right_to_call(event: MarginCalled) -> bool:
    """Whether the parts a margin call tells of are at the call level, or above it once cleared."""
    assets = sum((amount(minor) * amount(price) for _, minor, price in event.assets), ZERO)
    debts = sum((_owed(owed, price) for _, owed, price in event.debts), ZERO)
    low = debts > 0 and assets <= rate(event.call_level_e12) * debts
    return low is not event.cleared


def _owed(owed_e18: int, price_e8: int) -> Fraction:
    return Fraction(owed_e18, 10**18) * amount(price_e8)


def _e28(value: int) -> Fraction:
    return Fraction(value, 10**28)
