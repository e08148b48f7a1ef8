"""The twin's trading states and auctions: what a book collects, and the one price it opens at."""

from __future__ import annotations

from matching.types import SelfTrade, Side, TradingState, TriggerSource
from tests.twin.market import TICK_E8
from tests.twin.twin_asleep import look
from tests.twin.twin_state import STANDING, Board, TwinAuction, TwinOrder, TwinState

Found = tuple[int, int, int]  # Ticks, lots, demand less supply.
NOTHING: Found = (0, 0, 0)


def set_state(twin: TwinState, board: Board, state: TradingState) -> None:
    """A book that no longer stands wakes those that were held up, and those reached meanwhile."""
    board.state = state
    if state not in STANDING:
        twin.fired += board.held
        board.held = []
        look(twin, board, TriggerSource.MARK)
    twin.told.append(("state", board.symbol, state.name.lower()))


def begin_auction(twin: TwinState, board: Board, until_ms: int, back: TradingState) -> None:
    """Collect until a moment, or (0) until an administrator opens the book."""
    board.auction = TwinAuction(until_ms, back, twin.next_auction)
    twin.next_auction += 1
    set_state(twin, board, TradingState.AUCTION)


def order_state(twin: TwinState, board: Board, state: TradingState) -> str | None:
    """What an administrator asks for; why not, or None."""
    if board.auction is None:
        if state is TradingState.AUCTION:
            begin_auction(twin, board, 0, TradingState.TRADING)
        else:
            set_state(twin, board, state)
    elif state is TradingState.AUCTION:
        board.auction.until_ms = 0
    elif state not in STANDING:
        board.auction.opens = state
    elif found_price(twin, board) != NOTHING:
        return "BOOK_CROSSED"
    else:
        end_auction(twin, board, state, [])
    return None


def found_price(twin: TwinState, board: Board) -> Found:
    """Try every price there is between the best ask and the best bid (S14)."""
    asks = [order for order in board.resting if order.side is Side.SELL]
    bids = [order for order in board.resting if order.side is Side.BUY]
    if not asks or not bids:
        return NOTHING
    lowest, highest = min(o.price_ticks for o in asks), max(o.price_ticks for o in bids)
    tried = []
    for ticks in range(lowest, highest + 1):
        demand = sum(order.open_lots for order in bids if order.price_ticks >= ticks)
        supply = sum(order.open_lots for order in asks if order.price_ticks <= ticks)
        tried.append((ticks, min(demand, supply), demand - supply))
    if not tried:
        return NOTHING
    most = max(lots for _, lots, _ in tried)
    least = min(abs(left) for _, lots, left in tried if lots == most)
    tied = [each for each in tried if (each[1], abs(each[2])) == (most, least)]
    if all(left > 0 for _, _, left in tied):
        return tied[-1]
    if all(left < 0 for _, _, left in tied):
        return tied[0]
    reference_e8 = board.last_e8 or twin.reference_e8(board)
    return min(tied, key=lambda each: (abs(each[0] * TICK_E8 - reference_e8), each[0]))


def indicate(twin: TwinState, board: Board) -> None:
    """Where an auction would trade now, if that has changed."""
    found = found_price(twin, board)
    if board.auction is not None and found != board.auction.told:
        board.auction.told = found
        twin.told.append(("indicated", board.symbol, *found))


def first_pair(board: Board, ticks: int) -> tuple[TwinOrder, TwinOrder] | None:
    """The first bid and the first ask in price-time order that accept a price, the older first."""
    bids = [o for o in board.resting if o.side is Side.BUY and o.price_ticks >= ticks]
    asks = [o for o in board.resting if o.side is Side.SELL and o.price_ticks <= ticks]
    if not bids or not asks:
        return None
    bid = max(bids, key=lambda order: order.price_ticks)  # The first of those as good.
    ask = min(asks, key=lambda order: order.price_ticks)
    return (bid, ask) if bid.order_id < ask.order_id else (ask, bid)


def prevented(maker: TwinOrder, taker: TwinOrder) -> tuple[int, int] | None:
    """What two orders of one account lose instead of trading; None where they may trade (S8)."""
    if maker.account_id != taker.account_id or taker.stp is SelfTrade.NONE:
        return None
    overlap = min(maker.shown_lots, taker.shown_lots)
    return {
        SelfTrade.EXPIRE_TAKER: (0, taker.open_lots),
        SelfTrade.EXPIRE_MAKER: (maker.open_lots, 0),
        SelfTrade.EXPIRE_BOTH: (maker.open_lots, taker.open_lots),
        SelfTrade.DECREMENT: (overlap, overlap),
    }[taker.stp]


def end_auction(twin: TwinState, board: Board, state: TradingState, prices: list[int]) -> None:
    """The book goes on; the stops that the auction's prices reached wake (T11)."""
    board.auction = None
    if board.last_ticks is not None:  # The breaker begins anew, at the auction's price.
        board.watched = [(twin.now_ms, board.last_ticks)]
    set_state(twin, board, state)
    for ticks in prices:
        board.last_ticks = ticks
        look(twin, board, TriggerSource.LAST)
