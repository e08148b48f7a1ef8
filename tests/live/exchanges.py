"""The exchange as its users run it: a process of its own, spoken to over its ports."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from exchange.gateway import auth

READY_WITHIN_S = 60
ENDS_WITHIN_S = 60
ADMIN_KEY = "the-admin-key-of-the-tests"

# Few instruments, fixed prices and nobody on the books; nobody is slowed down.
CONFIG = """
[market]
prices = "fixed"
agents = false
symbols = ["BTC-USDT", "BTC-USDT-PERP"]

[limits]
weight_per_minute = 0
orders_per_10_seconds = 0
orders_per_day = 0
messages_per_second = 0
"""


def papertape(*arguments: str | Path) -> list[str]:
    """The command line that runs the program."""
    return [sys.executable, "-m", "exchange", *map(str, arguments)]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        papertape(*arguments), capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False
    )


class Exchange:
    """A running `papertape serve`; `opened` is what it printed once its doors were open."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log
        self.opened: dict[str, Any] = {}

    def wait_until_open(self) -> None:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], READY_WITHIN_S)
        line = self.process.stdout.readline() if ready else ""
        assert line, f"it is not open; it said:\n{self.log}"
        self.opened = json.loads(line)

    def wait_until_said(self, text: str) -> None:
        """Return when the log holds a text."""
        deadline_s = time.monotonic() + READY_WITHIN_S
        while text not in self.log:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline_s, self.log
            time.sleep(0.01)

    @property
    def url(self) -> str:
        return str(self.opened["url"])

    @property
    def fast_url(self) -> str:
        return str(self.opened["fast_url"])

    @property
    def log(self) -> str:
        """What it said on stderr."""
        return self._log.read_text("utf-8")

    def kill(self) -> None:
        """As the power failing, as far as a process can tell."""
        self.process.kill()
        self.process.wait(ENDS_WITHIN_S)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and answer its exit code."""
        self.process.send_signal(number)
        return self.process.wait(ENDS_WITHIN_S)


@contextmanager
def serving(folder: Path, *flags: str | Path, **more: Any) -> Iterator[Exchange]:
    """`papertape serve` on free ports, with its data below `folder`, or where the flags say."""
    with beginning(folder, *flags, **more) as exchange:
        exchange.wait_until_open()
        yield exchange


@contextmanager
def beginning(
    folder: Path, *flags: str | Path, config: str = CONFIG, data: str | None = "data"
) -> Iterator[Exchange]:
    """The same, whose doors are not open yet."""
    toml = folder / "papertape.toml"
    toml.write_text(config, "utf-8")
    log = folder / f"{data}.log"
    where: list[str | Path] = [] if data is None else ["--data", folder / data]
    command = papertape(
        *("serve", "--json", "--port", "0", "--fast-port", "0", "--config", toml),
        *where,
        *flags,
    )
    environment = {**os.environ, "PAPERTAPE_ADMIN_KEY": ADMIN_KEY}
    with log.open("a") as stderr:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
        )
    try:
        yield Exchange(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


class Refused(Exception):
    """The exchange said no."""


def accepted(status: int, said: Any) -> Any:
    """What was said, unless it is a refusal."""
    if status >= 400:
        raise Refused(said)
    return said


class Client:
    """One account's signed requests."""

    def __init__(self, http: aiohttp.ClientSession, url: str, opened: dict[str, Any]) -> None:
        self.http = http
        self.url = url
        self.account_id = int(opened["account_id"])
        self.opened = opened
        self._last_ms = 0

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, url: str) -> Client:
        """Open an account."""
        async with http.post(f"{url}/v1/accounts", json={}) as response:
            return cls(http, url, accepted(response.status, await response.json()))

    def at(self, url: str) -> Client:
        """The same account, at the address of another run."""
        return Client(self.http, url, self.opened)

    async def ask(self, method: str, target: str, fields: Any = None) -> Any:
        """The answer's JSON, or Refused."""
        body = b"" if fields is None else json.dumps(fields).encode()
        self._last_ms = max(self._last_ms + 1, time.time_ns() // 1_000_000)
        message = auth.payload(self._last_ms, method, target, body)
        headers = {
            auth.KEY_HEADER: self.opened["api_key"],
            auth.TIMESTAMP_HEADER: str(self._last_ms),
            auth.SIGNATURE_HEADER: auth.hmac_signature(self.opened["api_secret"], message),
        }
        url = URL(self.url + target, encoded=True)
        async with self.http.request(method, url, data=body or None, headers=headers) as response:
            return accepted(response.status, await response.json())

    async def order(self, price: str, *, symbol: str = "BTC-USDT", **more: Any) -> Any:
        """Place a limit order to buy a little, unless told otherwise; answers the order."""
        fields = {
            "symbol": symbol,
            "side": "buy",
            "type": "limit",
            "qty": "0.001",
            "price": price,
            **more,
        }
        said = await self.ask("POST", "/v1/orders", fields)
        return said["order"]


async def administer(
    http: aiohttp.ClientSession, url: str, method: str, target: str, fields: Any
) -> Any:
    """What only an administrator may ask."""
    headers = {auth.ADMIN_HEADER: ADMIN_KEY}
    async with http.request(method, url + target, json=fields, headers=headers) as response:
        return accepted(response.status, await response.json())


def in_data(folder: Path, names: Sequence[str] = ("journal",)) -> dict[str, bytes]:
    """The bytes of the files below these folders of a data directory, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in names
        for path in sorted((folder / name).iterdir())
    }
