"""Housekeeping of a running exchange: snapshots, and pruning what they and time make needless."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from exchange.bounds import SNAPSHOT_EVERY_S
from exchange.clock import Clock
from exchange.config import Storage
from exchange.engine import Engine
from exchange.sequencer import Sequencer, SequencerFailed
from exchange.snapshot import BadState, Packed, packed, restored
from exchange.storage.history import History, HistoryBroken
from exchange.storage.journal import Journal
from exchange.storage.snapshots import SnapshotStore
from matching.invariants import InvariantBroken

LOOK_EVERY_S: Final = 5.0
PRUNE_HISTORY_EVERY_S: Final = 3_600.0
DAY_MS: Final = 24 * 3_600_000
MEGABYTE: Final = 1024 * 1024
PACKED_HERE_MAX: Final = 5_000  # Accounts and orders that are packed within milliseconds,
PACKED_AT_END_MAX: Final = 50_000  # and within half a second, which a stop may take.

log = logging.getLogger(__name__)


class Taken(NamedTuple):
    """A state on its way to the disk."""

    state: Packed
    chain: bytes


class Copied(NamedTuple):
    """A state that a copy of this process is bringing to the disk."""

    seq: int
    pid: int


class CopyFailed(Exception):
    """The copy of this process ended without having kept its snapshot."""


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
        self.packed_here_max = PACKED_HERE_MAX  # Accounts and orders; more are packed aside.
        self._engine = engine
        self._sequencer = sequencer
        self._journal = journal
        self._store = store
        self._history = history
        self._clock = clock
        self._config = config
        self._now_s = now_s
        self._saved_s = self._pruned_s = now_s()
        self._keeping: asyncio.Future[None] | None = None
        self._copied: Copied | None = None

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
            taken = await self._sequencer.between_groups(self._take_aside)
        except SequencerFailed:
            return  # It ends, and says so itself.
        self._copied = taken if isinstance(taken, Copied) else None
        self._keeping = asyncio.ensure_future(asyncio.to_thread(self.keep, taken))
        await asyncio.shield(self._keeping)
        self._copied = None

    async def finish(self) -> None:
        """Leave a last snapshot behind, once the sequencer has ended; it must not take long."""
        if self._keeping is not None and not self._keeping.done():
            if self._copied is not None:
                os.kill(self._copied.pid, signal.SIGKILL)
            await self._keeping
        if self._engine.seq > self.saved_seq and self._size() <= PACKED_AT_END_MAX:
            await asyncio.to_thread(self.keep, self.take())

    def take(self) -> Taken:
        """The state as it stands, while no group is under way.

        A paranoid exchange brings it back to life first, with the same digest (I13).
        """
        self._saved_s = self._now_s()
        state = packed(self._engine)
        if self._engine.paranoid:
            try:
                restored(state.payload, state.digest).check()
            except BadState as error:
                raise InvariantBroken("I13", f"snapshot of seq {state.seq}", error) from error
        return Taken(state, self._journal.chain)

    def _take_aside(self) -> Taken | Copied:
        """The same without holding up the exchange: a large state is packed by a forked copy.

        Packing 20,000 accounts and 50,000 orders takes half a second, forking 1.5 ms.
        """
        if self._engine.paranoid or self._size() <= self.packed_here_max:
            return self.take()
        self._saved_s = self._now_s()
        return forked(self._engine.seq, self._write)

    def _write(self) -> None:
        taken = self.take()
        self._store.write(*taken.state, chain=taken.chain)

    def _size(self) -> int:
        """How much there is to pack: accounts and orders."""
        books = self._engine.books.values()
        return len(self._engine.risk.accounts) + sum(len(book.orders) for book in books)

    def keep(self, taken: Taken | Copied) -> None:
        """See a snapshot to the disk and prune the journal behind it; for a thread."""
        started_s = time.perf_counter()
        seq = taken.seq if isinstance(taken, Copied) else taken.state.seq
        try:
            if isinstance(taken, Copied):
                await_copy(taken)
            else:
                self._store.write(*taken.state, chain=taken.chain)
            self.saved_seq = seq
            self.error = None
            self._prune_journal()
        except (OSError, CopyFailed) as error:
            self.error = str(error)
            log.error("the snapshot of seq %d could not be kept: %s", seq, error)
        else:
            log.info("snapshot of seq %d kept in %.2f s", seq, time.perf_counter() - started_s)

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


def forked(seq: int, write: Callable[[], object]) -> Copied:
    """Have `write` keep the state behind `seq` in a copy of this process."""
    pid = os.fork()
    if pid:
        return Copied(seq, pid)
    code = 1
    try:  # Only this thread lives on in the copy: no lock, log or loop may be touched.
        write()
        code = 0
    finally:
        os._exit(code)


def await_copy(copied: Copied) -> None:
    """Return when the forked copy has kept its snapshot."""
    _, status = os.waitpid(copied.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise CopyFailed(f"the process that wrote it ended with code {code}; is the disk full?")
