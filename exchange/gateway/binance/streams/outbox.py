"""What waits for one reader of streams: bounded, a book's differences merged and never lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from exchange.bounds import (
    BOOK_DIFFS_MAX,
    MERGED_LEVELS_MAX,
    OUTBOX_BYTES_MAX,
    OUTBOX_EVENTS_MAX,
)
from exchange.events import DepthChanged
from exchange.publisher import merged

CLOSE_POLICY: Final = 1008  # Too slow for what must not be dropped, or too many messages.

_encode: Final = msgspec.json.Encoder().encode

Changes = Callable[[DepthChanged], dict[str, Any]]  # A book's change as its stream tells it.


class Frame:
    """A payload of a stream, encoded at most once in each form, however many read it."""

    __slots__ = ("_raw", "_wrapped", "name", "payload")

    def __init__(self, name: str, payload: Any) -> None:
        self.name = name
        self.payload = payload
        self._raw = b""
        self._wrapped = b""

    def of(self, combined: bool) -> bytes:
        """The bytes, raw, or wrapped with the name of the stream."""
        if not self._raw:
            self._raw = _encode(self.payload)
        if not combined:
            return self._raw
        if not self._wrapped:
            self._wrapped = b'{"stream":%b,"data":%b}' % (_encode(self.name), self._raw)
        return self._wrapped


class DepthFrame(Frame):
    """A change of a book, kept so that it can be merged with the next."""

    __slots__ = ("change", "says")

    def __init__(self, name: str, change: DepthChanged, says: Changes) -> None:
        super().__init__(name, says(change))
        self.change = change
        self.says = says


class Outbox:
    """Frames on their way to one connection, in order.

    Replies and events of accounts (`tell`) are never dropped: past their bounds the outbox empties
    itself and sets `close_code`. While the reader does not read, `tell_latest` keeps the newest
    of its key, `tell_each` drops the oldest of its stream, and `tell_depth` merges a book's
    changes into one from the first id to the last, so that no reader misses an id. `wake` is
    called when something waits that did not before; it must not drain at once.
    """

    __slots__ = (
        "_bytes",
        "_lanes",
        "_latest",
        "_must",
        "_next",
        "_queue",
        "_wake",
        "close_code",
        "combined",
        "dropped",
        "events",
    )

    def __init__(self, wake: Callable[[], None], *, combined: bool = False) -> None:
        self.combined = combined
        self.close_code: int | None = None
        self.events: frozenset[str] | None = None  # Of accounts only these; None: all.
        self.dropped = 0  # What this reader was too slow for, in all.
        self._wake = wake
        # Frames by a rising number, so that one can be taken out of the middle.
        self._queue: dict[int, Frame | bytes] = {}
        self._next = 0
        self._must = 0
        self._bytes = 0
        self._latest: dict[tuple[str, str], int] = {}
        self._lanes: dict[str, deque[int]] = {}

    def __len__(self) -> int:
        return len(self._queue)

    def tell(self, frame: Frame | bytes) -> None:
        """A reply, or an event of an account: delivered, or the connection ends."""
        if self.close_code is not None:
            return
        self._must += 1
        self._bytes += len(frame if isinstance(frame, bytes) else frame.of(self.combined))
        if self._must > OUTBOX_EVENTS_MAX or self._bytes > OUTBOX_BYTES_MAX:
            self.close(CLOSE_POLICY)
        else:
            self._append(frame)

    def tell_latest(self, key: str, frame: Frame) -> None:
        """A state of which only the newest counts; a stream may tell several, each by its key."""
        place = (frame.name, key)
        waiting = self._latest.pop(place, None)
        if waiting is not None:
            del self._queue[waiting]
            self.dropped += 1
        number = self._append(frame)
        if number is not None:
            self._latest[place] = number

    def tell_each(self, frame: Frame, waiting_max: int) -> None:
        """News of which the oldest are dropped where more than `waiting_max` wait."""
        lane = self._in_lane(frame)
        if lane is not None and len(lane) > waiting_max:
            del self._queue[lane.popleft()]
            self.dropped += 1

    def tell_depth(self, frame: DepthFrame) -> None:
        """A change of a book; where many wait they become one, which says as much as they did."""
        lane = self._in_lane(frame)
        if lane is None or len(lane) <= BOOK_DIFFS_MAX:
            return
        waiting = [self._queue.pop(number) for number in lane]
        changes = [each.change for each in waiting if isinstance(each, DepthFrame)]
        assert len(changes) == len(waiting), "a book's lane holds its changes"
        self.dropped += len(changes) - 1
        one = merged(changes)
        lane.clear()
        if len(one.bids) + len(one.asks) > MERGED_LEVELS_MAX:
            self.close(CLOSE_POLICY)
            return
        self._in_lane(DepthFrame(frame.name, one, frame.says))

    def forget(self, name: str) -> None:
        """Drop what waits of a stream that is not held any more."""
        for number in self._lanes.pop(name, ()):
            del self._queue[number]
        for place in [place for place in self._latest if place[0] == name]:
            del self._queue[self._latest.pop(place)]

    def drain(self) -> list[bytes]:
        """All that waits, in order; the reader has taken it."""
        if not self._queue:
            return []
        combined = self.combined
        frames = [
            frame if isinstance(frame, bytes) else frame.of(combined)
            for frame in self._queue.values()
        ]
        self._clear()
        return frames

    def close(self, code: int) -> None:
        """Give up what waits, and have the connection closed; it takes no more."""
        if self.close_code is None:
            self._clear()
            self.close_code = code
            self._wake()

    def _in_lane(self, frame: Frame) -> deque[int] | None:
        number = self._append(frame)
        if number is None:
            return None
        lane = self._lanes.get(frame.name)
        if lane is None:
            lane = self._lanes[frame.name] = deque()
        lane.append(number)
        return lane

    def _append(self, frame: Frame | bytes) -> int | None:
        """Queue a frame and answer its number; None where the outbox takes no more."""
        if self.close_code is not None:
            return None
        number = self._next = self._next + 1
        was_empty = not self._queue
        self._queue[number] = frame
        if was_empty:
            self._wake()
        return number

    def _clear(self) -> None:
        self._queue.clear()
        self._latest.clear()
        self._lanes.clear()
        self._must = 0
        self._bytes = 0
