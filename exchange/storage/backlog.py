"""Rows on their way to the history: in memory, and past its bound in a file without a name."""

from __future__ import annotations

import pickle
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from exchange.storage.spool import Spool

TableRow = tuple[str, tuple[Any, ...]]
"""The name of a table, and a row of it."""


class Rows(NamedTuple):
    """Rows to write, and the seq that is reached once they are written."""

    seq: int
    rows: list[TableRow]


class Backlog:
    """First in, first out, from one thread to another; `put` waits for no more than one group.

    What is `put` goes to memory until `in_memory_max` rows are there, then to the file until
    that is empty again. Where the file cannot grow, `failed` says why, and nothing more is
    taken in: what came before stays whole, and the seq reached stays behind what was lost.
    """

    def __init__(self, directory: Path, *, in_memory_max: int) -> None:
        self.failed: str | None = None
        self._in_memory_max = in_memory_max
        self._lock = threading.Lock()
        self._memory: deque[Rows] = deque()
        self._in_memory = 0
        self._spool = Spool(directory)

    @property
    def spooled_bytes(self) -> int:
        """What lies in the file."""
        return self._spool.size_bytes

    def put(self, seq: int, rows: Sequence[TableRow]) -> bool:
        """Queue the rows of a command or a group, whole; False where they could not be kept."""
        if self.failed is not None:
            return False
        group = Rows(seq, list(rows))
        with self._lock:
            if self._in_memory + len(rows) <= self._in_memory_max and not len(self._spool):
                self._memory.append(group)
                self._in_memory += len(rows)
                return True
            try:
                self._spool.append(_pickled(group))
            except OSError as error:
                self.failed = f"the history is too far behind, and its file cannot grow: {error}"
                return False
        return True

    def take(self, rows_max: int) -> Rows | None:
        """What was put first, whole groups until `rows_max` rows are passed; None if nothing is."""
        group = self._first()
        if group is None:
            return None
        seq, rows = group.seq, group.rows
        while len(rows) < rows_max and (group := self._first()) is not None:
            seq = group.seq
            rows += group.rows
        return Rows(seq, rows)

    def close(self) -> None:
        """Let it go, and all that is in it."""
        self._spool.close()

    def _first(self) -> Rows | None:
        with self._lock:
            if self._memory:
                group = self._memory.popleft()
                self._in_memory -= len(group.rows)
                return group
            spooled = self._spool.take()
        # It never left this process: nobody else can name the file it lay in. And it is read
        # here, where the lock is free again, so that `put` need not wait for it.
        return None if spooled is None else Rows(*pickle.loads(spooled))


def _pickled(group: Rows) -> bytes:
    # Tuples of no class of their own take a third of the time.
    plain = [(table, tuple(row)) for table, row in group.rows]
    return pickle.dumps((group.seq, plain), pickle.HIGHEST_PROTOCOL)
