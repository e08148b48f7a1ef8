"""Pruning the history: old rows go in slices, and the sums of old postings stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from typing import Final

from exchange.storage.readers import ledger_sums
from exchange.storage.tables import TABLES, Table

ROWS_PER_SLICE: Final = 10_000
CANDLES_KEPT: Final = 1_500
LASTING: Final = ("orders", "order_lists")  # They live on behind the moment they were placed.

# Funding rates stay: they are few, and clients ask for long stretches of them.
PRUNED: Final = tuple(name for name in TABLES if name != "funding")


def pruning(
    connection: sqlite3.Connection, before_ms: int, tables: Collection[str] = PRUNED
) -> Iterator[int]:
    """Remove the rows older than `before_ms`; each step is a commit, and tells how many went.

    Open orders and lists stay, and candles that open within 1,500 intervals before it.
    """
    for name in tables:
        table = TABLES[name]
        if not table.rowid:
            yield _prune_candles(connection, before_ms) if name == "candles" else 0
            continue
        after = 0
        while (window := _window(connection, table, after)) is not None:
            last, oldest_ms = window
            if oldest_ms < before_ms:
                yield _prune_window(connection, table, after, last, before_ms)
            elif table.name not in LASTING:
                break  # Rows are in the order of their time; orders change again.
            after = last


def _time_of(table: Table) -> str:
    return "updated_ms" if table.name in LASTING else "time_ms"


def _window(connection: sqlite3.Connection, table: Table, after: int) -> tuple[int, int] | None:
    """The rows next behind rowid `after`: the last rowid and the earliest time among them."""
    time = _time_of(table)
    text = (
        f"SELECT max(rowid), min({time}) FROM (SELECT rowid, {time} FROM {table.name}"
        " WHERE rowid > ? ORDER BY rowid LIMIT ?)"
    )
    last, oldest_ms = connection.execute(text, (after, ROWS_PER_SLICE)).fetchone()
    return None if last is None else (last, oldest_ms)


def _prune_window(
    connection: sqlite3.Connection, table: Table, after: int, last: int, before_ms: int
) -> int:
    where = f"rowid > ? AND rowid <= ? AND {_time_of(table)} < ?"
    if table.name in LASTING:
        where += " AND NOT is_open"
    values = (after, last, before_ms)
    connection.execute("BEGIN")
    if table.name == "ledger":
        _fold(connection, where, values)
    removed = connection.execute(f"DELETE FROM {table.name} WHERE {where}", values).rowcount
    connection.execute("COMMIT")
    return removed


def _fold(connection: sqlite3.Connection, where: str, values: tuple[int, ...]) -> None:
    """Add the postings to the sums of what was pruned."""
    found = (
        "SELECT change_minor FROM ledger_folded"
        " WHERE account_id = ? AND wallet = ? AND asset = ? AND reason = ?"
    )
    keep = "INSERT OR REPLACE INTO ledger_folded VALUES (?, ?, ?, ?, ?)"
    for *key, change_minor in ledger_sums(connection, where, values):
        folded = connection.execute(found, key).fetchone()
        total = int(change_minor) + (int(folded[0]) if folded else 0)
        connection.execute(keep, (*key, str(total)))


def _prune_candles(connection: sqlite3.Connection, before_ms: int) -> int:
    text = f"DELETE FROM candles WHERE open_ms + {CANDLES_KEPT} * interval_ms < ?"
    return connection.execute(text, (before_ms,)).rowcount
