"""Housekeeping of a running exchange: snapshots, and pruning what they and time make needless."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from exchange.bounds import SNAPSHOT_EVERY_S
from exchange.clock import Clock
from exchange.config import Storage
from exchange.engine import Engine
from exchange.sequencer import Sequencer, SequencerFailed
from exchange.snapshot import Packed, packed
from exchange.storage.history import History, HistoryBroken
from exchange.storage.journal import Journal
from exchange.storage.snapshots import SnapshotStore

LOOK_EVERY_S: Final = 5.0
PRUNE_HISTORY_EVERY_S: Final = 3_600.0
DAY_MS: Final = 24 * 3_600_000
MEGABYTE: Final = 1024 * 1024

log = logging.getLogger(__name__)


class Taken(NamedTuple):
    """A state on its way to the disk."""

    state: Packed
    chain: bytes


class Housekeeping:
    """Takes snapshots and prunes, from time to time or when asked; nothing of it is urgent.

    `saved_seq` is that of the newest snapshot. The disk is only touched in threads.
    """

    def __init__(  # noqa: PLR0913 - It keeps every part of the house.
        self,
        *,
        engine: Engine,
        sequencer: Sequencer,
        journal: Journal,
        store: SnapshotStore,
        history: History,
        clock: Clock,
        config: Storage,
        saved_seq: int = 0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.saved_seq = saved_seq
        self.error: str | None = None  # Why the last snapshot was not kept.
        self._engine = engine
        self._sequencer = sequencer
        self._journal = journal
        self._store = store
        self._history = history
        self._clock = clock
        self._config = config
        self._now_s = now_s
        self._saved_s = self._pruned_s = now_s()

    async def run(self) -> None:
        """Look after the house until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Do what is due by now."""
        if self.is_snapshot_due():
            await self.snapshot()
        if self._now_s() - self._pruned_s >= PRUNE_HISTORY_EVERY_S:
            self._pruned_s = self._now_s()
            await self.prune_history()

    def is_snapshot_due(self) -> bool:
        """Have there been enough commands since the last one, or any for long enough?"""
        behind = self._engine.seq - self.saved_seq
        waited_s = self._now_s() - self._saved_s
        return behind >= self._config.snapshot_every_commands or (
            behind > 0 and waited_s >= SNAPSHOT_EVERY_S
        )

    async def snapshot(self) -> None:
        """Take a snapshot between two groups and write it beside the running exchange."""
        try:
            taken = await self._sequencer.between_groups(self.take)
        except SequencerFailed:
            return  # It ends, and says so itself.
        await asyncio.to_thread(self.keep, taken)

    def take(self) -> Taken:
        """The state as it stands, while no group is under way."""
        self._saved_s = self._now_s()
        return Taken(packed(self._engine), self._journal.chain)

    def keep(self, taken: Taken) -> None:
        """Write a snapshot and prune the journal behind it; for a thread."""
        seq, payload, digest = taken.state
        started_s = time.perf_counter()
        try:
            self._store.write(seq, payload, digest, chain=taken.chain)
            self.saved_seq = seq
            self.error = None
            self._prune_journal()
        except OSError as error:
            self.error = str(error)
            log.error("the snapshot of seq %d could not be kept: %s", seq, error)
        else:
            took_s = time.perf_counter() - started_s
            log.info("snapshot of seq %d kept: %d bytes in %.2f s", seq, len(payload), took_s)

    def _prune_journal(self) -> None:
        """Remove segments that neither a snapshot nor the history needs, by age and size."""
        oldest_seq = self._store.oldest_seq
        if self._config.keep_journal or oldest_seq is None:
            return
        kept_s = self._config.journal_max_hours * 3_600
        for path in self._journal.prune(
            min(oldest_seq, self._history.reached_seq),
            keep_bytes=self._config.journal_max_mb * MEGABYTE,
            keep_after_s=self._clock.wall_ms() / 1_000 - kept_s,
        ):
            log.info("pruned %s", path)

    async def prune_history(self) -> None:
        """Remove what is older than the history's days, of exchange time."""
        before_ms = self._sequencer.time_ms - self._config.history_days * DAY_MS
        try:
            removed = await self._history.prune(before_ms)
        except HistoryBroken as error:
            log.warning("the history could not be pruned: %s", error)
            return
        if removed:
            log.info("pruned %d rows of the history", removed)
