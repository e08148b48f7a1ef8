"""Orders that follow the price, and wake once it turns back by so many basis points (S4).

A buy follows the lowest price since it began and wakes at p x 10,000 >= low x (10,000 + d), a sale
the highest and wakes at p x 10,000 <= high x (10,000 - d). Tracking begins with the first price
that reaches the order's trigger, and that price is the first extreme; without a trigger, with the
next price after placement.

Orders that follow from the same extreme are one group, sorted by their distance: a new extreme
moves a whole group at once, and merges those it overtakes, the smaller into the larger. So a price
costs O(log groups) and what it wakes, starts or merges; over its life an order is merged O(log n)
times at most. Prices and extremes are in 10^-8 of the quote.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from sortedcontainers import SortedDict, SortedList

from matching.types import Order, Side, TriggerSource

BPS_ONE: Final = 10_000
Woken: TypeAlias = tuple[int, int]  # (key of the price reached, order_id); see `Triggers`.
_Kind: TypeAlias = tuple[TriggerSource, Side, bool]  # Source, side, protected.


class _Group:
    """Orders that follow from one extreme, the one that wakes first first."""

    __slots__ = ("extreme", "members")

    def __init__(self, extreme: int) -> None:
        self.extreme = extreme
        self.members: SortedList[tuple[int, int]] = SortedList()  # (bps, order_id)


class Track:
    """The groups of one side. A price counts as it is for sales and as its negative for buys: then
    on either side a greater one is a new extreme, and an order wakes at its stop or below."""

    __slots__ = ("_groups", "_heads", "_of", "_sign")

    def __init__(self, side: Side) -> None:
        self._sign = 1 if side is Side.SELL else -1
        self._groups: SortedDict[int, _Group] = SortedDict()  # By extreme.
        self._heads: SortedList[tuple[int, int]] = SortedList()  # (-stop, extreme) of each group.
        self._of: dict[int, _Group] = {}  # By order.

    def begin(self, order: Order, price_e8: int) -> None:
        """An order follows from this price on. O(log n)."""
        extreme = self._sign * price_e8
        group = self._groups.get(extreme)
        if group is None:
            group = self._groups[extreme] = _Group(extreme)
        else:
            self._heads.remove(self._head(group))
        group.members.add((order.trailing_bps, order.order_id))
        self._of[order.order_id] = group
        self._heads.add(self._head(group))

    def remove(self, order: Order) -> None:
        """An order follows no longer. O(log n)."""
        self._take(self._of[order.order_id], (order.trailing_bps, order.order_id))

    def woken(self, price_e8: int) -> list[Woken]:
        """Take out the orders that a price wakes, in no order."""
        price = self._sign * price_e8
        found: list[Woken] = []
        while self._heads and -self._heads[0][0] >= price:
            key, extreme = self._heads[0]
            group = self._groups[extreme]
            first = group.members[0]
            self._take(group, first)
            found.append((key, first[1]))
        return found

    def follow(self, price_e8: int) -> None:
        """A new price: every group whose extreme it passes follows from it now."""
        price = self._sign * price_e8
        passed: list[_Group] = []
        while self._groups and self._groups.peekitem(0)[0] <= price:
            _, group = self._groups.popitem(0)
            self._heads.remove(self._head(group))
            passed.append(group)
        if not passed:
            return
        passed.sort(key=lambda group: len(group.members))
        largest = passed.pop()
        for group in passed:
            largest.members.update(group.members)
            self._of.update((order_id, largest) for _, order_id in group.members)
        largest.extreme = price
        self._groups[price] = largest
        self._heads.add(self._head(largest))

    def extreme_e8(self, order_id: int) -> int:
        """The best price since an order began to follow, or 0 while it does not."""
        group = self._of.get(order_id)
        return self._sign * group.extreme if group else 0

    def ids(self) -> list[int]:
        """Every order that follows."""
        return list(self._of)

    def check(self) -> None:
        """Assert that every order is in one group, and each group is found by its head."""
        assert list(self._heads) == sorted(self._head(each) for each in self._groups.values())
        found = [(i, group) for group in self._groups.values() for _, i in group.members]
        assert len(found) == len(self._of)
        assert dict(found) == self._of
        assert all(extreme == group.extreme for extreme, group in self._groups.items())

    def _head(self, group: _Group) -> tuple[int, int]:
        return -_stop(group.extreme, group.members[0][0]), group.extreme

    def _take(self, group: _Group, member: tuple[int, int]) -> None:
        """Take one order out of its group, and with the last one the group."""
        self._heads.remove(self._head(group))
        group.members.remove(member)
        del self._of[member[1]]
        if group.members:
            self._heads.add(self._head(group))
        else:
            del self._groups[group.extreme]


class Trailing:
    """All orders of one instrument that follow a price, or wait to begin."""

    __slots__ = ("_next", "_tick_e8", "_tracks", "_waiting", "size")

    def __init__(self, tick_e8: int) -> None:
        self._tick_e8 = tick_e8
        self.size = 0  # How many wait or follow.
        self._tracks = {
            (source, side, protected): Track(side)
            for source in TriggerSource
            for side in Side
            for protected in (False, True)
        }
        # Until a price reaches their trigger: (key, order_id) as in `Triggers`.
        self._waiting: dict[tuple[TriggerSource, bool], SortedList[tuple[int, int]]] = {
            (source, rises): SortedList() for source in TriggerSource for rises in (True, False)
        }
        self._next: dict[TriggerSource, dict[int, Order]] = {source: {} for source in TriggerSource}

    def add(self, order: Order, extreme_e8: int = 0) -> None:
        """Let an order wait, or follow on from an extreme it had. O(log n)."""
        self.size += 1
        if extreme_e8:
            self._tracks[_kind(order)].begin(order, extreme_e8)
        elif order.trigger_ticks:
            self._waiting[order.trigger, order.rises].add(self._wait(order))
        else:
            self._next[order.trigger][order.order_id] = order

    def remove(self, order: Order) -> None:
        """Take an order out. O(log n)."""
        self.size -= 1
        if self.extreme_e8(order):
            self._tracks[_kind(order)].remove(order)
        elif order.trigger_ticks:
            self._waiting[order.trigger, order.rises].remove(self._wait(order))
        else:
            del self._next[order.trigger][order.order_id]

    def woken(self, source: TriggerSource, side: Side, price_e8: int, calm: bool) -> list[Woken]:
        """Take out the orders of a side that a price wakes; protected ones only when it is calm."""
        found = self._tracks[source, side, False].woken(price_e8)
        if calm:
            found += self._tracks[source, side, True].woken(price_e8)
        self.size -= len(found)
        return found

    def follow(self, source: TriggerSource, price_e8: int, orders: dict[int, Order]) -> None:
        """Behind `woken`: a new price moves the extremes, and orders begin with it."""
        for side in Side:
            for protected in (False, True):
                self._tracks[source, side, protected].follow(price_e8)
        for rises, reached in ((True, price_e8), (False, -price_e8)):
            waiting = self._waiting[source, rises]
            while waiting and waiting[0][0] <= reached:
                order = orders[waiting.pop(0)[1]]
                self._tracks[_kind(order)].begin(order, price_e8)
        beginners = self._next[source]
        for order in beginners.values():
            self._tracks[_kind(order)].begin(order, price_e8)
        beginners.clear()

    def extreme_e8(self, order: Order) -> int:
        """The best price since an order began to follow, or 0 while it waits."""
        return self._tracks[_kind(order)].extreme_e8(order.order_id)

    def ids(self) -> list[int]:
        """Every order that waits or follows."""
        found = [i for track in self._tracks.values() for i in track.ids()]
        found += [i for waiting in self._waiting.values() for _, i in waiting]
        return found + [i for beginners in self._next.values() for i in beginners]

    def check(self) -> None:
        """Assert that the tracks are whole, and the count is of all."""
        assert self.size == len(self.ids()), (self.size, self.ids())
        for track in self._tracks.values():
            track.check()

    def _wait(self, order: Order) -> tuple[int, int]:
        trigger_e8 = order.trigger_ticks * self._tick_e8
        return (trigger_e8 if order.rises else -trigger_e8), order.order_id


def _kind(order: Order) -> _Kind:
    return order.trigger, order.side, order.price_protect


def _stop(extreme: int, bps: int) -> int:
    """The last price at which an order wakes that follows from an extreme, both signed.

    Rounded towards waking later: for a whole price p <= stop exactly when 10,000 p <= extreme x
    (10,000 -+ bps), so nothing is lost to the division.
    """
    return extreme * (BPS_ONE - bps if extreme > 0 else BPS_ONE + bps) // BPS_ONE
