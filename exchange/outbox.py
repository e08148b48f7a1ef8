"""What waits for one reader: bounded, market data conflated, the reader never waited for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from exchange.bounds import BOOK_DIFFS_MAX, OUTBOX_BYTES_MAX, OUTBOX_EVENTS_MAX
from exchange.wire.stream import GapPush

CLOSE_KEY_ENDED: Final = 4001  # The api key it logged in with was revoked, or has expired.
CLOSE_SLOW: Final = 4008  # The reader did not keep up with what must not be dropped; it may resume.

Fresh = Callable[[str, bool], bytes]  # (book channel, packed) -> its snapshot, as it stands now.


class Outbox:
    """Frames on their way to one connection, in order.

    Replies and private events (`tell`) are never dropped: where they exceed their bounds the
    outbox empties itself, sets `close_code` and takes no more. Market data is conflated while
    the reader does not read: `tell_latest` keeps the newest of its key, `tell_each` drops the
    oldest of its channel and marks the gap, `tell_diff` gives up a book's differences for a
    fresh snapshot. `wake` is called when something waits that did not before; it must not drain
    at once, since more of the same group may follow. `packed` means MessagePack frames.
    """

    __slots__ = (
        "_bytes",
        "_fresh",
        "_gaps",
        "_lanes",
        "_latest",
        "_must",
        "_next",
        "_queue",
        "_stale",
        "_wake",
        "close_code",
        "dropped",
        "packed",
    )

    def __init__(self, packed: bool, fresh: Fresh, wake: Callable[[], None]) -> None:
        self.packed = packed
        self.close_code: int | None = None
        self.dropped = 0  # Market data this reader was too slow for, in all.
        self._fresh = fresh
        self._wake = wake
        # Frames by a rising number, so that one can be taken out of the middle; None stands for
        # the snapshot of a stale book.
        self._queue: dict[int, bytes | None] = {}
        self._next = 0
        self._must = 0
        self._bytes = 0
        self._latest: dict[str, int] = {}
        self._lanes: dict[str, deque[int]] = {}
        self._gaps: dict[str, int] = {}  # Always just before the oldest that is left.
        self._stale: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._queue)

    def tell(self, frame: bytes) -> None:
        """A reply or a private event: delivered, or the connection ends."""
        if self.close_code is not None:
            return
        self._must += 1
        self._bytes += len(frame)
        if self._must > OUTBOX_EVENTS_MAX or self._bytes > OUTBOX_BYTES_MAX:
            self.close(CLOSE_SLOW)
        else:
            self._append(frame)

    def tell_latest(self, key: str, frame: bytes) -> None:
        """A state of which only the newest counts."""
        waiting = self._latest.pop(key, None)
        if waiting is not None:
            del self._queue[waiting]
            self.dropped += 1
        number = self._append(frame)
        if number is not None:
            self._latest[key] = number

    def tell_each(self, channel: str, frame: bytes, waiting_max: int) -> None:
        """News of which the oldest are dropped where more than `waiting_max` wait."""
        number = self._append(frame)
        if number is None:
            return
        lane = self._lanes.get(channel)
        if lane is None:
            lane = self._lanes[channel] = deque()
        lane.append(number)
        if len(lane) <= waiting_max:
            return
        del self._queue[lane.popleft()]
        self._gaps[channel] = self._gaps.get(channel, 0) + 1
        self.dropped += 1

    def tell_diff(self, channel: str, frame: bytes) -> None:
        """A difference of a book; too many, and the book starts again from a snapshot."""
        if channel in self._stale:
            self.dropped += 1
            return
        number = self._append(frame)
        if number is None:
            return
        lane = self._lanes.get(channel)
        if lane is None:
            lane = self._lanes[channel] = deque()
        lane.append(number)
        if len(lane) > BOOK_DIFFS_MAX:
            self.dropped += len(lane)
            for waiting in lane:
                del self._queue[waiting]
            lane.clear()
            stale = self._append(None)
            assert stale is not None, "an outbox that took the difference takes the mark"
            self._stale[channel] = stale

    def tell_book(self, channel: str) -> None:
        """A book's snapshot is due: it is taken when the reader reads, and is then the newest."""
        self.forget(channel)
        number = self._append(None)
        if number is not None:
            self._stale[channel] = number

    def forget(self, channel: str) -> None:
        """Drop what waits of a channel that nobody listens to any more."""
        for number in self._lanes.pop(channel, ()):
            del self._queue[number]
        self._gaps.pop(channel, None)
        for numbers in (self._latest, self._stale):
            waiting = numbers.pop(channel, None)
            if waiting is not None:
                del self._queue[waiting]

    def drain(self) -> list[bytes]:
        """All that waits, in order; the reader has taken it."""
        if not self._queue:
            return []
        if self._gaps:
            self._mark_gaps()
        if self._stale:
            for channel, number in self._stale.items():
                self._queue[number] = self._fresh(channel, self.packed)
            self._stale.clear()
        frames = [frame for frame in self._queue.values() if frame is not None]
        self._clear()
        return frames

    def _append(self, frame: bytes | None) -> int | None:
        """Queue a frame and answer its number; None where the outbox takes no more."""
        if self.close_code is not None:
            return None
        number = self._next = self._next + 1
        was_empty = not self._queue
        self._queue[number] = frame
        if was_empty:
            self._wake()
        return number

    def _mark_gaps(self) -> None:
        codec = msgspec.msgpack if self.packed else msgspec.json
        for channel, count in self._gaps.items():
            oldest = self._lanes[channel][0]
            frame = self._queue[oldest]
            assert frame is not None, "a book has no gaps, it has snapshots"
            push = codec.decode(frame, type=GapPush)
            push.gap = count
            self._queue[oldest] = codec.encode(push)

    def close(self, code: int) -> None:
        """Give up what waits, and have the connection closed; it takes no more."""
        if self.close_code is None:
            self._clear()
            self.close_code = code
            self._wake()

    def _clear(self) -> None:
        self._queue.clear()
        if self._latest:
            self._latest.clear()
        if self._lanes:
            self._lanes.clear()
        if self._gaps:
            self._gaps.clear()
        if self._stale:
            self._stale.clear()
        self._must = 0
        self._bytes = 0
