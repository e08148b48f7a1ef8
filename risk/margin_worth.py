# cython: overflowcheck=True
"""What a margin wallet is worth and owes at the index; what it may borrow and give away."""

from __future__ import annotations

from typing import Final

import msgspec

from risk.account import ISOLATED, MARGIN, PERP, SPOT, Account
from risk.loan_tiers import levels, pair_tiers
from risk.loans import (
    asset_e28,
    collateral_e28,
    debt_e28,
    max_borrow_minor,
    max_transfer_out_minor,
)
from risk.money import E12
from risk.parameters import CollateralTier
from risk.perp_worth import max_perp_transfer_out
from risk.pool import inventory_minor
from risk.state import ONE_E8, RiskState

WHOLE_COLLATERAL: Final = (CollateralTier(None, E12),)  # Isolated margin takes no haircut (M5).


class MarginWorth(msgspec.Struct, frozen=True, gc=False):
    """A margin wallet at the index, in 10^-28 of the venue's quote (M3)."""

    assets_e28: int
    debts_e28: int
    collateral_e28: int


def wallet_assets(account: Account, wallet: str) -> list[tuple[str, int]]:
    """(asset, total) of what a wallet holds, in a fixed order."""
    found = [
        (asset, pocket.minor)
        for (name, asset), pocket in account.pockets.items()
        if name == wallet and pocket.minor
    ]
    found.sort()
    return found


def margin_worth(state: RiskState, account: Account, wallet: str) -> MarginWorth:
    """Assets, debts and collateral of a margin wallet.

    An asset without a price counts nothing; a debt has one, or it could not have been taken.
    Collateral whose index is frozen counts nothing towards new loans and transfers (T27), while
    the level stays as it was and liquidation waits for a price (P7).
    """
    assets = debts = collateral = 0
    for asset, total in wallet_assets(account, wallet):
        price_e8 = state.price_e8(asset) or 0
        assets += asset_e28(total, price_e8)
        value_e16 = total * collateral_price_e8(state, asset)
        collateral += collateral_e28(value_e16, _tiers(state, wallet, asset))
    for loan in account.wallet_loans(wallet):
        price = state.price_e8(loan.asset)
        assert price is not None, loan.asset
        debts += debt_e28(loan.owed_e18, price)
    return MarginWorth(assets, debts, collateral)


def collateral_price_e8(state: RiskState, asset: str) -> int:
    """What an asset counts as collateral, before its haircut; 0 while it has no fresh index."""
    if asset == state.venue.quote:
        return ONE_E8
    index = state.index_of.get(asset)
    return (index.index_e8 or 0) if index and index.fresh else 0


def _tiers(state: RiskState, wallet: str, asset: str) -> tuple[CollateralTier, ...]:
    return state.assets[asset].collateral if wallet == MARGIN else WHOLE_COLLATERAL


def max_borrow(state: RiskState, account: Account, wallet: str, asset: str) -> int:
    """The largest loan of an asset a margin wallet may take now, in minor units (M5)."""
    price_e8 = collateral_price_e8(state, asset)
    if not price_e8 or wallet == SPOT or wallet.startswith(PERP):
        return 0
    if wallet == MARGIN:
        initial_e12 = levels(state, account, wallet).initial_e12
        room = _collateral_room(state, account, wallet, asset, initial_e12)
    else:
        room = _isolated_room(state, account, wallet, asset)
    owed = sum(loan.principal_minor for loan in account.loans.values() if loan.asset == asset)
    room = min(room, inventory_minor(state, asset))
    return max(0, min(room, state.assets[asset].borrow_limit_minor - owed))


def _collateral_room(
    state: RiskState, account: Account, wallet: str, asset: str, initial_e12: int
) -> int:
    """The largest loan that collateral carries at an initial level.

    What is borrowed joins what is there of the asset, and counts as the top of it (T25).
    """
    worth = margin_worth(state, account, wallet)
    price_e8 = collateral_price_e8(state, asset)
    return max_borrow_minor(
        worth.collateral_e28,
        worth.debts_e28,
        initial_e12,
        account.minor(wallet, asset) * price_e8,
        _tiers(state, wallet, asset),
        price_e8,
    )


def _isolated_room(state: RiskState, account: Account, wallet: str, asset: str) -> int:
    """The largest loan that fits the tier it leads to, limit and initial level alike (M4, M5)."""
    instrument = state.instruments[wallet.removeprefix(ISOLATED)]
    is_base = asset == instrument.base
    other = account.loans.get((wallet, instrument.quote if is_base else instrument.base))
    mine = account.loans.get((wallet, asset))
    most = 0
    for tier in pair_tiers(state, wallet):
        limits = (tier.base_limit_minor, tier.quote_limit_minor)
        limit, other_limit = limits if is_base else reversed(limits)
        if other is not None and other.principal_minor > other_limit:
            continue
        room = _collateral_room(state, account, wallet, asset, tier.initial_e12)
        most = max(most, min(room, limit - (mine.principal_minor if mine else 0)))
    return most


def max_transfer_out(state: RiskState, account: Account, wallet: str, asset: str) -> int:
    """The most of an asset that may leave a wallet now, in minor units."""
    free = account.free(wallet, asset)
    if wallet == SPOT:
        return free
    if wallet.startswith(PERP):
        return max_perp_transfer_out(state, account, wallet, asset)
    worth_ = margin_worth(state, account, wallet)
    return max_transfer_out_minor(
        free,
        account.minor(wallet, asset),
        collateral_price_e8(state, asset),
        _tiers(state, wallet, asset),
        worth_.collateral_e28,
        worth_.debts_e28,
        levels(state, account, wallet).transfer_e12,
    )
