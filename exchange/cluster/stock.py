"""The leader's stock: snapshots into Redis from time to time, and what is needless out of it.

A large state is packed by a forked copy of the process, as the single exchange does, into a file
of the core's own directory, and goes to Redis from there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from exchange.bounds import SNAPSHOT_EVERY_S, TAIL_COMMANDS_MIN
from exchange.cluster.depot import BadStock, Depot, Stowed
from exchange.cluster.log import Heard, LogKeeper
from exchange.config import Storage
from exchange.engine import Engine
from exchange.housekeeping import (
    PACKED_AT_END_MAX,
    PACKED_HERE_MAX,
    Copied,
    CopyFailed,
    await_copy,
    forked,
)
from exchange.sequencer import Sequencer, SequencerFailed
from exchange.snapshot import Packed, packed
from exchange.storage.history import History
from exchange.storage.snapshots import BadSnapshot, SnapshotStore, read_snapshot

LOOK_EVERY_S: Final = 1.0

log = logging.getLogger(__name__)


class Taken(NamedTuple):
    """A state between two groups, or the copy that packs it, and the cluster's state beside it."""

    state: Packed | Copied
    chain: bytes
    at: str
    heard: Heard


class Stock:
    """Stows snapshots and trims the streams; `saved_seq` is that of the newest snapshot."""

    def __init__(
        self,
        engine: Engine,
        sequencer: Sequencer,
        keeper: LogKeeper,
        depot: Depot,
        history: History,
        *,
        config: Storage,
        directory: Path,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.saved_seq = 0
        self.packed_here_max = PACKED_HERE_MAX
        self._engine = engine
        self._sequencer = sequencer
        self._keeper = keeper
        self._depot = depot
        self._history = history
        self._config = config
        self._store = SnapshotStore(directory, keep=1)
        self._now_s = now_s
        self._saved_s = now_s()
        self._kept: dict[int, Stowed] = {}
        self._trimmed = ""

    async def run(self) -> None:
        """Look after the stock until cancelled. Deposed where another core leads."""
        self._kept = await self._depot.kept()
        self.saved_seq = max(self._kept, default=0)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Do what is due by now."""
        if self.is_due():
            await self.snapshot()
        if self._keeper.at != self._trimmed:
            await self.trim()

    def is_due(self) -> bool:
        """Have there been enough commands since the last snapshot, or any for long enough?"""
        behind = self._engine.seq - self.saved_seq
        waited_s = self._now_s() - self._saved_s
        return behind >= self._config.snapshot_every_commands or (
            behind > 0 and waited_s >= SNAPSHOT_EVERY_S
        )

    async def snapshot(self) -> None:
        """Take a snapshot between two groups and stow it."""
        try:
            taken = await self._sequencer.between_groups(self.take)
        except SequencerFailed:
            return  # It ends, and says so itself.
        await self.stow(taken)

    def take(self) -> Taken:
        """The state as it stands, while no group is under way; a large one is packed aside."""
        self._saved_s = self._now_s()
        keeper, state = self._keeper, self._packed_or_copied()
        return Taken(state, keeper.chain, keeper.at, Heard(keeper.heard.state()))

    def _packed_or_copied(self) -> Packed | Copied:
        if self._size() <= self.packed_here_max:
            return packed(self._engine)
        return forked(
            self._engine.seq,
            lambda: self._store.write(*packed(self._engine), chain=self._keeper.chain),
        )

    async def finish(self) -> None:
        """Leave a last snapshot behind, once the sequencer has ended; it must not take long."""
        if self._engine.seq > self.saved_seq and self._size() <= PACKED_AT_END_MAX:
            self.packed_here_max = PACKED_AT_END_MAX
            await self.stow(self.take())

    def _size(self) -> int:
        books = self._engine.books.values()
        return len(self._engine.risk.accounts) + sum(len(book.orders) for book in books)

    async def stow(self, taken: Taken) -> None:
        """See a snapshot into Redis, and trim behind those that are kept."""
        started_s = time.perf_counter()
        try:
            state = await asyncio.to_thread(self._see_through, taken.state)
            self._kept = await self._depot.stow(
                state, chain=taken.chain, at=taken.at, heard=taken.heard
            )
        except (BadSnapshot, BadStock, CopyFailed, OSError) as error:
            log.error("the snapshot of seq %d could not be stowed: %s", taken.state.seq, error)
            return
        self.saved_seq = state.seq
        log.info("snapshot of seq %d stowed in %.2f s", state.seq, time.perf_counter() - started_s)
        await self.trim()

    def _see_through(self, state: Packed | Copied) -> Packed:
        """The packed state, where need be from the copy's file; for a thread."""
        if isinstance(state, Packed):
            return state
        await_copy(state)
        kept = read_snapshot(self._store.path_of(state.seq))
        return Packed(kept.seq, kept.payload, kept.digest)

    async def trim(self) -> None:
        """Drop what neither a snapshot, a resuming reader nor the history needs any more."""
        at = self._keeper.at
        await self._depot.trim(self._needed_seq(), at)
        self._trimmed = at

    def _needed_seq(self) -> int:
        """Where the log must still begin: 0 until there are as many snapshots as are kept."""
        if len(self._kept) < self._config.snapshots_kept:
            return 0
        tail_seq = self._engine.seq - TAIL_COMMANDS_MIN
        return max(0, min(*self._kept, tail_seq, self._history.reached_seq))
