# cython: overflowcheck=True
"""The lending pool of an asset: what is lent of it, and what an hour of a loan costs (M2, M7)."""

from __future__ import annotations

from risk.ledger import POOL
from risk.loans import pool_rate_e12
from risk.state import RiskState


def inventory_minor(state: RiskState, asset: str) -> int:
    """What the pool can still lend."""
    return max(0, state.ledger.house(POOL, asset).minor)


def lent_minor(state: RiskState, asset: str) -> int:
    """Principal that borrowers owe the pool: what it has, less what is there (I2)."""
    return pool_minor(state, asset) - state.ledger.house(POOL, asset).minor


def pool_minor(state: RiskState, asset: str) -> int:
    """All that belongs to the pool, lent or not: capital and earnings less what was lost (I2)."""
    return (
        state.assets[asset].pool_capital_minor
        + state.interest_paid.get(asset, 0)
        - state.bad_debt.get(asset, 0)
    )


def fix_rates(state: RiskState) -> dict[str, int]:
    """The top of an hour: fix the hourly rate of every asset by what its pool has lent; a copy."""
    for asset, parameters in state.assets.items():
        state.rates_e12[asset] = pool_rate_e12(
            parameters, lent_minor(state, asset), pool_minor(state, asset)
        )
    return dict(state.rates_e12)
