"""Cores for tests, in this process, and what may be waited for of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from exchange.cluster.connecting import Connection
from exchange.cluster.core import Core, Place
from exchange.cluster.log import LogEntry, entries_behind
from exchange.cluster.names import Names
from exchange.commands import AnyCommand, OpenAccount
from exchange.config import Config, Market
from exchange.groups import commands_in, encode_group

WITHIN_S = 60
STILL = Config(
    speed=0,
    market=Market(
        prices="fixed", agents=False, symbols=("BTC-USDT", "BTC-USDT-PERP"), history=False
    ),
)


@asynccontextmanager
async def core(
    connection: Connection, names: Names, directory: Path, config: Config = STILL, **more: Any
) -> AsyncIterator[Core]:
    """A core that is ended with the test."""
    running = await Core.start(Place(connection, names, directory, **more), config)
    try:
        yield running
    finally:
        await running.stop()


async def until(true: Callable[[], object]) -> None:
    """Wait for something that tells nobody."""
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110 - See above.
            await asyncio.sleep(0.005)


async def asked(
    connection: Connection, names: Names, gateway: str, number: int, *commands: AnyCommand
) -> str:
    """Ask for a batch as a gateway does; answers its place in the stream."""
    fields: dict[Any, Any] = {"g": gateway, "n": number, "data": encode_group(list(commands))}
    async with connection.client() as client:
        found: Any = await client.xadd(names.commands, fields)
    return str(found.decode())


async def entries(connection: Connection, names: Names) -> list[LogEntry]:
    """The whole log."""
    async with connection.client() as client:
        return await entries_behind(client, names, 0, count=100_000)


async def opened(connection: Connection, names: Names) -> list[str]:
    """The labels of accounts that were opened, as the log has them."""
    return [
        command.label
        for entry in await entries(connection, names)
        for command in commands_in(entry.frame)
        if isinstance(command, OpenAccount)
    ]


async def until_opened(connection: Connection, names: Names, count: int) -> None:
    """Wait until so many accounts are opened in the log."""
    async with asyncio.timeout(WITHIN_S):
        while len(await opened(connection, names)) < count:  # noqa: ASYNC110 - As above.
            await asyncio.sleep(0.005)


def seq_of(running: Core) -> int:
    """What a core has applied."""
    return 0 if running.replica is None else running.replica.seq


def digest_of(running: Core) -> str:
    """Of a core's state."""
    assert running.replica is not None
    return running.replica.engine.digest()
