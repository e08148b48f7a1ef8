"""The log on a real Redis: chained, fenced, each group once, whatever becomes of the answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exchange.cluster.connecting import Connection
from exchange.cluster.lease import Deposed
from exchange.cluster.log import (
    BadEntry,
    Batch,
    Heard,
    LogKeeper,
    LogLost,
    Origin,
    bounds_of,
    entries_behind,
    entry_of,
    genesis_keeper,
    last_entry,
)
from exchange.cluster.names import Names
from exchange.storage.frames import GENESIS, encoded, hashed
from tests.exchange.cluster.leases import leased
from tests.exchange.cluster.redis_rig import redis_of_its_own


async def keeper_of(connection: Connection, names: Names, holder: str = "a") -> LogKeeper:
    return genesis_keeper(connection, await leased(connection, names, holder))


async def kept(keeper: LogKeeper, first_seq: int, count: int, payload: bytes = b"x") -> None:
    await asyncio.to_thread(keeper.append_and_sync, first_seq, count, payload)


async def test_groups_come_back_in_order_with_their_chain(
    connection: Connection, names: Names
) -> None:
    keeper = await keeper_of(connection, names)
    await kept(keeper, 1, 1, b"one")
    await kept(keeper, 2, 3, b"three")
    async with connection.client() as client:
        one, three = await entries_behind(client, names, 0)
        assert (one.first_seq, one.last_seq, one.frame.payload) == (1, 1, b"one")
        assert (three.first_seq, three.last_seq, three.frame.payload) == (2, 4, b"three")
        assert one.frame.previous == GENESIS
        assert three.frame.previous == one.frame.chain
        assert three.frame.chain == keeper.chain
        assert [each.last_seq for each in await entries_behind(client, names, 1)] == [4]
        assert await bounds_of(client, names) == (1, 4)
        newest = await last_entry(client, names)
        assert newest is not None
        assert newest.last_seq == 4
        assert newest.epoch == 1


async def test_batches_stand_in_the_entry_with_their_place_and_the_position(
    connection: Connection, names: Names
) -> None:
    keeper = await keeper_of(connection, names)
    one, two = Batch("g1", 5, "7-0"), Batch("g2", 9, "8-0")
    keeper.on_taken(2, [None, one, one, two])
    await kept(keeper, 1, 6)
    keeper.on_taken(1, [])
    await kept(keeper, 7, 1)
    async with connection.client() as client:
        first, second = await entries_behind(client, names, 0)
    assert first.origins == [Origin(3, "g1", 5, 2), Origin(5, "g2", 9, 1)]
    assert first.at == "8-0"
    assert (second.origins, second.at) == ([], "8-0")
    assert one.is_taken
    assert two.is_taken
    assert not keeper.heard.is_new("g2", 9)
    assert keeper.heard.is_new("g2", 10)


async def test_a_position_that_is_passed_over_stands_in_the_next_entry(
    connection: Connection, names: Names
) -> None:
    keeper = await keeper_of(connection, names)
    keeper.pass_over("9-1")
    assert keeper.at == "0-0"
    await kept(keeper, 1, 1)
    assert keeper.at == "9-1"
    async with connection.client() as client:
        (entry,) = await entries_behind(client, names, 0)
    assert entry.at == "9-1"


async def test_a_deposed_leader_appends_nothing(connection: Connection, names: Names) -> None:
    old = await keeper_of(connection, names, "old")
    await kept(old, 1, 1)
    await leased(connection, names, "new")
    with pytest.raises(Deposed):
        await kept(old, 2, 1)
    async with connection.client() as client:
        assert await bounds_of(client, names) == (1, 1)
        assert await client.get(names.leader) == b"new"


async def test_an_append_whose_answer_was_lost_is_not_made_twice(
    connection: Connection, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = await keeper_of(connection, names)
    await kept(keeper, 1, 1)
    script, lost = keeper._script, 0

    def losing(*arguments: Any) -> Any:
        nonlocal lost
        answer = script(*arguments)
        if lost < 2:
            lost += 1
            raise ConnectionError("the answer was lost")
        return answer

    monkeypatch.setattr(keeper, "_script", losing)
    await kept(keeper, 2, 2, b"two")
    await kept(keeper, 4, 1, b"next")
    async with connection.client() as client:
        entries = await entries_behind(client, names, 0)
    assert [each.frame.payload for each in entries] == [b"x", b"two", b"next"]
    assert entries[2].frame.previous == entries[1].frame.chain


async def test_a_log_that_ends_elsewhere_is_not_written(
    connection: Connection, names: Names
) -> None:
    keeper = await keeper_of(connection, names)
    with pytest.raises(LogLost):
        await kept(keeper, 2, 1)  # Nothing is before it.
    await kept(keeper, 1, 1)
    with pytest.raises(LogLost):
        await kept(keeper, 1, 1, b"another")
    async with connection.client() as client:
        assert await bounds_of(client, names) == (1, 1)


async def test_every_append_renews_the_lease(connection: Connection, names: Names) -> None:
    keeper = await keeper_of(connection, names)
    async with connection.client() as client:
        await client.pexpire(names.leader, 60_000)
        await kept(keeper, 1, 1)
        assert await client.pttl(names.leader) > 60_000


async def test_while_redis_is_away_a_group_waits_and_then_is_kept(names: Names) -> None:
    with redis_of_its_own() as server:
        keeper = await keeper_of(server.connection, names)
        await kept(keeper, 1, 1)
        server.kill()
        waiting = asyncio.create_task(kept(keeper, 2, 1))
        async with asyncio.timeout(30):
            while not keeper._patience._pause_s:  # noqa: ASYNC110 - A thread tells nobody.
                await asyncio.sleep(0.001)
        assert not waiting.done()
        await asyncio.to_thread(server.start)
        await waiting
        async with server.connection.client() as client:
            assert await bounds_of(client, names) == (1, 2)


async def test_a_closed_keeper_lets_go_of_who_waits(names: Names) -> None:
    with redis_of_its_own() as server:
        keeper = await keeper_of(server.connection, names)
        server.kill()
        waiting = asyncio.create_task(kept(keeper, 1, 1))
        keeper.close()
        with pytest.raises(Deposed):
            await waiting


def test_an_entry_that_is_damaged_is_told() -> None:
    frame = encoded(5, 2, b"payload", GENESIS)
    fields = {b"frame": frame, b"at": b"3-0", b"from": b"\x90", b"epoch": b"4"}
    entry = entry_of(b"6-0", fields)
    assert (entry.first_seq, entry.count, entry.at, entry.epoch) == (5, 2, "3-0", 4)
    assert entry.frame.chain == hashed(frame)
    flipped = frame[:-1] + bytes([frame[-1] ^ 1])
    for key, changes in [
        (b"7-0", {}),  # Another frame than its id says.
        (b"6-0", {b"frame": flipped}),
        (b"6-0", {b"frame": b""}),
        (b"6-0", {b"from": b"\xc1"}),
        (b"6-0", {b"epoch": b"x"}),
    ]:
        with pytest.raises(BadEntry):
            entry_of(key, {**fields, **changes})
    del fields[b"at"]
    with pytest.raises(BadEntry):
        entry_of(b"6-0", fields)


def test_gateways_that_were_silent_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.cluster.log.GATEWAYS_HEARD_MAX", 2)
    heard = Heard()
    for gateway, batch in [("a", 1), ("b", 1), ("a", 2), ("c", 1)]:
        heard.note(gateway, batch)
    assert heard.state() == [("a", 2), ("c", 1)]
    assert Heard(heard.state()).is_new("b", 1)
