"""What the house took over goes back to the book, a small slice at a time (P13.7)."""

from __future__ import annotations

from typing import Final

from matching.types import Side
from risk.account import PERP, SPOT, Account
from risk.conversion import sell_price_ticks, settle_conversions
from risk.insurance import means_minor
from risk.ledger import (
    CONVERSION,
    FIRST_ACCOUNT,
    INSURANCE,
    LIQUIDATION,
    SOCIALIZED_LOSS,
    PostingReason,
)
from risk.liquidation import Road
from risk.money import E12
from risk.state import RiskState
from risk.tallies import Flow

BAND_E12: Final = E12 // 200  # The house sells what it took over within 0.5 % of the mark,
SLICE_E16: Final = 50_000 * 10**16  # in slices of this much of the quote at a time.


def unwind_positions(state: RiskState, road: Road) -> None:
    """Sell the house's positions, and settle what they won or lost. O(the house's positions)."""
    for owner in (INSURANCE, LIQUIDATION, SOCIALIZED_LOSS):
        assert owner < FIRST_ACCOUNT
        house = state.accounts[owner]
        state.settle(house)
        for symbol in sorted(house.positions):
            if state.mark_e8(symbol) is not None and symbol not in state.halted:
                _unwind(state, road, house, symbol)
    _settle_house(state)


def _unwind(state: RiskState, road: Road, house: Account, symbol: str) -> None:
    """One slice of one position, as an immediate order near the mark."""
    contract = state.contracts[symbol]
    mark_e8 = state.mark_e8(symbol)
    assert mark_e8 is not None
    held = house.positions[symbol].lots
    lots = min(abs(held), max(1, SLICE_E16 // contract.notional_e16(1, mark_e8)))
    if held > 0:
        bound_e8 = mark_e8 * (E12 - BAND_E12) // E12
        side, ticks = Side.SELL, -(-bound_e8 // contract.tick_e8)
    else:
        bound_e8 = mark_e8 * (E12 + BAND_E12) // E12
        side, ticks = Side.BUY, bound_e8 // contract.tick_e8
    road.force(house, PERP, symbol, side, lots, max(1, ticks))


def _settle_house(state: RiskState) -> None:
    """What the liquidation account won or lost on positions it took over is the fund's.

    A loss only as far as the fund's means go: the rest waits with the account.
    """
    house, fund = state.accounts[LIQUIDATION], state.accounts[INSURANCE]
    if house.positions:
        return
    wallets = {each.cross_wallet: each for each in state.contracts.values()}
    for (wallet, asset), pocket in list(house.pockets.items()):
        contract = wallets.get(wallet)
        if contract is None or asset != contract.settle:
            continue
        amount = max(pocket.minor, -means_minor(state, contract))
        target = state.pocket(fund, wallet, asset)
        state.ledger.post(pocket, target, amount, PostingReason.LIQUIDATION)
        state.tallies.note(target, Flow.UNWINDING, amount)


# -- what was converted ------------------------------------------------------------------------


def unwind_conversions(state: RiskState, road: Road) -> None:
    """Sell what multi-asset wallets paid with, a slice of each asset at a time (P18).

    Once nothing that makes a lot is left, what it won or lost is the fund's. O(assets).
    """
    house = state.accounts[CONVERSION]
    if not any(pocket.minor for pocket in house.pockets.values()):
        return
    is_sold = True
    for asset in sorted(state.assets):
        instrument = state.instruments.get(f"{asset}-{state.venue.quote}")
        lots = instrument.whole_lots(house.free(SPOT, asset)) if instrument else 0
        if instrument is None or not lots:
            continue
        is_sold = False
        ticks = sell_price_ticks(state, instrument, E12 - BAND_E12)
        if ticks and instrument.symbol not in state.halted:
            lot_e16 = instrument.base_minor(1) * (state.price_e8(asset) or 0)
            lots = min(lots, max(1, SLICE_E16 // lot_e16))
            road.force(house, SPOT, instrument.symbol, Side.SELL, lots, ticks)
    if is_sold:
        settle_conversions(state, house)
