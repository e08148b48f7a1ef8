# cython: overflowcheck=True
"""The margin levels that apply to a wallet: by the account's leverage, or by its loan tier (M4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from risk.account import ISOLATED, MARGIN, Account
from risk.money import E12
from risk.parameters import IsolatedTier
from risk.state import RiskState

TRANSFER_E12: Final = 2 * E12  # What leaves keeps collateral at twice the debt (M5).


class Levels(msgspec.Struct, frozen=True, gc=False):
    """The levels that apply to a margin wallet, and the leverage they come with (M4)."""

    leverage: int
    initial_e12: int  # Borrowing needs more than this,
    transfer_e12: int  # taking out more than this.
    call_e12: int
    liquidation_e12: int
    restored_e12: int


def levels(state: RiskState, account: Account, wallet: str) -> Levels:
    """The levels of a margin wallet as it stands."""
    if wallet == MARGIN:
        return _cross_levels(state, account)
    return isolated_levels(present_tier(state, account, wallet))


def _cross_levels(state: RiskState, account: Account) -> Levels:
    cross = state.cross[account.margin_leverage]
    return Levels(
        cross.leverage,
        cross.borrow_e12,
        cross.transfer_e12,
        cross.call_e12,
        cross.liquidation_e12,
        cross.restored_e12,
    )


def isolated_levels(tier: IsolatedTier) -> Levels:
    """The levels of a loan tier; a liquidation stops early at its initial one (M10)."""
    return Levels(
        leverage=tier.leverage,
        initial_e12=tier.initial_e12,
        transfer_e12=TRANSFER_E12,
        call_e12=tier.call_e12,
        liquidation_e12=tier.liquidation_e12,
        restored_e12=tier.initial_e12,
    )


def pair_tiers(state: RiskState, wallet: str) -> tuple[IsolatedTier, ...]:
    """The loan tiers of an isolated wallet's pair."""
    return state.spots[wallet.removeprefix(ISOLATED)].isolated


def present_tier(state: RiskState, account: Account, wallet: str) -> IsolatedTier:
    """The loan tier of an isolated wallet as it stands."""
    instrument = state.instruments[wallet.removeprefix(ISOLATED)]
    loans = [account.loans.get((wallet, asset)) for asset in (instrument.base, instrument.quote)]
    base_minor, quote_minor = (loan.principal_minor if loan else 0 for loan in loans)
    return tier_of(pair_tiers(state, wallet), base_minor, quote_minor)


def tier_of(tiers: Sequence[IsolatedTier], base_minor: int, quote_minor: int) -> IsolatedTier:
    """The first tier that has room for both debts, so that the larger of them decides (M4).

    Limits are of what was borrowed: interest alone moves nobody to another tier. What exceeds
    the last tier, which no loan can, counts to the last.
    """
    for tier in tiers:
        if base_minor <= tier.base_limit_minor and quote_minor <= tier.quote_limit_minor:
            return tier
    return tiers[-1]
