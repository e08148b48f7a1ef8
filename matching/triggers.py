# cython: overflowcheck=True
"""The orders of one instrument that sleep until a price reaches their trigger (S4, P16).

They are a plain value beside the book: told of prices, they answer which orders a price woke.
An order rises (a price at or above its trigger wakes it: a buy stop, a sell take-profit) or falls
(at or below: a sell stop, a buy take-profit).  The heads of sorted lists decide, so a price that
wakes nobody costs a comparison, and putting an order in or taking it out O(log n).  Those that
follow the price (`trailing_bps`) are kept in `Trailing`.  Prices are in 10^-8 of the quote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sortedcontainers import SortedList

from matching.reasons import Reason
from matching.trailing import Trailing
from matching.types import NEXT, Happening, Order, Side, TimeInForce, TriggerSource

_Queue: TypeAlias = SortedList[tuple[int, int]]  # (key, order_id): the first to wake first.
_Kind: TypeAlias = tuple[TriggerSource, bool, bool]  # Source, rises, protected.

SOURCES: Final = tuple(TriggerSource)  # An enumeration is slow to walk.
_WAYS: Final = ((True, Side.BUY), (False, Side.SELL))  # Whether they rise, the side that trails.


class Triggers:
    """Orders asleep on one instrument; those a price woke wait in `due` for their turn.

    The key of an order that rises is its trigger, that of one that falls is minus it, so the
    least key is the first to be reached.  Protected orders have queues of their own: while last
    and mark lie too far apart nobody looks at them (P16).
    """

    __slots__ = ("_expiries", "_queues", "_tick_e8", "due", "orders", "trailing")

    def __init__(self, tick_e8: int) -> None:
        self._tick_e8 = tick_e8
        self.trailing = Trailing(tick_e8)
        self.orders: dict[int, Order] = {}  # Asleep, the due ones included.
        self.due: set[int] = set()  # Woken, but not yet taken out: whoever wakes them knows when.
        self._queues: dict[_Kind, _Queue] = {}  # None of them is empty.
        self._expiries: SortedList[tuple[int, int]] = SortedList()  # (expire_ms, order_id)

    @property
    def next_expiry_ms(self) -> int:
        """When the next good-till-date order falls due, or 0."""
        return self._expiries[0][0] if self._expiries else 0

    @property
    def next_expiry_id(self) -> int:
        """The good-till-date order that falls due next, or 0."""
        return self._expiries[0][1] if self._expiries else 0

    def add(self, order: Order, extreme_e8: int = 0) -> None:
        """Let an order sleep; one that followed the price already goes on from its extreme."""
        assert order.is_asleep, order
        assert order.order_id not in self.orders, order
        self.orders[order.order_id] = order
        if order.trailing_bps:
            self.trailing.add(order, extreme_e8)
        else:
            queue = self._queues.setdefault(_kind(order), SortedList())
            queue.add((self._key(order), order.order_id))
        if order.tif is TimeInForce.GTD:
            self._expiries.add((order.expire_ms, order.order_id))

    def remove(self, order: Order) -> None:
        """Take an order out, asleep or due, to wake it, to change it or to end it. O(log n)."""
        del self.orders[order.order_id]
        if order.order_id in self.due:
            self.due.remove(order.order_id)
        else:
            self._unqueue(order)
        if order.tif is TimeInForce.GTD:
            self._expiries.remove((order.expire_ms, order.order_id))

    def end(self, order: Order, happening: Happening, reason: Reason) -> None:
        """Take an order out for good: it is cancelled, or has expired."""
        self.remove(order)
        order.open_lots = 0
        order.status = NEXT[happening][order.status]
        order.reason = reason

    def fired(
        self, source: TriggerSource, price_e8: int, calm: bool = True, fresh: bool = True
    ) -> list[int]:
        """The orders that a price wakes, by price reached, then by age; each is told once.

        Unless it is `calm`, protected orders sleep on. Those that rise are told before those that
        fall: no price movement reaches both but one that was not looked at in between. A price
        that is not `fresh` was told before: it wakes those that may wake only now, but nobody
        begins to follow it.
        """
        woken: list[int] = []
        trailing = self.trailing
        for rises, side in _WAYS:
            reached = price_e8 if rises else -price_e8
            found = self._take((source, rises, False), reached)
            if calm:
                found += self._take((source, rises, True), reached)
            if trailing.size:
                found += trailing.woken(source, side, price_e8, calm)
            if found:
                woken += [order_id for _, order_id in sorted(found)]
        if fresh and trailing.size:
            trailing.follow(source, price_e8, self.orders)
        self.due.update(woken)
        return woken

    # Keeping.

    def state(self) -> list[list[object]]:
        """All there is to know but which are due, as plain lists in the order of their ids."""
        return [order.state() for _, order in sorted(self.orders.items())]

    def extremes(self) -> list[tuple[int, int]]:
        """(order_id, extreme) of each order that follows the price, by id."""
        orders = [o for i, o in sorted(self.orders.items()) if o.trailing_bps and i not in self.due]
        found = ((each.order_id, self.trailing.extreme_e8(each)) for each in orders)
        return [(order_id, extreme_e8) for order_id, extreme_e8 in found if extreme_e8]

    @classmethod
    def restore(
        cls,
        tick_e8: int,
        state: list[list[Any]],
        due: list[int],
        extremes: Sequence[tuple[int, int]],
    ) -> Triggers:
        """The triggers of which `state` was told, with those that are due, and the extremes."""
        triggers, followed = cls(tick_e8), dict(extremes)
        for fields in state:
            order = Order.restore(fields)
            triggers.add(order, followed.get(order.order_id, 0))
        for order_id in due:
            triggers._unqueue(triggers.orders[order_id])
            triggers.due.add(order_id)
        return triggers

    def check(self) -> None:
        """Assert that each order sleeps in exactly one place, and where it belongs (I12)."""
        found = [order_id for queue in self._queues.values() for _, order_id in queue]
        found += self.trailing.ids()
        asleep = set(found)
        assert len(found) == len(asleep), found
        assert asleep | self.due == self.orders.keys(), (asleep, self.due)
        assert not asleep & self.due, (asleep, self.due)
        self.trailing.check()
        for order_id, order in self.orders.items():
            assert order.order_id == order_id, order
            assert order.is_asleep, order
            assert order.trigger_ticks > 0 or order.trailing_bps > 0, order
            assert order.filled_lots == order.prevented_lots == order.closed_lots == 0, order
            if order_id in asleep and not order.trailing_bps:
                assert (self._key(order), order_id) in self._queues[_kind(order)], order
        dated = [o for o in self.orders.values() if o.tif is TimeInForce.GTD]
        assert sorted((o.expire_ms, o.order_id) for o in dated) == list(self._expiries)

    def _unqueue(self, order: Order) -> None:
        """Take an order out of the place where it sleeps."""
        if order.trailing_bps:
            self.trailing.remove(order)
        else:
            kind = _kind(order)
            self._queues[kind].remove((self._key(order), order.order_id))
            if not self._queues[kind]:
                del self._queues[kind]

    def _take(self, kind: _Kind, reached: int) -> list[tuple[int, int]]:
        """Cut off the head of a queue: every key that a price has reached."""
        queue = self._queues.get(kind)
        if queue is None or queue[0][0] > reached:
            return []
        count = queue.bisect_left((reached + 1, 0))
        found = list(queue[:count])
        del queue[:count]
        if not queue:
            del self._queues[kind]
        return found

    def _key(self, order: Order) -> int:
        trigger_e8 = order.trigger_ticks * self._tick_e8
        return trigger_e8 if order.rises else -trigger_e8


def _kind(order: Order) -> _Kind:
    return order.trigger, order.rises, order.price_protect
