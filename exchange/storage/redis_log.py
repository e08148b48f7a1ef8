"""The public event stream on Redis Streams: a writer that never delays its caller, and a reader.

One entry a batch of events, in the stream `papertape:events`, with the fields

    run    which venue the seqs belong to; the same after a restart of the same data directory
    seq    the first seq of the batch
    n      how many seqs it covers
    prev   the last seq of the entry before, 0 in the first of a run
    data   the events, as the caller encoded them

or, instead of `data`, `gap`: that many seqs from `seq` on were dropped, since Redis was away for
longer than the queue could hold. An entry whose `prev` is not where the reader stands tells that
entries between were lost or trimmed. Only commands of Redis 6.2 are used.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

STREAM: Final = "papertape:events"
ENTRIES_KEPT: Final = 1_000_000
QUEUED_BATCHES_MAX: Final = 10_000
QUEUED_BYTES_MAX: Final = 64 * 1024 * 1024
BATCHES_PER_TRIP_MAX: Final = 64
BACKOFF_MIN_S: Final = 0.05
BACKOFF_MAX_S: Final = 5.0
DRAIN_S: Final = 2.0
ANSWER_WITHIN_S: Final = 10.0
READ_WAIT_MS: Final = 2_000
READ_ENTRIES_MAX: Final = 100

assert READ_WAIT_MS / 1_000 < ANSWER_WITHIN_S  # A read that waits is not one that hangs.

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of events, `first_seq` to `last_seq`, as they stand in the entry `entry_id`."""

    entry_id: str
    run: str
    first_seq: int
    last_seq: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """Events up to `last_seq` that are not to be had; `first_seq` is None where it is unknown."""

    entry_id: str
    run: str
    first_seq: int | None
    last_seq: int


@dataclass(frozen=True, slots=True)
class _Queued:
    first_seq: int
    count: int
    data: bytes | None  # None: these seqs were dropped.

    @property
    def last_seq(self) -> int:
        return self.first_seq + self.count - 1


class RedisEvents:
    """Writes batches of public events to a stream, in order, each once.

    `run` names the venue (the journal's genesis, say). `publish` only queues; a task writes, and
    reconnects for as long as Redis is away. What does not fit into the queue meanwhile is
    dropped from its old end, counted in `dropped`, and told to readers by a gap entry.
    """

    def __init__(
        self,
        url: str,
        *,
        run: str,
        maxlen: int = ENTRIES_KEPT,
        stream: str = STREAM,
        queued_batches_max: int = QUEUED_BATCHES_MAX,
        queued_bytes_max: int = QUEUED_BYTES_MAX,
    ) -> None:
        self.dropped = 0
        self.error: str | None = "not started"
        self._url = url
        self._run = run
        self._maxlen = maxlen
        self._stream = stream
        self._queued_batches_max = queued_batches_max
        self._queued_bytes_max = queued_bytes_max
        self._queue: deque[_Queued] = deque()
        self._queued_bytes = 0
        self._lost: _Queued | None = None  # Dropped, and older than all in the queue.
        self._sending: list[_Queued] = []
        self._sent_seq = 0
        self._awake = asyncio.Event()
        self._idle = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def backlog(self) -> int:
        """Batches that are not in Redis yet."""
        return len(self._queue) + len(self._sending)

    def publish(self, first_seq: int, count: int, data: bytes) -> None:
        """Queue a batch that covers `count` seqs from `first_seq` on. Never waits, never fails."""
        self._queue.append(_Queued(first_seq, count, data))
        self._queued_bytes += len(data)
        while (
            len(self._queue) > self._queued_batches_max
            or self._queued_bytes > self._queued_bytes_max
        ):
            self._drop_oldest()
        self._idle.clear()
        self._awake.set()

    async def drained(self) -> None:
        """Return when all that was published is in Redis, or told there as dropped."""
        await self._idle.wait()

    async def start(self) -> None:
        """Begin to write; Redis need not be there yet."""
        assert self._task is None
        self._task = asyncio.create_task(self._write_for_ever(), name="redis events")

    async def stop(self, *, drain_s: float = DRAIN_S) -> None:
        """Write what is queued, for at most `drain_s`, and end."""
        if self._task is None:
            return
        self._stopping = True
        self._awake.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._task, drain_s)
        if self.backlog:
            log.warning("%d batches of events did not reach Redis before the stop", self.backlog)
        self._task = None

    def _drop_oldest(self) -> None:
        oldest = self._queue.popleft()
        self._queued_bytes -= len(oldest.data or b"")
        first_seq = self._lost.first_seq if self._lost else oldest.first_seq
        self._lost = _Queued(first_seq, oldest.last_seq - first_seq + 1, None)
        self.dropped += oldest.count

    async def _write_for_ever(self) -> None:
        backoff_s = BACKOFF_MIN_S
        while True:
            client = _client(self._url)
            try:
                await self._forget_what_arrived(client)
                if self.error is not None:
                    log.info("events go to Redis at %s", self._stream)
                self.error, backoff_s = None, BACKOFF_MIN_S
                await self._write_until_stopped(client)
                return
            except (RedisError, OSError) as error:
                if self.error is None:
                    log.warning("events do not reach Redis: %s", error)
                self.error = str(error)
            finally:
                await client.aclose()
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)

    async def _forget_what_arrived(self, client: Redis) -> None:
        """After a break nobody knows which writes arrived: the last entry in the stream does."""
        newest: Any = await client.xrevrange(self._stream, count=1)
        if newest and _text(newest[0][1], b"run") == self._run:
            arrived_seq = _last_seq(newest[0][1])
            self._sending = [entry for entry in self._sending if entry.last_seq > arrived_seq]
            # Larger only at a start: what an earlier process wrote is not written again.
            self._sent_seq = max(self._sent_seq, arrived_seq)

    async def _write_until_stopped(self, client: Redis) -> None:
        while True:
            self._awake.clear()
            while self._sending or self._queue or self._lost:
                await self._write_some(client)
            self._idle.set()
            if self._stopping:
                return
            await self._awake.wait()

    async def _write_some(self, client: Redis) -> None:
        if not self._sending:
            self._take_from_queue()
        prev = self._sent_seq
        pipeline = client.pipeline(transaction=False)
        for entry in self._sending:
            fields: dict[Any, Any] = {
                "run": self._run,
                "seq": entry.first_seq,
                "n": entry.count,
                "prev": prev,
            }
            if entry.data is None:
                fields["gap"] = entry.count
            else:
                fields["data"] = entry.data
            pipeline.xadd(self._stream, fields, maxlen=self._maxlen, approximate=True)
            prev = entry.last_seq
        await pipeline.execute()
        self._sent_seq = prev
        self._sending = []

    def _take_from_queue(self) -> None:
        if self._lost is not None:
            self._sending.append(self._lost)
            self._lost = None
        while self._queue and len(self._sending) < BATCHES_PER_TRIP_MAX:
            entry = self._queue.popleft()
            self._queued_bytes -= len(entry.data or b"")
            self._sending.append(entry)
        self._sending = [entry for entry in self._sending if entry.last_seq > self._sent_seq]


async def read_events(
    url: str, last_id: str = "$", *, stream: str = STREAM
) -> AsyncIterator[Batch | Gap]:
    """The entries behind `last_id`, and then each new one as it comes, for ever.

    "$" begins with the next one, "0" with the oldest kept; to go on after a break, give the
    `entry_id` of what was read last. It reconnects by itself; a Gap tells what cannot be had.
    """
    reader = _Reader(stream, last_id)
    backoff_s = BACKOFF_MIN_S
    while True:
        client = _client(url)
        try:
            await reader.find_place(client)
            backoff_s = BACKOFF_MIN_S
            while True:
                for item in await reader.next_items(client):
                    yield item
        except (RedisError, OSError) as error:
            log.info("the event stream is away: %s", error)
        finally:
            await client.aclose()
        await asyncio.sleep(backoff_s)
        backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)


class _Reader:
    """Where a reader stands in the stream, and what it may expect next."""

    def __init__(self, stream: str, last_id: str) -> None:
        self._stream = stream
        self._last_id = last_id
        self._run: str | None = None
        self._last_seq = 0
        # Is `_last_seq` where we stand? If not, the next entry says, and nothing is missed;
        # `_missed` if the entry we stood at was trimmed, and more with it perhaps.
        self._placed = last_id in {"0", "0-0"}
        self._missed = False

    async def find_place(self, client: Redis) -> None:
        """Learn what stands at `last_id`, once; later breaks change nothing in it."""
        if self._placed:
            return
        found: Any
        if self._last_id == "$":
            found = await client.xrevrange(self._stream, count=1)
            self._last_id = found[0][0].decode() if found else "0-0"
        else:
            found = await client.xrange(self._stream, self._last_id, self._last_id)
            self._missed = not found
        if found:
            self._stand_at(found[0][1])

    async def next_items(self, client: Redis) -> list[Batch | Gap]:
        """What came behind the last entry, waiting a while if nothing did."""
        answer: Any = await client.xread(
            {self._stream: self._last_id}, count=READ_ENTRIES_MAX, block=READ_WAIT_MS
        )
        items: list[Batch | Gap] = []
        for _, entries in answer or []:
            for entry_id, fields in entries:
                items += self._items_of(entry_id.decode(), fields)
        return items

    def _items_of(self, entry_id: str, fields: dict[bytes, bytes]) -> list[Batch | Gap]:
        items: list[Batch | Gap] = []
        run, prev = _text(fields, b"run"), int(fields[b"prev"])
        if self._missed:
            items.append(Gap(self._last_id, run, None, prev))
        elif self._placed:
            stood_at = self._last_seq if run == self._run else 0
            if prev > stood_at:
                items.append(Gap(self._last_id, run, stood_at + 1, prev))
        first_seq, last_seq = int(fields[b"seq"]), _last_seq(fields)
        if b"gap" in fields:
            items.append(Gap(entry_id, run, first_seq, last_seq))
        else:
            items.append(Batch(entry_id, run, first_seq, last_seq, fields[b"data"]))
        self._last_id = entry_id
        self._stand_at(fields)
        return items

    def _stand_at(self, fields: dict[bytes, bytes]) -> None:
        self._run, self._last_seq = _text(fields, b"run"), _last_seq(fields)
        self._placed, self._missed = True, False


def _client(url: str) -> Redis:
    """A client that fails at the first trouble: when to try again is decided here."""
    return Redis.from_url(
        url,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=ANSWER_WITHIN_S,
        socket_timeout=ANSWER_WITHIN_S,
    )


def _text(fields: dict[bytes, bytes], name: bytes) -> str:
    return fields.get(name, b"").decode()


def _last_seq(fields: dict[bytes, bytes]) -> int:
    return int(fields[b"seq"]) + int(fields[b"n"]) - 1
