# cython: overflowcheck=True
"""Before the book: hold what an order needs, or refuse it."""

from __future__ import annotations

from matching.book import Book
from matching.reasons import Reason
from matching.types import Order
from risk.account import Account
from risk.reserve_contract import reserve_contract
from risk.reserve_spot import reserve_spot
from risk.state import RiskState


def reserve(
    state: RiskState, account: Account, order: Order, book: Book, worst_ticks: int
) -> Reason | None:
    """Hold what an order needs; on a refusal nothing has changed."""
    instrument = state.instruments[order.symbol]
    if instrument.kind == "spot":
        return reserve_spot(state, account, order, book, worst_ticks)
    return reserve_contract(state, account, order, book, worst_ticks)
