"""An account's orders by id or client id: open ones in the engine, past ones in the history."""

from __future__ import annotations

from typing import Any

from exchange.events import OrderChanged
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BinanceError, refused
from exchange.gateway.binance.spot.order_shapes import looked_up
from exchange.gateway.binance.spot.refusals import NO_NAME, NO_SUCH_ORDER
from exchange.gateway.binance.spot.wishes import wallet_of
from exchange.gateway.native.remembered import open_order_event, order_row_event
from exchange.storage.rows import OrderRow
from matching.instrument import Instrument
from matching.types import Order


def names_of(
    call: Call, by_id: str = "orderId", by_client: str = "origClientOrderId"
) -> tuple[int, str]:
    """An order's id (0: not sent) and client id (empty: not sent); -1102 without either."""
    order_id, client_id = call.params.integer(by_id, 0) or 0, call.params.get(by_client)
    if not order_id and not client_id:
        raise refused(NO_NAME, by_client, by_id)
    return order_id, client_id


def is_named(order: Order | OrderRow, order_id: int, client_id: str) -> bool:
    """Whether an order has the names that were sent, both where both were."""
    return order_id in {0, order.order_id} and client_id in {"", order.client_id}


def open_order(call: Call, instrument: Instrument, order_id: int, client_id: str) -> Order | None:
    """The open order of those names, on that symbol and the wallet the call is about."""
    account = call.account
    order = account.orders.get(order_id or account.client_orders.get(client_id, 0))
    if order is None or not is_named(order, order_id, client_id):
        return None
    here = (instrument.symbol, wallet_of(call, instrument))
    return order if (order.symbol, order.wallet) == here else None


def event_of(call: Call, order: Order) -> OrderChanged:
    """An open order as an event would tell of it now."""
    instrument = call.doors.board.instruments[order.symbol]
    return open_order_event(order, instrument, call.doors.board.orders.updated_ms(order))


async def order_event(call: Call, instrument: Instrument) -> OrderChanged:
    """The order a call names, open or past; -2013 where there is none."""
    order_id, client_id = names_of(call)
    order = open_order(call, instrument, order_id, client_id)
    if order is not None:
        return event_of(call, order)
    history, account = call.doors.history, call.account
    row = await (
        history.order(order_id) if order_id else history.order_by_client_id(account.id, client_id)
    )
    mine = (account.id, instrument.symbol, wallet_of(call, instrument))
    if row is None or (row.account_id, row.symbol, row.wallet) != mine:
        raise BinanceError(*NO_SUCH_ORDER)
    if not is_named(row, order_id, client_id):
        raise BinanceError(*NO_SUCH_ORDER)
    return order_row_event(row)


def told(call: Call, event: OrderChanged) -> dict[str, Any]:
    """An order that was looked up, as its API tells it."""
    said = looked_up(event, call.doors.board.instruments[event.symbol])
    return with_margin(call, event, said)


def with_margin(call: Call, event: OrderChanged, said: dict[str, Any]) -> dict[str, Any]:
    """On margin, also whether the order is an isolated pair's."""
    if call.api == "sapi":
        said["isIsolated"] = event.wallet.startswith("isolated:")
    return said
