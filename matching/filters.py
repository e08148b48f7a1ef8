# cython: overflowcheck=True, annotation_typing=True
"""What an order must satisfy before it may reach the book: pure checks, in the order of S9.

Every bound is inclusive.  Text that is not on the tick or the lot never gets this far: it is
refused where it becomes an integer (`Instrument.ticks` and `Instrument.lots`).
"""

from __future__ import annotations

from typing import Final

from matching.instrument import Instrument
from matching.limits import MULTIPLIER_ONE_E4
from matching.reasons import Reason
from matching.types import (
    MARKET_TYPES,
    TRIGGER_TYPES,
    Order,
    OrderType,
    Side,
    TimeInForce,
    TradingState,
    TriggerSource,
)

_CLOSED: Final = frozenset({TradingState.HALT, TradingState.CANCEL_ONLY, TradingState.PRE_OPEN})
_WAITING: Final = frozenset({TimeInForce.GTC, TimeInForce.GTD})


def refuse_order(
    instrument: Instrument,
    state: TradingState,
    order: Order,
    reference_e8: int = 0,
    open_orders: int = 0,
) -> Reason | None:
    """Why a new order may not be placed, or None (S9).

    `reference_e8` is the reference price in 10^-8 of the quote (0: there is none, and the rules
    that need it do not apply); `open_orders` is how many the account has resting here.  A forced
    order passes wherever the state lets anything trade: a liquidation is never held up by a limit
    made for users (T13).
    """
    refused = refuse_state(state, order)
    if refused is not None or order.forced:
        return refused
    return (
        _refuse_shape(order)
        or _refuse_price(instrument, order)
        or _refuse_size(instrument, order, reference_e8)
        or _refuse_percent_price(instrument, order, reference_e8)
        or refuse_iceberg(instrument, order)
        or _refuse_count(instrument, order, open_orders)
        or refuse_asset(instrument, order, order.lots, reference_e8)
    )


def refuse_trigger_order(
    instrument: Instrument, state: TradingState, order: Order, open_orders: int, asleep: int
) -> Reason | None:
    """Why a stop or take-profit may not go to sleep, or None (S4, S9).

    What depends on the market (the price bands, the reference price) is judged when it wakes:
    until then the market moves, which is what it waits for.  So its value is reckoned at its own
    trigger.  `asleep` is how many of the account's `open_orders` here sleep already.
    """
    return (
        refuse_state(state, order)
        or _refuse_trigger(instrument, order)
        or (_refuse_date(order) if order.close_position else _refuse_shape(order))
        or _refuse_price(instrument, order)
        or _refuse_size(instrument, order, order.trigger_ticks * instrument.tick_e8)
        or refuse_iceberg(instrument, order)
        or _refuse_distance(instrument, order)
        or _refuse_count(instrument, order, open_orders)
        or (Reason.MAX_ALGO_ORDERS if asleep >= instrument.algo_orders_max else None)
        or refuse_asset(instrument, order, order.lots, order.trigger_ticks * instrument.tick_e8)
    )


def refuse_reduction(
    instrument: Instrument, state: TradingState, order: Order, lots: int
) -> Reason | None:
    """Why a resting order's quantity may not become `lots` in place, or None (S7, S9).

    Any other amendment is a new order, and passes `refuse_order`.
    """
    if state in _CLOSED:
        return Reason.SYMBOL_NOT_TRADING
    return (
        _refuse_lots(instrument, order.type, lots)
        or _refuse_notional(instrument, order, lots, reference_e8=0)
        or refuse_amendment(instrument, order)
    )


def refuse_amendment(instrument: Instrument, order: Order) -> Reason | None:
    """Why an order may not be changed in place once more, or None: MAX_NUM_ORDER_AMENDS (S9)."""
    spent = instrument.amends_max and order.amends >= instrument.amends_max
    return Reason.MAX_AMENDS if spent else None


def refuse_cancel(state: TradingState) -> Reason | None:
    """Why an order may not be cancelled, or None: a halted book stands entirely still (S13)."""
    return Reason.SYMBOL_NOT_TRADING if state is TradingState.HALT else None


def refuse_state(state: TradingState, order: Order) -> Reason | None:
    """Why a book in this state does not take the order, or None (S13)."""
    if state is TradingState.TRADING:
        return None
    limit_only = state is TradingState.LIMIT_ONLY and order.type not in MARKET_TYPES
    post_only = state is TradingState.POST_ONLY and order.post_only
    # A stop-limit that woke is a limit order like any other, also where it is amended.
    limit = order.type is OrderType.LIMIT or (order.triggered_ms and order.price_ticks)
    waits = limit and order.tif in _WAITING and not order.post_only
    collected = state is TradingState.AUCTION and waits and not order.forced
    return None if limit_only or post_only or collected else Reason.SYMBOL_NOT_TRADING


def refuse_result(instrument: Instrument, order: Order, lots: int) -> Reason | None:
    """Why a market order by amount may not buy or sell these lots at once, or None (S3)."""
    return _refuse_lots(instrument, OrderType.MARKET, lots) or refuse_asset(
        instrument, order, lots, reference_e8=0
    )


def refuse_asset(
    instrument: Instrument, order: Order, lots: int, reference_e8: int
) -> Reason | None:
    """MAX_ASSET: why one order may not move so much of the pair's base or quote, or None (S9).

    What a market order by quantity moves of the quote is reckoned at the reference price.
    """
    base_max, quote_max = instrument.base_order_max_minor, instrument.quote_order_max_minor
    if base_max and instrument.base_minor(lots) > base_max:
        return Reason.MAX_ASSET
    if not quote_max:
        return None
    worth_minor = notional_of(instrument, order, lots, reference_e8) or 0
    return Reason.MAX_ASSET if worth_minor > quote_max else None


def notional_of(instrument: Instrument, order: Order, lots: int, reference_e8: int) -> int | None:
    """What so many lots of an order are worth in minor units of the quote: by its amount, its
    price, its face, or else the reference price; None without one.
    """
    if order.quote_units:
        return order.quote_units * instrument.unit_minor
    if order.price_ticks:
        return instrument.notional_minor(order.price_ticks, lots)
    if instrument.kind == "inverse":
        return instrument.notional_minor(0, lots)
    if reference_e8:
        return reference_e8 * lots * instrument.unit_minor // instrument.tick_e8
    return None


def iceberg_parts(lots: int, shown_lots: int) -> int:
    """Into how many parts an iceberg falls, the last maybe smaller (S6)."""
    return -(-lots // shown_lots)


def refuse_iceberg(instrument: Instrument, order: Order) -> Reason | None:
    """Why an order may not show only `iceberg_lots` at a time, or None (S6, S9)."""
    shown_lots = order.iceberg_lots
    if not shown_lots:
        return None
    if order.type is not OrderType.LIMIT:
        return Reason.COMBINATION_NOT_ALLOWED
    if order.tif is not TimeInForce.GTC:
        return Reason.ICEBERG_NOT_GTC
    if not instrument.lots_min <= shown_lots <= order.lots:
        return Reason.QTY_OUT_OF_RANGE
    parts = iceberg_parts(order.lots, shown_lots)
    return Reason.ICEBERG_PARTS if parts > instrument.iceberg_parts_max else None


def _refuse_shape(order: Order) -> Reason | None:
    """Options that contradict each other, or lack what they need."""
    is_market = order.type in MARKET_TYPES
    waits = order.trigger_ticks or order.trigger or order.close_position or order.price_protect
    if (waits or order.trailing_bps) and order.type not in TRIGGER_TYPES:
        return Reason.TRIGGER_NOT_ALLOWED
    if bool(order.lots) is bool(order.quote_units):
        return Reason.COMBINATION_NOT_ALLOWED if order.lots else Reason.QTY_MISSING
    if order.quote_units and (not is_market or order.reduce_only):  # It could not be cut (P15).
        return Reason.COMBINATION_NOT_ALLOWED
    if order.post_only and (is_market or order.tif not in _WAITING):
        return Reason.COMBINATION_NOT_ALLOWED
    return _refuse_date(order)


def _refuse_date(order: Order) -> Reason | None:
    """A good-till-date order needs a date that lies ahead."""
    if order.tif is not TimeInForce.GTD:
        return None
    if not order.expire_ms:
        return Reason.EXPIRY_MISSING
    return Reason.EXPIRY_IN_PAST if order.expire_ms <= order.time_ms else None


def _refuse_trigger(instrument: Instrument, order: Order) -> Reason | None:
    """A trigger within the price range, a source the instrument has, and options that fit."""
    if order.type not in TRIGGER_TYPES:
        return Reason.TRIGGER_NOT_ALLOWED
    follows = order.trailing_bps or order.type is OrderType.TRAILING_STOP
    if not follows and not order.trigger_ticks:
        return Reason.TRIGGER_MISSING
    if order.trigger_ticks and not _in_range(instrument, order.trigger_ticks):
        return Reason.PRICE_OUT_OF_RANGE
    spot_needs_mark = order.trigger is TriggerSource.MARK or order.price_protect
    if instrument.kind == "spot" and (spot_needs_mark or order.close_position):
        return Reason.COMBINATION_NOT_ALLOWED
    is_market = order.type in MARKET_TYPES
    if order.close_position and (not is_market or order.lots or order.quote_units):
        return Reason.CLOSE_POSITION_TAKES_NO_QTY if is_market else Reason.COMBINATION_NOT_ALLOWED
    if order.quote_units or (is_market and order.tif not in _WAITING):
        return Reason.COMBINATION_NOT_ALLOWED
    return None


def _refuse_distance(instrument: Instrument, order: Order) -> Reason | None:
    """TRAILING_DELTA."""
    follows = order.trailing_bps or order.type is OrderType.TRAILING_STOP
    bounds = range(instrument.trailing_bps_min, instrument.trailing_bps_max + 1)
    return Reason.TRAILING_DELTA if follows and order.trailing_bps not in bounds else None


def _refuse_price(instrument: Instrument, order: Order) -> Reason | None:
    """PRICE_FILTER."""
    if order.type in MARKET_TYPES:
        return Reason.PRICE_NOT_ALLOWED if order.price_ticks else None
    if not order.price_ticks:
        return Reason.PRICE_MISSING
    return None if _in_range(instrument, order.price_ticks) else Reason.PRICE_OUT_OF_RANGE


def _in_range(instrument: Instrument, ticks: int) -> bool:
    return instrument.ticks_min <= ticks <= instrument.ticks_max


def _refuse_size(instrument: Instrument, order: Order, reference_e8: int) -> Reason | None:
    """Quantity and notional; what closes a position is as large or as small as the position."""
    if order.close_position:
        return None
    return _refuse_lots(instrument, order.type, order.lots) or _refuse_notional(
        instrument, order, order.lots, reference_e8
    )


def _refuse_lots(instrument: Instrument, kind: OrderType, lots: int) -> Reason | None:
    """LOT_SIZE, then MARKET_LOT_SIZE; a market order by amount names no lots."""
    if not lots:
        return None
    if not instrument.lots_min <= lots <= instrument.lots_max:
        return Reason.QTY_OUT_OF_RANGE
    if kind in MARKET_TYPES and lots > instrument.market_lots_max:
        return Reason.MARKET_QTY_OUT_OF_RANGE
    return None


def _refuse_notional(
    instrument: Instrument, order: Order, lots: int, reference_e8: int
) -> Reason | None:
    """NOTIONAL: a market order by quantity is valued at the reference price.

    What only reduces a position may be as small as the position.
    """
    notional_minor = notional_of(instrument, order, lots, reference_e8)
    if notional_minor is None:
        return None
    if notional_minor < instrument.notional_min_minor and not order.reduce_only:
        return Reason.NOTIONAL_TOO_SMALL
    return Reason.NOTIONAL_TOO_LARGE if notional_minor > instrument.notional_max_minor else None


def _refuse_percent_price(instrument: Instrument, order: Order, reference_e8: int) -> Reason | None:
    """PERCENT_PRICE_BY_SIDE: compared crosswise, so that no bound is ever rounded."""
    if not reference_e8 or order.type in MARKET_TYPES:
        return None
    is_bid = order.side is Side.BUY
    up_e4 = instrument.bid_up_e4 if is_bid else instrument.ask_up_e4
    down_e4 = instrument.bid_down_e4 if is_bid else instrument.ask_down_e4
    price_e12 = order.price_ticks * instrument.tick_e8 * MULTIPLIER_ONE_E4
    too_high = up_e4 and price_e12 > reference_e8 * up_e4
    return Reason.PERCENT_PRICE if too_high or price_e12 < reference_e8 * down_e4 else None


def _refuse_count(instrument: Instrument, order: Order, open_orders: int) -> Reason | None:
    """MAX_NUM_ORDERS, for orders that may come to rest or that sleep."""
    waits = order.type in TRIGGER_TYPES or (
        order.type not in MARKET_TYPES and order.tif in _WAITING
    )
    return Reason.MAX_ORDERS if waits and open_orders >= instrument.orders_max else None
