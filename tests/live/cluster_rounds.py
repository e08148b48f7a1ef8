"""Rounds of misfortune for a cluster: two gateways, a leader, a standby, and bots on both gateways.

Each round kills the leader, pauses another for longer than its lease lasts, kills Redis, and kills
a gateway, while bots trade. Afterwards every acknowledged order is there once, none that was
refused, private events came without a gap, a replica made from the log says what the one that
followed it from the beginning says, and the log verifies with the snapshots of its leaders.

    python -m tests.live.cluster_rounds --rounds 20
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clients.api import Papertape
from exchange.cluster.asking import RemoteHistory
from exchange.cluster.connecting import Connection
from exchange.cluster.lease import TTL_MS
from exchange.cluster.local import LocalCluster, Plan
from exchange.cluster.names import Names
from exchange.cluster.replica import Replica
from exchange.cluster.verifying import verify_log
from exchange.process import ended
from tests.live.cluster_bots import Bot

BOTS = 4
ACKS_BETWEEN = 25  # So many acknowledgements of each bot before, between and after misfortunes.
PATIENCE_S = 90

CONFIG = """
[market]
symbols = ["BTC-USDT", "BTC-USDT-PERP"]

[storage]
snapshot_every_commands = 500

[limits]
weight_per_minute = 0
orders_per_10_seconds = 0
orders_per_day = 0
messages_per_second = 0
accounts_per_minute = 0
"""


async def until(holds: Callable[[], bool], what: str) -> None:
    """Return once it holds; fail, and say what was waited for, if it never does."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - What it waits for is in other processes.
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited {PATIENCE_S} s until {what}") from None


@dataclass
class Told:
    """What a run of rounds came to."""

    rounds: int = 0
    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    events: int = 0
    snapshots: int = 0  # Held against a replay of the log, after the last round.
    seconds_without: dict[str, list[float]] = field(default_factory=dict)
    digest: str = ""
    seq: int = 0


class Rounds:
    """A cluster, the bots on it, and a replica that follows from the beginning."""

    def __init__(self, cluster: LocalCluster, bots: Sequence[Bot], witness: Replica) -> None:
        self.told = Told()
        self._cluster = cluster
        self._bots = bots
        self._witness = witness
        self._connection = Connection.parse(cluster.redis)
        self._names = Names()
        self._misfortunes: dict[str, Callable[[], Awaitable[None]]] = {
            "the leader is killed": self._kill_leader,
            "the leader is paused": self._pause_leader,
            "Redis is killed": self._kill_redis,
            "a gateway is killed": self._kill_gateway,
        }

    async def round(self) -> None:
        """Trade through every misfortune, then stop and look."""
        trading = [asyncio.create_task(bot.trade()) for bot in self._bots]
        try:
            for name, happen in self._misfortunes.items():
                await self._trade_on(trading)
                since_s = time.monotonic()
                await happen()
                # From here on: what was acknowledged before may have been on its way.
                self._note(name, await self._first_since(trading, since_s) - since_s)
            await self._trade_on(trading)
        finally:
            await ended(*trading)
        for bot in self._bots:
            await bot.check()
        await self._compare()
        await self._verify()
        self._sum_up()

    # -- misfortunes ---------------------------------------------------------------------------

    async def _kill_leader(self) -> None:
        name, epoch = await self._leader(), await self._epoch()
        self._cluster.kill(name)
        await self._until_epoch_after(epoch)

    async def _pause_leader(self) -> None:
        """It comes back, and must find that it leads no more."""
        name, epoch = await self._leader(), await self._epoch()
        self._cluster.kill(name, signal.SIGSTOP)
        try:
            await self._until_epoch_after(epoch)
        finally:
            self._cluster.kill(name, signal.SIGCONT)

    async def _kill_redis(self) -> None:
        self._cluster.kill("redis")

    async def _kill_gateway(self) -> None:
        self._cluster.kill("gateway-1")

    async def _leader(self) -> str:
        """The name of the process that holds the lease; there must be one to do it harm."""
        processes = {
            name: child.process for name, child in self._cluster.children.items() if child.process
        }
        while True:
            holder = await self._asked_of_redis(self._names.leader)
            for name, process in processes.items():
                if holder.split(":")[1:2] == [str(process.pid)]:
                    return name
            await asyncio.sleep(0.05)

    async def _epoch(self) -> int:
        return int(await self._asked_of_redis(self._names.epoch))

    async def _until_epoch_after(self, epoch: int) -> None:
        while await self._epoch() <= epoch:  # noqa: ASYNC110 - Redis tells nobody.
            await asyncio.sleep(TTL_MS / 1_000 / 50)

    async def _asked_of_redis(self, key: str) -> str:
        client = self._connection.client()
        try:
            found: Any = await client.get(key)
            return found.decode() if found else ""
        finally:
            await client.aclose()

    # -- trading -------------------------------------------------------------------------------

    async def _trade_on(self, trading: Sequence[asyncio.Task[None]]) -> None:
        """Let every bot be acknowledged so often again."""
        wanted = {bot: len(bot.acknowledged) + ACKS_BETWEEN for bot in self._bots}

        def enough() -> bool:
            _look_for_faults(trading)
            return all(len(bot.acknowledged) >= count for bot, count in wanted.items())

        await until(enough, "every bot is acknowledged again")

    async def _first_since(self, trading: Sequence[asyncio.Task[None]], since_s: float) -> float:
        """When the first bot was acknowledged what it asked for behind the misfortune."""
        asked = {bot: bot.asked for bot in self._bots}
        found: list[float] = []

        def one() -> bool:
            _look_for_faults(trading)
            for bot, number in asked.items():
                found.extend(bot.acknowledged_s[n] for n in bot.acknowledged_s if n > number)
            return bool(found)

        await until(one, "anybody is acknowledged again")
        return min(found)

    # -- looking -------------------------------------------------------------------------------

    async def _compare(self) -> None:
        """A replica made now says what the one says that has followed from the beginning."""
        fresh = await replica(self._connection, self._names)
        await until(lambda: self._witness.seq >= fresh.seq, "the witness has come as far")
        while self._witness.seq > fresh.seq:
            await fresh.catch_up()
        if self._witness.seq == fresh.seq:
            self.told.digest, self.told.seq = fresh.engine.digest(), fresh.seq
            assert self._witness.engine.digest() == self.told.digest, "replicas differ"
        else:
            await self._compare()

    async def _verify(self) -> None:
        """The log is whole, and every leader's snapshots are what replaying it comes to."""
        report = await verify_log(self._connection, self._names)
        assert report.ok, report.problems
        self.told.snapshots = len(report.snapshots)

    def _note(self, name: str, seconds: float) -> None:
        self.told.seconds_without.setdefault(name, []).append(round(seconds, 2))

    def _sum_up(self) -> None:
        self.told.rounds += 1
        self.told.acknowledged = sum(len(bot.acknowledged) for bot in self._bots)
        self.told.refused = sum(len(bot.undone) for bot in self._bots)
        self.told.unknown = sum(len(bot.unknown) for bot in self._bots)
        self.told.events = sum(len(bot.heard) for bot in self._bots)


def _look_for_faults(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()


async def replica(connection: Connection, names: Names) -> Replica:
    """A replica of the cluster in this process."""
    history = RemoteHistory(connection, names, gateway="witness", seq=lambda: 0)
    history.patient = True
    listening = asyncio.create_task(history.listen())
    try:
        return await Replica.begin(connection, names, history=None, queries=history, wait=True)
    finally:
        await ended(listening)
        await history.close()


@asynccontextmanager
async def rounds_on(folder: Path, *, flags: Sequence[str] = ()) -> AsyncIterator[Rounds]:
    """Two gateways, two cores, a Redis of their own, and bots on both gateways."""
    config = folder / "papertape.toml"
    config.write_text(CONFIG, encoding="utf-8")
    chosen = ["--config", str(config), *flags]
    plan = Plan(
        data=folder, gateways=2, cores=2, port=0, core_flags=chosen, gateway_flags=chosen[:2]
    )
    cluster = await LocalCluster.start(plan)
    try:
        doors = [cluster.children[f"gateway-{number}"].said["url"] for number in (1, 2)]
        bots = []
        for number in range(BOTS):
            mine = doors[number % 2 :] + doors[: number % 2]
            async with Papertape(mine[0]) as pt:
                bots.append(Bot(await pt.open_account(), mine, number))
        witness = await replica(Connection.parse(cluster.redis), Names())
        following = asyncio.create_task(witness.follow())
        for bot in bots:
            bot.begin()
        try:
            yield Rounds(cluster, bots, witness)
        finally:
            await ended(following)
            for bot in bots:
                await bot.close()
    finally:
        await cluster.stop()


async def main(rounds: int, *, as_json: bool) -> None:
    """Run so many rounds and tell of them."""
    with tempfile.TemporaryDirectory(prefix="papertape-rounds-") as folder:
        async with rounds_on(Path(folder)) as running:
            for number in range(1, rounds + 1):
                await running.round()
                told = running.told
                print(f"round {number} of {rounds}: {told}", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps(vars(running.told)))
    else:
        for name, seconds in running.told.seconds_without.items():
            print(f"{name}: without an acknowledgement for {min(seconds)} to {max(seconds)} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    given = parser.parse_args()
    asyncio.run(main(given.rounds, as_json=given.json))
