"""The leader's stock: when snapshots are due, where large ones are packed, and what is trimmed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from exchange.bounds import SNAPSHOT_EVERY_S
from exchange.clock import SteppedClock
from exchange.cluster import stock as module
from exchange.cluster.connecting import Connection
from exchange.cluster.depot import Depot, fetched, kept
from exchange.cluster.lease import Deposed
from exchange.cluster.log import Batch, bounds_of
from exchange.cluster.names import Names
from exchange.cluster.stock import Stock
from exchange.commands import OpenAccount
from exchange.config import Storage
from exchange.sequencer import Sequencer
from exchange.storage.history import History
from tests.exchange.cluster.leases import leased
from tests.exchange.cluster.writing import Writer

KEPT = 2


class Stocked:
    """A leader's stock over a writer, and the time it goes by."""

    def __init__(self, writer: Writer, client: Redis, history: History, directory: Path) -> None:
        self.now_s = 0.0
        self.client = client
        self.writer = writer
        self.sequencer = Sequencer(
            writer.engine, writer.keeper, SteppedClock(writer.engine.time_ms)
        )
        self.stock = Stock(
            writer.engine,
            self.sequencer,
            writer.keeper,
            Depot(client, writer.lease, keep=KEPT),
            history,
            config=Storage(snapshot_every_commands=10, snapshots_kept=KEPT),
            directory=directory,
            now_s=lambda: self.now_s,
        )


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with closing(History.open(tmp_path / "history.db")) as history:
        yield history


@pytest.fixture
async def stocked(
    connection: Connection, names: Names, history: History, tmp_path: Path
) -> AsyncIterator[Stocked]:
    writer = await Writer.begin(connection, names)
    async with connection.client() as client:
        yield Stocked(writer, client, history, tmp_path / "snapshots")


@asynccontextmanager
async def sequencing(stocked: Stocked) -> AsyncIterator[None]:
    task = asyncio.create_task(stocked.sequencer.run())
    try:
        yield
    finally:
        stocked.sequencer.stop()
        await asyncio.wait([task])


async def test_a_snapshot_is_due_after_so_many_commands_or_some_time(stocked: Stocked) -> None:
    stock = stocked.stock
    stock.saved_seq = 1
    stocked.now_s = SNAPSHOT_EVERY_S
    assert not stock.is_due()  # Nothing has happened.
    stocked.now_s = 0
    await stocked.writer.ticks(9)
    assert not stock.is_due()
    stocked.now_s = SNAPSHOT_EVERY_S
    assert stock.is_due()
    stocked.now_s = 0
    await stocked.writer.ticks(1)
    assert stock.is_due()


@pytest.mark.parametrize("aside", [False, True])
async def test_a_snapshot_goes_to_redis_with_the_place_in_the_command_stream(
    stocked: Stocked, names: Names, *, aside: bool
) -> None:
    await stocked.writer.do(OpenAccount(), batch=Batch("g", 1, "7-0"))
    stocked.stock.packed_here_max = 0 if aside else 1_000_000
    async with sequencing(stocked):
        await stocked.stock.snapshot()
    (stowed,) = (await kept(stocked.client, names)).values()
    assert (stowed.seq, stowed.at, stowed.heard) == (2, "7-0", [("g", 1)])
    engine = await fetched(stocked.client, names, stowed)
    assert engine.digest() == stocked.writer.engine.digest()
    assert stocked.stock.saved_seq == 2


async def test_the_log_is_trimmed_behind_what_is_needed(
    stocked: Stocked, names: Names, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAIL_COMMANDS_MIN", 4)
    writer, stock = stocked.writer, stocked.stock
    async with sequencing(stocked):
        await writer.ticks(2)
        history.submit(writer.engine.seq, [])
        await stock.snapshot()
        assert await bounds_of(stocked.client, names) == (1, 3)  # Not as many as are kept.
        await writer.ticks(3)
        history.submit(writer.engine.seq, [])
        await stock.snapshot()
        # Snapshots at 3 and 6, but the tail of four commands begins behind 2.
        assert await bounds_of(stocked.client, names) == (2, 6)
        await writer.ticks(4)
        history.submit(writer.engine.seq, [])
        await stock.snapshot()
        # Those at 6 and 10, and the tail begins there as well.
        assert await bounds_of(stocked.client, names) == (6, 10)
        await writer.ticks(4)
        await stock.snapshot()
        await writer.ticks(4)
        await stock.snapshot()
        # Those at 14 and 18, and the tail begins at 14, but the history has reached 10 only.
        assert history.reached_seq == 10
        assert await bounds_of(stocked.client, names) == (10, 18)


async def added(client: Redis, names: Names, n: int) -> str:
    """The id of a new entry of the command stream."""
    found: Any = await client.xadd(names.commands, {"n": n})
    return str(found.decode())


async def test_the_command_stream_is_trimmed_behind_what_is_in_the_log(
    stocked: Stocked, names: Names
) -> None:
    one, two, three = [await added(stocked.client, names, n) for n in range(3)]
    await stocked.writer.do(OpenAccount(), batch=Batch("g", 1, one))
    await stocked.writer.do(OpenAccount(), batch=Batch("g", 2, two))
    stocked.stock.saved_seq = stocked.writer.engine.seq
    await stocked.stock.look()
    found: Any = await stocked.client.xrange(names.commands)
    left = [each.decode() for each, _ in found]
    assert left == [two, three]


async def test_a_deposed_leaders_stock_ends(stocked: Stocked, names: Names) -> None:
    await stocked.writer.ticks(11)
    await leased(stocked.writer.connection, names, "another")
    async with sequencing(stocked):
        with pytest.raises(Deposed):
            await stocked.stock.look()
    assert await kept(stocked.client, names) == {}


async def test_a_copy_that_fails_is_told_and_the_next_is_tried(
    stocked: Stocked,
    names: Names,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    stocked.stock.packed_here_max = 0
    async with sequencing(stocked):
        with monkeypatch.context() as patch:
            patch.setattr(stocked.stock._store, "write", fail)
            await stocked.stock.snapshot()
        assert "could not be stowed" in caplog.text
        assert stocked.stock.saved_seq == 0
        await stocked.stock.snapshot()
    assert list(await kept(stocked.client, names)) == [1]


async def test_the_end_leaves_a_snapshot_unless_it_would_take_long(
    stocked: Stocked, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "PACKED_AT_END_MAX", -1)
        await stocked.stock.finish()
    assert await kept(stocked.client, names) == {}
    await stocked.stock.finish()
    assert list(await kept(stocked.client, names)) == [1]


async def test_a_new_leader_knows_what_the_one_before_has_stowed(
    stocked: Stocked, names: Names
) -> None:
    await stocked.writer.ticks(4)
    await stocked.writer.stow(stocked.client)
    running = asyncio.create_task(stocked.stock.run())
    async with asyncio.timeout(30):
        while not stocked.stock.saved_seq:  # noqa: ASYNC110 - It tells nobody.
            await asyncio.sleep(0.001)
    running.cancel()
    assert stocked.stock.saved_seq == 5
