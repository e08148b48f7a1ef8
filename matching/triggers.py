"""The orders of one instrument that sleep until a price reaches their trigger (S4, P16).

They are a plain value beside the book: told of prices, they answer which orders a price woke.
An order rises (a price at or above its trigger wakes it: a buy stop, a sell take-profit) or falls
(at or below: a sell stop, a buy take-profit).  The heads of sorted lists decide, so a price that
wakes nobody costs a comparison, and putting an order in or taking it out O(log n).
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from sortedcontainers import SortedList

from matching.reasons import Reason
from matching.types import NEXT, Happening, Order, TimeInForce, TriggerSource

_Queue: TypeAlias = SortedList[tuple[int, int]]  # (key, order_id): the first to wake first.
_Kind: TypeAlias = tuple[TriggerSource, bool, bool]  # Source, rises, protected.

_KINDS: Final[tuple[_Kind, ...]] = tuple(
    (source, rises, protected)
    for source in TriggerSource
    for rises in (True, False)
    for protected in (False, True)
)


class Triggers:
    """Orders asleep on one instrument; those a price woke wait in `due` for their turn.

    The key of an order that rises is its trigger, that of one that falls is minus it, so the
    least key is the first to be reached.  Protected orders have queues of their own: while last
    and mark lie too far apart nobody looks at them (P16).
    """

    __slots__ = ("_expiries", "_queues", "due", "orders")

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}  # Asleep, the due ones included.
        self.due: set[int] = set()  # Woken, but not yet taken out: whoever wakes them knows when.
        self._queues: dict[_Kind, _Queue] = {kind: SortedList() for kind in _KINDS}
        self._expiries: SortedList[tuple[int, int]] = SortedList()  # (expire_ms, order_id)

    @property
    def next_expiry_ms(self) -> int:
        """When the next good-till-date order falls due, or 0."""
        return self._expiries[0][0] if self._expiries else 0

    @property
    def next_expiry_id(self) -> int:
        """The good-till-date order that falls due next, or 0."""
        return self._expiries[0][1] if self._expiries else 0

    def add(self, order: Order) -> None:
        """Let an order sleep. O(log n)."""
        assert order.is_asleep, order
        assert order.order_id not in self.orders, order
        self.orders[order.order_id] = order
        self._queues[_kind(order)].add((_key(order), order.order_id))
        if order.tif is TimeInForce.GTD:
            self._expiries.add((order.expire_ms, order.order_id))

    def remove(self, order: Order) -> None:
        """Take an order out, asleep or due, to wake it, to change it or to end it. O(log n)."""
        del self.orders[order.order_id]
        if order.order_id in self.due:
            self.due.remove(order.order_id)
        else:
            self._queues[_kind(order)].remove((_key(order), order.order_id))
        if order.tif is TimeInForce.GTD:
            self._expiries.remove((order.expire_ms, order.order_id))

    def end(self, order: Order, happening: Happening, reason: Reason) -> None:
        """Take an order out for good: it is cancelled, or has expired."""
        self.remove(order)
        order.open_lots = 0
        order.status = NEXT[happening][order.status]
        order.reason = reason

    def fired(
        self, source: TriggerSource, floor_ticks: int, ceiling_ticks: int, calm: bool = True
    ) -> list[int]:
        """The orders that a price wakes, by price reached, then by age; each is told once.

        The price lies between two neighbouring ticks, or is both of them. Unless it is `calm`,
        protected orders sleep on. Those that rise are told before those that fall: no price
        movement reaches both but one that was not looked at in between.
        """
        woken: list[int] = []
        for rises, reached in ((True, floor_ticks), (False, -ceiling_ticks)):
            found = _taken(self._queues[source, rises, False], reached)
            if calm:
                found += _taken(self._queues[source, rises, True], reached)
                found.sort()
            woken += [order_id for _, order_id in found]
        self.due.update(woken)
        return woken

    # Keeping.

    def state(self) -> list[list[object]]:
        """All there is to know but which are due, as plain lists in the order of their ids."""
        return [order.state() for _, order in sorted(self.orders.items())]

    @classmethod
    def restore(cls, state: list[list[Any]], due: list[int]) -> Triggers:
        """The triggers of which `state` was told, with those that are due."""
        triggers = cls()
        for fields in state:
            triggers.add(Order.restore(fields))
        for order_id in due:
            order = triggers.orders[order_id]
            triggers._queues[_kind(order)].remove((_key(order), order_id))
            triggers.due.add(order_id)
        return triggers

    def check(self) -> None:
        """Assert that each order sleeps in exactly one place, and where it belongs (I12)."""
        asleep = {order_id for queue in self._queues.values() for _, order_id in queue}
        assert sum(len(queue) for queue in self._queues.values()) == len(asleep)
        assert asleep | self.due == self.orders.keys(), (asleep, self.due)
        assert not asleep & self.due, (asleep, self.due)
        for order_id, order in self.orders.items():
            assert order.order_id == order_id, order
            assert order.is_asleep, order
            assert order.trigger_ticks > 0, order
            assert order.filled_lots == order.prevented_lots == order.closed_lots == 0, order
            if order_id in asleep:
                assert (_key(order), order_id) in self._queues[_kind(order)], order
        dated = [o for o in self.orders.values() if o.tif is TimeInForce.GTD]
        assert sorted((o.expire_ms, o.order_id) for o in dated) == list(self._expiries)


def _kind(order: Order) -> _Kind:
    return order.trigger, order.rises, order.price_protect


def _key(order: Order) -> int:
    return order.trigger_ticks if order.rises else -order.trigger_ticks


def _taken(queue: _Queue, reached: int) -> list[tuple[int, int]]:
    """Cut off the head of a queue: every key that a price has reached."""
    if not queue or queue[0][0] > reached:
        return []
    count = queue.bisect_left((reached + 1, 0))
    found = list(queue[:count])
    del queue[:count]
    return found
