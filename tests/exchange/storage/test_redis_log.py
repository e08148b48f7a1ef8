"""The public event stream on a real Redis: in order, each once, and gaps are told."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from redis.asyncio import Redis

from exchange.storage.redis_log import Batch, Gap, RedisEvents, read_events
from tests.conftest import needed_redis

RUN = "venue-1"


class OwnRedis:
    """A Redis that a test starts, ends and starts again; it keeps its stream if told to."""

    def __init__(self, *, keeps: bool) -> None:
        self._binary = needed_redis()
        self._keeps = keeps
        self._process: subprocess.Popen[bytes] | None = None
        # Not under pytest's folder: the path of a socket has little more than 100 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="papertape-redis-"))
        self.url = f"unix://{self.folder}/redis.sock"

    def start(self) -> None:
        kept = ["--appendonly", "yes" if self._keeps else "no", "--appendfsync", "always"]
        socket = ["--port", "0", "--unixsocket", str(self.folder / "redis.sock")]
        self._process = subprocess.Popen(
            [self._binary, *socket, "--dir", str(self.folder), "--save", "", *kept],
            stdout=subprocess.DEVNULL,
        )

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def stream() -> str:
    return f"papertape:test:{secrets.token_hex(8)}"


@pytest.fixture
def own_redis(request: pytest.FixtureRequest) -> Iterator[OwnRedis]:
    with closing(OwnRedis(keeps=request.param)) as server:
        yield server


keeping = pytest.mark.parametrize("own_redis", [True], indirect=True)
forgetting = pytest.mark.parametrize("own_redis", [False], indirect=True)


@asynccontextmanager
async def writing(events: RedisEvents) -> AsyncIterator[RedisEvents]:
    await events.start()
    try:
        yield events
    finally:
        await events.stop(drain_s=0)


@asynccontextmanager
async def reading(url: str, last_id: str, stream: str) -> AsyncIterator[AsyncIterator[Batch | Gap]]:
    reader = read_events(url, last_id, stream=stream)
    try:
        yield reader
    finally:
        await reader.aclose()  # type: ignore[attr-defined]  # It is a generator.


async def take(reader: AsyncIterator[Batch | Gap], count: int) -> list[Batch | Gap]:
    async with asyncio.timeout(60):
        return [await anext(reader) for _ in range(count)]


def told(items: list[Batch | Gap]) -> list[tuple[int | None, int, bytes | None]]:
    return [
        (item.first_seq, item.last_seq, item.data if isinstance(item, Batch) else None)
        for item in items
    ]


async def until_written(events: RedisEvents) -> None:
    async with asyncio.timeout(60):
        await events.drained()


async def test_batches_arrive_in_order_as_they_were_given(redis_url: str, stream: str) -> None:
    async with (
        writing(RedisEvents(redis_url, run=RUN, stream=stream)) as events,
        reading(redis_url, "0", stream) as reader,
    ):
        events.publish(1, 3, b"\x00\xffone")
        events.publish(4, 1, b"two")
        items = await take(reader, 2)
    assert told(items) == [(1, 3, b"\x00\xffone"), (4, 4, b"two")]
    assert {item.run for item in items} == {RUN}


async def test_many_batches_are_written_by_the_pipeline(redis_url: str, stream: str) -> None:
    async with (
        writing(RedisEvents(redis_url, run=RUN, stream=stream)) as events,
        reading(redis_url, "0", stream) as reader,
    ):
        for seq in range(1, 501):
            events.publish(seq, 1, b"%d" % seq)
        assert events.backlog == 500
        assert told(await take(reader, 500)) == [(s, s, b"%d" % s) for s in range(1, 501)]
    assert events.dropped == 0


async def test_a_stop_writes_what_is_queued(redis_url: str, stream: str) -> None:
    events = RedisEvents(redis_url, run=RUN, stream=stream)
    events.publish(1, 1, b"one")
    await events.start()
    events.publish(2, 1, b"two")
    await events.stop(drain_s=60)
    assert events.backlog == 0
    async with reading(redis_url, "0", stream) as reader:
        assert told(await take(reader, 2)) == [(1, 1, b"one"), (2, 2, b"two")]


async def test_a_reader_goes_on_from_the_entry_it_read_last(redis_url: str, stream: str) -> None:
    async with writing(RedisEvents(redis_url, run=RUN, stream=stream)) as events:
        for seq in (1, 2, 3):
            events.publish(seq, 1, b"x")
        async with reading(redis_url, "0", stream) as reader:
            (first,) = await take(reader, 1)
        async with reading(redis_url, first.entry_id, stream) as reader:
            assert told(await take(reader, 2)) == [(2, 2, b"x"), (3, 3, b"x")]


async def test_a_reader_of_what_is_new_sees_nothing_old_and_no_gap(
    redis_url: str, stream: str
) -> None:
    async with writing(RedisEvents(redis_url, run=RUN, stream=stream)) as events:
        events.publish(1, 1, b"old")
        await until_written(events)
        async with reading(redis_url, "$", stream) as reader:
            next_item = asyncio.ensure_future(take(reader, 1))
            seq = 1
            while not next_item.done():  # Its first look may come after our first writes.
                seq += 1
                events.publish(seq, 1, b"new")
                await until_written(events)
            (item,) = await next_item
    assert isinstance(item, Batch)
    assert (item.data, item.first_seq > 1) == (b"new", True)


async def test_a_stream_trimmed_past_a_reader_is_told_as_a_gap(redis_url: str, stream: str) -> None:
    async with writing(RedisEvents(redis_url, run=RUN, stream=stream)) as events:
        for seq in range(1, 6):
            events.publish(seq, 1, b"x")
        await until_written(events)
        async with reading(redis_url, "0", stream) as reader:
            items = await take(reader, 2)
        client = Redis.from_url(redis_url, protocol=2)
        await client.xtrim(stream, maxlen=1, approximate=False)
        await client.aclose()
        async with reading(redis_url, items[-1].entry_id, stream) as reader:
            # The entry it stood at is gone, so how much is missing is not known.
            assert told(await take(reader, 2)) == [(None, 4, None), (5, 5, b"x")]
        async with reading(redis_url, "0", stream) as reader:
            assert told(await take(reader, 2)) == [(1, 4, None), (5, 5, b"x")]


async def test_the_stream_keeps_about_as_many_entries_as_told(redis_url: str, stream: str) -> None:
    async with writing(RedisEvents(redis_url, run=RUN, stream=stream, maxlen=100)) as events:
        for seq in range(1, 1_001):
            events.publish(seq, 1, b"x")
        await until_written(events)
    client = Redis.from_url(redis_url, protocol=2)
    # Redis trims whole nodes of 100 entries (stream-node-max-entries), so up to one more stays.
    assert 100 <= await client.xlen(stream) <= 200
    await client.aclose()


async def test_a_restart_of_the_same_venue_writes_nothing_twice(
    redis_url: str, stream: str
) -> None:
    async with writing(RedisEvents(redis_url, run=RUN, stream=stream)) as events:
        for seq in (1, 2, 3):
            events.publish(seq, 1, b"x")
        await until_written(events)
    async with writing(RedisEvents(redis_url, run=RUN, stream=stream)) as again:
        for seq in (2, 3, 4):
            again.publish(seq, 1, b"x")
        async with reading(redis_url, "0", stream) as reader:
            items = await take(reader, 4)
    assert told(items) == [(seq, seq, b"x") for seq in (1, 2, 3, 4)]


async def test_another_venue_on_the_same_stream_starts_anew(redis_url: str, stream: str) -> None:
    for run in ("venue-1", "venue-2"):
        events = RedisEvents(redis_url, run=run, stream=stream)
        events.publish(1, 2, run.encode())
        await events.start()
        await events.stop(drain_s=60)
    async with reading(redis_url, "0", stream) as reader:
        items = await take(reader, 2)
    assert [(item.run, item.last_seq) for item in items] == [("venue-1", 2), ("venue-2", 2)]


@keeping
async def test_a_restart_of_redis_in_the_middle_loses_and_repeats_nothing(
    own_redis: OwnRedis, stream: str
) -> None:
    own_redis.start()
    async with (
        writing(RedisEvents(own_redis.url, run=RUN, stream=stream)) as events,
        reading(own_redis.url, "0", stream) as reader,
    ):
        items: list[Batch | Gap] = []
        seq = 0
        for _ in range(3):
            for _ in range(300):
                seq += 1
                events.publish(seq, 1, b"%d" % seq)
            items += await take(reader, 1)
            own_redis.end()  # In the middle of 300, some of them written and not answered.
            own_redis.start()
        items += await take(reader, 900 - len(items))
    assert told(items) == [(s, s, b"%d" % s) for s in range(1, 901)]
    assert events.dropped == 0


class AnswerLost(RedisEvents):
    """Its first write arrives at Redis, but the connection breaks before the answer does."""

    lost = False

    async def _write_some(self, client: Redis) -> None:
        if self.lost:
            return await super()._write_some(client)
        self._take_from_queue()
        sending, sent_seq = list(self._sending), self._sent_seq
        await super()._write_some(client)
        self.lost, self._sending, self._sent_seq = True, sending, sent_seq
        raise ConnectionResetError("the connection broke")


async def test_a_write_whose_answer_was_lost_is_not_written_again(
    redis_url: str, stream: str
) -> None:
    events = AnswerLost(redis_url, run=RUN, stream=stream)
    for seq in (1, 2, 3):
        events.publish(seq, 1, b"x")
    async with writing(events):
        await until_written(events)
        events.publish(4, 1, b"y")
        async with reading(redis_url, "0", stream) as reader:
            items = await take(reader, 4)
    assert told(items) == [(1, 1, b"x"), (2, 2, b"x"), (3, 3, b"x"), (4, 4, b"y")]


@forgetting
async def test_what_redis_itself_forgot_is_told_as_a_gap(own_redis: OwnRedis, stream: str) -> None:
    own_redis.start()
    async with writing(RedisEvents(own_redis.url, run=RUN, stream=stream)) as events:
        events.publish(1, 1, b"one")
        events.publish(2, 1, b"two")
        await until_written(events)
        own_redis.end()
        own_redis.start()
        events.publish(3, 1, b"three")
        async with reading(own_redis.url, "0", stream) as reader:
            assert told(await take(reader, 2)) == [(1, 2, None), (3, 3, b"three")]


@forgetting
async def test_what_the_queue_cannot_hold_is_dropped_counted_and_told(
    own_redis: OwnRedis, stream: str
) -> None:
    events = RedisEvents(own_redis.url, run=RUN, stream=stream, queued_batches_max=3)
    async with writing(events):
        for first_seq in (1, 11, 21, 31, 41):  # No Redis yet.
            events.publish(first_seq, 10, b"%d" % first_seq)
        assert (events.backlog, events.dropped) == (3, 20)
        assert events.error is not None
        own_redis.start()
        async with reading(own_redis.url, "0", stream) as reader:
            items = await take(reader, 4)
        assert events.error is None
    assert told(items) == [(1, 20, None), (21, 30, b"21"), (31, 40, b"31"), (41, 50, b"41")]


async def test_the_queue_is_bounded_in_bytes_too() -> None:
    events = RedisEvents("unix:///nowhere", run=RUN, queued_bytes_max=25)
    for seq in (1, 2, 3):
        events.publish(seq, 1, b"ten bytes.")
    assert (events.backlog, events.dropped) == (2, 1)


async def test_a_stop_without_redis_ends_all_the_same(stream: str) -> None:
    events = RedisEvents("unix:///nowhere", run=RUN, stream=stream)
    await events.start()
    events.publish(1, 1, b"one")
    await events.stop(drain_s=0.01)
    assert events.backlog == 1
