"""The private events of an account in their order: each exactly once, over every break.

The exchange numbers an account's events 1, 2, 3 ...; a connection hears those of the channels it
holds, and each tells by `prev` which number the one before it had.  So a missing event is noticed,
and a repeated one is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class PrivateLine(Generic[Item]):
    """Tells which events to deliver now.

    While `catching_up`, what comes is kept: it may lie beyond a gap that is still being filled.
    """

    def __init__(self) -> None:
        self.last_seq: int | None = None  # Of the last event delivered; None before the first.
        self.catching_up = False
        self._early: dict[int, Item] = {}

    def begin(self) -> None:
        """A connection has subscribed: keep what comes until it is known what was missed."""
        self.catching_up = True

    def broke(self) -> None:
        """The connection is gone; what was kept will come again."""
        self.catching_up = False
        self._early.clear()

    def take(self, seq: int, prev: int, item: Item) -> Iterator[Item]:
        """An event came: the events to deliver now, none where something is missing.

        After a gap `catching_up` is set, and the owner has to ask for what was missed.
        """
        if self.last_seq is not None and seq <= self.last_seq:
            return
        if self.catching_up:
            self._early[seq] = item
        elif self.last_seq is None or prev <= self.last_seq:
            self.last_seq = seq
            yield item
        else:
            self.catching_up = True
            self._early[seq] = item

    def caught_up(self, seq: int | None = None) -> Iterator[Item]:
        """All that was missed has come, or (with `seq`) lies in a snapshot up to that number."""
        self.catching_up = False
        if seq is not None:
            self.last_seq = seq
        for number in sorted(self._early):
            if self.last_seq is None or number > self.last_seq:
                self.last_seq = number
                yield self._early[number]
        self._early.clear()
