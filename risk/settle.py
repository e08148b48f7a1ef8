"""After the book: each fill is booked for both sides, on spot or on a perpetual."""

from __future__ import annotations

from matching.types import Fill, Order, Side
from risk.account import PERP, position_wallet
from risk.fees import discounted_minor, fee_rate_e12
from risk.records import Booked
from risk.settle_contract import settle_contract_fill
from risk.settle_spot import settle_spot_fill
from risk.state import RiskState
from risk.tiers import count_trade


def settle_fill(state: RiskState, fill: Fill, trade_id: int) -> tuple[Booked, Booked]:
    """Book one fill for both sides; (maker's, taker's) fee and realised profit."""
    for order in (fill.maker, fill.taker):
        state.settle(state.accounts[order.account_id])
    count_trade(state, fill)
    if fill.maker.wallet == PERP:
        return (
            _contract_side(state, fill.maker, fill, trade_id),
            _contract_side(state, fill.taker, fill, trade_id),
        )
    maker, taker = settle_spot_fill(state, fill, trade_id)
    return _with_rate(state, fill.maker, fill, maker), _with_rate(state, fill.taker, fill, taker)


def _contract_side(state: RiskState, order: Order, fill: Fill, trade_id: int) -> Booked:
    """Book one side of a perpetual fill, and note the position it found: what `why` starts from."""
    account = state.accounts[order.account_id]
    settle = state.instruments[order.symbol].settle
    wallet = position_wallet(order.leg)
    held = account.positions.get(order.leg)
    lots, cost = (held.lots, held.cost_minor) if held else (0, 0)
    margin = account.minor(wallet, settle)
    booked = settle_contract_fill(state, order, fill, trade_id)
    return booked._replace(
        rate_e12=fee_rate_e12(state, order, fill),
        lots_before=lots,
        cost_before_minor=cost,
        margin_before_minor=margin,
        margin_after_minor=account.minor(wallet, settle),
        leverage=account.setting(order.symbol).leverage,
    )


def _with_rate(state: RiskState, order: Order, fill: Fill, booked: Booked) -> Booked:
    """Note the rate of a spot fill's fee, and where it was paid so the terms of the discount."""
    rate_e12 = fee_rate_e12(state, order, fill)
    fees = state.venue.fees
    if fees.asset == "discount" and booked.fee_asset == fees.discount_asset:
        instrument = state.instruments[order.symbol]
        received = (instrument.quote, instrument.notional_minor(fill.price_ticks, fill.lots))
        if order.side is Side.BUY:
            received = (instrument.base, instrument.base_minor(fill.lots))
        account = state.accounts[order.account_id]
        if discounted_minor(state, account, received, rate_e12) == booked.fee_minor:
            return booked._replace(
                rate_e12=rate_e12,
                discount_e12=fees.discount_e12,
                price_e8=state.price_e8(received[0]) or 0,
                paid_e8=state.price_e8(fees.discount_asset) or 0,
            )
    return booked._replace(rate_e12=rate_e12)
