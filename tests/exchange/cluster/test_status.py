"""What cores say of themselves in Redis, and when it is forgotten."""

from __future__ import annotations

from msgspec.structs import replace

from exchange.cluster.connecting import Connection
from exchange.cluster.names import Names
from exchange.cluster.status import FORGETFUL, FORGOTTEN_AFTER_MS, Status, cores, told

NOW_MS = 1_700_000_000_000
ONE = Status("one", "leader", 3, 77, None, None, NOW_MS)


async def test_each_core_says_how_it_is_and_the_newest_comes_first(
    connection: Connection, names: Names
) -> None:
    async with connection.client() as client:
        await told(client, names, ONE)
        later = Status("two", "stopped", 2, 70, "ab", None, NOW_MS + 1)
        await told(client, names, later)
        assert await cores(client, names) == [later, ONE]
        again = replace(ONE, seq=80, wall_ms=NOW_MS + 2)
        await told(client, names, again)
        assert await cores(client, names) == [again, later]


async def test_that_redis_would_forget_is_told_to_all(connection: Connection, names: Names) -> None:
    async with connection.client() as client:
        await told(client, names, replace(ONE, forgetful="no appendonly"))
        assert await client.hget(names.meta, FORGETFUL) == b"no appendonly"
        await told(client, names, ONE)
        assert await client.hget(names.meta, FORGETFUL) is None


async def test_who_said_nothing_for_a_day_is_forgotten_and_what_is_strange_left_out(
    connection: Connection, names: Names
) -> None:
    async with connection.client() as client:
        await told(client, names, ONE)
        await client.hset(names.status, "strange", "{}")
        later = replace(ONE, core="two", wall_ms=NOW_MS + FORGOTTEN_AFTER_MS + 1)
        await told(client, names, later)
        assert await cores(client, names) == [later]
