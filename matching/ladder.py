# cython: overflowcheck=True
"""The prices of one side of a book in order, and the best of them at hand."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final

NOTHING: Final = -(2**62)  # Worse than any price, and no order's price reaches it.


class Ladder:
    """The keys of a side: a greater one is a better price, and none is there twice.

    `keys` are in order, the best last; `best` is that one, or NOTHING.
    """

    __slots__ = ("best", "keys")

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.best: int = NOTHING

    def add(self, key: int) -> None:
        """Put in a key that is not there yet; one better than all others costs nothing more."""
        if key > self.best:
            self.keys.append(key)
            self.best = key
        else:
            insort(self.keys, key)

    def remove(self, key: int) -> None:
        """Take out a key that is there."""
        keys = self.keys
        if key == self.best:
            keys.pop()
            self.best = keys[-1] if keys else NOTHING
        else:
            del keys[bisect_left(keys, key)]

    def top(self, count: int) -> list[int]:
        """So many keys, or as many as there are, best first."""
        return self.keys[: -count - 1 : -1]
