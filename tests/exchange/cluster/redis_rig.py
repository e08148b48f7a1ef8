"""A Redis that keeps what it takes, as a cluster wants it; a test may end it and start it again."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from exchange.cluster.connecting import Connection
from exchange.cluster.names import Names
from tests.conftest import needed_redis

READY_WITHIN_S = 30
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


class DurableRedis:
    """A Redis with a folder and a socket of its own."""

    def __init__(self, *settings: str) -> None:
        self._binary = needed_redis()
        # Not under pytest's folder: the path of a socket has little more than 100 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="papertape-redis-"))
        self.url = f"unix://{self.folder}/redis.sock"
        self.settings = settings or DURABLE
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def connection(self) -> Connection:
        return Connection.parse(self.url)

    def start(self) -> None:
        where = ["--port", "0", "--unixsocket", str(self.folder / "redis.sock")]
        self._process = subprocess.Popen(
            [self._binary, *where, "--dir", str(self.folder), "--save", "", *self.settings],
            stdout=subprocess.DEVNULL,
        )
        deadline_s = time.monotonic() + READY_WITHIN_S
        with self.connection.sync_client() as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    assert time.monotonic() < deadline_s, "the Redis server did not start"
                    time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def redis_of_its_own(*settings: str) -> Iterator[DurableRedis]:
    """A started Redis, durable unless `settings` say otherwise."""
    server = DurableRedis(*settings)
    try:
        server.start()
        yield server
    finally:
        server.close()


def new_names() -> Names:
    """A venue that nobody else has."""
    return Names(f"test-{secrets.token_hex(4)}")
