"""Reaching a Redis: addresses, secrets, what it would forget, and patience while it is away."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisAway

from exchange.cluster.connecting import BadAddress, Connection, RedisRefused, patiently
from tests.exchange.cluster.redis_rig import DURABLE, redis_of_its_own


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "", "redis://h:port"])
def test_what_is_no_address_of_a_redis_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        Connection.parse(url)


def test_an_address_is_shown_without_its_secrets() -> None:
    connection = Connection.parse("redis://user:hunter2@example.org:6380/2", password="hunter3")
    assert connection.shown == "redis://example.org:6380/2"
    assert "hunter3" not in repr(connection)


def test_certificates_and_users_reach_both_clients(tmp_path: Path) -> None:
    ca, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    for file in (ca, cert, key):
        file.write_text("x")
    connection = Connection.parse(
        "rediss://example.org", username="core", password="s", ca=ca, cert=cert, key=key
    )
    for settings in (
        connection.client().connection_pool.connection_kwargs,
        connection.sync_client().connection_pool.connection_kwargs,
    ):
        assert settings["ssl_ca_certs"] == str(ca)
        assert settings["ssl_certfile"] == str(cert)
        assert settings["ssl_keyfile"] == str(key)
        assert (settings["username"], settings["password"]) == ("core", "s")


def test_certificates_want_tls_and_their_files(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    with pytest.raises(BadAddress, match="no file"):
        Connection.parse("rediss://example.org", ca=ca)
    ca.write_text("x")
    with pytest.raises(BadAddress, match="rediss"):
        Connection.parse("redis://example.org", ca=ca)


async def test_a_redis_that_keeps_everything_would_not_forget(connection: Connection) -> None:
    assert await connection.durability() is None


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (("--appendonly", "no"), "appendonly"),
        (("--appendonly", "yes", "--appendfsync", "everysec"), "everysec"),
        ((*DURABLE, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"), "allkeys-lru"),
    ],
)
async def test_a_redis_that_would_forget_says_why(settings: tuple[str, ...], says: str) -> None:
    with redis_of_its_own(*settings) as server:
        assert says in str(await server.connection.durability())


async def test_a_redis_that_may_not_be_asked_counts_as_forgetful() -> None:
    with redis_of_its_own() as server:
        client = server.connection.client()
        await client.acl_setuser(
            "core", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-config"]
        )
        await client.aclose()
        asked = Connection.parse(server.url, username="core", password="pw")
        assert "could not be asked" in str(await asked.durability())


async def test_a_redis_that_does_not_know_us_refuses() -> None:
    with redis_of_its_own() as server:
        stranger = Connection.parse(server.url, username="nobody", password="guess")
        with pytest.raises(RedisRefused, match="refuses"):
            await stranger.entered()
        await server.connection.entered()


async def test_patience_asks_until_it_is_answered_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        if asked < 4:
            raise RedisAway("away")
        return asked

    assert await patiently(ask, "a test") == 4
    said = [record.getMessage() for record in caplog.records if "a test" in record.getMessage()]
    assert said == ["a test waits for Redis: away", "a test goes on"]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancellation_that_the_client_lost_still_ends_it(*, fails: bool) -> None:
    begun = asyncio.Event()

    async def swallow() -> int:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if fails:
                raise RedisAway("the connection broke") from None
            return 7  # As asyncio.wait_for does where both come at once.
        return 0

    task = asyncio.create_task(patiently(swallow, "a test"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
