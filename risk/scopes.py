# cython: overflowcheck=True
"""Margin scopes of perpetuals: which positions stand on which money, and whether it is enough."""

from __future__ import annotations

from risk.account import PERP, Account
from risk.end_prices import bankruptcy_ticks
from risk.fees import rates_e12
from risk.margin import must_liquidate
from risk.perp_worth import cross_legs, cross_state, position_worth, unrealised_e16
from risk.position import symbol_of
from risk.state import RiskState


def scope_of(state: RiskState, account: Account, leg: str) -> str:
    """The scope a position stands on: its own margin, or a cross wallet."""
    return state.pocket_wallet(account, leg)


def is_cross(scope: str) -> bool:
    """Whether a scope is a cross wallet, and not the margin of one position."""
    return "/" not in scope


def scope_leg(scope: str) -> str:
    """The leg of an isolated scope; empty for a cross wallet."""
    return "" if is_cross(scope) else scope.removeprefix(PERP + "/")


def scope_legs(state: RiskState, account: Account, scope: str) -> list[str]:
    """The positions that stand on a scope's margin, in a fixed order."""
    if is_cross(scope):
        return cross_legs(state, account, scope)
    leg = scope_leg(scope)
    return [leg] if leg in account.positions else []


def perp_state(state: RiskState, account: Account, scope: str) -> tuple[int, int]:
    """(balance_e16, maintenance_e28) of a cross wallet or of one isolated position."""
    if is_cross(scope):
        return cross_state(state, account, scope)
    leg = scope_leg(scope)
    if leg not in account.positions:
        # Nothing is held, so nothing is required; what is owed to the fund may remain.
        contract = state.contracts[symbol_of(leg)]
        factor = state.wallet_factor(contract.cross_wallet)
        return account.minor(scope, contract.settle) * factor, 0
    return position_worth(state, account, leg)


def breached(state: RiskState, account: Account, scope: str) -> bool:
    """Whether balance has fallen to maintenance (P11), or below zero with nothing left to close.

    The latter befalls who closed a position past its bankruptcy price by themselves.
    """
    balance_e16, maintenance_e28 = perp_state(state, account, scope)
    return has_fallen(scope_legs(state, account, scope), balance_e16, maintenance_e28)


def has_fallen(legs: list[str], balance_e16: int, maintenance_e28: int) -> bool:
    """`breached`, of a scope whose legs and sums are known."""
    if not legs:
        return balance_e16 < 0
    return must_liquidate(balance_e16, maintenance_e28)


def bankruptcy_of(state: RiskState, account: Account, scope: str, leg: str) -> int:
    """The price in ticks that leaves the scope nothing once this position is closed (P12)."""
    held = account.positions[leg]
    contract = state.contracts[held.symbol]
    mark_e8 = state.mark_e8(held.symbol)
    assert mark_e8 is not None
    balance_e16, _ = perp_state(state, account, scope)
    return bankruptcy_ticks(
        contract,
        (held.lots, held.cost_minor),
        balance_e16 - unrealised_e16(state, held),
        rates_e12(state, account, "perp").taker_e12,
        mark_e8,
    )
