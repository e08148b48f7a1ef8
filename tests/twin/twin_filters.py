"""What the twin lets onto a book or to sleep: states, filters in the order of S9, and bands."""

from __future__ import annotations

from dataclasses import replace

from matching.types import OrderType, Side, TimeInForce, TradingState, TriggerSource
from tests.twin.market import E4, ENTRY_E4, LOT_MINOR, TICK_E8, UNIT_MINOR, Bounds
from tests.twin.twin_state import SLEEPERS, Board, TwinOrder, TwinState

FILLS_MAX = 1_000  # Of one command.
WAITING = (TimeInForce.GTC, TimeInForce.GTD)
CLOSED = (TradingState.HALT, TradingState.CANCEL_ONLY, TradingState.PRE_OPEN)


def refuse_book_order(
    twin: TwinState, board: Board, order: TwinOrder, instead_of: TwinOrder | None = None
) -> str | None:
    """Why an order may not go to its book now, or None (S9, S12, S13)."""
    bounds, reference_e8 = board.bounds, twin.reference_e8(board)
    others = [
        each
        for each in twin.open_orders(order.account_id, board.symbol)
        if each is not order and each is not instead_of
    ]
    return (
        refuse_state(board.state, order)
        or _refuse_shape(order)
        or _refuse_price(bounds, order)
        or _refuse_lots(bounds, order)
        or _refuse_notional(bounds, order, order.lots, reference_e8)
        or _refuse_percent(bounds, order, reference_e8)
        or _refuse_iceberg(bounds, order)
        or (("MAX_ORDERS") if _waits(order) and len(others) >= bounds.orders_max else None)
        or _refuse_asset(bounds, order, order.lots, reference_e8)
        or _refuse_band(twin, board, order)
        or _refuse_amount(twin, board, order)
        or _refuse_icebergs(bounds, order, others)
    )


def refuse_sleeper(
    twin: TwinState,
    board: Board,
    order: TwinOrder,
    instead_of: TwinOrder | None = None,
    late: bool = False,
) -> str | None:
    """Why an order may not go to sleep, or None; its value is reckoned at its trigger (S4, S9).

    One that comes `late` was placed by its list, on whatever book there is by then.
    """
    bounds, worth_e8 = board.bounds, order.trigger_ticks * TICK_E8
    others = [
        each
        for each in twin.open_orders(order.account_id, board.symbol)
        if each is not order and each is not instead_of
    ]
    asleep = [each for each in others if each.is_asleep]
    return (
        refuse_state(TradingState.TRADING if late else board.state, order)
        or _refuse_trigger(board, order)
        or (None if order.close_position else _refuse_options(order))
        or _refuse_date(order)
        or _refuse_price(bounds, order)
        or (None if order.close_position else _refuse_lots(bounds, order))
        or (None if order.close_position else _refuse_notional(bounds, order, order.lots, worth_e8))
        or _refuse_iceberg(bounds, order)
        or _refuse_distance(bounds, order)
        or ("MAX_ORDERS" if len(others) >= bounds.orders_max else None)
        or ("MAX_ALGO_ORDERS" if len(asleep) >= bounds.algo_orders_max else None)
        or _refuse_asset(bounds, order, order.lots, worth_e8)
    )


def refuse_less(board: Board, order: TwinOrder, lots: int) -> str | None:
    """Why an order's quantity may not become `lots` where it stands, or None (S7)."""
    if board.state in CLOSED:
        return "SYMBOL_NOT_TRADING"
    fresh = replace(order, lots=lots)
    return (
        _refuse_lots(board.bounds, fresh)
        or _refuse_notional(board.bounds, fresh, lots, 0)
        or refuse_once_more(board.bounds, order)
    )


def refuse_once_more(bounds: Bounds, order: TwinOrder) -> str | None:
    """Why an order may not be changed in place again, or None."""
    return "MAX_AMENDS" if order.amends >= bounds.amends_max else None


def refuse_state(state: TradingState, order: TwinOrder) -> str | None:
    """What a book takes in each state (S13)."""
    plain = order.type is OrderType.LIMIT or (order.triggered_ms and not order.is_market)
    collected = plain and order.tif in WAITING and not order.post_only
    takes = {
        TradingState.TRADING: True,
        TradingState.LIMIT_ONLY: not order.is_market,
        TradingState.POST_ONLY: order.post_only,
        TradingState.AUCTION: bool(collected),
    }
    return None if takes.get(state, False) else "SYMBOL_NOT_TRADING"


def worst_ticks(twin: TwinState, board: Board, side: Side) -> int:
    """The last price a taker may trade at (S12); 0 without a rule."""
    reference_e8 = twin.reference_e8(board)
    if not reference_e8:
        return 0
    up_e4, down_e4 = board.bounds.execution_up_e4, board.bounds.execution_down_e4
    if not board.is_spot:
        up_e4, down_e4 = E4 + ENTRY_E4, E4 - ENTRY_E4
    if side is Side.BUY:
        return reference_e8 * up_e4 // (E4 * TICK_E8)
    return -(-reference_e8 * down_e4 // (E4 * TICK_E8))


def fills_now(twin: TwinState, board: Board, order: TwinOrder) -> int:
    """How many lots an order would trade at once."""
    if board.collects:
        return 0
    trial = replace(order, tif=TimeInForce.IOC, status="NEW")
    board.book.copy().place(trial, worst_ticks(twin, board, order.side), FILLS_MAX)
    return trial.filled_lots


# -- the filters one by one --------------------------------------------------------------------


def _waits(order: TwinOrder) -> bool:
    """Whether it may come to rest, or sleeps."""
    return order.type in SLEEPERS or (not order.is_market and order.tif in WAITING)


def _refuse_shape(order: TwinOrder) -> str | None:
    return _refuse_options(order) or _refuse_date(order)


def _refuse_options(order: TwinOrder) -> str | None:
    waits = order.trigger_ticks or order.trigger is not TriggerSource.LAST or order.trailing_bps
    if (waits or order.close_position or order.price_protect) and order.type not in SLEEPERS:
        return "TRIGGER_NOT_ALLOWED"
    if order.lots and order.quote_units:
        return "COMBINATION_NOT_ALLOWED"
    if not order.lots and not order.quote_units:
        return "QTY_MISSING"
    by_amount = order.quote_units and (not order.is_market or order.reduce_only)
    brief = order.post_only and (order.is_market or order.tif not in WAITING)
    return "COMBINATION_NOT_ALLOWED" if by_amount or brief else None


def _refuse_date(order: TwinOrder) -> str | None:
    if order.tif is not TimeInForce.GTD:
        return None
    if not order.expire_ms:
        return "EXPIRY_MISSING"
    return "EXPIRY_IN_PAST" if order.expire_ms <= order.placed_ms else None


def _refuse_trigger(board: Board, order: TwinOrder) -> str | None:
    """A trigger that is a price, and options that can be had together."""
    bounds, ticks = board.bounds, order.trigger_ticks
    follows = order.trailing_bps or order.type is OrderType.TRAILING_STOP
    if not ticks and not follows:
        return "TRIGGER_MISSING"
    if ticks and not bounds.ticks_min <= ticks <= bounds.ticks_max:
        return "PRICE_OUT_OF_RANGE"
    of_contracts = order.trigger is TriggerSource.MARK or order.price_protect
    if board.is_spot and (of_contracts or order.close_position):
        return "COMBINATION_NOT_ALLOWED"
    if order.close_position:
        if not order.is_market:
            return "COMBINATION_NOT_ALLOWED"
        if order.lots or order.quote_units:
            return "CLOSE_POSITION_TAKES_NO_QTY"
    brief = order.is_market and order.tif not in WAITING
    return "COMBINATION_NOT_ALLOWED" if order.quote_units or brief else None


def _refuse_price(bounds: Bounds, order: TwinOrder) -> str | None:
    ticks = order.price_ticks
    if order.is_market:
        return "PRICE_NOT_ALLOWED" if ticks else None
    if not ticks:
        return "PRICE_MISSING"
    return None if bounds.ticks_min <= ticks <= bounds.ticks_max else "PRICE_OUT_OF_RANGE"


def _refuse_lots(bounds: Bounds, order: TwinOrder) -> str | None:
    if order.close_position or not order.lots:  # As many as there are; or by an amount.
        return None
    if not bounds.lots_min <= order.lots <= bounds.lots_max:
        return "QTY_OUT_OF_RANGE"
    too_many = order.is_market and order.lots > bounds.market_lots_max
    return "MARKET_QTY_OUT_OF_RANGE" if too_many else None


def _worth_minor(order: TwinOrder, lots: int, reference_e8: int) -> int | None:
    """What an order is worth in the quote: by its amount, its price, or the reference."""
    if order.quote_units:
        return order.quote_units * UNIT_MINOR
    if order.price_ticks:
        return order.price_ticks * lots * UNIT_MINOR
    return reference_e8 * lots * UNIT_MINOR // TICK_E8 if reference_e8 else None


def _refuse_notional(bounds: Bounds, order: TwinOrder, lots: int, reference_e8: int) -> str | None:
    worth_minor = _worth_minor(order, lots, reference_e8)
    if order.close_position or worth_minor is None:
        return None
    if worth_minor < bounds.notional_min_minor and not order.reduce_only:
        return "NOTIONAL_TOO_SMALL"
    return "NOTIONAL_TOO_LARGE" if worth_minor > bounds.notional_max_minor else None


def _refuse_percent(bounds: Bounds, order: TwinOrder, reference_e8: int) -> str | None:
    if order.is_market or not reference_e8:
        return None
    up_e4, down_e4 = bounds.ask_up_e4, bounds.ask_down_e4
    if order.side is Side.BUY:
        up_e4, down_e4 = bounds.bid_up_e4, bounds.bid_down_e4
    price_e8 = order.price_ticks * TICK_E8
    inside = reference_e8 * down_e4 <= price_e8 * E4
    inside = inside and (not up_e4 or price_e8 * E4 <= reference_e8 * up_e4)
    return None if inside else "PERCENT_PRICE"


def _refuse_iceberg(bounds: Bounds, order: TwinOrder) -> str | None:
    shown = order.iceberg_lots
    if not shown:
        return None
    if order.type is not OrderType.LIMIT:
        return "COMBINATION_NOT_ALLOWED"
    if order.tif is not TimeInForce.GTC:
        return "ICEBERG_NOT_GTC"
    if not bounds.lots_min <= shown <= order.lots:
        return "QTY_OUT_OF_RANGE"
    return "ICEBERG_PARTS" if shown * bounds.iceberg_parts_max < order.lots else None


def _refuse_distance(bounds: Bounds, order: TwinOrder) -> str | None:
    follows = order.trailing_bps or order.type is OrderType.TRAILING_STOP
    inside = bounds.trailing_bps_min <= order.trailing_bps <= bounds.trailing_bps_max
    return "TRAILING_DELTA" if follows and not inside else None


def _refuse_icebergs(bounds: Bounds, order: TwinOrder, others: list[TwinOrder]) -> str | None:
    icebergs = [each for each in others if each.iceberg_lots]
    full = order.iceberg_lots and len(icebergs) >= bounds.icebergs_max
    return "MAX_ICEBERGS" if full else None


def _refuse_asset(bounds: Bounds, order: TwinOrder, lots: int, reference_e8: int) -> str | None:
    base_max, quote_max = bounds.base_order_max_minor, bounds.quote_order_max_minor
    if base_max and lots * LOT_MINOR > base_max:
        return "MAX_ASSET"
    worth_minor = _worth_minor(order, lots, reference_e8) or 0
    return "MAX_ASSET" if quote_max and worth_minor > quote_max else None


def _refuse_band(twin: TwinState, board: Board, order: TwinOrder) -> str | None:
    """Nobody bids for a contract far above its index, or offers it far below (S12)."""
    worst = worst_ticks(twin, board, order.side)
    if board.is_spot or not worst or not order.price_ticks:
        return None
    beyond = order.price_ticks - worst
    return "PRICE_BAND" if (beyond if order.side is Side.BUY else -beyond) > 0 else None


def _refuse_amount(twin: TwinState, board: Board, order: TwinOrder) -> str | None:
    """What an amount buys or sells must itself be an allowed quantity (S3)."""
    if not order.quote_units:
        return None
    lots = fills_now(twin, board, order)
    found = replace(order, lots=lots)
    return _refuse_lots(board.bounds, found) or _refuse_asset(board.bounds, found, lots, 0)
