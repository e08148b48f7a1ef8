# cython: overflowcheck=True
"""Reduce-only orders never exceed what they reduce (P15, I8)."""

from __future__ import annotations

from exchange.execution import Execution
from matching.reasons import Reason
from matching.types import Order, Side
from risk.account import Account


def trim_moved(execution: Execution) -> None:
    """Look at the orders of every position that changed since the last time.

    Whatever changes a position marks it in `RiskState.moved`: a trade, a liquidation, a takeover,
    a reset. So does an order that comes to rest beside reduce-only ones.
    """
    moved = execution.risk.moved
    while moved:
        account_id, leg = next(iter(moved))
        del moved[account_id, leg]
        account = execution.risk.accounts[account_id]
        if leg in account.asleep:
            _end_sleepers(execution, account, leg)
        if leg in account.reducing:
            _trim(execution, account, leg)


def _end_sleepers(execution: Execution, account: Account, leg: str) -> None:
    """What would only reduce, or close, a position that is gone or has flipped is cancelled."""
    held = account.lots(leg)
    for order in list(account.asleep[leg].values()):
        if order.reduce_only and not closes(order, held):
            execution.cancel(order, Reason.REDUCE_ONLY_TRIMMED)


def _trim(execution: Execution, account: Account, leg: str) -> None:
    """Reduce-only orders nearest to execution are kept, the rest cut or cancelled."""
    for order, room in reducible(account, leg):
        if not room:
            execution.cancel(order, Reason.REDUCE_ONLY_TRIMMED)
        elif order.open_lots > room:
            less = order.open_lots - room
            execution.books[order.symbol].reduce(order.order_id, order.lots - less)
            execution.touched_books[order.symbol] = None
            execution.shrunk(account, order, less)


def reducible(account: Account, leg: str) -> list[tuple[Order, int]]:
    """Each reduce-only order of a position, nearest to execution first, and what it may reduce.

    All working orders of the closing side are walked as the book would trade them: by price,
    then by place in the queue. An ordinary order that comes before a reduce-only one takes its
    lots first, because one sweep may fill both before anything can be cut (T18).
    """
    held = account.lots(leg)
    rooms: list[tuple[Order, int]] = []
    left = abs(held)
    working = [
        order for order in account.orders.values() if order.leg == leg and order.level is not None
    ]
    for order in sorted(working, key=_nearest_first):
        if not closes(order, held):
            if order.reduce_only:
                rooms.append((order, 0))
            continue
        if order.reduce_only:
            rooms.append((order, left))
        left = max(0, left - order.open_lots)
    return rooms


def closes(order: Order, held: int) -> bool:
    """Whether an order's side is the one that reduces a position of signed lots."""
    return held > 0 if order.side is Side.SELL else held < 0


def _nearest_first(order: Order) -> tuple[int, int]:
    """Sorts orders of one side by price, the one to execute first first, then by their queue."""
    ticks = order.price_ticks
    return (-ticks if order.side is Side.BUY else ticks, order.rank)
