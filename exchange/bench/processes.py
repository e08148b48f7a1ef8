"""Servers of a benchmark, each in a process of its own: started, watched, ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from exchange.build import ROOT, VARIABLE, running

ENDS_WITHIN_S: Final = 20.0
ADMIN_KEY: Final = "of-the-benchmark"
# Nobody is held back, and nothing is there but what the benchmark brings.
CONFIG: Final = """\
[limits]
weight_per_minute = 0
orders_per_10_seconds = 0
orders_per_day = 0
messages_per_second = 0
connections_per_address = 0
accounts_per_minute = 0

[market]
prices = "fixed"
agents = false
history = false
"""


class Process:
    """A server: what it said when it was ready, and what it has used so far."""

    def __init__(self, words: Sequence[str]) -> None:
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, *words],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), VARIABLE: running()},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(words)} did not start")
        self.said: dict[str, Any] = json.loads(line)

    def cpu_s(self) -> float:
        """Processor time of all its threads, the system's for it included; 0 where none tells."""
        return cpu_s_of(self._process.pid)

    def peak_rss_mb(self) -> float:
        """The most memory it has held, in MiB; 0 where none tells."""
        return peak_rss_mb_of(self._process.pid)

    def end(self) -> None:
        """Ask it to stop, and see that it does."""
        self._process.terminate()
        try:
            self._process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def cpu_s_of(pid: int) -> float:
    """Processor time of a process's threads, the system's for it included; 0 where none tells."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii")
    except OSError:
        return 0.0
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def peak_rss_mb_of(pid: int) -> float:
    """The most memory a process has held, in MiB; 0 where none tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return 0.0
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def exchange_process(folder: str | None) -> Iterator[Process]:
    """A real exchange with its journal on the disk, in a directory of its own below `folder`."""
    with tempfile.TemporaryDirectory(prefix="papertape-bench-", dir=folder) as data:
        config = Path(data, "bench.toml")
        config.write_text(CONFIG, "utf-8")
        words = ["-m", "exchange", "serve", "--data", data, "--config", str(config), "--json"]
        ports = ["--port", "0", "--fast-port", "0", "--admin-key", ADMIN_KEY]
        process = Process([*words, *ports])
        try:
            yield process
        finally:
            process.end()


@contextmanager
def bare_process(library: str, *more: str) -> Iterator[Process]:
    """The bare server of `exchange.bench.echo`; its URL is in what it said."""
    process = Process(["-m", "exchange.bench.echo", library, *more])
    try:
        yield process
    finally:
        process.end()


class Took(NamedTuple):
    """What some messages took: in all, and of their server's processor."""

    messages: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0

    def and_(self, other: Took) -> Took:
        """Both together."""
        return Took(
            self.messages + other.messages,
            self.seconds + other.seconds,
            self.cpu_s + other.cpu_s,
        )

    @property
    def per_s(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_us(self) -> float:
        """Of the server's processor, a message."""
        return self.cpu_s / self.messages * 1e6


class Account(NamedTuple):
    """An account's key and secret."""

    key: str
    secret: str


def open_account(url: str) -> Account:
    """A new account at an exchange, with what the faucet gives."""
    request = urllib.request.Request(f"{url}/v1/accounts", data=b"{}", method="POST")
    with urllib.request.urlopen(request) as answer:
        said = json.load(answer)
    return Account(said["api_key"], said["api_secret"])


def metric(url: str, name: str) -> float:
    """One number of /metrics, all its labels together."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    told = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return sum(float(value) for head, _, value in told if head.partition("{")[0] == name)


def sync_p50_us(folder: str | None, count: int, size: int) -> float:
    """The median time of a write and its sync, of `size` bytes at the end of a file."""
    block = b"x" * size
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(count):
            started = time.perf_counter()
            file.write(block)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started)
    return sorted(times)[count // 2] * 1e6
