# cython: overflowcheck=True
"""After the book: each fill is booked for both sides, on spot or on a perpetual."""

from __future__ import annotations

import msgspec

from matching.types import Fill, Order, Side
from risk.account import PERP
from risk.fees import discounted_minor
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
            settle_contract_fill(state, fill.maker, fill, trade_id),
            settle_contract_fill(state, fill.taker, fill, trade_id),
        )
    maker, taker = settle_spot_fill(state, fill, trade_id)
    if state.venue.fees.asset != "discount":
        return maker, taker
    return _discounted(state, fill.maker, fill, maker), _discounted(state, fill.taker, fill, taker)


def _discounted(state: RiskState, order: Order, fill: Fill, booked: Booked) -> Booked:
    """Note the terms of the discount, where a fee was paid so."""
    fees = state.venue.fees
    if booked.fee_asset != fees.discount_asset:
        return booked
    instrument = state.instruments[order.symbol]
    received = (instrument.quote, instrument.notional_minor(fill.price_ticks, fill.lots))
    if order.side is Side.BUY:
        received = (instrument.base, instrument.base_minor(fill.lots))
    account = state.accounts[order.account_id]
    if discounted_minor(state, account, received, booked.rate_e12) != booked.fee_minor:
        return booked
    return msgspec.structs.replace(
        booked,
        discount_e12=fees.discount_e12,
        price_e8=state.price_e8(received[0]) or 0,
        paid_e8=state.price_e8(fees.discount_asset) or 0,
    )
