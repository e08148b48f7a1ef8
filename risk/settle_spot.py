# cython: overflowcheck=True
"""After a spot fill: assets change hands, each side pays its fee, and debts are repaid."""

from __future__ import annotations

from matching.types import Fill, Order, Side
from risk.borrowing import repay
from risk.fees import discounted_minor, fee_minor, fee_rate_e12
from risk.ledger import FEES, Pocket, PostingReason
from risk.records import Booked
from risk.reserve_spot import resting_need
from risk.state import RiskState

REPAY_EFFECTS = (2, 3)  # Side effects "repay" and "borrow_repay".


def settle_spot_fill(state: RiskState, fill: Fill, trade_id: int) -> tuple[Booked, Booked]:
    """Quote from buyer to seller, base the other way, each pays its fee."""
    instrument = state.instruments[fill.maker.symbol]
    buyer, seller = (
        (fill.taker, fill.maker) if fill.taker.side is Side.BUY else (fill.maker, fill.taker)
    )
    quote_minor = instrument.notional_minor(fill.price_ticks, fill.lots)
    base_minor = instrument.base_minor(fill.lots)
    _release(state, buyer, fill)
    _release(state, seller, fill)
    for source, target, asset, minor in (
        (buyer, seller, instrument.quote, quote_minor),
        (seller, buyer, instrument.base, base_minor),
    ):
        state.ledger.post(
            _pocket(state, source, asset),
            _pocket(state, target, asset),
            minor,
            PostingReason.TRADE,
            trade_id,
        )
    bought = _receive(state, buyer, fill, trade_id)
    sold = _receive(state, seller, fill, trade_id)
    return (bought, sold) if fill.maker is buyer else (sold, bought)


def _release(state: RiskState, order: Order, fill: Fill) -> None:
    """Free what a fill takes of an order's hold, and before its last fill no more than that.

    A match is over before its fills are settled: freed all at once, what the later ones take could
    pay the fee of an earlier one, where the discount asset is what the order spends (S10, S11).
    """
    if fill.auction or state.venue.fees.spot_hold_e12:
        unhold_spot(state, order)
        return
    instrument = state.instruments[order.symbol]
    asset, taken = instrument.base, instrument.base_minor(fill.lots)
    if order.side is Side.BUY:
        asset, taken = instrument.quote, instrument.notional_minor(fill.price_ticks, fill.lots)
    order.hold_minor -= taken
    state.ledger.unlock(_pocket(state, order, asset), taken)


def _pocket(state: RiskState, order: Order, asset: str) -> Pocket:
    return state.pocket(state.accounts[order.account_id], order.wallet, asset)


def _receive(state: RiskState, order: Order, fill: Fill, trade_id: int) -> Booked:
    """Charge one side's fee (S10), then let what is left of what it received repay its debt where
    the order says so (M6)."""
    instrument = state.instruments[order.symbol]
    asset, received = instrument.quote, instrument.notional_minor(fill.price_ticks, fill.lots)
    if order.side is Side.BUY:
        asset, received = instrument.base, instrument.base_minor(fill.lots)
    rate_e12 = fee_rate_e12(state, order, fill)
    fee_asset, fee = _fee(state, order, fill, (asset, received), rate_e12)
    state.ledger.post(
        _pocket(state, order, fee_asset),
        state.ledger.house(FEES, fee_asset),
        fee,
        PostingReason.FEE,
        trade_id,
    )
    account = state.accounts[order.account_id]
    if order.side_effect in REPAY_EFFECTS:
        kept = received - fee if fee_asset == asset else received
        repay(state, account, order.wallet, asset, kept)
    state.touch_wallet(account, order.wallet)
    return Booked(fee, fee_asset, 0, rate_e12)


def _fee(
    state: RiskState, order: Order, fill: Fill, received: tuple[str, int], rate_e12: int
) -> tuple[str, int]:
    """What one side pays, and in which asset: what it received, or as the venue's switch says.

    Where the discount asset is short the whole fee is paid in what was received, without a
    discount (S10).  A liquidation spends no collateral on fees beside what it sells.
    """
    account = state.accounts[order.account_id]
    fees = state.venue.fees
    if fees.asset == "quote":
        instrument = state.instruments[order.symbol]
        quote_minor = instrument.notional_minor(fill.price_ticks, fill.lots)
        # Held for all fills at once, rounded up for each: a unit may be lacking.
        free_minor = max(0, _pocket(state, order, instrument.quote).free)
        return instrument.quote, min(fee_minor(quote_minor, rate_e12), free_minor)
    if not order.forced:
        discounted = discounted_minor(state, account, received, rate_e12)
        free_minor = account.free(order.wallet, fees.discount_asset)
        if discounted is not None and discounted <= free_minor:
            return fees.discount_asset, discounted
    return received[0], fee_minor(received[1], rate_e12)


def unhold_spot(state: RiskState, order: Order) -> int:
    """Free what a spot order holds beyond what is open of it; the amount freed (S11).

    So a better price than the limit is freed at once, and what is cancelled once.
    """
    account = state.accounts[order.account_id]
    asset, need = resting_need(state, order)
    freed = order.hold_minor - need
    assert freed >= 0, (order, order.hold_minor, need)
    order.hold_minor = need
    state.ledger.unlock(state.pocket(account, order.wallet, asset), freed)
    return freed
