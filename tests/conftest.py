"""Fixtures that every test may ask for, and how Hypothesis behaves in them."""

import logging
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import exchange
from exchange.cluster.local import redis_binary

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 30
NOTHING_KEPT = ["--save", "", "--appendonly", "no"]
HOW_TO_GET_REDIS = (
    "no Redis server found. Install one: apt install redis-server, or brew install redis; "
    "or name a running one in PAPERTAPE_REDIS_URL; or leave these tests out: "
    "scripts/test --without redis"
)

# The same stories on every machine, so that a red run elsewhere is red here too; and long ones,
# different each time, for whoever asks: pytest --hypothesis-profile long.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile(
    "long",
    max_examples=2_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("ci")

# Imported before any test imports the core: PAPERTAPE_BUILD chooses which build is tested.
assert exchange.__version__


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """A program that a test runs in this process sends the whole log to an stderr of its own."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def without(what: str) -> bool:
    """Did whoever runs the tests ask to leave out those that need this (redis, browser)?"""
    return what in os.environ.get("PAPERTAPE_WITHOUT", "").split(",")


def needed_redis() -> str:
    """The path of a Redis server; skips where Redis is left out, and fails where there is none."""
    if without("redis"):
        pytest.skip("left out by request: PAPERTAPE_WITHOUT names redis")
    return redis_binary() or pytest.fail(HOW_TO_GET_REDIS)


class RedisServer:
    """A Redis of our own, on a Unix socket in a folder of its own: no port to clash over."""

    def __init__(self, binary: str) -> None:
        # Not under pytest's folder: the path of a socket has little more than 100 bytes.
        self._folder = tempfile.mkdtemp(prefix="papertape-redis-")
        self._socket = str(Path(self._folder, "redis.sock"))
        self.url = f"unix://{self._socket}"
        self._process = subprocess.Popen(
            [
                binary,
                "--port",
                "0",
                "--unixsocket",
                self._socket,
                "--dir",
                self._folder,
                *NOTHING_KEPT,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._ready = threading.Event()
        self._said: list[str] = []
        # Read to the end, or the server would block one day on a full pipe.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        """Return when it takes connections; fail with what it said if it does not."""
        if not self._ready.wait(READY_WITHIN_S) or self._process.poll() is not None:
            said = "".join(self._said)
            self.stop()
            pytest.fail(f"the Redis server did not start; it said:\n{said}")

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._said.append(line)
                if "ready to accept connections" in line.lower():  # Each version writes it its way.
                    self._ready.set()
        self._ready.set()  # It ended; whoever waits need not wait longer.


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a real Redis that starts empty; PAPERTAPE_REDIS_URL names another instead."""
    given = os.environ.get("PAPERTAPE_REDIS_URL")
    if given and not without("redis"):
        yield given
        return
    server = RedisServer(needed_redis())
    server.wait_until_ready()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The design pages and their test vectors, where they lie beside the project."""
    folder = ROOT.parent / "shared"
    if not folder.joinpath("vectors.json").is_file():
        pytest.skip("the design pages and their vectors (../shared) are not beside this checkout")
    return folder
