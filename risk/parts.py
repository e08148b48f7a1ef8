"""What a margin scope is made of, part by part: what calls and liquidations tell of their sums."""

from __future__ import annotations

from risk.account import Account
from risk.margin_worth import wallet_assets
from risk.records import Parts, PositionParts
from risk.state import RiskState


def asset_parts(state: RiskState, account: Account, wallet: str) -> Parts:
    """(asset, minor, price_e8) of all a spot margin wallet holds; their sum is its assets (M3).

    An asset without a price counts nothing.
    """
    return tuple(
        (asset, total, state.price_e8(asset) or 0)
        for asset, total in wallet_assets(account, wallet)
    )


def debt_parts(state: RiskState, account: Account, wallet: str) -> Parts:
    """(asset, owed_e18, price_e8) of all a spot margin wallet owes; their sum is its debt (M3)."""
    return tuple(
        (loan.asset, loan.owed_e18, state.price_e8(loan.asset) or 0)
        for loan in sorted(account.wallet_loans(wallet), key=lambda loan: loan.asset)
    )


def position_parts(state: RiskState, account: Account, legs: list[str]) -> PositionParts:
    """What stands on a perpetual wallet, as `PositionParts` has it (P3, P5)."""
    parts = []
    for leg in legs:
        held = account.positions[leg]
        contract = state.contracts[held.symbol]
        mark_e8 = state.mark_e8(held.symbol) or 0
        parts.append(
            (
                leg,
                held.lots,
                held.cost_minor,
                mark_e8,
                contract.unrealised_e16(held.lots, held.cost_minor, mark_e8),
                contract.bracket(held.lots, mark_e8).mmr_e12,
                contract.maintenance_e28(held.lots, mark_e8),
            )
        )
    return tuple(parts)
