"""Depth of every book, folded from its changes: for readers, who never touch the engine's books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sortedcontainers import SortedList

from exchange.events import DepthChanged

Levels = list[tuple[int, int]]  # (price in ticks, lots), best first.


class Snapshot(NamedTuple):
    """The best levels of a book; `last_id` numbers the last change folded in."""

    last_id: int
    bids: Levels
    asks: Levels


class Bbo(NamedTuple):
    """Best bid and offer in ticks and lots; zeros where a side is empty."""

    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int


class Depth:
    """The books of all symbols, price-sorted."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._books = {symbol: _Book() for symbol in symbols}

    def fold(self, change: DepthChanged) -> None:
        """Fold a change in; it must follow the last one. O(levels x log book)."""
        book = self._books[change.symbol]
        assert change.first_id == book.last_id + 1, (change.symbol, change.first_id, book.last_id)
        book.last_id = change.last_id
        book.bids.fold(change.bids)
        book.asks.fold(change.asks)

    def restore(self, symbol: str, last_id: int, bids: Levels, asks: Levels) -> None:
        """Start from a whole book, as a recovery finds it."""
        book = self._books[symbol] = _Book()
        book.last_id = last_id
        book.bids.fold(bids)
        book.asks.fold(asks)

    def snapshot(self, symbol: str, levels: int) -> Snapshot:
        """The best `levels` of each side."""
        book = self._books[symbol]
        return Snapshot(book.last_id, book.bids.best(levels), book.asks.best(levels))

    def last_id(self, symbol: str) -> int:
        """The number of the last change folded in."""
        return self._books[symbol].last_id

    def bbo(self, symbol: str) -> Bbo:
        """Best bid and offer. O(1)."""
        book = self._books[symbol]
        return Bbo(*book.bids.top(), *book.asks.top())


class _Book:
    __slots__ = ("asks", "bids", "last_id")

    def __init__(self) -> None:
        self.last_id = 0
        self.bids = _Half(sign=-1)
        self.asks = _Half(sign=1)


class _Half:
    """One side. Keys are prices, negated for bids, so that the best comes first on both."""

    __slots__ = ("keys", "lots", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: SortedList[int] = SortedList()
        self.lots: dict[int, int] = {}

    def fold(self, levels: Sequence[tuple[int, int]]) -> None:
        for ticks, lots in levels:
            if not lots:
                # A level may come and go within one command: then it was never here.
                if self.lots.pop(ticks, None) is not None:
                    self.keys.remove(self.sign * ticks)
            else:
                if ticks not in self.lots:
                    self.keys.add(self.sign * ticks)
                self.lots[ticks] = lots

    def best(self, levels: int) -> Levels:
        return [(self.sign * key, self.lots[self.sign * key]) for key in self.keys[:levels]]

    def top(self) -> tuple[int, int]:
        if not self.keys:
            return (0, 0)
        ticks = self.sign * self.keys[0]
        return (ticks, self.lots[ticks])
