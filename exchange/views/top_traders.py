"""The fifth of a contract's holders whose positions are the largest, and which side they are on."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from sortedcontainers import SortedList

ONE_IN: Final = 5

# A holder as it ranks: the largest first, and of equals the account that was opened first.
# It is (minus the size in lots, account, leg, lots).
_Holder: TypeAlias = tuple[int, int, str, int]


class Top(NamedTuple):
    """How many of the top are long and short, and the lots they hold on either side."""

    longs: int
    shorts: int
    long_lots: int
    short_lots: int


class TopTraders:
    """The largest fifth (rounded up) of the holders of one contract; a hedged account is two.

    Both parts are sorted, and with a change the fifth grows or shrinks by one holder at most, who
    crosses where the parts meet. So the sums follow what crosses, and nobody walks the parts.
    """

    __slots__ = ("_rest", "_sums", "_top")

    def __init__(self) -> None:
        self._top: SortedList[_Holder] = SortedList()
        self._rest: SortedList[_Holder] = SortedList()
        self._sums = [0, 0, 0, 0]  # In the order of `Top`.

    def change(self, account_id: int, leg: str, before: int, lots: int) -> None:
        """A position went from so many lots (negative if short) to others. O(log holders)."""
        if before == lots:
            return
        top, rest = self._top, self._rest
        if before:
            holder = (-abs(before), account_id, leg, before)
            if top and holder <= top[-1]:
                top.remove(holder)
                self._count(holder, -1)
            else:
                rest.remove(holder)
        if lots:
            holder = (-abs(lots), account_id, leg, lots)
            if top and holder < top[-1]:
                top.add(holder)
                self._count(holder, 1)
            else:
                rest.add(holder)
        wanted = -(-(len(top) + len(rest)) // ONE_IN)
        while len(top) < wanted:
            holder = rest.pop(0)
            top.add(holder)
            self._count(holder, 1)
        while len(top) > wanted:
            holder = top.pop()
            rest.add(holder)
            self._count(holder, -1)

    def top(self) -> Top:
        """What the largest hold. O(1)."""
        return Top(*self._sums)

    def _count(self, holder: _Holder, one: int) -> None:
        lots = holder[3]
        side = 0 if lots > 0 else 1
        self._sums[side] += one
        self._sums[2 + side] += one * abs(lots)
