"""The Redis of a cluster: how to reach it, whether it would forget, patience while it is away.

Its clients fail at the first trouble: when to try again is decided by `patiently`, which waits for
as long as it takes, says so once, and says once that all is well again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import redis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.retry import Retry as SyncRetry

PROTOCOL: Final = 2
ANSWER_WITHIN_S: Final = 10.0
BACKOFF_MIN_S: Final = 0.05
BACKOFF_MAX_S: Final = 1.0
SCHEMES: Final = ("redis", "rediss", "unix")

AWAY: Final = (RedisError, OSError)
"""What Redis raises while it cannot do what is asked of it: it may be able to later."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class BadAddress(ValueError):
    """The address of a Redis, or what belongs to it, cannot be used; the text says why."""


class RedisRefused(Exception):
    """Redis is there and does not let us in; the text says why."""


@dataclass(frozen=True)
class Connection:
    """How to reach the Redis of a cluster. Make it with `Connection.parse`."""

    url: str
    options: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        ca: Path | str | None = None,
        cert: Path | str | None = None,
        key: Path | str | None = None,
    ) -> Connection:
        """From redis://HOST, rediss://HOST (TLS) or unix://PATH, and an ACL user's name.

        `ca` checks the server's certificate, `cert` and `key` are ours; all three are files.
        BadAddress where it cannot be.
        """
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise BadAddress(f"a Redis is named by one of {'://, '.join(SCHEMES)}://, not {url!r}")
        files = {"ssl_ca_certs": ca, "ssl_certfile": cert, "ssl_keyfile": key}
        given = {name: str(path) for name, path in files.items() if path is not None}
        if given and parts.scheme != "rediss":
            raise BadAddress("certificates are of use only with rediss://")
        for path in given.values():
            if not Path(path).is_file():
                raise BadAddress(f"there is no file {path}")
        options: dict[str, Any] = dict(given)
        if username is not None:
            options["username"] = username
        if password is not None:
            options["password"] = password
        connection = cls(url, options)
        try:
            connection.sync_client().close()
        except (ValueError, TypeError, RedisError) as error:
            raise BadAddress(f"{connection.shown}: {error}") from error
        return connection

    @property
    def shown(self) -> str:
        """The address without secrets."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def client(self) -> Redis:
        """A client for the event loop; its connections are made when they are needed."""
        return Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), **self._settings())

    def sync_client(self) -> redis.Redis:
        """A client for threads."""
        return redis.Redis.from_url(self.url, retry=SyncRetry(NoBackoff(), 0), **self._settings())

    def _settings(self) -> dict[str, Any]:
        return {
            "protocol": PROTOCOL,
            "socket_connect_timeout": ANSWER_WITHIN_S,
            "socket_timeout": ANSWER_WITHIN_S,
            **self.options,
        }

    async def entered(self) -> None:
        """Return once Redis lets us in, however long it is away; RedisRefused where it does not."""
        client = self.sync_client()  # The other takes a refusal for a connection that broke.

        async def ping() -> None:
            try:
                await asyncio.to_thread(client.ping)
            except (AuthenticationError, NoPermissionError) as error:
                raise RedisRefused(f"{self.shown} refuses: {error}") from error

        try:
            await patiently(ping, f"reaching {self.shown}")
        finally:
            client.close()

    async def durability(self) -> str | None:
        """Why this Redis would forget what it has taken; None where it would not."""
        client = self.client()

        async def ask() -> str | None:
            try:
                kept: dict[str, str] = {}
                for name in ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy"):
                    found: dict[Any, Any] = await client.config_get(name)
                    kept |= {_text(key): _text(value) for key, value in found.items()}
            except (NoPermissionError, AuthenticationError) as error:
                return f"its settings could not be asked for: {error}"
            if kept.get("appendonly") != "yes":
                return "it runs without appendonly yes, and forgets all when it stops"
            if kept.get("appendfsync") != "always":
                how = kept.get("appendfsync")
                return (
                    f"it runs with appendfsync {how}, not always, and may forget the last moments"
                )
            policy = kept.get("maxmemory-policy", "")
            if policy.startswith("allkeys") and kept.get("maxmemory") != "0":
                return f"its maxmemory-policy is {policy}: it forgets what it has no room for"
            return None

        try:
            return await patiently(ask, f"asking {self.shown} for its settings")
        finally:
            await client.aclose()


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


class Patience:
    """How long to wait before the next try, longer each time, and what to say of it: little."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._pause_s = 0.0

    def failed(self, error: Exception) -> float:
        """A try failed: answers how many seconds to wait for the next."""
        if not self._pause_s:
            log.warning("%s waits for Redis: %s", self._what, error or type(error).__name__)
        self._pause_s = min(2 * self._pause_s, BACKOFF_MAX_S) or BACKOFF_MIN_S
        return self._pause_s

    def done(self) -> None:
        """A try went well."""
        if self._pause_s:
            log.info("%s goes on", self._what)
        self._pause_s = 0.0


async def patiently(call: Callable[[], Awaitable[T]], what: str) -> T:
    """What `call` answers, once Redis is there to let it: `call` must bear being repeated."""
    patience = Patience(what)
    while True:
        try:
            answer = await cancellable(call())
        except AWAY as error:
            await asyncio.sleep(patience.failed(error))
        else:
            patience.done()
            return answer


async def cancellable(asked: Awaitable[T]) -> T:
    """What Redis answers, or CancelledError where this task was cancelled meanwhile.

    The client sends with asyncio.wait_for, which before Python 3.12 may lose a cancellation.
    """
    this = asyncio.current_task()
    assert this is not None
    before = this.cancelling()
    try:
        return await asked
    finally:
        if this.cancelling() > before:
            raise asyncio.CancelledError
