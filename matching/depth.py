# cython: overflowcheck=True
"""Depth of a book for its readers: snapshots, and numbered differences that continue them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from matching.book import Book
from matching.types import Side

_BUY: Final = Side.BUY

Totals = list[tuple[int, int]]  # (ticks, lots) of levels, best first; no lots: the level is gone.


class DepthSnapshot(NamedTuple):
    """The best levels of both sides as they stand once difference `last_id` is told."""

    last_id: int
    bids: Totals
    asks: Totals


class DepthDifference(NamedTuple):
    """New totals of the levels that changed, numbered `first_id` to `last_id` without a gap.

    A reader holds a snapshot, skips differences whose `last_id` is not above the snapshot's, and
    folds the rest; each must begin one above the last it knows.
    """

    first_id: int
    last_id: int
    bids: Totals
    asks: Totals


class Depth:
    """Numbers a book's changes: one id per changed level, contiguous for the life of the book."""

    __slots__ = ("_book", "last_id")

    def __init__(self, book: Book, last_id: int = 0) -> None:
        self._book = book
        self.last_id: int = last_id

    def difference(self) -> DepthDifference | None:
        """What changed since the last difference, or None."""
        changes = self._book.take_changes()
        if not changes:
            return None
        bids: Totals = []
        asks: Totals = []
        for side, ticks, lots in changes:
            (bids if side is _BUY else asks).append((ticks, lots))
        first_id = self.last_id + 1
        self.last_id += len(changes)
        return DepthDifference(first_id, self.last_id, bids, asks)

    def snapshot(self, count: int) -> DepthSnapshot:
        """The best `count` levels of each side.

        Changes not yet told are in it already; their difference repeats totals, which folds to
        the same depth, for totals replace and never add.
        """
        bids, asks = self._book.levels(Side.BUY, count), self._book.levels(Side.SELL, count)
        return DepthSnapshot(self.last_id, bids, asks)


def fold(lots_by_ticks: dict[int, int], totals: Iterable[tuple[int, int]]) -> None:
    """Apply one side of a difference to a side of depth, in place."""
    for ticks, lots in totals:
        if lots:
            lots_by_ticks[ticks] = lots
        else:
            lots_by_ticks.pop(ticks, None)
