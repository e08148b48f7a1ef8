"""What befell the orders of one account in one command, report by report, as Binance counts them.

The engine tells an order once where it is done with it: one that was placed and filled at once is
told as filled. A stream tells each step: that it is there, each of its fills, and its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from exchange.events import Answered, AnyEvent, Filled, OrderChanged
from matching.types import Status

NEW: Final = "NEW"
TRIGGERED: Final = "TRIGGERED"
TRADE: Final = "TRADE"
AMENDED: Final = "AMENDED"
CANCELED: Final = "CANCELED"
EXPIRED: Final = "EXPIRED"
PREVENTED: Final = "TRADE_PREVENTION"
REJECTED: Final = "REJECTED"

_KINDS: Final = {
    "triggered": TRIGGERED,
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


def reports_of(events: Sequence[AnyEvent]) -> Iterator[Report]:
    """The steps told by the events of one account in one command, its answer among them."""
    answer = events[-1] if events else None
    made_id = answer.result_id if isinstance(answer, Answered) and not answer.repeated else 0
    fills: dict[int, list[Filled]] = {}
    told: set[int] = set()
    for event in events:
        if isinstance(event, Filled):
            fills.setdefault(event.order_id, []).append(event)
        elif isinstance(event, OrderChanged):
            taken = fills.pop(event.order_id, [])
            yield from _steps(event, taken, made_id, first=event.order_id not in told)
            told.add(event.order_id)


def _steps(
    order: OrderChanged, fills: list[Filled], made_id: int, *, first: bool
) -> Iterator[Report]:
    lots = order.filled_lots - sum(fill.lots for fill in fills)
    units = order.filled_units - sum(fill.price_ticks * fill.lots for fill in fills)
    kind = _KINDS.get(order.happening)
    if order.status is Status.EXPIRED_IN_MATCH:
        kind = PREVENTED
    if kind == REJECTED and first:
        return  # It never came to be, and who sent it has the refusal.
    asleep = order.status is Status.PENDING_TRIGGER
    new = first and not lots and _is_new(order, fills, made_id)
    if new:
        yield Report(NEW, order, Status.PENDING_TRIGGER if asleep else Status.NEW, 0, 0)
    for fill in fills:
        lots, units = lots + fill.lots, units + fill.price_ticks * fill.lots
        last = fill is fills[-1] and order.status is Status.FILLED
        yield Report(
            TRADE, order, Status.FILLED if last else Status.PARTIALLY_FILLED, lots, units, fill
        )
    if kind is not None:
        yield Report(kind, order, order.status, lots, units)
    elif first and not new and not fills and order.prevented_lots:
        yield Report(PREVENTED, order, order.status, lots, units)


def _is_new(order: OrderChanged, fills: list[Filled], made_id: int) -> bool:
    """Whether nobody was told of the order before this command."""
    if order.happening == "accepted":
        return not order.prevented_lots or order.order_id == made_id
    if order.placed_ms != order.time_ms or order.happening in {"triggered", "amended", "cancelled"}:
        return False
    took = any(not fill.maker for fill in fills)
    return took or order.order_id == made_id or (order.happening == "expired" and not fills)
