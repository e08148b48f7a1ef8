"""Cores over a real Redis: one leads, the others follow; a fall or a stop hands the lead over."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from exchange.cluster.asking import RemoteHistory
from exchange.cluster.connecting import Connection
from exchange.cluster.core import Core, CoreRefused, Place
from exchange.cluster.handover import HISTORY, reached_in
from exchange.cluster.log import bounds_of
from exchange.cluster.names import Names
from exchange.cluster.replica import LogTrimmed, Replica, ReplicaBroken
from exchange.cluster.status import FORGETFUL, cores
from exchange.commands import Deposit, OpenAccount
from exchange.config import Config, Market
from exchange.storage.history import History
from exchange.storage.lock import DirectoryInUse
from exchange.storage.rows import TradeRow
from tests.exchange.cluster.cores import (
    STILL,
    WITHIN_S,
    asked,
    core,
    digest_of,
    opened,
    seq_of,
    until,
    until_opened,
)
from tests.exchange.cluster.leases import leased
from tests.exchange.cluster.redis_rig import new_names, redis_of_its_own


async def test_the_first_core_makes_the_venue_and_leads_and_another_follows(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with core(connection, names, tmp_path / "a") as a:
        await until(lambda: a.role == "leader")
        async with core(connection, names, tmp_path / "b") as b:
            await until(lambda: b.role == "standby")
            await asked(connection, names, "g", 1, OpenAccount(label="x"))
            await until_opened(connection, names, 1)
            await until(lambda: seq_of(a) == seq_of(b))
            assert digest_of(a) == digest_of(b)
            assert b.role == "standby"
    assert await opened(connection, names) == ["x"]


async def test_a_core_that_stops_well_hands_over_at_once_and_leaves_word(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    # The lease lasts for ten minutes, so nobody gets it by waiting.
    more: dict[str, Any] = {"lease_ms": 600_000}
    async with core(connection, names, tmp_path / "a", **more) as a:
        await until(lambda: a.role == "leader")
        async with core(connection, names, tmp_path / "b", **more) as b:
            await until(lambda: b.role == "standby")
            await asked(connection, names, "g", 1, OpenAccount(label="x"))
            await until_opened(connection, names, 1)
            await a.stop()
            await until(lambda: b.role == "leader")
            assert digest_of(b) == digest_of(a)
            assert b.epoch > a.epoch
            await asked(connection, names, "g", 2, OpenAccount(label="y"))
            await until_opened(connection, names, 2)
            async with connection.client() as client:
                said = {each.core: each for each in await cores(client, names)}
            assert said[a.name].role == "stopped"
            assert said[a.name].digest == digest_of(a)
    assert await opened(connection, names) == ["x", "y"]


async def test_a_deposed_leader_drops_everything_and_follows_the_next(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with core(connection, names, tmp_path / "a") as a:
        await until(lambda: a.role == "leader")
        before = a.replica
        lease = await leased(connection, names, "another")
        await until(lambda: a.role == "standby")
        assert a.replica is not before
        async with connection.client() as client:
            assert await client.get(names.leader) == b"another"
            await lease.release(client)
        await until(lambda: a.role == "leader")
        assert a.epoch == lease.epoch + 1


async def test_what_waits_while_nobody_leads_is_taken_by_the_next(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with core(connection, names, tmp_path / "a") as a:
        await until(lambda: a.role == "leader")
    for number in range(1, 4):
        await asked(connection, names, "g", number, OpenAccount(label=str(number)))
    async with core(connection, names, tmp_path / "a") as a:
        await until_opened(connection, names, 3)
    assert await opened(connection, names) == ["1", "2", "3"]


async def test_the_market_goes_on_with_the_next_leader(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    symbols = ("BTC-USDT", "BTC-USDT-PERP")
    config = Config(market=Market(symbols=symbols, history=False))
    async with core(connection, names, tmp_path / "b", config) as b:
        await until(lambda: b.role == "leader" and seq_of(b) > 50)
        async with core(connection, names, tmp_path / "a", config) as a:
            await until(lambda: a.role == "standby")
            await b.stop()
            seq = seq_of(b)
            await until(lambda: a.role == "leader" and seq_of(a) > seq + 20)


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_redis_that_would_forget_is_refused_unless_allowed(
    tmp_path: Path, *, allowed: bool
) -> None:
    names = new_names()
    with redis_of_its_own("--appendonly", "no") as server:
        place = Place(server.connection, names, tmp_path / "a", allow_forgetting=allowed)
        if not allowed:
            with pytest.raises(CoreRefused, match="would forget"):
                await Core.start(place, STILL)
            return
        running = await Core.start(place, STILL)
        await until(lambda: running.role == "leader")
        async with server.connection.client() as client:
            assert await client.hexists(names.meta, FORGETFUL)
            (said,) = await cores(client, names)
            assert said.forgetful == running.forgetful
        await running.stop()


async def test_a_redis_that_forgot_ends_the_core_and_nothing_new_is_made(
    tmp_path: Path,
) -> None:
    names = new_names()
    with redis_of_its_own("--appendonly", "no") as server:
        place = Place(server.connection, names, tmp_path / "a", allow_forgetting=True)
        running = await Core.start(place, STILL)
        await until(lambda: running.role == "leader")
        await asked(server.connection, names, "g", 1, OpenAccount())
        await until(lambda: seq_of(running) > 1)
        server.kill()
        await asyncio.to_thread(server.start)
        await running.wait()
        assert running.failed
        await running.stop()
        async with server.connection.client() as client:
            assert not await client.exists(names.log)


async def test_a_directory_is_one_cores_and_of_one_venue(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with core(connection, names, tmp_path / "a") as a:
        await until(lambda: a.role == "leader")
        with pytest.raises(DirectoryInUse):
            await Core.start(Place(connection, names, tmp_path / "a"), STILL)
    other = await Core.start(
        Place(connection, new_names(), tmp_path / "a"),
        Config(speed=0, seed=5, market=STILL.market),
    )
    await other.wait()
    assert other.failed
    assert other._work is not None
    with pytest.raises(CoreRefused, match="another venue"):
        other._work.result()
    await other.stop()


@pytest.mark.parametrize("role", ["leader", "standby"])
async def test_a_question_from_further_on_is_answered_once_the_core_is_there(
    connection: Connection,
    names: Names,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
) -> None:
    monkeypatch.setattr("exchange.cluster.answering.FRESH_WITHIN_S", 1_000)  # Not by waiting.
    async with core(connection, names, tmp_path / "a") as a:
        await until(lambda: a.role == "leader")
        async with contextlib.AsyncExitStack() as stack:
            if role == "standby":
                b = await stack.enter_async_context(core(connection, names, tmp_path / "b"))
                await until(lambda: b.role == "standby")
            await until(lambda: seq_of(a) == 2)  # Genesis and the opening prices.
            seq = seq_of(a)
            history = RemoteHistory(connection, names, gateway="g", seq=lambda: seq + 1)
            listening = asyncio.create_task(history.listen())
            asking = asyncio.create_task(history.order(1))
            async with connection.client() as client:
                await until_answered_or_waits(client, names)
            assert not asking.done()
            await asked(connection, names, "g", 1, OpenAccount())
            assert await asyncio.wait_for(asking, WITHIN_S) is None
            listening.cancel()
            await asyncio.wait([listening])
            await history.close()


async def until_answered_or_waits(client: Redis, names: Names) -> None:
    """Wait until some core has taken the question."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            groups: Any = await client.xinfo_groups(names.asks)
            if groups and groups[0]["entries-read"]:
                return
            await asyncio.sleep(0.005)


async def test_old_rows_of_its_history_go(
    connection: Connection,
    names: Names,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr("exchange.cluster.core.PRUNE_HISTORY_EVERY_S", 0.01)
    write_old_row(tmp_path / "a" / "history.db")
    async with core(connection, names, tmp_path / "a"):
        await until(lambda: "pruned 1 rows" in caplog.text)


def write_old_row(path: Path) -> None:
    """A trade of 1970."""
    with closing(History.open(path)) as history:
        history.submit(1, [("trades", TradeRow("BTC-USDT", 1, 1, 1, 1, 1, 1, time_ms=1))])


async def test_a_broken_log_ends_a_core(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with core(connection, names, tmp_path / "a") as a:
        await until(lambda: a.role == "leader")
        await leased(connection, names, "another")
        await until(lambda: a.role == "standby")
        async with connection.client() as client:
            await client.xadd(names.log, {"frame": b"no frame"}, id="1000-0")
        await a.wait()
        assert a.failed
        assert a._work is not None
        with pytest.raises(ReplicaBroken):
            a._work.result()


async def test_it_waits_for_a_redis_that_is_away_and_goes_on(tmp_path: Path) -> None:
    names = new_names()
    with redis_of_its_own() as server:
        async with core(server.connection, names, tmp_path / "a") as a:
            await until(lambda: a.role == "leader")
            server.kill()
            await asyncio.to_thread(server.start)
            await asked(server.connection, names, "g", 1, OpenAccount(label="x"))
            await until_opened(server.connection, names, 1)
        assert await opened(server.connection, names) == ["x"]


async def test_a_stop_does_not_wait_for_a_redis_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.cluster.leading.LAST_GROUP_WITHIN_S", 0.1)
    monkeypatch.setattr("exchange.cluster.core.GOODBYE_WITHIN_S", 0.1)
    with redis_of_its_own() as server:
        async with core(server.connection, new_names(), tmp_path / "a") as a:
            await until(lambda: a.role == "leader")
            server.kill()
        assert a.role == "stopped"


async def test_a_core_needs_no_more_than_its_venues_keys(tmp_path: Path) -> None:
    names = new_names()
    with redis_of_its_own() as server:
        async with server.connection.client() as client:
            await client.acl_setuser(
                "core",
                enabled=True,
                passwords=["+pw"],
                keys=[f"papertape:{{{names.venue}}}:*"],
                commands=[
                    "+@read",
                    "+@write",
                    "+@scripting",
                    "+@connection",
                    "+config|get",
                    "+time",
                ],
            )
        allowed = Connection.parse(server.url, username="core", password="pw")
        async with core(allowed, names, tmp_path / "a") as a:
            await until(lambda: a.role == "leader")
            async with core(allowed, names, tmp_path / "b") as b:
                await asked(allowed, names, "g", 1, OpenAccount(label="x"))
                await until_opened(allowed, names, 1)
                await until(lambda: b.role == "standby")
                await a.stop()  # It stows a snapshot as well.
                await until(lambda: b.role == "leader")
            assert not b.failed
        async with server.connection.client() as client:
            assert await client.hlen(names.snapshots)
            denied: Any = await client.execute_command("ACL", "LOG")
        assert denied == []


async def test_a_core_that_joins_late_gets_the_history_that_the_log_no_longer_has(
    connection: Connection, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("core", "replica", "stock"):
        monkeypatch.setattr(f"exchange.cluster.{module}.TAIL_COMMANDS_MIN", 1)
    async with core(connection, names, tmp_path / "a") as a:
        await until(lambda: a.role == "leader")
        await asked(connection, names, "g", 1, OpenAccount(label="x"))
        await until_opened(connection, names, 1)
        assert a.replica is not None
        account_id = max(a.replica.engine.risk.accounts)
        for number in range(2, 7):
            gift = Deposit(account_id=account_id, wallet="spot", asset="USDT", amount_minor=number)
            await asked(connection, names, "g", number, gift)
            await until(partial(has_heard, a, number))
            assert a.leader is not None
            await until(lambda: seq_of(a) == reached_in(tmp_path / "a" / HISTORY))
            await a.leader.stock.snapshot()
        async with connection.client() as client:
            assert (await bounds_of(client, names))[0] > 1
        async with core(connection, names, tmp_path / "b") as b:
            await until(lambda: b.role == "standby")
            await until(lambda: seq_of(a) == reached_in(tmp_path / "b" / HISTORY))
            assert gifts(tmp_path / "b") == gifts(tmp_path / "a") == [2, 3, 4, 5, 6]
            assert digest_of(b) == digest_of(a)


def has_heard(running: Core, batch: int) -> bool:
    """Is this batch of the only gateway in the log?"""
    assert running.leader is not None
    return not running.leader.keeper.heard.is_new("g", batch)


def gifts(directory: Path) -> list[int]:
    """The deposits in a core's history."""
    with closing(sqlite3.connect(directory / HISTORY)) as history:
        rows = history.execute(
            "SELECT change_minor FROM ledger WHERE reason = 'deposit' ORDER BY time_ms, rowid"
        )
        return [int(change) for (change,) in rows if int(change) < 10]


async def test_a_standby_that_fell_behind_the_log_begins_anew(
    connection: Connection, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with core(connection, names, tmp_path / "a") as a:
        await until(lambda: a.role == "leader")
        follow, fallen = Replica.follow, 0

        async def fall_once(self: Replica) -> None:
            nonlocal fallen
            fallen += 1
            if fallen == 1:
                raise LogTrimmed("the log goes on further on")
            await follow(self)

        monkeypatch.setattr(Replica, "follow", fall_once)
        async with core(connection, names, tmp_path / "b") as b:
            await asked(connection, names, "g", 1, OpenAccount(label="x"))
            await until_opened(connection, names, 1)
            await until(lambda: fallen == 2 and b.role == "standby" and seq_of(b) == seq_of(a))
            assert digest_of(b) == digest_of(a)


async def test_a_history_that_is_further_than_the_log_ends_a_core(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    with closing(History.open(tmp_path / "a" / HISTORY)) as history:
        history.submit(1_000, [("trades", TradeRow("BTC-USDT", 1, 1, 1, 1, 1, 1, time_ms=1))])
    async with core(connection, names, tmp_path / "a") as a:
        await a.wait()
        assert a.failed
        assert a._work is not None
        with pytest.raises(CoreRefused, match="forgotten part"):
            a._work.result()


async def test_a_fault_beside_the_work_hands_the_lead_over_and_ends_the_core(
    connection: Connection, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = 0

    async def fail(digest: str | None = None) -> None:
        nonlocal faults
        faults += 1
        if faults == 1:
            raise AssertionError("a bug")

    async with core(connection, names, tmp_path / "a", lease_ms=600_000) as a:
        await until(lambda: a.role == "leader")
        async with core(connection, names, tmp_path / "b", lease_ms=600_000) as b:
            await until(lambda: b.role == "standby")
            monkeypatch.setattr(a, "_tell", fail)
            a._changed.set()
            await a.wait()
            assert a.failed
            await until(lambda: b.role == "leader")
            assert not b.failed
