"""Snapshots on a real Redis: whole or not there, the newest few, never by a deposed leader."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from exchange.cluster import depot as module
from exchange.cluster.connecting import Connection
from exchange.cluster.depot import BadStock, Depot, Stowed, fetched, kept
from exchange.cluster.lease import Deposed
from exchange.cluster.log import Batch, bounds_of
from exchange.cluster.names import Names
from exchange.commands import OpenAccount
from exchange.snapshot import packed
from tests.exchange.cluster.leases import leased
from tests.exchange.cluster.writing import Writer


@pytest.fixture
async def client(connection: Connection) -> AsyncIterator[Redis]:
    async with connection.client() as client:
        yield client


async def test_a_snapshot_comes_back_with_its_digest(
    connection: Connection, names: Names, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 1_000)  # So that it has many chunks.
    writer = await Writer.begin(connection, names)
    await writer.do(OpenAccount(label="x"), batch=Batch("g", 4, "9-0"))
    await writer.stow(client)
    (stowed,) = (await kept(client, names)).values()
    assert stowed.chunks > module.CHUNKS_PER_READ
    assert await client.llen(names.snapshot(2)) == stowed.chunks
    assert await client.ttl(names.snapshot(2)) == -1
    assert (stowed.seq, stowed.at, stowed.heard) == (2, "9-0", [("g", 4)])
    assert stowed.chain == writer.keeper.chain
    engine = await fetched(client, names, stowed)
    assert engine.digest() == writer.engine.digest()


async def test_the_newest_few_are_kept(connection: Connection, names: Names, client: Redis) -> None:
    writer = await Writer.begin(connection, names)
    told: dict[int, Stowed] = {}
    for _ in range(4):
        await writer.ticks(1)
        told = await writer.stow(client, keep=2)
    assert sorted(told) == [4, 5]
    assert list(await kept(client, names)) == [4, 5]
    assert not await client.exists(names.snapshot(2), names.snapshot(3))
    assert await client.exists(names.snapshot(4), names.snapshot(5)) == 2


async def test_what_is_not_whole_is_not_used(
    connection: Connection, names: Names, client: Redis
) -> None:
    writer = await Writer.begin(connection, names)
    told = await writer.stow(client)
    (chunk,) = await client.lrange(names.snapshot(1), 0, -1)
    assert isinstance(chunk, bytes)
    flipped = chunk[:-1] + bytes([chunk[-1] ^ 1])
    await client.lset(names.snapshot(1), 0, flipped)  # type: ignore[arg-type]
    with pytest.raises(BadStock, match="not whole"):
        await fetched(client, names, told[1])
    await client.delete(names.snapshot(1))
    with pytest.raises(BadStock, match="not whole"):
        await fetched(client, names, told[1])


async def test_half_a_snapshot_is_not_told_of_and_goes_by_itself(
    connection: Connection, names: Names, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await Writer.begin(connection, names)
    monkeypatch.setattr(module, "CHUNK_BYTES", 1_000)
    depot = Depot(client, writer.lease)
    stow, chunks = depot._stow, 0

    async def dying(*arguments: object) -> object:
        nonlocal chunks
        chunks += 1
        if chunks > 3:
            raise KeyboardInterrupt
        return await stow(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(depot, "_stow", dying)
    with pytest.raises(KeyboardInterrupt):
        await depot.stow(packed(writer.engine), chain=b"", at="0-0", heard=writer.keeper.heard)
    assert await kept(client, names) == {}
    assert await client.llen(names.snapshot(1)) == 3
    assert 0 < await client.ttl(names.snapshot(1)) <= module.UNTOLD_EXPIRES_S
    await writer.stow(client)  # The next one begins it anew.
    (stowed,) = (await kept(client, names)).values()
    assert (await fetched(client, names, stowed)).seq == 1


async def test_a_chunk_whose_answer_was_lost_is_there_once(
    connection: Connection, names: Names, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await Writer.begin(connection, names)
    monkeypatch.setattr(module, "CHUNK_BYTES", 1_000)
    depot = Depot(client, writer.lease)
    stow, lost = depot._stow, 0

    async def losing(*arguments: object) -> object:
        nonlocal lost
        answer = await stow(*arguments)  # type: ignore[arg-type]
        lost += 1
        if lost % 2:
            raise ConnectionError("the answer was lost")
        return answer

    monkeypatch.setattr(depot, "_stow", losing)
    told = await depot.stow(packed(writer.engine), chain=b"c", at="0-0", heard=writer.keeper.heard)
    assert (await fetched(client, names, told[1])).digest() == writer.engine.digest()


async def test_a_deposed_leader_neither_stows_nor_trims(
    connection: Connection, names: Names, client: Redis
) -> None:
    writer = await Writer.begin(connection, names)
    await writer.ticks(3)
    await leased(connection, names, "another")
    with pytest.raises(Deposed):
        await writer.stow(client)
    with pytest.raises(Deposed):
        await Depot(client, writer.lease).trim(4, "0-0")
    assert await kept(client, names) == {}
    assert not await client.exists(names.snapshot(4))
    assert await bounds_of(client, names) == (1, 4)


async def test_who_is_deposed_between_chunks_and_telling_tells_nothing(
    connection: Connection, names: Names, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await Writer.begin(connection, names)
    depot = Depot(client, writer.lease)
    tell = depot._tell

    async def late(*arguments: object) -> object:
        await leased(connection, names, "another")
        return await tell(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(depot, "_tell", late)
    with pytest.raises(Deposed):
        await depot.stow(packed(writer.engine), chain=b"", at="0-0", heard=writer.keeper.heard)
    assert await kept(client, names) == {}


async def test_streams_are_trimmed_up_to_an_entry(
    connection: Connection, names: Names, client: Redis
) -> None:
    writer = await Writer.begin(connection, names)
    await writer.ticks(5)
    ids: list[Any] = [await client.xadd(names.commands, {"n": n}) for n in range(3)]
    await Depot(client, writer.lease).trim(4, ids[1].decode())
    assert await bounds_of(client, names) == (4, 6)
    left: Any = await client.xrange(names.commands)
    assert [found for found, _ in left] == ids[1:]
