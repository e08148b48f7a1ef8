"""The intake: every batch once, in order, whole; what is no batch is passed over for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from exchange.clock import SteppedClock
from exchange.cluster import intake as module
from exchange.cluster.connecting import Connection
from exchange.cluster.intake import BadBatch, Intake, batch_of
from exchange.cluster.lease import Deposed
from exchange.cluster.log import LogEntry, entries_behind
from exchange.cluster.names import Names
from exchange.commands import AnyCommand, Continue, FeedPrices, OpenAccount, Tick
from exchange.engine import Engine
from exchange.groups import commands_in, encode_group
from exchange.sequencer import Sequencer
from tests.exchange.cluster.writing import Writer


def fields_of(gateway: str, number: int, *commands: AnyCommand) -> dict[Any, Any]:
    return {"g": gateway, "n": number, "data": encode_group(list(commands))}


async def asked(connection: Connection, names: Names, fields: dict[Any, Any]) -> str:
    async with connection.client() as client:
        found: Any = await client.xadd(names.commands, fields)
    return str(found.decode())


async def entries(connection: Connection, names: Names) -> list[LogEntry]:
    async with connection.client() as client:
        return await entries_behind(client, names, 1)


async def labels(connection: Connection, names: Names) -> list[list[str]]:
    """Of the accounts that were opened: a list a group."""
    return [
        [each.label for each in commands_in(entry.frame) if isinstance(each, OpenAccount)]
        for entry in await entries(connection, names)
    ]


async def opened(connection: Connection, names: Names) -> list[str]:
    """The same, of all groups together."""
    return [label for group in await labels(connection, names) for label in group]


@asynccontextmanager
async def leading(writer: Writer) -> AsyncIterator[Intake]:
    """A sequencer over the writer's engine, with an intake; time stands."""
    clock = SteppedClock(writer.engine.time_ms)
    sequencer = Sequencer(writer.engine, writer.keeper, clock)
    sequencer.on_taken = writer.keeper.on_taken
    intake = Intake(writer.connection, writer.lease.names, sequencer, writer.keeper)
    tasks = [asyncio.create_task(sequencer.run()), asyncio.create_task(intake.run())]
    try:
        yield intake
    finally:
        sequencer.stop()
        tasks[1].cancel()
        await asyncio.wait(tasks)


async def reached(engine: Engine, seq: int) -> None:
    async with asyncio.timeout(30):
        while engine.seq < seq:  # noqa: ASYNC110 - An engine has no event for this.
            await asyncio.sleep(0.001)


async def test_batches_go_into_the_log_whole_in_order_and_once(
    connection: Connection, names: Names
) -> None:
    writer = await Writer.begin(connection, names)
    a, b = OpenAccount(label="a"), OpenAccount(label="b")
    await asked(connection, names, fields_of("g1", 1, a, b))
    await asked(connection, names, fields_of("g2", 1, OpenAccount(label="c")))
    last = await asked(connection, names, fields_of("g1", 2, OpenAccount(label="d")))
    async with leading(writer):
        await reached(writer.engine, 5)
    assert await opened(connection, names) == ["a", "b", "c", "d"]
    found = await entries(connection, names)
    assert found[-1].at == last
    said = [(each.gateway, each.batch, each.count) for one in found for each in one.origins]
    assert said == [("g1", 1, 2), ("g2", 1, 1), ("g1", 2, 1)]


async def test_a_batch_is_not_parted_by_the_bound_of_a_group(
    connection: Connection, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.sequencer.GROUP_COMMANDS_MAX", 2)
    writer = await Writer.begin(connection, names)
    for number in (1, 2):
        accounts = [OpenAccount(label=f"{number}{place}") for place in range(3)]
        await asked(connection, names, fields_of("g", number, *accounts))
    async with leading(writer):
        await reached(writer.engine, 7)
    assert await labels(connection, names) == [["10", "11", "12"], ["20", "21", "22"]]


async def test_a_batch_that_was_sent_twice_is_taken_once(
    connection: Connection, names: Names
) -> None:
    writer = await Writer.begin(connection, names)
    first = fields_of("g", 1, OpenAccount(label="a"))
    await asked(connection, names, first)
    await asked(connection, names, first)
    await asked(connection, names, fields_of("other", 1, OpenAccount(label="b")))
    async with leading(writer) as intake:
        await reached(writer.engine, 3)
        assert intake.passed_over == 1
    assert await opened(connection, names) == ["a", "b"]


async def test_what_cannot_be_read_is_passed_over_and_not_read_again(
    connection: Connection, names: Names
) -> None:
    writer = await Writer.begin(connection, names)
    await asked(connection, names, {"g": "g", "n": 1, "data": b"\xc1"})
    await asked(connection, names, fields_of("g", 2, OpenAccount(label="a")))
    broken = await asked(connection, names, {"x": "y"})
    async with leading(writer) as intake:
        async with asyncio.timeout(30):
            while intake.passed_over < 2:  # noqa: ASYNC110 - It tells nobody.
                await asyncio.sleep(0.001)
        await reached(writer.engine, 2)
    await writer.do(Tick())
    assert writer.keeper.at == broken
    assert [entry.at for entry in await entries(connection, names)][-1] == broken


@pytest.mark.parametrize(
    "changes",
    [
        {b"g": b""},
        {b"g": b"g" * 65},
        {b"g": b"\xff"},
        {b"n": b"-1"},
        {b"n": b"1" * 16},
        {b"data": b""},
        {b"data": b"\x90"},
        {b"data": b"\x91" * 5_000},
        {b"data": encode_group([OpenAccount()] * 257)},
        {b"data": encode_group([Tick()])},
        {b"data": encode_group([OpenAccount(), Continue()])},
        {b"data": encode_group([FeedPrices()])},
        {b"data": encode_group([OpenAccount(label="x" * module.BATCH_BYTES_MAX)])},
    ],
)
def test_hostile_entries_are_no_batches(changes: dict[bytes, bytes]) -> None:
    whole = {b"g": b"g", b"n": b"7", b"data": encode_group([OpenAccount()] * 256)}
    assert len(batch_of(whole)[2]) == 256
    with pytest.raises(BadBatch):
        batch_of({**whole, **changes})


async def test_no_more_is_read_than_the_sequencer_can_bear(
    connection: Connection, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKLOG_MAX", 2)
    monkeypatch.setattr(module, "ENTRIES_PER_READ", 1)
    writer = await Writer.begin(connection, names)
    for number in range(1, 6):
        await asked(connection, names, fields_of("g", number, OpenAccount()))
    sequencer = Sequencer(writer.engine, writer.keeper, SteppedClock(writer.engine.time_ms))
    sequencer.on_taken = writer.keeper.on_taken
    intake = Intake(connection, names, sequencer, writer.keeper)
    reading = asyncio.create_task(intake.run())
    async with asyncio.timeout(30):
        while sequencer.backlog < 2:  # noqa: ASYNC110 - Nobody sequences yet.
            await asyncio.sleep(0.001)
        await connection_is_idle(connection)
        assert sequencer.backlog == 2
        running = asyncio.create_task(sequencer.run())
        await reached(writer.engine, 6)
    sequencer.stop()
    reading.cancel()
    await asyncio.wait([reading, running])


async def connection_is_idle(connection: Connection) -> None:
    """Whoever had something to ask of Redis has had time to."""
    async with connection.client() as client:
        for _ in range(20):
            await client.ping()


@pytest.mark.parametrize("crash", ["before the append", "behind the append"])
async def test_a_take_over_at_any_point_takes_each_batch_once(
    connection: Connection, names: Names, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    old = await Writer.begin(connection, names)
    await asked(connection, names, fields_of("g", 1, OpenAccount(label="a")))
    append = old.keeper.append_and_sync

    def crashing(first_seq: int, count: int, payload: bytes) -> None:
        if crash == "behind the append":
            append(first_seq, count, payload)
        raise Deposed("it was killed here")

    monkeypatch.setattr(old.keeper, "append_and_sync", crashing)
    async with leading(old):
        async with asyncio.timeout(30):
            while old.keeper.heard.is_new("g", 1):  # noqa: ASYNC110 - It tells nobody.
                await asyncio.sleep(0.001)
    assert old.engine.seq == 1  # It applied nothing, so it told nobody anything.
    await asked(connection, names, fields_of("g", 2, OpenAccount(label="b")))
    new = await Writer.taking_over(connection, names)
    async with leading(new):
        await reached(new.engine, 3)
    assert await opened(connection, names) == ["a", "b"]
