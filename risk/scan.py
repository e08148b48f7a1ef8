# cython: overflowcheck=True
"""The risk scan: exact checks of all scopes that are due, then liquidations, worst first (A6)."""

from __future__ import annotations

from itertools import islice

from matching.invariants import hold
from risk.account import PERP, Account
from risk.conversion import convert
from risk.funding_ahead import funding_ahead_minor
from risk.ledger import FIRST_ACCOUNT
from risk.liquidation import Road, pursue, resume, start_perp_liquidation
from risk.loan_tiers import levels
from risk.margin_bands import watch_margin
from risk.margin_liquidation import margin_breached, next_round, start_liquidation
from risk.margin_worth import MarginWorth, margin_worth, wallet_assets
from risk.money import E12, at_most, ceil_div
from risk.multi_asset import Weight, collateral_sources, is_multi, must_convert, owes
from risk.parts import asset_parts, debt_parts
from risk.perp_worth import perp_bands
from risk.ratio import Ratio
from risk.records import CallRecord
from risk.scopes import breached, has_fallen, perp_state, scope_legs, scope_of
from risk.state import RiskState
from risk.watch import Scope

MINOR_IN_E28 = 10**20


def find_fallen(state: RiskState, _: Road, budget: int) -> int:
    """Check due scopes; those in breach are noted, to be liquidated; the work done."""
    due = _take(state, budget)
    calm = _nothing_stands(state)
    for account_id, scope in due:
        account = state.accounts[account_id]
        state.settle(account)
        if not calm and _frozen(state, account, scope):
            state.waiting[account_id, scope] = None
            continue
        ratio = _check(state, account, scope)
        if ratio is not None:
            state.fallen.add((ratio, account_id, scope))
    return len(due)


def liquidate_fallen(state: RiskState, road: Road, budget: int) -> int:
    """Once everybody is checked: liquidate, the worst ratio first, then by account (A6)."""
    done = 0
    while state.fallen and not state.watch.due and done < budget and state.deleveraging is None:
        _, account_id, scope = state.fallen.pop(0)
        done += _liquidate(state, road, state.accounts[account_id], scope)
        done += resume(state, road, budget - done) if done < budget else 0
    return done


def _take(state: RiskState, budget: int) -> list[Scope]:
    """The next scopes that are due, in the order they became so."""
    due = state.watch.due
    taken = list(islice(due, budget))
    for scope in taken:
        del due[scope]
    return taken


def _nothing_stands(state: RiskState) -> bool:
    """Whether no index is frozen and no book halted: then nobody has to wait. O(indexes)."""
    return not state.halted and all(index.fresh for index in state.indexes.values())


def _frozen(state: RiskState, account: Account, scope: str) -> bool:
    """Whether an index the scope depends on is frozen (P7) or its book halted (S13)."""
    if scope.startswith(PERP):
        legs = scope_legs(state, account, scope)
        symbols = {account.positions[leg].symbol for leg in legs}
        books = symbols
        pairs = {state.marks[symbol].index_symbol for symbol in symbols}
        quote = state.venue.quote
        pairs |= {f"{each.asset}-{quote}" for each in _collateral(state, account, scope)}
    else:
        assets = {asset for asset, _ in wallet_assets(account, scope)}
        assets |= {loan.asset for loan in account.wallet_loans(scope)}
        books = pairs = {f"{asset}-{state.venue.quote}" for asset in assets}
    if state.halted and not state.halted.isdisjoint(books):
        return True
    return any(not state.indexes[pair].fresh for pair in pairs if pair in state.indexes)


def _check(state: RiskState, account: Account, scope: str) -> Ratio | None:
    """Leave new bands for a safe scope; for one in breach, its ratio (lower is worse)."""
    if scope.startswith(PERP):
        return _check_perp(state, account, scope)
    return _check_margin(state, account, scope)


def _check_perp(state: RiskState, account: Account, scope: str) -> Ratio | None:
    if scope in account.liquidating:
        return None
    if scope == PERP and must_convert(state, account):
        convert(state, account, "threshold")
    legs = scope_legs(state, account, scope)
    balance_e16, maintenance_e28 = perp_state(state, account, scope)
    fallen = has_fallen(legs, balance_e16, maintenance_e28)
    collateral = _collateral(state, account, scope)
    if not legs and not fallen and not (collateral and owes(state, account)):
        state.watch.drop(account.id, scope)
        return None
    if fallen:
        return Ratio(balance_e16 * E12, max(1, maintenance_e28))
    slack = balance_e16 * E12 - maintenance_e28
    ahead = funding_ahead_minor(state, account, legs, slack)
    slack -= ahead * MINOR_IN_E28
    bands = perp_bands(state, account, legs, slack, collateral)
    state.watch.put(account.id, scope, bands, ahead)
    return None


def _collateral(state: RiskState, account: Account, scope: str) -> list[Weight]:
    """The assets beside the quote that a scope of perpetuals stands on."""
    return collateral_sources(state, account) if is_multi(account, scope) else []


def _check_margin(state: RiskState, account: Account, scope: str) -> Ratio | None:
    if scope in account.liquidating:
        return None
    worth = margin_worth(state, account, scope)
    if not worth.debts_e28:
        state.watch.drop(account.id, scope)
        if account.called.pop(scope, None) is not None:
            _tell_call(state, account, scope, worth, cleared=True)
        return None
    if margin_breached(state, account, scope, worth):
        return Ratio(worth.assets_e28, worth.debts_e28)
    _call(state, account, scope, worth)
    watch_margin(state, account, scope, worth)
    return None


def _call(state: RiskState, account: Account, scope: str, worth: MarginWorth) -> None:
    """Call margin on crossing the level downward, and at most once in a while after (M9)."""
    bound = levels(state, account, scope).call_e12
    if not at_most(worth.assets_e28, worth.debts_e28, bound):
        if account.called.pop(scope, None) is not None:
            _tell_call(state, account, scope, worth, cleared=True)
        return
    account.called.setdefault(scope, state.time_ms)
    told_ms = account.call_told.get(scope)
    if told_ms is None or state.time_ms - told_ms >= state.venue.call_repeat_ms:
        account.call_told[scope] = state.time_ms
        _tell_call(state, account, scope, worth, cleared=False)


def _tell_call(
    state: RiskState, account: Account, scope: str, worth: MarginWorth, *, cleared: bool
) -> None:
    bound = levels(state, account, scope).call_e12
    missing = bound * worth.debts_e28 - worth.assets_e28 * E12
    level = worth.assets_e28 * E12 // worth.debts_e28 if worth.debts_e28 else 999 * E12
    add = 0 if cleared else ceil_div(max(0, missing), E12 * MINOR_IN_E28)
    assets, debts = asset_parts(state, account, scope), debt_parts(state, account, scope)
    state.tell(CallRecord(account.id, scope, level, bound, add, cleared, assets, debts))


def check_overlooked(state: RiskState, account: Account) -> None:
    """I9: nobody is in breach whom no scan is about to look at, and who is not being liquidated."""
    if account.id < FIRST_ACCOUNT or state.instants.since(account.settled) or state.fallen:
        return
    for scope in _scopes(state, account):
        awaited = (account.id, scope) in state.waiting or state.watch.awaits(account.id, scope)
        if awaited or scope in account.liquidating:
            continue
        if scope.startswith(PERP):
            fallen = breached(state, account, scope)
        else:
            fallen = margin_breached(state, account, scope, margin_worth(state, account, scope))
        hold("I9", not fallen, account.id, "{} is in breach, and no scan will see it", scope)


def _scopes(state: RiskState, account: Account) -> list[str]:
    """All whose worth a price, interest or funding can change, and all that are below zero."""
    found = {loan.wallet for loan in account.loans.values()}
    for leg, held in account.positions.items():
        found |= {scope_of(state, account, leg), state.contracts[held.symbol].cross_wallet}
    found |= {wallet for (wallet, _), pocket in account.pockets.items() if pocket.minor < 0}
    return sorted(found)


def _liquidate(state: RiskState, road: Road, account: Account, scope: str) -> int:
    """Another liquidation of this scan may have changed things: look again first; the work."""
    state.settle(account)
    if _frozen(state, account, scope):
        state.waiting[account.id, scope] = None
    elif scope in account.liquidating:
        pass  # It was due twice.
    elif scope.startswith(PERP):
        if breached(state, account, scope):
            return start_perp_liquidation(state, road, account, scope)
        state.watch.touch(account.id, scope)
    elif margin_breached(state, account, scope, margin_worth(state, account, scope)):
        state.watch.drop(account.id, scope)
        start_liquidation(state, road, account, scope)
    else:
        state.watch.touch(account.id, scope)
    return 1


def run_rounds(state: RiskState, road: Road, budget: int) -> int:
    """One round for each liquidation under way that had none at this grid point."""
    done = 0
    while state.jobs and done < budget and not (state.watch.due or state.fallen):
        account_id, scope = next(iter(state.jobs))
        del state.jobs[account_id, scope]
        account = state.accounts[account_id]
        state.settle(account)
        if scope.startswith(PERP) and not _frozen(state, account, scope):
            done += pursue(state, road, account, scope)
            done += resume(state, road, budget - done) if done < budget else 0
            if state.deleveraging is not None:
                break
            continue
        state.jobs_later[account_id, scope] = None
        if not scope.startswith(PERP) and not _frozen(state, account, scope):
            next_round(state, road, account, scope)
        done += 1
    return done
