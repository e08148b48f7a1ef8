"""The history: what happened, in a SQLite file, written behind the engine and never in its way.

A thread writes what `submit` queues, some five times a second, and with each commit the seq it
has reached. After a crash it takes up what lies behind that seq and skips the rest, so it may be
fed again from any earlier point. What memory should not hold while the thread is behind goes to a
file without a name: nothing is dropped, and the caller never waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from exchange.storage.backlog import Backlog, Rows, TableRow
from exchange.storage.pruning import PRUNED, pruning
from exchange.storage.queries import FRESH_WITHIN_S
from exchange.storage.readers import Answer, Readers, Work
from exchange.storage.tables import TABLES, insert, prepare

COMMIT_EVERY_S: Final = 0.2
RETRY_AFTER_S: Final = 1.0
ROWS_PER_COMMIT_MAX: Final = 20_000
ROWS_IN_MEMORY_MAX: Final = 100_000

log = logging.getLogger(__name__)


class HistoryBroken(Exception):
    """The writer has ended, or could not do what was asked; the text says why."""


class _Waiter(NamedTuple):
    """Somebody who waits until so many rows are committed."""

    rows: int
    tell: Callable[[], None]


@dataclass(slots=True)
class _Pruning:
    """Steps of removing old rows, how many went so far, and whom to tell."""

    steps: Iterator[int]
    tell: Callable[[int | HistoryBroken], None]
    removed: int = 0


class History(Readers):
    """A history file with its writer and its readers. Make it with `History.open`.

    Each question sees all that was submitted before it, unless the writer is further behind
    than FRESH_WITHIN_S; then it sees what is there.
    """

    def __init__(self, path: Path, *, rows_in_memory_max: int = ROWS_IN_MEMORY_MAX) -> None:
        super().__init__(path)
        self._connection = prepare(path)
        (found_seq,) = self._connection.execute("SELECT seq FROM reached").fetchone()
        self._found_seq = self._submitted_seq = self._committed_seq = int(found_seq)
        self._backlog = Backlog(path.parent, in_memory_max=rows_in_memory_max)
        self._submitted = self._committed = 0  # Rows; each number has one thread that moves it.
        self._taken: Rows | None = None
        self._trouble: str | None = None
        self._broken: str | None = None
        self._closing = False
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._waiters: list[_Waiter] = []
        self._prunings: deque[_Pruning] = deque()
        self._thread = threading.Thread(target=self._run, name="history writer", daemon=True)

    @classmethod
    def open(cls, path: Path, *, rows_in_memory_max: int = ROWS_IN_MEMORY_MAX) -> History:
        """Open or create the file and start the writer. HistoryVersion where it is a newer one's.

        The caller holds the data directory's lock.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        history = cls(path, rows_in_memory_max=rows_in_memory_max)
        history._thread.start()
        return history

    @property
    def reached_seq(self) -> int:
        """The seq up to which all rows are in the file; the journal before it is not needed."""
        return self._committed_seq if self.backlog else self._submitted_seq

    @property
    def backlog(self) -> int:
        """Rows that are not in the file yet."""
        return self._submitted - self._committed

    @property
    def error(self) -> str | None:
        """Why rows do not reach the file, for now or for good; None while all is well."""
        return self._broken or self._trouble

    def submit(self, seq: int, rows: Sequence[TableRow]) -> None:
        """Queue all rows of the commands up to `seq`, once. Never waits, never fails.

        Rows are (table, row), the row as in `exchange.storage.rows` or a plain tuple of the same
        columns. What the file had reached when it was opened is skipped. Once the history is
        broken, see `error`, nothing is taken in, and `reached_seq` stands.
        """
        if seq <= self._found_seq or self._broken:
            return
        assert seq > self._submitted_seq, (seq, self._submitted_seq)
        if rows:
            if not self._backlog.put(seq, rows):
                self._break(str(self._backlog.failed))
                return
            self._submitted += len(rows)
        self._submitted_seq = seq

    async def caught_up(self, within_s: float = FRESH_WITHIN_S) -> bool:
        """Wait until all that was submitted so far is in the file; False if that takes longer."""
        if not self.backlog:
            return True
        if not self._thread.is_alive():
            return False
        done = asyncio.Event()
        with self._lock:
            self._waiters.append(_Waiter(self._submitted, _in_this_loop(done.set)))
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), within_s)
        return done.is_set()

    async def query(self, work: Work[Answer]) -> Answer:
        """Do `work` on a read-only connection, in a thread, once the writer has caught up."""
        await self.caught_up()
        return await super().query(work)

    async def prune(self, before_ms: int, *, tables: Collection[str] = PRUNED) -> int:
        """Remove what is older than `before_ms` of exchange time; answers how many rows went.

        Open orders stay, and of each kind of candle the last 1,500 intervals; sums of postings
        stay in `pnl`. It is done in slices between commits. HistoryBroken where it cannot be.
        """
        outcome: asyncio.Queue[int | HistoryBroken] = asyncio.Queue()
        tell = _in_this_loop(outcome.put_nowait)
        with self._lock:
            if not self._thread.is_alive() or self._closing:
                raise HistoryBroken(self.error or "the history is closed")
            self._prunings.append(_Pruning(pruning(self._connection, before_ms, tables), tell))
        self._wake.set()
        removed = await outcome.get()
        if isinstance(removed, HistoryBroken):
            raise removed
        return removed

    def close(self) -> None:
        """Write what is queued, if the disk lets it, and let go of the file. It may take long."""
        with self._lock:
            self._closing = True
        self._wake.set()
        self._thread.join()
        self._close_readers()
        self._connection.close()
        self._backlog.close()

    def _run(self) -> None:
        closing = False
        while not closing:
            self._wake.wait(RETRY_AFTER_S if self._trouble else COMMIT_EVERY_S)
            self._wake.clear()
            closing = self._closing
            try:
                while self._commit_some() or self._prune_some():
                    pass
                if closing:
                    self._keep_reached(self.reached_seq)
                self._trouble = None
            except sqlite3.OperationalError as error:
                # The disk is full, say: what was taken stays taken, and is tried again.
                self._roll_back(error)
            except Exception as error:
                log.exception("the writer of the history ended")
                self._break(str(error))
                break
        with self._lock:
            for unfinished in self._prunings:
                unfinished.tell(HistoryBroken(self.error or "the history was closed"))
            self._prunings.clear()

    def _commit_some(self) -> bool:
        """Write what was queued first; False if nothing is."""
        if self._taken is None:
            self._taken = self._backlog.take(ROWS_PER_COMMIT_MAX)
        if self._taken is None:
            return False
        seq, rows = self._taken
        self._connection.execute("BEGIN")
        for name, of_table in by_table(rows).items():
            insert(self._connection, TABLES[name], of_table)
        self._keep_reached(seq)
        self._connection.execute("COMMIT")
        self._taken = None
        self._committed_seq = seq
        self._committed += len(rows)
        self._tell_waiters()
        return True

    def _tell_waiters(self) -> None:
        with self._lock:
            told = [waiter for waiter in self._waiters if waiter.rows <= self._committed]
            self._waiters = [waiter for waiter in self._waiters if waiter.rows > self._committed]
        for waiter in told:
            waiter.tell()

    def _prune_some(self) -> bool:
        """Go one step on in the oldest pruning; False if there is none, or the end is near."""
        with self._lock:
            pruning = self._prunings[0] if self._prunings and not self._closing else None
        if pruning is None:
            return False
        outcome: int | HistoryBroken | None = None
        try:
            pruning.removed += next(pruning.steps)
        except StopIteration:
            outcome = pruning.removed
        except sqlite3.OperationalError as error:
            self._roll_back(error)
            outcome = HistoryBroken(str(error))
        if outcome is not None:
            with self._lock:
                self._prunings.popleft()
            pruning.tell(outcome)
        return True

    def _keep_reached(self, seq: int) -> None:
        self._connection.execute("UPDATE reached SET seq = ?", (seq,))

    def _roll_back(self, error: sqlite3.Error) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        if self._trouble is None:
            log.warning("the history cannot be written, and is tried again: %s", error)
        self._trouble = str(error)

    def _break(self, why: str) -> None:
        self._broken = why
        log.error("the history takes nothing in behind seq %d: %s", self._submitted_seq, why)


def by_table(rows: Sequence[TableRow]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table, in order; of rows that change, each in its last state."""
    lists: dict[str, list[tuple[Any, ...]]] = {}
    latest: dict[str, dict[Any, tuple[Any, ...]]] = {}
    for name, row in rows:
        table = TABLES[name]
        if table.changes:
            latest.setdefault(name, {})[table.key_of(row)] = row
        else:
            lists.setdefault(name, []).append(row)
    for name, of_key in latest.items():
        lists[name] = list(of_key.values())
    return lists


def _in_this_loop(call: Callable[..., object]) -> Callable[..., None]:
    """The call, to be made from another thread; nothing where the loop has ended meanwhile."""
    loop = asyncio.get_running_loop()

    def made(*arguments: object) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(call, *arguments)

    return made
