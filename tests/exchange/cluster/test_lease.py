"""The lease on a real Redis: one holder at a time, each with an epoch of its own."""

from __future__ import annotations

import asyncio

import pytest

from exchange.cluster.connecting import Connection
from exchange.cluster.lease import Deposed, Lease
from exchange.cluster.names import Names


async def test_nobody_gets_a_lease_that_is_held(connection: Connection, names: Names) -> None:
    async with connection.client() as client:
        lease = await Lease.take(client, names, "a")
        assert lease is not None
        assert lease.epoch == 1
        assert await Lease.take(client, names, "b") is None
        assert await client.get(names.leader) == b"a"


async def test_a_lease_given_back_is_free_at_once_with_the_next_epoch(
    connection: Connection, names: Names
) -> None:
    async with connection.client() as client:
        lease = await Lease.take(client, names, "a")
        assert lease is not None
        await lease.release(client)
        next_lease = await Lease.take(client, names, "b")
        assert next_lease is not None
        assert next_lease.epoch == 2


async def test_a_lease_that_is_not_renewed_expires(connection: Connection, names: Names) -> None:
    async with connection.client() as client:
        await Lease.take(client, names, "a", ttl_ms=1)
        async with asyncio.timeout(30):
            while await Lease.take(client, names, "b") is None:  # noqa: ASYNC110 - Redis's time.
                await asyncio.sleep(0.001)
        assert await client.get(names.leader) == b"b"


async def test_a_renewal_begins_the_time_anew(connection: Connection, names: Names) -> None:
    async with connection.client() as client:
        lease = await Lease.take(client, names, "a", ttl_ms=60_000)
        assert lease is not None
        await client.pexpire(names.leader, 30_000)
        await lease.renew(client)
        assert await client.pttl(names.leader) > 30_000
        await client.delete(names.leader)  # It expired, and nobody else has come.
        await lease.renew(client)
        assert await client.get(names.leader) == b"a"


async def test_who_was_deposed_neither_renews_nor_releases(
    connection: Connection, names: Names
) -> None:
    async with connection.client() as client:
        old = await Lease.take(client, names, "a")
        assert old is not None
        await client.delete(names.leader)
        new = await Lease.take(client, names, "b")
        assert new is not None
        for deed in (old.renew, old.release):
            with pytest.raises(Deposed):
                await deed(client)
        assert await client.get(names.leader) == b"b"
        # Where Redis has forgotten the epoch nobody leads.
        await client.delete(names.epoch)
        with pytest.raises(Deposed):
            await new.renew(client)
