"""Replicas of a log on a real Redis: the leader's digest, wherever they begin; nothing guessed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from exchange.cluster import replica as module
from exchange.cluster.connecting import Connection
from exchange.cluster.depot import Depot
from exchange.cluster.log import Batch, LogEntry, entry_id
from exchange.cluster.names import Names
from exchange.cluster.replica import LogTrimmed, Replica, ReplicaBroken, VenueMissing
from exchange.commands import Deposit, OpenAccount, SetIndexPrice
from exchange.events import AccountOpened
from exchange.sequencer import Groups
from exchange.storage.history import History
from tests.exchange.cluster.redis_rig import redis_of_its_own
from tests.exchange.cluster.writing import Writer

Begin = Callable[[], Any]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with closing(History.open(tmp_path / "history.db")) as history:
        yield history


@pytest.fixture
def begin(connection: Connection, names: Names, history: History) -> Begin:
    def begin() -> Any:
        return Replica.begin(connection, names, history=None, queries=history, wait=False)

    return begin


@asynccontextmanager
async def following(replica: Replica) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(replica.follow())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def reached(replica: Replica, seq: int) -> None:
    async with asyncio.timeout(30):
        while replica.seq < seq:  # noqa: ASYNC110 - A replica has no event for this.
            await asyncio.sleep(0.001)


async def some_life(writer: Writer) -> None:
    await writer.do(OpenAccount(label="one"), OpenAccount(label="two"))
    await writer.do(Deposit(account_id=100, wallet="spot", asset="USDT", amount_minor=10**12))
    await writer.do(SetIndexPrice(base="BTC", quote="USDT", price_e8=5_000_000_000_000), ms=500)
    await writer.ticks(3)


async def test_a_venue_that_is_not_made_is_missing_or_waited_for(
    connection: Connection, names: Names, history: History, begin: Begin
) -> None:
    with pytest.raises(VenueMissing):
        await begin()
    waiting = asyncio.create_task(
        Replica.begin(connection, names, history=None, queries=history, wait=True)
    )
    await asyncio.sleep(0)
    writer = await Writer.begin(connection, names)
    replica = await waiting
    assert replica.engine.digest() == writer.engine.digest()


async def test_a_replica_comes_to_the_leaders_digest_and_stays_there(
    connection: Connection, names: Names, begin: Begin
) -> None:
    writer = await Writer.begin(connection, names)
    await some_life(writer)
    replica = await begin()
    assert replica.engine.digest() == writer.engine.digest()
    assert replica.chain == writer.keeper.chain
    async with following(replica):
        await some_life(writer)
        await reached(replica, writer.engine.seq)
        assert replica.engine.digest() == writer.engine.digest()


async def test_listeners_are_told_behind_the_house_with_the_origins(
    connection: Connection, names: Names, begin: Begin
) -> None:
    writer = await Writer.begin(connection, names)
    replica = await begin()
    told: list[tuple[LogEntry, Groups, int]] = []
    replica.listeners.append(
        lambda entry, groups: told.append((entry, groups, replica.house.board.seq))
    )
    await writer.do(OpenAccount(), OpenAccount(), batch=Batch("g", 3, "5-1"))
    await replica.catch_up()
    ((entry, groups, board_seq),) = told
    assert (entry.first_seq, entry.count, board_seq, replica.at) == (2, 2, 3, "5-1")
    (origin,) = entry.origins
    assert (origin.place, origin.gateway, origin.batch, origin.count) == (0, "g", 3, 2)
    assert [type(events[0]) for events in groups] == [AccountOpened, AccountOpened]
    assert not replica.heard.is_new("g", 3)


async def test_it_begins_from_the_snapshot_that_leaves_enough_to_be_told_again(
    connection: Connection, names: Names, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAIL_COMMANDS_MIN", 5)
    writer = await Writer.begin(connection, names)
    async with connection.client() as client:
        for _ in range(3):
            await writer.ticks(4)
            await writer.stow(client)
    replica = await begin()  # Of the snapshots at 5, 9 and 13 the second leaves 4, the first 8.
    assert replica.footing_seq == 5
    assert replica.engine.digest() == writer.engine.digest()


async def test_a_history_decides_how_far_back_it_must_begin(
    connection: Connection,
    names: Names,
    history: History,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TAIL_COMMANDS_MIN", 1)
    writer = await Writer.begin(connection, names)
    async with connection.client() as client:
        for _ in range(3):
            await writer.ticks(4)
            await writer.stow(client)
    replica = await Replica.begin(
        connection, names, history=history, queries=history, wait=False, reached_seq=6
    )
    assert replica.footing_seq == 5
    assert history.reached_seq == writer.engine.seq


async def test_a_damaged_snapshot_is_passed_over(
    connection: Connection, names: Names, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAIL_COMMANDS_MIN", 1)
    writer = await Writer.begin(connection, names)
    async with connection.client() as client:
        for _ in range(2):
            await writer.ticks(4)
            await writer.stow(client)
        await client.delete(names.snapshot(5))
    await writer.ticks(2)
    replica = await begin()
    assert replica.footing_seq == 9
    assert replica.engine.digest() == writer.engine.digest()


async def test_behind_a_trimmed_log_it_begins_from_a_snapshot(
    connection: Connection, names: Names, begin: Begin
) -> None:
    writer = await Writer.begin(connection, names)
    early = await begin()
    async with connection.client() as client:
        await writer.ticks(5)
        await writer.stow(client)
        await writer.ticks(5)
        await Depot(client, writer.lease).trim(6, "0-0")
    replica = await begin()
    assert (replica.footing_seq, replica.seq) == (6, 11)
    assert replica.engine.digest() == writer.engine.digest()
    with pytest.raises(LogTrimmed):
        await early.catch_up()


async def test_a_trimmed_log_without_a_snapshot_is_of_no_use(
    connection: Connection, names: Names, begin: Begin
) -> None:
    writer = await Writer.begin(connection, names)
    await writer.ticks(5)
    async with connection.client() as client:
        await Depot(client, writer.lease).trim(4, "0-0")
    with pytest.raises(ReplicaBroken, match="no snapshot"):
        await begin()


async def test_a_broken_chain_is_not_followed(
    connection: Connection, names: Names, begin: Begin
) -> None:
    writer = await Writer.begin(connection, names)
    await writer.ticks(1)
    replica = await begin()
    writer.keeper.chain = bytes(16)
    await writer.ticks(1)
    with pytest.raises(ReplicaBroken, match="chain"):
        await replica.follow()
    assert replica.seq == 2


async def test_an_entry_that_cannot_be_read_or_obeyed_is_told(
    connection: Connection, names: Names, begin: Begin
) -> None:
    writer = await Writer.begin(connection, names)
    replica, other = await begin(), await begin()
    await writer._keep(2, 1, b"no commands")
    with pytest.raises(ReplicaBroken, match="seq 2"):
        await replica.catch_up()
    async with connection.client() as client:
        await client.xdel(names.log, entry_id(2))
        await client.xadd(names.log, {"frame": b"x"}, id=entry_id(3))
    with pytest.raises(ReplicaBroken, match="cannot be read"):
        await other.catch_up()


async def test_a_redis_that_has_forgotten_part_of_the_log_is_told(
    names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_WAIT_MS", 10)
    with (
        redis_of_its_own() as server,
        closing(History.open(tmp_path / "other.db")) as history,
    ):
        writer = await Writer.begin(server.connection, names)
        await writer.ticks(3)
        replica = await Replica.begin(
            server.connection, names, history=None, queries=history, wait=False
        )
        async with server.connection.client() as client:
            await client.flushall()
        with pytest.raises(ReplicaBroken, match="forgotten"):
            await replica.follow()


async def test_it_goes_on_when_redis_comes_back(names: Names, tmp_path: Path) -> None:
    with (
        redis_of_its_own() as server,
        closing(History.open(tmp_path / "other.db")) as history,
    ):
        writer = await Writer.begin(server.connection, names)
        replica = await Replica.begin(
            server.connection, names, history=None, queries=history, wait=False
        )
        async with following(replica) as task:
            server.kill()
            await asyncio.to_thread(server.start)
            await writer.ticks(2)
            await reached(replica, 3)
            assert not task.done()


async def test_others_on_the_loop_have_their_turn_while_it_catches_up(
    connection: Connection, names: Names, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await Writer.begin(connection, names)
    replica = await begin()
    await writer.ticks(20)
    monkeypatch.setattr(module, "TURN_S", 0.0)
    seen: set[int] = set()

    async def look() -> None:
        while True:
            seen.add(replica.seq)
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await replica.catch_up()
    looking.cancel()
    assert len(seen) > 10
