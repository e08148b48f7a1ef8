"""What befell the orders of one account in one command, report by report, as Binance counts them.

The engine tells an order once where it is done with it: one that was placed and filled at once is
told as filled. A stream tells each step: that it is there, each of its fills, and its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from exchange.events import AnyEvent, Filled, OrderChanged
from matching.types import OPEN_STATUSES, Status

IsNew = Callable[[int], bool]  # Whether nobody was told of an order, by number, before now.

NEW: Final = "NEW"
TRIGGERED: Final = "TRIGGERED"
TRADE: Final = "TRADE"
AMENDED: Final = "AMENDED"
CANCELED: Final = "CANCELED"
EXPIRED: Final = "EXPIRED"
PREVENTED: Final = "TRADE_PREVENTION"
REJECTED: Final = "REJECTED"

WOKEN: Final = "triggered"  # What the engine calls it.
_KINDS: Final = {
    WOKEN: TRIGGERED,
    "amended": AMENDED,
    "cancelled": CANCELED,
    "expired": EXPIRED,
    "rejected": REJECTED,
}


class Report(NamedTuple):
    """One step of an order: `order` as it stood after the command's work on it, and what it had
    come to at this step."""

    kind: str
    order: OrderChanged
    status: Status
    filled_lots: int
    filled_units: int
    fill: Filled | None = None


def reports_of(events: Sequence[AnyEvent], is_new: IsNew) -> Iterator[Report]:
    """The steps told by the events of one account in one command.

    A book has done all of a match before any of it is told, so an iceberg that is hit again and
    again is told as filled whole each time: steps are counted up from before the command.
    """
    last = {event.order_id: event for event in events if isinstance(event, OrderChanged)}
    done = {order_id: [event.filled_lots, event.filled_units] for order_id, event in last.items()}
    for event in events:
        if isinstance(event, Filled) and event.order_id in done:
            done[event.order_id][0] -= event.lots
            done[event.order_id][1] -= event.price_ticks * event.lots
    fills: dict[int, list[Filled]] = {}
    told: set[int] = set()
    for event in events:
        if isinstance(event, Filled):
            fills.setdefault(event.order_id, []).append(event)
        elif isinstance(event, OrderChanged):
            order_id = event.order_id
            taken, first = fills.pop(order_id, []), order_id not in told
            told.add(order_id)
            new = first and is_new(order_id)
            yield from _steps(event, last[order_id], taken, done[order_id], first=first, new=new)


def _steps(
    order: OrderChanged,
    last: OrderChanged,
    fills: list[Filled],
    done: list[int],
    *,
    first: bool,
    new: bool,
) -> Iterator[Report]:
    """`done` is what was filled before, in lots and ticks x lots, and is counted up."""
    kind = _KINDS.get(order.happening)
    if order.status is Status.EXPIRED_IN_MATCH:
        kind = PREVENTED
    if kind == REJECTED and first:
        return  # It never came to be, and who sent it has the refusal.
    if new:
        asleep = order.status is Status.PENDING_TRIGGER
        yield Report(NEW, order, Status.PENDING_TRIGGER if asleep else Status.NEW, 0, 0)
    for fill in fills:
        done[0] += fill.lots
        done[1] += fill.price_ticks * fill.lots
        filled = last.status is Status.FILLED and done[0] == last.filled_lots
        status = Status.FILLED if filled else Status.PARTIALLY_FILLED
        yield Report(TRADE, order, status, done[0], done[1], fill)
    if kind is not None:
        yield Report(kind, order, _status(order, last, done[0]), done[0], done[1])
    elif first and not new and not fills and order.prevented_lots:
        yield Report(PREVENTED, order, order.status, done[0], done[1])


def _status(order: OrderChanged, last: OrderChanged, filled_lots: int) -> Status:
    """Where it stood then: one that is prevented slice by slice is told as ended each time."""
    if order is last or order.status in OPEN_STATUSES:
        return order.status
    return Status.PARTIALLY_FILLED if filled_lots else Status.NEW
