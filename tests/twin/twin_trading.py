"""The twin at the book: orders match, rest and end; what follows from each trade, in its order."""

from __future__ import annotations

from matching.types import Side, TriggerSource
from tests.twin.market import E4, FEE_E4, LOT_MINOR, PERP
from tests.twin.twin_asleep import look
from tests.twin.twin_auction import begin_auction
from tests.twin.twin_filters import FILLS_MAX, worst_ticks
from tests.twin.twin_state import (
    SLOT_MS,
    WINDOW_SLOTS,
    Board,
    TwinOrder,
    TwinState,
    dated,
    happened_to,
)


def run(twin: TwinState, order: TwinOrder) -> None:
    """Match an order; cut what its trades left too large (P15); then the breaker (S13)."""
    board = twin.boards[order.symbol]
    _match(twin, board, order)
    trim_moved(twin)
    trip(twin)


def _match(twin: TwinState, board: Board, order: TwinOrder) -> None:
    if board.collects:
        board.book.show(order)
        twin.moved += [order.account_id] if order.symbol == PERP else []
        twin.tell_order(order, "accepted")
        return
    every = {each.order_id: each for each in [*board.resting, order]}
    happened = board.book.place(order, worst_ticks(twin, board, order.side), FILLS_MAX)
    for what, maker_id, _, ticks, lots, *more in happened:
        maker = every[maker_id]
        if what == "fill":
            settle(twin, board, (maker, order), ticks, lots)
        else:
            lost(twin, maker, more[0])
    if not order.is_open:
        twin.note_list(order)
    elif order.symbol == PERP:
        twin.moved.append(order.account_id)
    twin.tell_order(order, happened_to(order))


def settle(
    twin: TwinState,
    board: Board,
    orders: tuple[TwinOrder, TwinOrder],
    ticks: int,
    lots: int,
    auction: bool = False,
) -> None:
    """One trade of a maker with a taker: positions, what is told, what it wakes (A6)."""
    maker, taker = orders
    board.trades.append((twin.now_ms, ticks, lots))
    board.watched.append((twin.now_ms, ticks))
    board.last_ticks = ticks
    trade_id = len(board.trades)
    if board.symbol == PERP:
        for order in orders:
            signed = lots if order.side is Side.BUY else -lots
            twin.positions[order.account_id] = twin.positions.get(order.account_id, 0) + signed
            twin.moved.append(order.account_id)
    if _moved_too_far(twin, board) and board.symbol not in twin.tripped:
        twin.tripped.append(board.symbol)
    ids = maker.order_id, taker.order_id
    twin.told.append(("trade", board.symbol, trade_id, ticks, lots, taker.side.name, *ids))
    for order in orders:
        makes = order is maker and not auction
        what = (board.symbol, trade_id, order.order_id, order.side.name, ticks, lots, makes)
        twin.told.append(("fill", order.account_id, *what))
    for order in orders:
        _count(twin, board, order, lots)
    for order in orders if auction else (maker,):
        twin.tell_order(order, "filled")
    look(twin, board, TriggerSource.LAST)


def _count(twin: TwinState, board: Board, order: TwinOrder, lots: int) -> None:
    """A leg was filled; a buyer on spot pays its fee out of what it buys (S10)."""
    if not order.list_id:
        return
    leg = next(leg for leg in twin.lists[order.list_id].legs if leg.order is order)
    leg.filled_lots += lots
    if board.is_spot and order.side is Side.BUY:
        leg.paid_minor += -(-lots * LOT_MINOR * FEE_E4 // E4)
    twin.note_list(order)


def lost(twin: TwinState, order: TwinOrder, lots: int) -> None:
    """A resting order met a taker of its own account, and lost lots to it or none (S8)."""
    if lots or not order.is_open:
        twin.note_list(order)
    twin.tell_order(order, happened_to(order))


def end(twin: TwinState, order: TwinOrder, status: str, reason: str) -> None:
    """An open order is over, on the book or asleep."""
    board = twin.boards[order.symbol]
    if order.is_asleep:
        board.asleep.remove(order)
    else:
        board.resting.remove(order)
    order.end(status, reason)
    twin.note_list(order)
    twin.tell_order(order, happened_to(order))


def expire_first(twin: TwinState, board: Board) -> None:
    """Before a book is traded on nobody past its date is left on it (S2)."""
    for order in dated(board.resting, twin.now_ms):
        end(twin, order, "EXPIRED", "EXPIRED_BY_TIME")


# -- reduce-only orders (P15) ------------------------------------------------------------------


def trim_moved(twin: TwinState) -> None:
    """Look at the accounts whose position or orders changed, in that order."""
    board = twin.boards[PERP]
    while twin.moved:
        account_id = twin.moved[0]
        twin.moved = [each for each in twin.moved if each != account_id]
        for order in twin.open_orders(account_id, PERP):
            if order.is_asleep and order.reduce_only and not twin.closes(order):
                end(twin, order, "CANCELLED", "REDUCE_ONLY_TRIMMED")
        for order, room in _rooms(twin, board, account_id):
            if not room:
                end(twin, order, "CANCELLED", "REDUCE_ONLY_TRIMMED")
            elif order.open_lots > room:
                cut(order, order.lots - order.open_lots + room)
                twin.tell_order(order, "amended")


def _rooms(twin: TwinState, board: Board, account_id: int) -> list[tuple[TwinOrder, int]]:
    """Each reduce-only order on the book and what it may reduce, nearest to execution first."""
    left = abs(twin.positions.get(account_id, 0))
    mine = [order for order in board.resting if order.account_id == account_id]
    bids = [order for order in mine if order.side is Side.BUY]
    asks = [order for order in mine if order.side is Side.SELL]
    bids.sort(key=lambda order: -order.price_ticks)  # Stable: who came first stays first.
    asks.sort(key=lambda order: order.price_ticks)
    rooms = []
    for order in bids + asks:
        if order.reduce_only:
            rooms.append((order, left if twin.closes(order) else 0))
        if twin.closes(order):
            left = max(0, left - order.open_lots)
    return rooms


def cut(order: TwinOrder, lots: int) -> None:
    """A smaller quantity where it stands; what an iceberg shows is cut last."""
    order.open_lots -= order.lots - lots
    order.lots = lots
    order.shown_lots = min(order.shown_lots, order.open_lots)


# -- the circuit breaker (S13) -----------------------------------------------------------------


def _moved_too_far(twin: TwinState, board: Board) -> bool:
    """Whether the last price is too far from that of five minutes ago, or the first since."""
    last_slot = twin.now_ms // SLOT_MS - WINDOW_SLOTS
    old = [ticks for ms, ticks in board.watched if ms // SLOT_MS <= last_slot]
    reference = old[-1] if old else board.watched[0][1]
    return abs(board.watched[-1][1] - reference) * E4 >= reference * board.bounds.breaker_move_bps


def trip(twin: TwinState) -> None:
    """Books whose price moved too far collect orders for a while."""
    for symbol in twin.tripped:
        board = twin.boards[symbol]
        if not board.stands:
            until_ms = twin.now_ms + board.bounds.breaker_auction_ms
            begin_auction(twin, board, until_ms, board.state)
    twin.tripped.clear()
