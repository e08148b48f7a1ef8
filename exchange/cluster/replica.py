"""A replica: an engine and the house around it, brought to the end of the log and kept there.

Events are derived, never sent: the engine is deterministic, so whoever applies the log's commands
in their order comes to the same state and tells the same. A core that stands by is a replica, and
so is every gateway.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from redis.asyncio import Redis

from exchange.bounds import TAIL_COMMANDS_MIN
from exchange.cluster.connecting import Connection, patiently
from exchange.cluster.depot import BadStock, fetched, kept
from exchange.cluster.log import (
    READ_WAIT_MS,
    START,
    BadEntry,
    Heard,
    LogEntry,
    bounds_of,
    entries_behind,
)
from exchange.cluster.names import Names
from exchange.engine import Engine
from exchange.groups import GENESIS_SEQ, BadGroup, venue_in
from exchange.history_rows import Rows
from exchange.house import House
from exchange.market.market import prehistory
from exchange.market.prehistory import Prehistory
from exchange.market.tape import Tape
from exchange.recovery import RecoveryFailed, in_order, replayed
from exchange.restoring import restore_board
from exchange.sequencer import Groups
from exchange.storage.frames import GENESIS
from exchange.storage.queries import Queries

LOOK_EVERY_S: Final = 0.2  # Whether the venue has been made meanwhile.
TURN_S: Final = 0.005  # Work in one go, before others on the loop have theirs.

EntryListener = Callable[[LogEntry, Groups], None]

log = logging.getLogger(__name__)


class VenueMissing(Exception):
    """Nobody has made this venue yet."""


class ReplicaBroken(Exception):
    """The log is damaged, or this engine does not obey it: a case for people."""


class LogTrimmed(Exception):
    """The log no longer holds what comes next here: begin anew, from a newer snapshot."""


class Replica:
    """An engine and its house, `seq` and `at` of the last entry applied. Make it with `begin`.

    `listeners` are told of each entry behind the house's own listeners.
    """

    def __init__(
        self,
        connection: Connection,
        names: Names,
        engine: Engine,
        history: Rows | None,
        *,
        chain: bytes,
        at: str,
        heard: Heard,
    ) -> None:
        self.engine = engine
        self.house = House(engine, history)
        self.past: Prehistory | None = None  # Of the venue, once the board is restored.
        self.at = at
        self.chain = chain
        self.heard = heard
        self.footing_seq = engine.seq  # Of the snapshot it was begun from.
        self.listeners: list[EntryListener] = []
        self._connection = connection
        self._names = names

    @property
    def seq(self) -> int:
        """The seq of the last command applied."""
        return self.engine.seq

    @classmethod
    async def begin(
        cls,
        connection: Connection,
        names: Names,
        *,
        history: Rows | None,
        queries: Queries,
        wait: bool,
        reached_seq: int | None = None,
        tapes: Mapping[str, Tape] | None = None,
        accept: Callable[[Engine], None] | None = None,
    ) -> Replica:
        """From the snapshot that suits best, brought to the end of the log as it is now.

        `history` takes the rows of what is replayed, where this process keeps any, from
        `reached_seq` on where that can be had; `queries` answer what the board's past was.
        `accept` sees the engine before anything is told, and may raise. Where
        the venue is not made yet it waits, or raises VenueMissing. ReplicaBroken where the log
        is of no use.
        """
        client = connection.client()
        try:
            while True:
                try:
                    footing = await patiently(
                        lambda: _footing(client, names, reached_seq), "reading the log"
                    )
                except LogTrimmed:
                    continue
                if footing is None:
                    if not wait:
                        raise VenueMissing(f"there is no venue {names.venue!r} in this Redis yet")
                    await asyncio.sleep(LOOK_EVERY_S)
                    continue
                engine, chain, at, heard = footing
                if accept is not None:
                    accept(engine)
                replica = cls(connection, names, engine, history, chain=chain, at=at, heard=heard)
                await replica._restore(queries, tapes)
                try:
                    await replica.catch_up()
                except LogTrimmed as error:
                    if history is not None:
                        raise  # It was told of what was replayed, and is not told twice.
                    log.warning("%s", error)
                    continue
                return replica
        finally:
            await client.aclose()

    async def _restore(self, queries: Queries, tapes: Mapping[str, Tape] | None) -> None:
        venue = self.engine.venue
        self.past = prehistory(venue, tapes) if venue.market.get("history") else None
        await restore_board(self.house.board, self.engine, queries, self.past)

    async def catch_up(self) -> None:
        """Apply the log to its end as it is now. Errors as of `follow`."""
        client = self._connection.client()
        try:
            while await self._obey(await self._next(client, wait_ms=0)):
                pass
        finally:
            await client.aclose()

    async def follow(self) -> None:
        """Apply entries as they come, for ever; between two of them it may be cancelled.

        ReplicaBroken where the log cannot be followed, LogTrimmed where it begins further on.
        """
        client = self._connection.client()
        try:
            while True:
                if not await self._obey(await self._next(client, wait_ms=READ_WAIT_MS)):
                    await patiently(lambda: self._look_for_the_end(client), "following the log")
        finally:
            await client.aclose()

    async def _next(self, client: Redis, *, wait_ms: int) -> list[LogEntry]:
        try:
            return await patiently(
                lambda: entries_behind(client, self._names, self.seq, wait_ms=wait_ms),
                "following the log",
            )
        except BadEntry as error:
            raise ReplicaBroken(str(error)) from error

    async def _look_for_the_end(self, client: Redis) -> None:
        """Nothing came: does the log still end where this replica stands, or behind it?"""
        _, last_seq = await bounds_of(client, self._names)
        if last_seq < self.seq:
            raise ReplicaBroken(
                f"the log ends with seq {last_seq}, yet seq {self.seq} was read from it: "
                "Redis has forgotten part of it"
            )

    async def _obey(self, entries: Iterable[LogEntry]) -> int:
        """Apply entries in their order, with room for others between; answers how many."""
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        count = 0
        for entry in entries:
            self._apply(entry)
            count += 1
            if loop.time() - begun_s >= TURN_S:
                await asyncio.sleep(0)
                begun_s = loop.time()
        return count

    def _apply(self, entry: LogEntry) -> None:
        """Apply one entry that follows, and tell of it."""
        frame = entry.frame
        if frame.first_seq > self.seq + 1:
            raise LogTrimmed(
                f"the log goes on with seq {frame.first_seq}, and seq {self.seq + 1} comes next"
            )
        if frame.first_seq <= self.seq or frame.previous != self.chain:
            raise ReplicaBroken(f"the log's entry of seq {frame.first_seq} breaks the chain")
        try:
            (groups,) = replayed(self.engine, [frame])
        except RecoveryFailed as error:
            raise ReplicaBroken(str(error)) from error
        self.chain = frame.chain
        self.at = entry.at
        for origin in entry.origins:
            self.heard.note(origin.gateway, origin.batch)
        for listener in self.house.listeners:
            listener(groups)
        for told in self.listeners:
            told(entry, groups)


Footing = tuple[Engine, bytes, str, Heard]
"""An engine to begin from, the chain there, and how far the command stream was used up."""


async def footings(client: Redis, names: Names) -> tuple[int, int]:
    """The seq of the oldest footing there is, and the last of the log; zeros for no log."""
    first_seq, last_seq = await bounds_of(client, names)
    if first_seq == GENESIS_SEQ or not last_seq:
        return 0, last_seq
    return min(await kept(client, names), default=last_seq), last_seq


async def _footing(client: Redis, names: Names, reached_seq: int | None) -> Footing | None:
    """The best place to begin from; None where there is no log yet."""
    first_seq, last_seq = await bounds_of(client, names)
    if not last_seq:
        return None
    stowed = await kept(client, names)
    wanted_seq = last_seq - TAIL_COMMANDS_MIN
    if reached_seq is not None:
        wanted_seq = min(wanted_seq, reached_seq)
    passed_over: list[str] = []
    for seq in in_order(first_seq, last_seq, list(stowed), wanted_seq):
        if not seq:
            return await _genesis(client, names)
        try:
            engine = await fetched(client, names, stowed[seq])
        except BadStock as error:
            passed_over.append(str(error))
            log.warning("passed over %s", error)
            continue
        here = stowed[seq]
        return engine, here.chain, here.at, Heard(here.heard)
    raise ReplicaBroken("; ".join(["no snapshot can be started from", *passed_over]))


async def _genesis(client: Redis, names: Names) -> Footing:
    try:
        first = next(iter(await entries_behind(client, names, 0, count=1)), None)
        if first is None or first.first_seq != GENESIS_SEQ:
            raise LogTrimmed("the log was trimmed meanwhile")
        return Engine(venue_in(first.frame)), GENESIS, START, Heard()
    except (BadEntry, BadGroup) as error:
        raise ReplicaBroken(str(error)) from error
