"""The twin's amendments: less keeps its place, anything else is a new order (S7)."""

from __future__ import annotations

from dataclasses import replace

from exchange.commands import AmendOrder
from tests.twin.twin_filters import refuse_book_order, refuse_less, refuse_once_more
from tests.twin.twin_lists import entry_ticks, refuse_crossed, refuse_exit_prices
from tests.twin.twin_placing import refuse_to_sleep, take_up
from tests.twin.twin_state import STOPS, TwinList, TwinOrder, TwinState
from tests.twin.twin_trading import cut, end, expire_first, run

Placed = tuple[str | None, int]


def amend(twin: TwinState, wish: AmendOrder) -> Placed:
    """Change an order that is open."""
    order = twin.open_order(wish.account_id, wish.order_id)
    if order is None:
        return "UNKNOWN_ORDER", 0
    expire_first(twin, twin.boards[order.symbol])
    if not order.is_open:
        return "UNKNOWN_ORDER", 0
    if order.list_id:
        made = twin.lists[order.list_id]
        if order.list_id in twin.due:
            return "BUSY", 0
        pair = [leg.order for leg in made.pair if leg.order is not None and leg.order.is_open]
        if len(pair) > 1 and any(each is order for each in pair):
            reason = _amend_pair(twin, pair, order, wish)
            return reason, 0 if reason else order.order_id
        reason = _refuse_entry(twin, made, order, wish)
        if reason is not None:
            return reason, 0
    if order.is_asleep:
        reason = _amend_sleeper(twin, order, wish)
        return reason, 0 if reason else order.order_id
    return _amend_resting(twin, order, wish)


def _amend_resting(twin: TwinState, order: TwinOrder, wish: AmendOrder) -> Placed:
    if wish.trigger_ticks:
        return "TRIGGER_NOT_ALLOWED", 0
    lots, ticks = wish.lots or order.lots, wish.price_ticks or order.price_ticks
    if (lots, ticks) == (order.lots, order.price_ticks):
        return "NOTHING_TO_AMEND", 0
    if lots <= order.gone_lots:
        return "AMEND_BELOW_FILLED", 0
    if ticks != order.price_ticks or lots > order.lots:
        return _replace(twin, order, lots - order.gone_lots, ticks)
    reason = refuse_less(twin.boards[order.symbol], order, lots)
    if reason is not None:
        return reason, 0
    _reduce(twin, order, lots)
    return None, order.order_id


def _reduce(twin: TwinState, order: TwinOrder, lots: int) -> None:
    twin.before[order.order_id] = _before(order)
    cut(order, lots)
    order.amends += 1
    twin.tell_order(order, "amended")


def _replace(twin: TwinState, order: TwinOrder, lots: int, ticks: int) -> Placed:
    """A new order in the place of the old one, which stays where the new one is refused."""
    fresh = replace(
        order,
        order_id=twin.next_order_id,
        lots=lots,
        price_ticks=ticks,
        iceberg_lots=min(order.iceberg_lots, lots),
        placed_ms=twin.now_ms,
        status="NEW",
        filled_lots=0,
        filled_units=0,
        prevented_lots=0,
        amends=0,
    )
    board = twin.boards[order.symbol]
    reason = refuse_book_order(twin, board, fresh, instead_of=order)
    reason = reason or take_up(twin, fresh)
    if reason is not None:
        return reason, 0
    twin.next_order_id += 1
    if order.list_id:
        leg = next(leg for leg in twin.lists[order.list_id].legs if leg.order is order)
        leg.had_moved = leg.status == "MOVED"
        leg.order, order.list_id = fresh, 0
        twin.note_list(fresh)
    end(twin, order, "CANCELLED", "CANCELLED_BY_USER")
    twin.before[fresh.order_id] = _before(order)
    run(twin, fresh)
    return (fresh.reason if fresh.status == "REJECTED" else None), fresh.order_id


def _amend_sleeper(twin: TwinState, order: TwinOrder, wish: AmendOrder) -> str | None:
    """What sleeps has no place to lose, and stays the same order."""
    if order.fired:
        return "BUSY"
    fresh = _wanted(order, wish)
    if _shape(fresh) == _shape(order):
        return "NOTHING_TO_AMEND"
    if order.extreme_e8 and fresh.trigger_ticks != order.trigger_ticks:
        return "TRACKING_STARTED"
    board = twin.boards[order.symbol]
    reason = refuse_to_sleep(twin, board, fresh, instead_of=order)
    reason = reason or refuse_once_more(board.bounds, order)
    if reason is None:
        _become(twin, order, fresh)
    return reason


def _become(twin: TwinState, order: TwinOrder, fresh: TwinOrder) -> None:
    twin.before[order.order_id] = _before(order)
    order.lots, order.price_ticks, order.trigger_ticks = _shape(fresh)
    order.open_lots = order.lots
    order.amends += 1
    twin.tell_order(order, "amended")


def _wanted(order: TwinOrder, wish: AmendOrder, named: bool = True) -> TwinOrder:
    """An order as it would be; of the other leg only the quantity changes."""
    fresh = replace(order, lots=wish.lots or order.lots)
    if named:
        fresh.price_ticks = wish.price_ticks or order.price_ticks
        fresh.trigger_ticks = wish.trigger_ticks or order.trigger_ticks
    return fresh


def _before(order: TwinOrder) -> tuple[int, int, int]:
    return order.order_id, order.price_ticks, order.lots


def _shape(order: TwinOrder) -> tuple[int, int, int]:
    return order.lots, order.price_ticks, order.trigger_ticks


# -- lists (T28) -------------------------------------------------------------------------------


def _amend_pair(
    twin: TwinState, pair: list[TwinOrder], order: TwinOrder, wish: AmendOrder
) -> str | None:
    """Both legs of an OCO keep one quantity; what rests of them may only shrink."""
    if any(each.fired for each in pair):
        return "BUSY"
    if wish.trigger_ticks and not order.is_asleep:
        return "TRIGGER_NOT_ALLOWED"
    wanted = [_wanted(each, wish, named=each is order) for each in pair]
    changed = [(a, b) for a, b in zip(pair, wanted, strict=True) if _shape(a) != _shape(b)]
    if not changed:
        return "NOTHING_TO_AMEND"
    reason = refuse_crossed(*wanted)
    for old, new in changed:
        reason = reason or _refuse_leg(twin, old, new)
    if reason is not None:
        return reason
    for old, new in changed:
        if old.is_asleep:
            _become(twin, old, new)
        else:
            _reduce(twin, old, new.lots)
    return None


def _refuse_leg(twin: TwinState, old: TwinOrder, new: TwinOrder) -> str | None:
    board = twin.boards[old.symbol]
    if old.is_asleep:
        reason = refuse_to_sleep(twin, board, new, instead_of=old)
        return reason or refuse_once_more(board.bounds, old)
    if new.lots > old.lots or new.price_ticks != old.price_ticks:
        return "LIST_AMEND"
    return refuse_less(board, old, new.lots)


def _refuse_entry(
    twin: TwinState, made: TwinList, order: TwinOrder, wish: AmendOrder
) -> str | None:
    """The entry of a bracket stays between its exits."""
    if not made.bracket or made.legs[0].order is not order:
        return None
    losses = [leg.wish.trigger_ticks for leg in made.legs[1:] if leg.wish.type in STOPS]
    gains = [leg.wish.trigger_ticks for leg in made.legs[1:] if leg.wish.type not in STOPS]
    entry = entry_ticks(twin.boards[order.symbol], _wanted(order, wish), order.is_asleep)
    return refuse_exit_prices(order.side, sum(gains), sum(losses), entry)
