"""Leading and losing the lead, with processes that are killed, and paused, and come back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exchange.cluster.connecting import Connection
from exchange.cluster.log import bounds_of
from exchange.cluster.names import Names
from exchange.cluster.status import Status, cores
from exchange.commands import OpenAccount
from tests.conftest import ROOT
from tests.exchange.cluster.cores import asked, core, digest_of, opened, seq_of, until
from tests.exchange.cluster.redis_rig import DurableRedis

WITHIN_S = 90
CONFIG = """
seed = 3
[market]
symbols = ["BTC-USDT", "BTC-USDT-PERP"]
history = false
"""


class Process:
    """A core in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self) -> None:
        """As Ctrl-C does."""
        with contextlib.suppress(ProcessLookupError):
            self.send(signal.SIGCONT)
            self.send(signal.SIGINT)
        await asyncio.wait_for(self.process.wait(), WITHIN_S)

    def said_by(self, status: Status) -> bool:
        return status.core.split(":")[1] == str(self.process.pid)


@asynccontextmanager
async def process(url: str, names: Names, config: Path, data: str) -> AsyncIterator[Process]:
    command = [sys.executable, "-m", "exchange", "core", "--redis", url, "--venue", names.venue]
    command += ["--data", str(config.parent / data), "--config", str(config), "--json"]
    started = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield Process(started)
    finally:
        with contextlib.suppress(ProcessLookupError):
            started.kill()
        await started.wait()


async def status_of(connection: Connection, names: Names, one: Process) -> Status | None:
    async with connection.client() as client:
        said = await cores(client, names)
    return next((status for status in said if one.said_by(status)), None)


async def has_role(connection: Connection, names: Names, one: Process, role: str) -> Status:
    async with asyncio.timeout(WITHIN_S):
        while True:
            status = await status_of(connection, names, one)
            if status is not None and status.role == role:
                return status
            assert one.process.returncode is None or role == "stopped", "a core has ended"
            await asyncio.sleep(0.02)


class Customer:
    """Asks for accounts all the time, a batch of two at a time; `asked` are their names."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self.asked: list[str] = []
        self.is_done = False  # It ends behind the batch under way.
        self._connection = connection
        self._names = names

    async def run(self) -> None:
        number = 0
        while not self.is_done:
            number += 1
            labels = [f"{number}a", f"{number}b"]
            batch = [OpenAccount(label=label) for label in labels]
            await asked(self._connection, self._names, "g", number, *batch)
            self.asked += labels
            await asyncio.sleep(0.005)

    async def is_obeyed(self) -> None:
        """Wait until all that was asked for is in the log, and see that it is there once."""
        async with asyncio.timeout(WITHIN_S):
            while len(found := await self._obeyed()) < len(self.asked):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert found == self.asked

    async def _obeyed(self) -> list[str]:
        """What is in the log, but for the house's own accounts."""
        labels = await opened(self._connection, self._names)
        return [label for label in labels if label[0].isdigit()]


@asynccontextmanager
async def custom(connection: Connection, names: Names) -> AsyncIterator[Customer]:
    customer = Customer(connection, names)
    task = asyncio.create_task(customer.run())
    try:
        yield customer
    finally:
        customer.is_done = True
        await task


async def replica_digest(connection: Connection, names: Names, directory: Path, seq: int) -> str:
    """What the log comes to behind `seq`, where it ends."""
    async with core(connection, names, directory) as running:
        await until(lambda: running.role == "leader")
        assert seq_of(running) == seq
        return digest_of(running)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "papertape.toml"
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_another_leads_and_nothing_is_lost_or_done_twice(
    durable_redis: DurableRedis, names: Names, config: Path, how: str
) -> None:
    connection, url = durable_redis.connection, durable_redis.url
    async with process(url, names, config, "a") as a:
        await has_role(connection, names, a, "leader")
        async with process(url, names, config, "b") as b:
            await has_role(connection, names, b, "standby")
            async with custom(connection, names) as customer:
                await until(lambda: len(customer.asked) > 100)
                a.send(signal.SIGKILL if how == "killed" else signal.SIGSTOP)
                leading = await has_role(connection, names, b, "leader")
                count = len(customer.asked)
                await until(lambda: len(customer.asked) > count + 100)
                if how == "paused":
                    a.send(signal.SIGCONT)
                    await has_role(connection, names, a, "standby")
            await customer.is_obeyed()
            if how == "paused":
                await a.end()
            await b.end()
            ended = await has_role(connection, names, b, "stopped")
            assert ended.epoch == leading.epoch
    async with connection.client() as client:
        assert (await bounds_of(client, names))[1] == ended.seq
    assert await replica_digest(connection, names, config.parent / "c", ended.seq) == ended.digest
