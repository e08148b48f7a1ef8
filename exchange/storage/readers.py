"""The readers of one history file: threads, each with a connection that only reads."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from exchange.storage.queries import FRESH_WITHIN_S, ROWS_MAX, Conditions, Part, Queries
from exchange.storage.rows import PnlRow
from exchange.storage.tables import TABLES

Answer = TypeVar("Answer")
Work = Callable[[sqlite3.Connection], Answer]

READERS: Final = 2


class Readers(Queries):
    """Answers from a history file, as it is written at this moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="history reader")
        self._of_thread = threading.local()
        self._readers: list[sqlite3.Connection] = []

    async def query(self, work: Work[Answer]) -> Answer:
        """Do `work` on a read-only connection, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(self._reader()))

    async def caught_up(self, within_s: float = FRESH_WITHIN_S) -> bool:
        """A file that nobody here writes to is as far as it goes."""
        return True

    async def rows(self, table: str, where: Conditions, part: Part, *by: str) -> list[Any]:
        """See `Queries.rows`."""
        return await self.query(lambda reader: select(reader, table, where, part, by))

    async def pnl(
        self, account_id: int, *, from_ms: int | None = None, to_ms: int | None = None
    ) -> list[PnlRow]:
        """See `Queries.pnl`."""
        return await self.query(lambda reader: pnl_of(reader, account_id, from_ms, to_ms))

    def _reader(self) -> sqlite3.Connection:
        """The calling thread's connection."""
        reader: sqlite3.Connection | None = getattr(self._of_thread, "reader", None)
        if reader is None:
            # Closed by whoever closes the history, so not by the thread that used it.
            reader = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=10
            )
            reader.execute("PRAGMA query_only = ON")
            self._of_thread.reader = reader
            self._readers.append(reader)
        return reader

    def _close_readers(self) -> None:
        self._threads.shutdown()
        for reader in self._readers:
            reader.close()


def select(
    reader: sqlite3.Connection, table: str, where: Conditions, part: Part, by: Sequence[str]
) -> list[Any]:
    """The part of a table's rows, in the order of `by`, whose first column is what ids name.

    A condition is a column's value, or a collection it is one of; None is no condition.
    """
    asked = TABLES[table]
    terms: list[str] = []
    values: list[Any] = []
    for column, value in where.items():
        if isinstance(value, str | int):
            terms.append(f"{column} = ?")
            values.append(value)
        elif value is not None:
            terms.append(f"{column} IN ({', '.join('?' * len(value))})")
            values += value
    time = "time_ms" if "time_ms" in asked.columns else "open_ms"
    for term, bound in (
        (f"{time} >= ?", part.from_ms),
        (f"{time} <= ?", part.to_ms),
        (f"{by[0]} >= ?", part.from_id),
        (f"{by[0]} < ?", part.before_id),
    ):
        if bound is not None:
            terms.append(term)
            values.append(bound)
    direction = "ASC" if part.is_oldest else "DESC"
    text = (
        f"SELECT {', '.join(asked.columns)} FROM {table} WHERE {' AND '.join(terms)}"
        f" ORDER BY {', '.join(f'{column} {direction}' for column in by)} LIMIT ?"
    )
    found = reader.execute(text, (*values, min(part.limit, ROWS_MAX))).fetchall()
    rows = [asked.read(row) for row in found]
    return rows if part.is_oldest else rows[::-1]


def pnl_of(
    reader: sqlite3.Connection, account_id: int, from_ms: int | None, to_ms: int | None
) -> list[PnlRow]:
    """See `Queries.pnl`."""
    where = ["account_id = ?"]
    values = [account_id]
    for condition, value in (("time_ms >= ?", from_ms), ("time_ms <= ?", to_ms)):
        if value is not None:
            where.append(condition)
            values.append(value)
    sums: Counter[tuple[str, str, str]] = Counter()
    for posted in ledger_sums(reader, " AND ".join(where), tuple(values)):
        sums[posted.wallet, posted.asset, posted.reason] += posted.change_minor
    if from_ms is None:
        folded = (
            "SELECT wallet, asset, reason, change_minor FROM ledger_folded WHERE account_id = ?"
        )
        for wallet, asset, reason, change_minor in reader.execute(folded, (account_id,)):
            sums[wallet, asset, reason] += int(change_minor)
    return [PnlRow(*key, change_minor) for key, change_minor in sorted(sums.items())]


class LedgerSum(NamedTuple):
    """The sum of one kind of posting to one wallet of one account."""

    account_id: int
    wallet: str
    asset: str
    reason: str
    change_minor: int


def ledger_sums(
    connection: sqlite3.Connection, where: str, values: tuple[int, ...]
) -> list[LedgerSum]:
    """Postings summed by account, wallet, asset and reason, exactly.

    SQLite's own sum fails past 64 bits and turns text into floats. So numbers are summed in
    halves of 32 bits, and the few that are kept as text are added here.
    """
    by = "account_id, wallet, asset, reason"
    sums: Counter[tuple[int, str, str, str]] = Counter()
    halves = (
        f"SELECT {by}, sum(change_minor >> 32), sum(change_minor & 0xFFFFFFFF) FROM ledger"
        f" WHERE typeof(change_minor) = 'integer' AND {where} GROUP BY {by}"
    )
    for account_id, wallet, asset, reason, high, low in connection.execute(halves, values):
        sums[account_id, wallet, asset, reason] += (high << 32) + low
    large = f"SELECT {by}, change_minor FROM ledger WHERE typeof(change_minor) = 'text' AND {where}"
    for account_id, wallet, asset, reason, text in connection.execute(large, values):
        sums[account_id, wallet, asset, reason] += int(text)
    return [LedgerSum(*key, change_minor) for key, change_minor in sums.items()]
