"""The twin's orders that sleep: which of them a price wakes, and in what order (S4, P16)."""

from __future__ import annotations

from matching.types import Side, TriggerSource
from tests.twin.market import E4, PROTECT_E4, TICK_E8
from tests.twin.twin_state import Board, TwinOrder, TwinState


def look(twin: TwinState, board: Board, fresh: TriggerSource | None) -> None:
    """Queue up what last price and mark wake; the fresh one is followed by those that trail."""
    if board.stands:
        return
    for source in TriggerSource:
        price_e8 = twin.price_e8(board, source)
        if price_e8 is None:
            continue
        here = [o for o in board.asleep if o.trigger is source and not o.fired]
        awake = [o for o in here if _reached(o, price_e8) and _may_wake(twin, board, o)]
        rising = [o for o in awake if _wakes_rising(o)]
        falling = [o for o in awake if not _wakes_rising(o)]
        rising.sort(key=lambda order: (_wakes_at(order), order.order_id))
        falling.sort(key=lambda order: (-_wakes_at(order), order.order_id))
        for order in rising + falling:
            order.fired = True
            twin.fired.append(order)
        if source is fresh:
            for order in here:
                if order.trailing_bps and not order.fired:
                    _follow(order, price_e8)


def _may_wake(twin: TwinState, board: Board, order: TwinOrder) -> bool:
    """A protected order sleeps on while last and mark lie too far apart."""
    if not order.price_protect:
        return True
    last_e8, mark_e8 = board.last_e8, twin.mark_e8(board)
    if last_e8 is None or mark_e8 is None:
        return False
    return abs(last_e8 - mark_e8) * E4 <= mark_e8 * PROTECT_E4


def _wakes_rising(order: TwinOrder) -> bool:
    """Whether it is a price at or above that wakes it: a trailing buy turns upwards."""
    return order.side is Side.BUY if order.trailing_bps else order.rises


def _wakes_at(order: TwinOrder) -> int:
    """The first whole price that wakes an order which waits for one."""
    if not order.trailing_bps:
        return order.trigger_ticks * TICK_E8
    if order.side is Side.BUY:
        return -(-order.extreme_e8 * (E4 + order.trailing_bps) // E4)
    return order.extreme_e8 * (E4 - order.trailing_bps) // E4


def _reached(order: TwinOrder, price_e8: int) -> bool:
    if order.trailing_bps and not order.extreme_e8:
        return False
    at_e8 = _wakes_at(order)
    return price_e8 >= at_e8 if _wakes_rising(order) else price_e8 <= at_e8


def _follow(order: TwinOrder, price_e8: int) -> None:
    """A new price: a new extreme perhaps, or the one it begins with."""
    if order.extreme_e8:
        better = min if order.side is Side.BUY else max
        order.extreme_e8 = better(order.extreme_e8, price_e8)
    elif not order.trigger_ticks or has_reached(order, price_e8):
        order.extreme_e8 = price_e8


def has_reached(order: TwinOrder, price_e8: int) -> bool:
    """Whether a price is where an order's trigger is, or beyond it."""
    trigger_e8 = order.trigger_ticks * TICK_E8
    return price_e8 >= trigger_e8 if order.rises else price_e8 <= trigger_e8
