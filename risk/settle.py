"""After the book: each fill is booked for both sides, on spot or on a perpetual."""

from __future__ import annotations

from matching.types import Fill
from risk.account import PERP
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
    return settle_spot_fill(state, fill, trade_id)
