"""Writes a log for tests, group by group, as a leader does: stamp, keep, obey."""

from __future__ import annotations

import asyncio

import msgspec
from redis.asyncio import Redis

from exchange.cluster.connecting import Connection
from exchange.cluster.depot import Depot, Stowed
from exchange.cluster.lease import Lease
from exchange.cluster.log import Batch, Heard, LogKeeper, entries_behind, genesis_keeper
from exchange.cluster.names import Names
from exchange.commands import AnyCommand, Tick
from exchange.engine import Engine
from exchange.events import AnyEvent
from exchange.groups import GENESIS_SEQ, commands_in, encode_genesis, encode_group, venue_in
from exchange.snapshot import packed
from tests.exchange.cluster.leases import leased
from tests.story import small_venue


class Writer:
    """An engine and the keeper of its log. Make it with `Writer.begin`."""

    def __init__(self, connection: Connection, lease: Lease, engine: Engine) -> None:
        self.connection = connection
        self.lease = lease
        self.engine = engine
        self.keeper: LogKeeper = genesis_keeper(connection, lease)

    @classmethod
    async def begin(cls, connection: Connection, names: Names) -> Writer:
        """With the genesis record of the small venue."""
        venue = small_venue()
        writer = cls(connection, await leased(connection, names), Engine(venue))
        await writer._keep(GENESIS_SEQ, 1, encode_genesis(venue))
        writer.engine.apply(Tick(seq=GENESIS_SEQ, time_ms=venue.start_ms))
        return writer

    @classmethod
    async def taking_over(cls, connection: Connection, names: Names) -> Writer:
        """Another one, that goes on where the log ends."""
        lease = await leased(connection, names, "another")
        async with connection.client() as client:
            first, *others = await entries_behind(client, names, 0, count=10_000)
        engine, heard, last = Engine(venue_in(first.frame)), Heard(), first
        for last in (first, *others):
            for command in commands_in(last.frame):
                engine.apply(command)
            for origin in last.origins:
                heard.note(origin.gateway, origin.batch)
        writer = cls(connection, lease, engine)
        writer.keeper = LogKeeper(
            connection, lease, chain=last.frame.chain, at=last.at, heard=heard
        )
        return writer

    async def do(
        self, *commands: AnyCommand, batch: Batch | None = None, ms: int = 0
    ) -> list[list[AnyEvent]]:
        """Keep and obey one group."""
        engine = self.engine
        stamped = [
            msgspec.structs.replace(each, seq=engine.seq + place, time_ms=engine.time_ms + ms)
            for place, each in enumerate(commands, start=1)
        ]
        self.keeper.on_taken(0, [batch] * len(commands))
        await self._keep(stamped[0].seq, len(stamped), encode_group(stamped))
        return [engine.apply(each) for each in stamped]

    async def ticks(self, count: int) -> None:
        """Groups of one Tick each, a second apart."""
        for _ in range(count):
            await self.do(Tick(), ms=1_000)

    async def stow(self, client: Redis, keep: int = 3) -> dict[int, Stowed]:
        """A snapshot of what is there."""
        return await Depot(client, self.lease, keep=keep).stow(
            packed(self.engine),
            chain=self.keeper.chain,
            at=self.keeper.at,
            heard=self.keeper.heard,
        )

    async def _keep(self, first_seq: int, count: int, payload: bytes) -> None:
        await asyncio.to_thread(self.keeper.append_and_sync, first_seq, count, payload)
