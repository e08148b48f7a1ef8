"""Verifying a cluster's log on a real Redis: the digest, and whatever is wrong with it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest

from exchange.cli.commands import main
from exchange.cluster.connecting import Connection
from exchange.cluster.depot import Depot, kept
from exchange.cluster.log import Batch, entries_behind, entry_id
from exchange.cluster.names import Names
from exchange.cluster.verifying import NoLog, verify_log
from exchange.commands import OpenAccount
from tests.exchange.cluster.leases import leased
from tests.exchange.cluster.writing import Writer


async def life(connection: Connection, names: Names) -> Writer:
    """Nine commands, with snapshots at 3 and 6."""
    writer = await Writer.begin(connection, names)
    async with connection.client() as client:
        await writer.do(OpenAccount(), batch=Batch("g", 1, "5-0"))
        await writer.ticks(1)
        await writer.stow(client)
        await writer.do(OpenAccount(), OpenAccount(), batch=Batch("g", 2, "6-0"))
        await writer.ticks(1)
        await writer.stow(client)
        await writer.ticks(3)
    return writer


async def test_a_sound_log_comes_to_the_leaders_digest(
    connection: Connection, names: Names
) -> None:
    writer = await life(connection, names)
    told: list[tuple[int, int]] = []
    report = await verify_log(
        connection, names, lambda done, total: told.append((done, total)), paranoid=True
    )
    assert report.problems == []
    assert report.digest == writer.engine.digest()
    assert report.chain == writer.keeper.chain.hex()
    assert (report.from_seq, report.to_seq, report.commands) == (0, 9, 9)
    assert [(one.seq, one.ok) for one in report.snapshots] == [(3, True), (6, True)]
    assert told[-1] == (9, 9)


async def test_a_trimmed_log_is_replayed_from_its_oldest_snapshot(
    connection: Connection, names: Names
) -> None:
    writer = await life(connection, names)
    async with connection.client() as client:
        await Depot(client, writer.lease).trim(3, "0-0")
    report = await verify_log(connection, names)
    assert report.problems == []
    assert (report.from_seq, report.commands) == (3, 6)
    assert report.digest == writer.engine.digest()
    async with connection.client() as client:
        await client.delete(names.snapshot(3))
    report = await verify_log(connection, names)
    assert "not whole" in report.problems[0]
    async with connection.client() as client:
        await client.delete(names.snapshot(6))
    assert "no good snapshot" in (await verify_log(connection, names)).problems[-1]


async def test_a_snapshot_that_is_another_is_told(connection: Connection, names: Names) -> None:
    await life(connection, names)
    async with connection.client() as client:
        for seq, stowed in (await kept(client, names)).items():
            changed = {"chain": bytes(16)} if seq == 3 else {"at": "9-9"}
            value: Any = msgspec.msgpack.encode(msgspec.structs.replace(stowed, **changed))
            await client.hset(names.snapshots, str(seq), value)
    report = await verify_log(connection, names)
    assert [one.why for one in report.snapshots] == [
        "it belongs to another log",
        "it stands elsewhere in the command stream",
    ]
    assert not report.ok


async def test_an_entry_that_was_altered_or_lost_is_told(
    connection: Connection, names: Names
) -> None:
    await life(connection, names)
    async with connection.client() as client:
        await client.xdel(names.log, entry_id(8))
    assert "does not follow" in (await verify_log(connection, names)).problems[0]
    async with connection.client() as client:
        await client.xadd(names.log, {"frame": b"x"}, id=entry_id(10))
    assert "cannot be read" in (await verify_log(connection, names)).problems[0]


async def test_what_runs_back_or_is_there_twice_is_told(
    connection: Connection, names: Names
) -> None:
    writer = await life(connection, names)
    await writer.do(OpenAccount(), batch=Batch("g", 2, "4-0"))
    problems = (await verify_log(connection, names)).problems
    assert problems == [
        "with seq 10 the place in the command stream runs back",
        "batch 2 of g is there twice",
    ]
    # Another epoch, and an entry that claims an older one.
    taken_over = await Writer.taking_over(connection, names)
    await taken_over.ticks(1)
    async with connection.client() as client:
        (last,) = await entries_behind(client, names, 10)
        assert last.epoch == 2
        await leased(connection, names)
        await client.set(names.epoch, 1)
    await writer_of_epoch_one(writer, taken_over).ticks(1)
    assert "with seq 12 the epoch runs back to 1" in (await verify_log(connection, names)).problems


def writer_of_epoch_one(old: Writer, newer: Writer) -> Writer:
    """The deposed one, brought to where the newer one is."""
    old.engine = newer.engine
    old.keeper.chain, old.keeper._next_at = newer.keeper.chain, newer.keeper.at
    return old


async def test_where_there_is_no_log_there_is_nothing_to_verify(
    connection: Connection, names: Names
) -> None:
    with pytest.raises(NoLog):
        await verify_log(connection, names)


def test_the_command_verifies_a_log_by_its_address(
    connection: Connection, names: Names, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["verify", connection.url, "--venue", names.venue]
    assert main(command) == 1
    assert "no log" in capsys.readouterr().err
    writer = asyncio.run(life(connection, names))
    assert main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["digest"]) == (True, writer.engine.digest())
    assert said["directory"].endswith(names.venue)
    assert main(command) == 0
    assert "sound" in capsys.readouterr().out


def test_the_command_refuses_what_is_no_redis(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "http://localhost"]) == 2
    assert "redis" in capsys.readouterr().err
    assert main(["verify", "unix:///nowhere/redis.sock"]) == 1
    assert main(["replay", "redis://localhost"]) == 2
