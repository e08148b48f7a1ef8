"""Orders, fills and order counts looked up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.spot.finding import event_of, order_event, told
from exchange.gateway.binance.spot.numbers import LIMIT_MAX, part_of
from exchange.gateway.binance.spot.order_shapes import trade_fields
from exchange.gateway.binance.spot.wishes import wallet_of
from exchange.gateway.native.remembered import order_row_event
from exchange.storage.queries import Part
from exchange.storage.rows import OrderRow


async def order(call: Call) -> dict[str, Any]:
    """One order, open or past; -2013 where there is none."""
    return told(call, await order_event(call, call.instrument()))


async def open_orders(call: Call) -> list[dict[str, Any]]:
    """The open orders of the wallet, on one symbol or on all."""
    instrument = call.named()
    wallet = wallet_of(call, instrument)
    found = [
        each
        for _, each in sorted(call.account.orders.items())
        if each.wallet == wallet and (instrument is None or each.symbol == instrument.symbol)
    ]
    return [told(call, event_of(call, each)) for each in found]


async def all_orders(call: Call) -> list[dict[str, Any]]:
    """Orders on a symbol, whatever became of them, by order id."""
    instrument = call.instrument()
    rows = await call.doors.history.orders(
        call.account.id,
        symbol=instrument.symbol,
        wallet=wallet_of(call, instrument),
        part=part_of(call, "orderId"),
    )
    return [told(call, order_row_event(row)) for row in rows]


async def trades(call: Call) -> list[dict[str, Any]]:
    """Fills on a symbol, by trade id."""
    instrument = call.instrument()
    order_id = call.params.integer("orderId")
    history = call.doors.history
    rows = await history.fills(
        call.account.id,
        symbol=instrument.symbol,
        wallet=wallet_of(call, instrument),
        order_id=order_id,
        part=part_of(call, "fromId"),
    )
    lists = {
        each.order_id: each.list_id for each in await orders_of(call, {r.order_id for r in rows})
    }
    said = [trade_fields(row, instrument, lists.get(row.order_id, 0)) for row in rows]
    if call.api == "sapi":
        isolated = call.params.flag("isIsolated")
        said = [{**each, "isIsolated": isolated} for each in said]
    return said


async def orders_of(call: Call, order_ids: Collection[int]) -> list[OrderRow]:
    """The caller's orders of these ids, as the history has them."""
    if not order_ids:
        return []
    part = Part(limit=max(LIMIT_MAX, len(order_ids)))
    return await call.doors.history.orders_of(call.account.id, sorted(order_ids), part=part)


async def order_counts(call: Call) -> list[dict[str, Any]]:
    """The limits on new orders, and how much of them is used."""
    used = call.dialect.limits[call.api].orders_used(call.account.id, call.wall_ms)
    return [rule.say(count) for rule, count in used]


async def allocations(call: Call) -> list[dict[str, Any]]:
    """Shares of orders that were routed elsewhere: every order meets its own book, so none."""
    call.instrument()
    part_of(call, "fromAllocationId")
    call.params.integer("orderId")
    return []
