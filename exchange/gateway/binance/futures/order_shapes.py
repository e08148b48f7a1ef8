"""An order of a contract in Binance's words, whatever it is told from: engine, history or event.

A conditional order that was placed as an *algo* order is the engine's own conditional order. What
tells it from one placed as an ordinary order is a mark before its client id, which no client id of
a client can begin with: it is journalled and kept with the order, and so holds after any restart.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from exchange.events import OrderChanged
from exchange.gateway.binance.client_ids import order_name
from exchange.gateway.binance.symbols import name_of, pair_of
from exchange.storage.rows import OrderRow
from exchange.views.orders import average_text
from matching.instrument import Instrument, amount_text
from matching.reasons import Reason
from matching.types import (
    MARKET_TYPES,
    TRIGGER_TYPES,
    Order,
    OrderType,
    SelfTrade,
    Side,
    Status,
    TimeInForce,
    TriggerSource,
)
from risk.account import side_of

ALGO_MARK: Final = "@"

TYPE_WORDS: Final = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.STOP: "STOP_MARKET",
    OrderType.STOP_LIMIT: "STOP",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT_MARKET",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT",
    OrderType.TRAILING_STOP: "TRAILING_STOP_MARKET",
}
TYPES: Final = {word: type_ for type_, word in TYPE_WORDS.items()}
STATUS_WORDS: Final = {
    Status.NEW: "NEW",
    Status.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    Status.FILLED: "FILLED",
    Status.CANCELLED: "CANCELED",
    Status.EXPIRED: "EXPIRED",
    Status.EXPIRED_IN_MATCH: "EXPIRED_IN_MATCH",
    Status.REJECTED: "REJECTED",
    Status.PENDING_TRIGGER: "NEW",
}
POSITION_SIDE_WORDS: Final = ("BOTH", "LONG", "SHORT")
WORKING_TYPE_WORDS: Final = {
    TriggerSource.LAST: "CONTRACT_PRICE",
    TriggerSource.MARK: "MARK_PRICE",
}
STP_WORDS: Final = {
    SelfTrade.NONE: "NONE",
    SelfTrade.EXPIRE_TAKER: "EXPIRE_TAKER",
    SelfTrade.EXPIRE_MAKER: "EXPIRE_MAKER",
    SelfTrade.EXPIRE_BOTH: "EXPIRE_BOTH",
    SelfTrade.DECREMENT: "DECREMENT",
}
STP_DEFAULT: Final = SelfTrade.EXPIRE_MAKER


class Told(NamedTuple):
    """An order as it stands: the engine's numbers, under one name wherever they come from."""

    order_id: int
    symbol: str
    side: Side
    type: OrderType
    tif: TimeInForce
    price_ticks: int
    lots: int
    filled_lots: int
    filled_units: int
    filled_minor: int
    status: Status
    client_id: str
    placed_ms: int
    updated_ms: int
    post_only: bool
    reduce_only: bool
    forced: bool
    expire_ms: int
    trigger_ticks: int
    trigger: TriggerSource
    trailing_bps: int
    triggered_ms: int
    close_position: bool
    price_protect: bool
    position_side: int
    reason: Reason | None
    stp: SelfTrade = STP_DEFAULT


def of_order(order: Order, updated_ms: int) -> Told:
    """An open order; `updated_ms` is when it last changed (`Board.orders`)."""
    return Told(
        order_id=order.order_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        tif=order.tif,
        price_ticks=order.price_ticks,
        lots=order.lots,
        filled_lots=order.filled_lots,
        filled_units=order.filled_units,
        filled_minor=order.filled_minor,
        status=order.status,
        client_id=order.client_id,
        placed_ms=order.time_ms,
        updated_ms=updated_ms,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        forced=order.forced,
        expire_ms=order.expire_ms,
        trigger_ticks=order.trigger_ticks,
        trigger=order.trigger,
        trailing_bps=order.trailing_bps,
        triggered_ms=order.triggered_ms,
        close_position=order.close_position,
        price_protect=order.price_protect,
        position_side=side_of(order.leg),
        reason=order.reason,
        stp=order.stp,
    )


def of_event(event: OrderChanged) -> Told:
    """An order as an event left it."""
    return Told(
        order_id=event.order_id,
        symbol=event.symbol,
        side=Side(event.side),
        type=OrderType(event.type),
        tif=TimeInForce(event.tif),
        price_ticks=event.price_ticks,
        lots=event.lots,
        filled_lots=event.filled_lots,
        filled_units=event.filled_units,
        filled_minor=event.filled_minor,
        status=Status(event.status),
        client_id=event.client_id,
        placed_ms=event.placed_ms,
        updated_ms=event.time_ms,
        post_only=event.post_only,
        reduce_only=event.reduce_only,
        forced=event.forced,
        expire_ms=event.expire_ms,
        trigger_ticks=event.trigger_ticks,
        trigger=TriggerSource(event.trigger),
        trailing_bps=event.trailing_bps,
        triggered_ms=event.triggered_ms,
        close_position=event.close_position,
        price_protect=event.price_protect,
        position_side=event.position_side,
        reason=event.reason,
    )


def of_row(row: OrderRow) -> Told:
    """An order as the history keeps it."""
    return Told(
        order_id=row.order_id,
        symbol=row.symbol,
        side=Side(row.side),
        type=OrderType(row.type),
        tif=TimeInForce(row.tif),
        price_ticks=row.price_ticks,
        lots=row.lots,
        filled_lots=row.filled_lots,
        filled_units=row.filled_units,
        filled_minor=row.filled_minor,
        status=Status(row.status),
        client_id=row.client_id,
        placed_ms=row.time_ms,
        updated_ms=row.updated_ms,
        post_only=row.post_only,
        reduce_only=row.reduce_only,
        forced=row.forced,
        expire_ms=row.expire_ms,
        trigger_ticks=row.trigger_ticks,
        trigger=TriggerSource(row.trigger_source),
        trailing_bps=row.trailing_bps,
        triggered_ms=row.triggered_ms,
        close_position=row.close_position,
        price_protect=row.price_protect,
        position_side=row.position_side,
        reason=Reason[row.reason] if row.reason else None,
    )


# -- words -------------------------------------------------------------------------------------


def is_algo(client_id: str) -> bool:
    """Whether an order of that client id was placed as an algo order."""
    return client_id.startswith(ALGO_MARK)


def marked(client_algo_id: str) -> str:
    """The engine's client id of an algo order."""
    return ALGO_MARK + client_algo_id


def client_word(told: Told) -> str:
    """The client id as a client knows it; an order that was given none is called by its number."""
    client_id = told.client_id.removeprefix(ALGO_MARK)
    return order_name(client_id, told.order_id, forced=told.forced)


def orig_type_word(told: Told) -> str:
    """What it was placed as."""
    return TYPE_WORDS[told.type]


def type_word(told: Told) -> str:
    """What it is now: a conditional order that was triggered is a limit or market order."""
    if told.triggered_ms and told.type in TRIGGER_TYPES:
        return "MARKET" if told.type in MARKET_TYPES else "LIMIT"
    return TYPE_WORDS[told.type]


def status_word(told: Told) -> str:
    """Where it stands; one that waits for its trigger is NEW."""
    return STATUS_WORDS[told.status]


def tif_word(told: Told) -> str:
    """How long it waits: GTX is post-only; what executes at the market is told as GTC."""
    if told.post_only:
        return "GTX"
    if told.type in MARKET_TYPES and told.tif is not TimeInForce.GTD:
        return TimeInForce.GTC.name
    return told.tif.name


def side_word(told: Told) -> str:
    """BUY or SELL."""
    return told.side.name


def position_side_word(position_side: int) -> str:
    """BOTH in one-way mode, LONG or SHORT in hedge mode."""
    return POSITION_SIDE_WORDS[position_side]


def working_type_word(told: Told) -> str:
    """Which price wakes it."""
    return WORKING_TYPE_WORDS[told.trigger]


def average_word(told: Told, instrument: Instrument) -> str:
    """The average price of its fills; zero before the first."""
    found = average_text(instrument, told.filled_units, told.filled_lots, told.filled_minor)
    return instrument.price_text(0) if found is None else found


def callback_word(told: Told) -> str:
    """How far a trailing order lets the price turn back, in percent."""
    return amount_text(told.trailing_bps, 2)


def order_json(told: Told, instrument: Instrument) -> dict[str, Any]:
    """The order object that every verb answers (without `time`, which only a GET tells)."""
    said: dict[str, Any] = {
        "orderId": told.order_id,
        "symbol": name_of(instrument),
        "status": status_word(told),
        "clientOrderId": client_word(told),
        "price": instrument.price_text(told.price_ticks),
        "avgPrice": average_word(told, instrument),
        "origQty": instrument.qty_text(told.lots),
        "executedQty": instrument.qty_text(told.filled_lots),
        "cumQty": instrument.qty_text(told.filled_lots),
        "timeInForce": tif_word(told),
        "type": type_word(told),
        "reduceOnly": told.reduce_only,
        "closePosition": told.close_position,
        "side": side_word(told),
        "positionSide": position_side_word(told.position_side),
        "stopPrice": instrument.price_text(0 if told.trailing_bps else told.trigger_ticks),
        "workingType": working_type_word(told),
        "priceProtect": told.price_protect,
        "origType": orig_type_word(told),
        "priceMatch": "NONE",  # The price it asked for was found when it was placed.
        "selfTradePreventionMode": STP_WORDS[told.stp],
        "goodTillDate": told.expire_ms,
        "updateTime": told.updated_ms,
    }
    if instrument.kind == "inverse":
        said["pair"] = pair_of(instrument)
        said["cumBase"] = amount_text(told.filled_minor)
    else:
        said["cumQuote"] = amount_text(instrument.quote_minor(told.filled_units, told.filled_lots))
    if told.type is OrderType.TRAILING_STOP:
        said["activatePrice"] = instrument.price_text(told.trigger_ticks)
        said["priceRate"] = callback_word(told)
    return said
