"""What the venue took over of spot margin: it works debts off, or says who bears them (M10)."""

from __future__ import annotations

from typing import Final

from matching.types import Side
from risk.account import MARGIN, Account
from risk.borrowing import write_off
from risk.forced_sale import HOUSE_BAND_BPS, Terms, forced, repay_in_kind, trade_down
from risk.ledger import LIQUIDATION, MARGIN_INSURANCE, PostingReason
from risk.liquidation import Road
from risk.margin_worth import wallet_assets
from risk.money import ceil_div
from risk.records import CoverRecord
from risk.state import ONE_E8, RiskState
from risk.tallies import Flow

BPS: Final = 10_000


def unwind_loans(state: RiskState, road: Road) -> None:
    """The house works off the debts it took over; the fund makes up what is missing."""
    house = state.accounts[LIQUIDATION]
    if not house.loans and not wallet_assets(house, MARGIN):
        return
    state.settle(house)
    repay_in_kind(state, house, MARGIN)
    trade_down(state, road, house, MARGIN, None)
    if not house.loans:
        _sell_rest(state, road, house)
    elif not _can_trade(state, house):
        _fund_house(state, house)


def _can_trade(state: RiskState, house: Account) -> bool:
    """Whether the house has a lot of something to sell, or quote for a lot of what it owes."""
    quote = state.venue.quote
    for asset, total in wallet_assets(house, MARGIN):
        instrument = state.instruments.get(f"{asset}-{quote}")
        if instrument is not None and instrument.whole_lots(total):
            return True
    held = house.free(MARGIN, quote)
    return any(
        held >= _cost_minor(state, loan.asset, 1)
        for loan in house.wallet_loans(MARGIN)
        if loan.asset != quote
    )


def _cost_minor(state: RiskState, asset: str, minor: int) -> int:
    """What it takes in quote, at most, to buy an amount of an asset, in whole lots."""
    quote = state.venue.quote
    if asset == quote:
        return minor
    lot_minor = state.instruments[f"{asset}-{quote}"].lot_minor
    bought_minor = ceil_div(minor, lot_minor) * lot_minor
    price_e8 = state.price_e8(asset) or 0
    return ceil_div(bought_minor * price_e8 * (BPS + HOUSE_BAND_BPS), ONE_E8 * BPS)


def _fund_house(state: RiskState, house: Account) -> None:
    """The house has nothing left to trade: the fund gives quote, or the pools bear it (M10.7)."""
    quote = state.venue.quote
    loans = house.wallet_loans(MARGIN)
    needed = sum(_cost_minor(state, loan.asset, loan.owed_minor) for loan in loans)
    needed -= house.free(MARGIN, quote)
    fund = state.ledger.house(MARGIN_INSURANCE, quote)
    paid = min(needed, max(0, fund.minor))
    if paid > 0:
        pocket = state.pocket(house, MARGIN, quote)
        state.ledger.post(fund, pocket, paid, PostingReason.INSURANCE, loans[0].loan_id)
        state.tallies.note(fund, Flow.COVERS, -paid)
        state.tell(CoverRecord("margin_insurance", quote, paid, fund.minor))
        return
    for loan in loans:
        write_off(state, house, MARGIN, loan.asset)


def _sell_rest(state: RiskState, road: Road, house: Account) -> None:
    """No debt is left: what remains becomes quote and goes to the fund."""
    quote = state.venue.quote
    for asset, _ in wallet_assets(house, MARGIN):
        symbol = f"{asset}-{quote}"
        if asset != quote and symbol in state.instruments:
            forced(state, road, house, MARGIN, (symbol, Side.SELL, Terms(None)))
    for asset, total in wallet_assets(house, MARGIN):
        instrument = state.instruments.get(f"{asset}-{quote}")
        if asset == quote or instrument is None or not instrument.whole_lots(total):
            pocket = state.pocket(house, MARGIN, asset)
            fund = state.ledger.house(MARGIN_INSURANCE, asset)
            state.ledger.post(pocket, fund, total, PostingReason.LIQUIDATION)
            state.tallies.note(fund, Flow.UNWINDING, total)
