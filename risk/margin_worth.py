"""What a margin wallet is worth and owes at the index, and the bands it is safe in."""

from __future__ import annotations

from typing import Final, NamedTuple

from risk.account import ISOLATED, MARGIN, PERP, SPOT, Account
from risk.ledger import POOL
from risk.loans import (
    asset_e28,
    collateral_e28,
    debt_e28,
    marginal_ratio_e12,
    max_borrow_minor,
    max_transfer_out_minor,
)
from risk.money import E12
from risk.parameters import CollateralTier, CrossLevels, IsolatedTier
from risk.perp_worth import max_perp_transfer_out
from risk.state import RiskState
from risk.watch import Band

WHOLE_COLLATERAL: Final = (CollateralTier(None, E12),)  # Isolated margin takes no haircut (M5).


class MarginWorth(NamedTuple):
    """A margin wallet at the index, in 10^-28 of the venue's quote (M3)."""

    assets_e28: int
    debts_e28: int
    collateral_e28: int


class Levels(NamedTuple):
    """The levels that apply to a margin wallet, and the leverage they come with (M4)."""

    leverage: int
    initial_e12: int  # Borrowing needs more than this,
    transfer_e12: int  # taking out more than this.
    call_e12: int
    liquidation_e12: int
    restored_e12: int


def levels(state: RiskState, account: Account, wallet: str) -> Levels:
    """The levels of a margin wallet: by the account's leverage, or the pair's first loan tier."""
    if wallet == MARGIN:
        cross: CrossLevels = state.cross[account.margin_leverage]
        return Levels(
            cross.leverage,
            cross.borrow_e12,
            cross.transfer_e12,
            cross.call_e12,
            cross.liquidation_e12,
            cross.restored_e12,
        )
    tier = isolated_tier(state, wallet)
    return Levels(
        tier.leverage,
        tier.initial_e12,
        tier.initial_e12,
        tier.call_e12,
        tier.liquidation_e12,
        tier.initial_e12,
    )


def isolated_tier(state: RiskState, wallet: str) -> IsolatedTier:
    """The loan tier of an isolated wallet's pair."""
    return state.spots[wallet.removeprefix(ISOLATED)].isolated[0]


def wallet_assets(account: Account, wallet: str) -> list[tuple[str, int]]:
    """(asset, total) of what a wallet holds, in a fixed order."""
    return sorted(
        (asset, pocket.minor)
        for (name, asset), pocket in account.pockets.items()
        if name == wallet and pocket.minor
    )


def margin_worth(state: RiskState, account: Account, wallet: str) -> MarginWorth:
    """Assets, debts and collateral of a margin wallet.

    An asset without a price counts nothing; a debt has one, or it could not have been taken.
    """
    assets = debts = collateral = 0
    for asset, total in wallet_assets(account, wallet):
        price_e8 = state.price_e8(asset) or 0
        assets += asset_e28(total, price_e8)
        collateral += collateral_e28(total * price_e8, _tiers(state, wallet, asset))
    for loan in account.wallet_loans(wallet):
        price = state.price_e8(loan.asset)
        assert price is not None, loan.asset
        debts += debt_e28(loan.owed_e18, price)
    return MarginWorth(assets, debts, collateral)


def _tiers(state: RiskState, wallet: str, asset: str) -> tuple[CollateralTier, ...]:
    return state.assets[asset].collateral if wallet == MARGIN else WHOLE_COLLATERAL


def margin_bands(
    state: RiskState, account: Account, wallet: str, worth: MarginWorth, called: bool
) -> list[Band]:
    """How far each index may move before the wallet can reach its next level.

    That is the call level, and once called the liquidation level on one side and the call level,
    which clears the call, on the other. The slack is shared between the assets.
    """
    bounds = levels(state, account, wallet)
    ways = [(bounds.liquidation_e12 if called else bounds.call_e12, 1)]
    if called:
        ways.append((bounds.call_e12, -1))
    lows: dict[str, int] = {}
    highs: dict[str, int] = {}
    for level_e12, sign in ways:
        slack = max(0, sign * (worth.assets_e28 * E12 - level_e12 * worth.debts_e28))
        weights = _weights_e40(state, account, wallet, level_e12)
        for asset, weight, price_e8 in weights:
            room_e8 = slack // (len(weights) * abs(weight))
            if weight * sign > 0:
                lows[asset] = max(lows.get(asset, 0), price_e8 - room_e8)
            else:
                highs[asset] = min(highs.get(asset, price_e8 + room_e8), price_e8 + room_e8)
    return [
        (f"{asset}-{state.venue.quote}", lows.get(asset), highs.get(asset))
        for asset in sorted(lows.keys() | highs.keys())
    ]


def _weights_e40(
    state: RiskState, account: Account, wallet: str, level_e12: int
) -> list[tuple[str, int, int]]:
    """(asset, weight, price): assets - level x debts is the sum of weight x price (10^-40)."""
    weights: dict[str, int] = {}
    for asset, total in wallet_assets(account, wallet):
        weights[asset] = total * E12 * E12
    for loan in account.wallet_loans(wallet):
        weights[loan.asset] = weights.get(loan.asset, 0) - loan.owed_e18 * 100 * level_e12
    found = []
    for asset, weight in sorted(weights.items()):
        price_e8 = state.price_e8(asset)
        if weight and price_e8 and asset != state.venue.quote:
            found.append((asset, weight, price_e8))
    return found


def max_borrow(state: RiskState, account: Account, wallet: str, asset: str) -> int:
    """The largest loan of an asset a margin wallet may take now, in minor units (M5)."""
    price_e8 = state.price_e8(asset)
    if price_e8 is None or wallet in (SPOT, PERP):
        return 0
    worth = margin_worth(state, account, wallet)
    bounds = levels(state, account, wallet)
    # What is borrowed joins what is there of the asset, and counts as the top of it (T25).
    value_e16 = account.minor(wallet, asset) * price_e8
    ratio_e12 = marginal_ratio_e12(value_e16, _tiers(state, wallet, asset))
    room = max_borrow_minor(
        worth.collateral_e28, worth.debts_e28, bounds.initial_e12, ratio_e12, price_e8
    )
    owed = {
        loan.wallet: loan.principal_minor for loan in account.loans.values() if loan.asset == asset
    }
    room = min(room, state.ledger.house(POOL, asset).minor)
    room = min(room, state.assets[asset].borrow_limit_minor - sum(owed.values()))
    if wallet != MARGIN:
        tier = isolated_tier(state, wallet)
        is_base = state.instruments[wallet.removeprefix(ISOLATED)].base == asset
        limit = tier.base_limit_minor if is_base else tier.quote_limit_minor
        room = min(room, limit - owed.get(wallet, 0))
    return max(0, room)


def max_transfer_out(state: RiskState, account: Account, wallet: str, asset: str) -> int:
    """The most of an asset that may leave a wallet now, in minor units."""
    free = account.free(wallet, asset)
    if wallet == SPOT:
        return free
    if wallet == PERP:
        return max_perp_transfer_out(state, account, asset)
    worth_ = margin_worth(state, account, wallet)
    return max_transfer_out_minor(
        free,
        account.minor(wallet, asset),
        state.price_e8(asset) or 0,
        _tiers(state, wallet, asset),
        worth_.collateral_e28,
        worth_.debts_e28,
        levels(state, account, wallet).transfer_e12,
    )
