"""How an order on futures was changed: its price and quantity before and after each time."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.futures import finding
from exchange.gateway.binance.futures.order_params import instrument_of
from exchange.gateway.binance.futures.order_shapes import client_word
from exchange.gateway.binance.symbols import name_of, pair_of
from exchange.storage.queries import Part
from exchange.storage.rows import AmendmentRow
from matching.instrument import Instrument

AMENDMENTS: Final = (50, 100)


async def amendments(call: Call) -> list[dict[str, Any]]:
    """The changes of one order, newest first.

    An order that was replaced has another number since; it is the same one here, by any of them.
    """
    instrument, params = instrument_of(call, call.params), call.params
    part = Part(
        from_ms=params.integer("startTime"),
        to_ms=params.integer("endTime"),
        limit=params.limit(*AMENDMENTS),
    )
    told = await finding.any_order(call, params)
    rows = await call.doors.history.amendments(call.account.id, told.order_id, part=part)
    # Whatever replaces an order has its client id.
    return [_amendment(row, instrument, client_word(told)) for row in reversed(rows)]


def _amendment(row: AmendmentRow, instrument: Instrument, client_id: str) -> dict[str, Any]:
    return {
        "amendmentId": row.n,
        "symbol": name_of(instrument),
        "pair": pair_of(instrument),
        "orderId": row.order_id,
        "clientOrderId": client_id,
        "time": row.time_ms,
        "amendment": {
            "price": {
                "before": instrument.price_text(row.before_ticks),
                "after": instrument.price_text(row.ticks),
            },
            "origQty": {
                "before": instrument.qty_text(row.before_lots),
                "after": instrument.qty_text(row.lots),
            },
            "count": row.place,
        },
    }
