"""Orders that the liquidation of a margin wallet sent, as its owner may look them up."""

from __future__ import annotations

from typing import Any

from exchange.gateway.binance.accounts.amounts import eight
from exchange.gateway.binance.accounts.pages import page, span
from exchange.gateway.binance.accounts.wallets import margin_wallet
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.symbols import name_of
from exchange.storage.rows import OrderRow
from matching.types import Side, TimeInForce
from risk.account import ISOLATED, MARGIN, isolated_wallet


async def records(call: Call) -> dict[str, Any]:
    """Forced orders of cross and isolated margin, or of `isolatedSymbol` alone."""
    wallets = [MARGIN, *map(isolated_wallet, call.doors.engine.risk.spots)]
    if call.params.has("isolatedSymbol"):
        wallets = [margin_wallet(call)]
    rows = await call.doors.history.orders(
        call.account.id, wallet=wallets, forced=True, part=span(call)
    )
    return page(call, [_order(call, row) for row in rows])


def _order(call: Call, row: OrderRow) -> dict[str, Any]:
    instrument = call.doors.board.instruments[row.symbol]
    average_e8 = row.filled_units * instrument.tick_e8 // max(1, row.filled_lots)
    return {
        "avgPrice": eight(average_e8),
        "executedQty": eight(instrument.base_minor(row.filled_lots)),
        "orderId": row.order_id,
        "price": eight(row.price_ticks * instrument.tick_e8),
        "qty": eight(instrument.base_minor(row.lots)),
        "side": Side(row.side).name,
        "symbol": name_of(instrument),
        "timeInForce": TimeInForce(row.tif).name,
        "isIsolated": row.wallet.startswith(ISOLATED),
        "updatedTime": row.updated_ms,
    }


ROUTES = (
    Route(
        verb="GET",
        path="/sapi/v1/margin/forceLiquidationRec",
        handler=records,
        security="U",
    ),
)
