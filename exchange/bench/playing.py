# cython: overflowcheck=True
"""Feeds the standard flow to a book: what `bench matcher` times, in the build it measures."""

from __future__ import annotations

from typing import Final

from exchange.bench.flow import CANCEL, NEW_GTC, NEW_MARKET, FlowRecord
from matching.book import Book, Happened
from matching.types import Entry, Order, SelfTrade, Side, TimeInForce

_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_GTC: Final = TimeInForce.GTC
_IOC: Final = TimeInForce.IOC
_NO_PREVENTION: Final = SelfTrade.NONE  # The flow's owners may trade with themselves.


def play(book: Book, records: list[FlowRecord], happened: Happened) -> int:
    """Give the book a chunk of commands; append what happened, return the cancels it refused."""
    refused = 0
    cancel_op, gtc_op, market_op = CANCEL, NEW_GTC, NEW_MARKET
    for op, side, owner, _, order_id, price_ticks, lots in records:
        if op == cancel_op:
            if book.cancel(order_id) is None:
                refused += 1
            continue
        # A book reads no more of an order than this; what a whole one adds is the venue's.
        order: Order = Entry()  # type: ignore[assignment]
        order.begin(
            order_id,
            owner,
            _SELL if side else _BUY,
            0 if op == market_op else price_ticks,
            lots,
            _GTC if op == gtc_op else _IOC,
            _NO_PREVENTION,
        )
        fills = book.place(order)
        if fills:
            happened += fills
    return refused
