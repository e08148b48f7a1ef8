"""The twin's orders on their way: to the book, to sleep until a price wakes them, and awake."""

from __future__ import annotations

from exchange.commands import PlaceOrder
from matching.types import Side, TimeInForce, TriggerSource
from tests.twin.twin_asleep import has_reached, look
from tests.twin.twin_filters import refuse_book_order, refuse_sleeper
from tests.twin.twin_state import SLEEPERS, Board, TwinOrder, TwinState, dated, order_of
from tests.twin.twin_trading import end, expire_first, run


def consider(
    twin: TwinState, wish: PlaceOrder, late: bool = False, order_id: int = 0
) -> tuple[TwinOrder, str | None]:
    """The order a wish asks for, and why it may not be placed; nothing is changed."""
    board = twin.boards[wish.symbol]
    order = order_of(wish, order_id or twin.next_order_id, twin.now_ms)
    if wish.type in SLEEPERS:
        return order, refuse_to_sleep(twin, board, order, late=late)
    if wish.quote_minor and not order.quote_units and not order.lots:
        return order, "AMOUNT_BELOW_ONE_LOT"
    return order, refuse_book_order(twin, board, order)


def enter(twin: TwinState, order: TwinOrder, late: bool = False) -> None:
    """An order that may be placed takes its id, and goes to its book or to sleep."""
    twin.next_order_id = max(twin.next_order_id, order.order_id + 1)
    if order.type not in SLEEPERS:
        run(twin, order)
        return
    order.status = "PENDING_TRIGGER"
    board = twin.boards[order.symbol]
    board.asleep.append(order)
    twin.tell_order(order, "accepted")
    if late:
        look(twin, board, None)


def take_up(twin: TwinState, order: TwinOrder) -> str | None:
    """What its account's wallet and position say to an order that goes to its book (P15)."""
    board = twin.boards[order.symbol]
    if order.type in SLEEPERS and not order.triggered_ms:
        return None
    if board.is_spot:
        return "COMBINATION_NOT_ALLOWED" if order.reduce_only else None
    if twin.mark_e8(board) is None:
        return "NO_MARK_PRICE"
    if not order.reduce_only:
        return None
    if not twin.closes(order):
        return "REDUCE_ONLY_WOULD_INCREASE"
    held = abs(twin.positions[order.account_id])
    if order.lots > held:
        order.lots = order.open_lots = held
    return None


# -- asleep ------------------------------------------------------------------------------------


def refuse_to_sleep(
    twin: TwinState,
    board: Board,
    order: TwinOrder,
    instead_of: TwinOrder | None = None,
    late: bool = False,
) -> str | None:
    """Filters; a trigger that is reached already; and nothing there to reduce."""
    follows = instead_of is not None and instead_of.extreme_e8 > 0
    return (
        refuse_sleeper(twin, board, order, instead_of, late)
        or (None if follows else _refuse_reached(twin, board, order, late))
        or _refuse_closing(twin, board, order, instead_of)
    )


def _refuse_reached(twin: TwinState, board: Board, order: TwinOrder, late: bool) -> str | None:
    price_e8 = twin.price_e8(board, order.trigger)
    if price_e8 is None and order.trigger is TriggerSource.MARK:
        return "NO_MARK_PRICE"
    if price_e8 is None or not order.trigger_ticks:
        # Money must be held for a market buy: by its trigger, or else by the index.
        needs_price = board.is_spot and order.side is Side.BUY and order.is_market
        known = order.trigger_ticks or twin.index_e8 is not None
        return "NO_INDEX_PRICE" if needs_price and not known else None
    return "WOULD_TRIGGER" if has_reached(order, price_e8) and not late else None


def _refuse_closing(
    twin: TwinState, board: Board, order: TwinOrder, instead_of: TwinOrder | None
) -> str | None:
    if order.reduce_only and not twin.closes(order):
        return "REDUCE_ONLY_WOULD_INCREASE"
    rivals = [
        each
        for each in board.asleep
        if each.account_id == order.account_id and each.close_position and each is not instead_of
    ]
    same = any((each.side, each.type) == (order.side, order.type) for each in rivals)
    return "CLOSE_POSITION_WAITS" if order.close_position and same else None


def wake(twin: TwinState, order: TwinOrder) -> None:
    """An order's turn has come: from here on it is an ordinary order (T11)."""
    board = twin.boards[order.symbol]
    if board.stands:
        board.held.append(order)
        return
    if order not in board.asleep:
        return  # It was cancelled since.
    expire_first(twin, board)
    if order.tif is TimeInForce.GTD and order in dated([order], twin.now_ms):
        end(twin, order, "EXPIRED", "EXPIRED_BY_TIME")
        return
    if order.list_id:
        _end_rival(twin, order)
    board.asleep.remove(order)
    order.status, order.triggered_ms = "NEW", twin.now_ms
    twin.tell_order(order, "triggered")
    reason = _refuse_awake(twin, board, order)
    if reason is None:
        run(twin, order)
        return
    order.end("REJECTED", reason)
    twin.note_list(order)
    twin.tell_order(order, "rejected")


def _end_rival(twin: TwinState, order: TwinOrder) -> None:
    """Of an OCO the other leg ends before the one that woke is placed (S5)."""
    twin.note_list(order)
    for leg in twin.lists[order.list_id].pair:
        rival = leg.order
        if rival is not None and rival is not order and rival.is_open:
            end(twin, rival, "EXPIRED", "LIST_ENDED")


def _refuse_awake(twin: TwinState, board: Board, order: TwinOrder) -> str | None:
    if order.close_position:
        if not twin.closes(order):
            return "REDUCE_ONLY_WOULD_INCREASE"
        order.lots = order.open_lots = abs(twin.positions[order.account_id])
    return refuse_book_order(twin, board, order) or take_up(twin, order)
