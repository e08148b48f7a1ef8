"""Keys that all gateways of a venue share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from exchange.cluster.connecting import Connection
from exchange.cluster.names import Names
from exchange.cluster.shared_keys import SharedKeys
from exchange.storage.keys import KEYS_PER_ACCOUNT_MAX, KeyRefused
from tests.exchange.sequencing import until


@contextlib.asynccontextmanager
async def two_gateways(
    connection: Connection, names: Names
) -> AsyncIterator[tuple[SharedKeys, SharedKeys]]:
    """The keys as two gateways know them."""
    clock = iter(range(1_000, 1_000_000))
    both = [await SharedKeys.begin(connection, names, now_ms=lambda: next(clock)) for _ in range(2)]
    following = [asyncio.create_task(each.follow()) for each in both]
    try:
        yield both[0], both[1]
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        for each in both:
            each.close()


async def test_a_key_made_at_one_gateway_is_known_at_the_other(
    connection: Connection, names: Names
) -> None:
    async with two_gateways(connection, names) as (here, there):
        made = await asyncio.to_thread(here.create, 100, permissions={"read"}, label="bot")
        assert here.get(made.key) == made
        await until(lambda: there.get(made.key) is not None)
        assert there.get(made.key) == made
        assert there.list(100) == [made]
        assert there.list(101) == []


async def test_a_revoked_key_ends_everywhere_and_once(connection: Connection, names: Names) -> None:
    async with two_gateways(connection, names) as (here, there):
        made = await asyncio.to_thread(here.create, 100)
        await until(lambda: there.get(made.key) is not None)
        assert await asyncio.to_thread(there.revoke, made.key) is True
        await until(lambda: here.get(made.key) is None)
        assert await asyncio.to_thread(here.revoke, made.key) is False
        assert await asyncio.to_thread(here.revoke, "no such key") is False
        assert [each.revoked for each in here.list(100)] == [True]


async def test_who_read_a_key_before_it_was_revoked_cannot_bring_it_back(
    connection: Connection, names: Names
) -> None:
    async with two_gateways(connection, names) as (here, there):
        made = await asyncio.to_thread(here.create, 100)
        with connection.sync_client() as client:
            read = client.hget(names.keys, made.key)
            assert isinstance(read, bytes)
            assert await asyncio.to_thread(there.revoke, made.key) is True
            revoked = client.hget(names.keys, made.key)
            assert await asyncio.to_thread(here._changed, read, made) is False
            assert client.hget(names.keys, made.key) == revoked
        await until(lambda: here.get(made.key) is None)


async def test_a_gateway_that_starts_later_knows_all_of_them(
    connection: Connection, names: Names
) -> None:
    async with two_gateways(connection, names) as (here, _):
        made = [await asyncio.to_thread(here.create, 100 + n) for n in range(5)]
        await asyncio.to_thread(here.revoke, made[0].key)
        late = await SharedKeys.begin(connection, names)
        assert late.get(made[0].key) is None
        assert [late.get(each.key) for each in made[1:]] == made[1:]
        late.close()


async def test_an_account_has_so_many_keys_and_no_more(
    connection: Connection, names: Names
) -> None:
    async with two_gateways(connection, names) as (here, _):
        for _ in range(KEYS_PER_ACCOUNT_MAX):
            await asyncio.to_thread(here.create, 100)
        with pytest.raises(KeyRefused, match="revoke one first"):
            await asyncio.to_thread(here.create, 100)
        await asyncio.to_thread(here.revoke, here.list(100)[0].key)
        assert (await asyncio.to_thread(here.create, 100)).account_id == 100


async def test_the_admin_key_and_the_demo_key_are_the_same_for_all(
    connection: Connection, names: Names
) -> None:
    async with two_gateways(connection, names) as (here, there):
        admin = await asyncio.gather(
            asyncio.to_thread(here.admin_key), asyncio.to_thread(there.admin_key)
        )
        assert len(set(admin)) == 1
        assert len(admin[0]) == 64
        assert here.demo_key() is None
        made = await asyncio.to_thread(here.create, 100)
        await asyncio.to_thread(here.store_demo_key, made)
        await until(lambda: there.get(made.key) is not None)
        assert await asyncio.to_thread(there.demo_key) == made
