"""The hand-over of a history on a real Redis: whole, in few parts at a time, or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from exchange.cluster import handover as module
from exchange.cluster.connecting import Connection
from exchange.cluster.handover import (
    HandoverFailed,
    HistoryGiver,
    copied,
    fetch_history,
    reached_in,
)
from exchange.cluster.lease import Deposed
from exchange.cluster.names import Names
from exchange.storage.history import History
from exchange.storage.rows import FundingRow
from tests.exchange.cluster.leases import leased

ROWS = [("funding", FundingRow("BTC-USDT-PERP", n, n, n)) for n in range(1, 2_001)]


def write(path: Path, seq: int) -> None:
    """A history that has reached `seq`."""
    with closing(History.open(path)) as history:
        history.submit(seq, ROWS)


def fundings(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM funding ORDER BY time_ms").fetchall()


@asynccontextmanager
async def giving(
    connection: Connection, names: Names, path: Path
) -> AsyncIterator[asyncio.Task[None]]:
    giver = HistoryGiver(connection, await leased(connection, names), path)
    task = asyncio.create_task(giver.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 4_096)
    monkeypatch.setattr(module, "PARTS_WAITING_MAX", 2)
    monkeypatch.setattr(module, "FULL_PAUSE_S", 0.0)


@pytest.mark.usefixtures("small_parts")
async def test_a_history_that_is_being_written_comes_over_whole(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    there, here = tmp_path / "there.db", tmp_path / "here" / "history.db"
    here.parent.mkdir()
    write(here, 3)  # An old one of its own.
    with closing(History.open(there)) as history:
        history.submit(77, ROWS)
        assert await history.caught_up(30)
        async with giving(connection, names, there):
            assert await fetch_history(connection, names, here) == 77
        assert fundings(here) == fundings(there)
    assert reached_in(here) == 77
    assert sorted(path.name for path in here.parent.iterdir()) == ["history.db"]
    async with connection.client() as client:
        assert not await client.exists(names.handover)


async def test_where_nobody_leads_nobody_gives(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    path = tmp_path / "history.db"
    assert await fetch_history(connection, names, path) is None
    assert reached_in(path) == 0


@pytest.mark.usefixtures("small_parts")
async def test_two_who_join_get_it_one_after_the_other(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    there = tmp_path / "there.db"
    write(there, 9)
    async with giving(connection, names, there):
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
        found = await asyncio.gather(
            *(fetch_history(connection, names, tmp_path / each / "h.db") for each in "ab")
        )
    assert found == [9, 9]
    assert fundings(tmp_path / "a" / "h.db") == fundings(tmp_path / "b" / "h.db")


@pytest.mark.usefixtures("small_parts")
async def test_a_part_that_comes_twice_counts_once_and_one_that_is_damaged_is_told(
    connection: Connection, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "there.db", tmp_path / "here.db"
    write(there, 9)
    pop = module._Coming._pop
    popped: list[bytes] = []
    damage = False

    async def popping(self: Any) -> bytes | None:
        if len(popped) % 3 == 2:
            popped.append(popped[-1])
            return popped[-1]
        found = await pop(self)
        if found is not None:
            popped.append(found)
            if damage and len(found) > 1_000:
                return found[:-1] + bytes([found[-1] ^ 1])
        return found

    monkeypatch.setattr(module._Coming, "_pop", popping)
    async with giving(connection, names, there):
        assert await fetch_history(connection, names, here) == 9
        damage = True
        with pytest.raises(HandoverFailed, match="whole"):
            await fetch_history(connection, names, here)
    assert fundings(here) == fundings(there)  # The one from before.


@pytest.mark.usefixtures("small_parts")
async def test_a_deposed_leader_gives_nothing_more(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    there = tmp_path / "there.db"
    write(there, 9)
    async with giving(connection, names, there) as task, connection.client() as client:
        await leased(connection, names, "another")
        await client.set(names.handover, "7")
        await asyncio.wait([task])
        with pytest.raises(Deposed):
            task.result()
        assert not await client.exists(names.handed("7"))


@pytest.mark.usefixtures("small_parts")
async def test_who_gives_does_not_wait_for_somebody_who_has_gone(
    connection: Connection, names: Names, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    there = tmp_path / "there.db"
    write(there, 9)
    async with giving(connection, names, there) as task, connection.client() as client:
        await client.set(names.handover, "7")
        async with asyncio.timeout(30):
            while await client.llen(names.handed("7")) < 2:  # noqa: ASYNC110 - In Redis.
                await asyncio.sleep(0.001)
        assert 0 < await client.pttl(names.handed("7")) <= module.EXPIRES_MS
        await client.delete(names.handover)
        async with asyncio.timeout(30):
            while "nobody waits" not in caplog.text:  # noqa: ASYNC110 - It is only logged.
                await asyncio.sleep(0.001)
        assert not task.done()


def test_a_copy_is_of_one_moment_and_tells_how_far_it_is(tmp_path: Path) -> None:
    write(tmp_path / "history.db", 12)
    header = copied(tmp_path / "history.db", tmp_path / "copy.db")
    assert header.seq == 12
    assert header.size == (tmp_path / "copy.db").stat().st_size
    assert reached_in(tmp_path / "copy.db") == 12
    assert reached_in(tmp_path / "none.db") == 0
