"""What a gateway is asked goes to the core once, and is answered from the log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from exchange.cluster.connecting import Connection
from exchange.cluster.log import LogEntry, Origin
from exchange.cluster.names import Names
from exchange.cluster.submitting import Submitter
from exchange.commands import AnyCommand, Deposit, OpenAccount
from exchange.config import default_venue
from exchange.engine import Engine
from exchange.events import Answered, AnyEvent
from exchange.groups import decode_group
from exchange.sequencer import SequencerFailed
from exchange.storage.frames import GENESIS, Frame
from matching.reasons import Reason


class Core:
    """Reads the batches as a core does; `answer` tells the gateway what came of one."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self._client = connection.client()
        self._names = names
        self._read = "0-0"

    async def batches(self) -> list[tuple[str, int, list[AnyCommand]]]:
        """Those that came since the last call, at least one."""
        found: Any = await self._client.xread({self._names.commands: self._read}, block=5_000)
        entries = found[0][1]
        self._read = entries[-1][0]
        return [
            (fields[b"g"].decode(), int(fields[b"n"]), list(decode_group(fields[b"data"])))
            for _, fields in entries
        ]

    async def close(self) -> None:
        await self._client.aclose()


@contextlib.asynccontextmanager
async def gateway(connection: Connection, names: Names) -> AsyncIterator[tuple[Submitter, Core]]:
    """A submitter that runs, and who reads what it sends."""
    engine = Engine(default_venue(1, 0, prices="fixed"))
    submitter = Submitter(connection, names, engine, [], gateway="g")
    core = Core(connection, names)
    running = asyncio.create_task(submitter.run())
    try:
        yield submitter, core
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await core.close()


def entry(*origins: Origin) -> LogEntry:
    """An entry of the log with commands of these batches."""
    frame = Frame(1, 1, b"", GENESIS, GENESIS)
    return LogEntry(frame, "1-0", list(origins), 1)


def answered(result_id: int) -> list[AnyEvent]:
    return [Answered(1, 0, None, result_id, {}, False)]


def result_of(events: list[AnyEvent]) -> int:
    assert isinstance(events[-1], Answered)
    return events[-1].result_id


def reason_of(events: list[AnyEvent]) -> Reason | None:
    assert isinstance(events[-1], Answered)
    return events[-1].reason


async def test_everyone_is_answered_from_the_place_of_the_own_commands(
    connection: Connection, names: Names
) -> None:
    async with gateway(connection, names) as (submitter, core):
        one = asyncio.create_task(submitter.submit(OpenAccount(label="one")))
        ((name, number, commands),) = await core.batches()
        assert (name, number, commands) == ("g", 1, [OpenAccount(label="one")])
        two = asyncio.create_task(submitter.submit_all([OpenAccount(), OpenAccount()]))
        ((_, number, commands),) = await core.batches()
        assert (number, len(commands), submitter.backlog) == (2, 2, 3)
        # A group of four commands: another gateway's, then both batches of this one.
        groups = [answered(each) for each in (10, 11, 12, 13)]
        submitter.on_entry(
            entry(Origin(0, "other", 1, 1), Origin(1, "g", 1, 1), Origin(2, "g", 2, 2)), groups
        )
        assert result_of(await one) == 11
        assert [result_of(each) for each in await two] == [12, 13]
        assert submitter.backlog == 0


async def test_what_comes_while_a_batch_is_sent_goes_with_the_next(
    connection: Connection, names: Names
) -> None:
    async with gateway(connection, names) as (submitter, core):
        asked = [
            asyncio.create_task(submitter.submit(OpenAccount(label=str(n)))) for n in range(600)
        ]
        got: list[AnyCommand] = []
        sizes = []
        while len(got) < 600:
            for _, _, commands in await core.batches():
                got += commands
                sizes.append(len(commands))
        assert [each.label for each in got if isinstance(each, OpenAccount)] == [
            str(n) for n in range(600)
        ]
        assert max(sizes) <= 256
        assert len(sizes) < 20  # Not a batch each.
        for task in asked:
            task.cancel()


async def test_nothing_is_taken_while_nobody_leads(connection: Connection, names: Names) -> None:
    async with gateway(connection, names) as (submitter, _):
        submitter.paused = "nobody leads"
        assert reason_of(await submitter.submit(OpenAccount())) is Reason.NOT_READY
        client = connection.client()
        assert await client.xlen(names.commands) == 0
        await client.aclose()


async def test_an_amount_past_64_bits_is_refused_before_it_is_sent(
    connection: Connection, names: Names
) -> None:
    async with gateway(connection, names) as (submitter, _):
        huge = Deposit(account_id=100, wallet="spot", asset="USDT", amount_minor=1 << 70)
        assert reason_of(await submitter.submit(huge)) is Reason.AMOUNT_TOO_LARGE


async def test_a_gateway_that_stops_says_that_nobody_knows_of_what_was_sent(
    connection: Connection, names: Names
) -> None:
    async with gateway(connection, names) as (submitter, core):
        sent = asyncio.create_task(submitter.submit(OpenAccount()))
        await core.batches()
        submitter.stop()
        with pytest.raises(SequencerFailed, match="not known"):
            await sent
        assert reason_of(await submitter.submit(OpenAccount())) is Reason.NOT_READY


async def test_the_time_is_the_core_s(connection: Connection, names: Names) -> None:
    async with gateway(connection, names) as (submitter, _):
        submitter.retime()
        with pytest.raises(ValueError, match="kept by the core"):
            await submitter.step(1_000)
