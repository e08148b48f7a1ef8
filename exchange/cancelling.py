# cython: overflowcheck=True
"""Cancelling at an account's wish: one order, or all of them; or because a countdown ran out."""

from __future__ import annotations

from exchange.commands import CancelAll
from exchange.countdowns import Countdown
from exchange.trading import Trading
from matching.filters import refuse_cancel
from matching.reasons import Reason
from matching.types import Order
from risk.account import Account


def cancel(trading: Trading, account: Account, order_id: int, client_id: str) -> Order | Reason:
    """Cancel an open order by its id, or by the client id it was placed with."""
    if not order_id and client_id:
        order_id = account.client_orders.get(client_id, 0)
    order = account.orders.get(order_id)
    if order is None:
        return Reason.UNKNOWN_ORDER
    refused = refuse_cancel(trading.states[order.symbol])
    if refused is not None:
        return refused
    trading.cancel(order, Reason.CANCELLED_BY_USER)
    return order


def cancel_list(trading: Trading, account: Account, list_id: int) -> int | Reason:
    """Cancel the open orders of a list, and so what waits for them; the list's id."""
    found = trading.lists.by_id.get(list_id)
    if found is None or found.account_id != account.id:
        return Reason.UNKNOWN_ORDER
    refused = refuse_cancel(trading.states[found.symbol])
    if refused is not None:
        return refused
    trading.lists.forgo(list_id)
    for leg in found.legs:
        order = account.orders.get(leg.order_id)
        if order is not None:
            trading.cancel(order, Reason.CANCELLED_BY_USER)
    return list_id


def cancel_all(trading: Trading, account: Account, wish: CancelAll) -> int | Reason:
    """Cancel an account's orders, or those on one symbol or wallet; how many there were.

    An order on a halted book stays, unless a countdown ran out: nobody is there to cancel it
    when the book opens.
    """
    if wish.symbol and wish.symbol not in trading.books:
        return Reason.UNKNOWN_SYMBOL
    ran_out = Countdown(wish.countdown_ms, account.id, wish.symbol)
    if wish.countdown_ms and not trading.countdowns.end(ran_out):
        return 0
    reason = Reason.CANCEL_ALL_AFTER if wish.countdown_ms else Reason.CANCELLED_BY_USER
    orders = [
        order
        for order in account.orders.values()
        if wish.symbol in ("", order.symbol)
        and wish.wallet in ("", order.wallet)
        and (wish.countdown_ms or refuse_cancel(trading.states[order.symbol]) is None)
    ]
    trading.cancel_each(orders, reason)
    return len(orders)
