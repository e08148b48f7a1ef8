"""Orders and fills of spot and margin in Binance's fields, names and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exchange.commands import BORROW, BORROW_AND_REPAY, NO_SIDE_EFFECT, REPAY
from exchange.events import Filled, OrderChanged
from exchange.gateway.binance.client_ids import order_name
from exchange.gateway.binance.symbols import name_of
from exchange.storage.rows import FillRow
from matching.instrument import Instrument, fixed_text
from matching.limits import SCALE
from matching.types import MARKET_TYPES, OrderType, SelfTrade, Side, Status, TimeInForce

NO_LIST: Final = -1
NOT_WORKING: Final = -1  # The working time of an order that waits for its trigger.

STATUSES: Final = {
    Status.NEW: "NEW",
    Status.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    Status.FILLED: "FILLED",
    Status.CANCELLED: "CANCELED",
    Status.EXPIRED: "EXPIRED",
    Status.EXPIRED_IN_MATCH: "EXPIRED_IN_MATCH",
    Status.REJECTED: "REJECTED",
    Status.PENDING_TRIGGER: "NEW",  # Not `isWorking` yet.
}
TYPES: Final = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
    # The engine's own begins to follow where the price has gone its way, as a take-profit's
    # price has; the dialect calls whatever guards against the way back a stop.
    OrderType.TRAILING_STOP: "STOP_LOSS",
}
SELF_TRADES: Final = {
    SelfTrade.NONE: "NONE",
    SelfTrade.EXPIRE_TAKER: "EXPIRE_TAKER",
    SelfTrade.EXPIRE_MAKER: "EXPIRE_MAKER",
    SelfTrade.EXPIRE_BOTH: "EXPIRE_BOTH",
    SelfTrade.DECREMENT: "DECREMENT",
}
SIDE_EFFECTS: Final = {
    NO_SIDE_EFFECT: "NO_SIDE_EFFECT",
    BORROW: "MARGIN_BUY",
    REPAY: "AUTO_REPAY",
    BORROW_AND_REPAY: "AUTO_BORROW_REPAY",
}


def money(amount_minor: int) -> str:
    """An amount with the eight places that spot and margin tell everything with."""
    return fixed_text(amount_minor, SCALE)


def price_of(instrument: Instrument, ticks: int) -> str:
    """A price."""
    return money(ticks * instrument.tick_e8)


def qty_of(instrument: Instrument, lots: int) -> str:
    """A quantity of the base."""
    return money(instrument.base_minor(lots))


def type_name(type_: OrderType, *, post_only: bool) -> str:
    """The name of a type; a post-only limit has one of its own."""
    return "LIMIT_MAKER" if post_only and type_ is OrderType.LIMIT else TYPES[type_]


def tif_name(tif: TimeInForce, type_: OrderType) -> str:
    """The time in force. A market order, which the engine takes as IOC, is told as GTC."""
    return "GTC" if type_ in MARKET_TYPES else tif.name


def cancel_id(order_id: int, names: Mapping[int, str]) -> str:
    """What a cancellation is called, by its order: as the client wished, or after the order."""
    return names.get(order_id) or f"cancel-{order_id}"


def execution_id(event: OrderChanged | Filled, *, is_first: bool = False) -> int:
    """The number of a step of an order; one event may tell the first and the last at once."""
    return 2 * event.n + (not is_first)


def client_word(event: OrderChanged) -> str:
    """The client id of an order."""
    return order_name(event.client_id, event.order_id, forced=event.forced)


def order_fields(event: OrderChanged, instrument: Instrument) -> dict[str, Any]:
    """What every answer with an order says of it, whether it is new, looked up or cancelled."""
    said: dict[str, Any] = {
        "symbol": name_of(instrument),
        "orderId": event.order_id,
        "orderListId": event.list_id or NO_LIST,
        "clientOrderId": client_word(event),
        "price": price_of(instrument, event.price_ticks),
        "origQty": qty_of(instrument, event.lots or event.filled_lots),  # By amount: what it got.
        "executedQty": qty_of(instrument, event.filled_lots),
        "origQuoteOrderQty": money(event.quote_minor),
        "cummulativeQuoteQty": money(event.filled_units * instrument.unit_minor),
        "status": STATUSES[event.status],
        "timeInForce": tif_name(event.tif, event.type),
        "type": type_name(event.type, post_only=event.post_only),
        "side": event.side.name,
        "selfTradePreventionMode": SELF_TRADES[event.stp],
    }
    if event.trigger_ticks:
        said["stopPrice"] = price_of(instrument, event.trigger_ticks)
    if event.trailing_bps:
        said["trailingDelta"] = event.trailing_bps
    if event.iceberg_lots:
        said["icebergQty"] = qty_of(instrument, event.iceberg_lots)
    if event.prevented_lots:
        said["preventedQuantity"] = qty_of(instrument, event.prevented_lots)
    working_ms = working_since_ms(event)
    said["workingTime"] = NOT_WORKING if working_ms is None else working_ms
    return said


def working_since_ms(event: OrderChanged) -> int | None:
    """Since when the order stands on the book, or stood there; None before its trigger."""
    if event.triggered_ms:
        return event.triggered_ms
    waits = event.trigger_ticks or event.trailing_bps
    return None if waits else event.placed_ms


def looked_up(event: OrderChanged, instrument: Instrument) -> dict[str, Any]:
    """An order as the calls tell it that look orders up; `time_ms` is when it last changed."""
    said = order_fields(event, instrument)
    said.setdefault("stopPrice", money(0))
    said.setdefault("icebergQty", money(0))
    return said | {
        "time": event.placed_ms,
        "updateTime": event.time_ms,
        "isWorking": working_since_ms(event) is not None,
    }


def fill_part(fill: Filled, instrument: Instrument) -> dict[str, Any]:
    """A fill as the answer to a new order lists it."""
    return {
        "price": price_of(instrument, fill.price_ticks),
        "qty": qty_of(instrument, fill.lots),
        "commission": money(fill.fee_minor),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.trade_id,
    }


def trade_fields(row: FillRow, instrument: Instrument, list_id: int) -> dict[str, Any]:
    """A fill of the history as `myTrades` lists it."""
    return {
        "symbol": name_of(instrument),
        "id": row.trade_id,
        "orderId": row.order_id,
        "orderListId": list_id or NO_LIST,
        "price": price_of(instrument, row.price_ticks),
        "qty": qty_of(instrument, row.lots),
        "quoteQty": money(instrument.notional_minor(row.price_ticks, row.lots)),
        "commission": money(row.fee_minor),
        "commissionAsset": row.fee_asset,
        "time": row.time_ms,
        "isBuyer": row.side == Side.BUY,
        "isMaker": bool(row.maker),
        "isBestMatch": True,
    }
