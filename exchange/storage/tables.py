"""The tables of the history: how they are made in SQLite, written and read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, get_type_hints

from exchange.storage.rows import (
    AmendmentRow,
    CallRow,
    CandleRow,
    DeleverRow,
    FillRow,
    FundingPaymentRow,
    FundingRow,
    InterestRow,
    Large,
    LedgerRow,
    LiquidationRow,
    LoanRow,
    OrderListRow,
    OrderRow,
    RejectRow,
    TradeRow,
)

SCHEMA_VERSION: Final = 10
REJECTS_KEPT: Final = 1_000  # Of an account, the newest.
INT64_MAX: Final = (1 << 63) - 1

# Each step of SQLite lets other threads run, and a busy one gives the interpreter back only after
# 5 ms: written one by one, rows come to a few hundred a second then. So many go in one statement,
# yet not so many that binding their values would hold up the engine: about half a millisecond.
VALUES_PER_STATEMENT_MAX: Final = 8_192

# An amendment goes on from the last one of the order it changed; where there is none, or it was
# pruned, it begins the chain. Written again, it finds the same.
_LAST_BEFORE: Final = (
    "(SELECT {} FROM amendments WHERE account_id = NEW.account_id AND order_id = NEW.before_id"
    " AND n < NEW.n ORDER BY n DESC LIMIT 1)"
)
CHAINED: Final = (
    f"UPDATE amendments SET first_id = coalesce({_LAST_BEFORE.format('first_id')}, NEW.before_id),"
    f" place = 1 + coalesce({_LAST_BEFORE.format('place')}, 0)"
    " WHERE account_id = NEW.account_id AND n = NEW.n"
)

MORE_DDL: Final = (
    "CREATE TABLE reached (seq INTEGER)",
    "INSERT INTO reached VALUES (0)",
    # What was pruned from the ledger, summed.
    "CREATE TABLE ledger_folded (account_id INTEGER, wallet TEXT, asset TEXT, reason TEXT,"
    " change_minor, PRIMARY KEY (account_id, wallet, asset, reason)) WITHOUT ROWID",
)


class HistoryVersion(Exception):
    """The file was written by a newer version of Papertape."""


class Table:
    """A table: its rows' class, the columns that make a row itself, and what it is asked by.

    Rows that `changes` are written again and again, and only their last state matters. Where
    `newest` is given, only so many rows of an account are kept, by their seq. `filling` is a
    statement behind each insert, for columns that other rows decide.
    """

    def __init__(
        self,
        name: str,
        row: type[tuple[Any, ...]],
        key: Sequence[str],
        *indexes: str,
        changes: bool = False,
        rowid: bool = True,
        newest: int = 0,
        filling: str = "",
    ) -> None:
        self.name = name
        self.changes = changes
        self.rowid = rowid
        self._newest = newest
        self._filling = filling
        self._row = row
        self._hints = get_type_hints(row, include_extras=True)
        self._key = key
        self._indexes = indexes
        self.columns = list(self._hints)
        self._large = [at for at, hint in enumerate(self._hints.values()) if hint is Large]
        self._flags = [at for at, hint in enumerate(self._hints.values()) if hint is bool]
        self.key_of = itemgetter(*(self.columns.index(column) for column in key))

    def ddl(self) -> list[str]:
        """The statements that make it."""
        columns = ", ".join(f"{name} {_sql_type(hint)}" for name, hint in self._hints.items())
        key = ", ".join(self._key)
        suffix = "" if self.rowid else " WITHOUT ROWID"
        statements = [f"CREATE TABLE {self.name} ({columns}, PRIMARY KEY ({key})){suffix}"]
        for number, index in enumerate(self._indexes, 1):
            statements.append(f"CREATE INDEX {self.name}_{number} ON {self.name} ({index})")
        if self._newest:
            statements.append(
                f"CREATE TRIGGER {self.name}_newest AFTER INSERT ON {self.name} BEGIN"
                f" DELETE FROM {self.name} WHERE account_id = NEW.account_id AND seq <= (SELECT seq"
                f" FROM {self.name} WHERE account_id = NEW.account_id ORDER BY seq DESC"
                f" LIMIT 1 OFFSET {self._newest}); END"
            )
        if self._filling:
            statements.append(
                f"CREATE TRIGGER {self.name}_filled AFTER INSERT ON {self.name} BEGIN"
                f" {self._filling}; END"
            )
        return statements

    def grown(self, connection: sqlite3.Connection) -> list[str]:
        """The statements that make an older file's table this one: columns are only appended."""
        found = connection.execute(f"SELECT name FROM pragma_table_info('{self.name}')").fetchall()
        if not found:
            return self.ddl()
        lacking = self.columns[len(found) :]
        assert [name for (name,) in found] + lacking == self.columns, (self.name, found)
        defaults = self._row._field_defaults  # type: ignore[attr-defined]
        return [
            f"ALTER TABLE {self.name} ADD COLUMN {name} {_sql_type(self._hints[name])}"
            f" DEFAULT {defaults[name]!r}"
            for name in lacking
        ]

    def stored(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """The row with each number that SQLite cannot hold as text."""
        values = list(row)
        for at in self._large:
            if not -INT64_MAX <= values[at] <= INT64_MAX:
                values[at] = str(values[at])
        return tuple(values)

    def read(self, values: Sequence[Any]) -> Any:
        """The row that was stored, of the table's class."""
        given = list(values)
        for at in self._large:
            given[at] = int(given[at])
        for at in self._flags:
            given[at] = bool(given[at])
        return self._row(*given)


TABLES: Final = {
    table.name: table
    for table in (
        Table(
            "orders",
            OrderRow,
            ["order_id"],
            "account_id, symbol, order_id",
            "account_id, client_id",
            changes=True,
        ),
        Table(
            "order_lists",
            OrderListRow,
            ["list_id"],
            "account_id, list_id",
            "account_id, client_id",
            changes=True,
        ),
        Table(
            "fills",
            FillRow,
            ["account_id", "symbol", "trade_id", "order_id"],
            "account_id, time_ms",
            "order_id",
        ),
        Table(
            "amendments",
            AmendmentRow,
            ["account_id", "n"],
            "account_id, order_id, n",
            "account_id, before_id, n",
            "account_id, first_id, n",
            filling=CHAINED,
        ),
        Table("trades", TradeRow, ["symbol", "trade_id"], "symbol, time_ms"),
        Table("ledger", LedgerRow, ["account_id", "n"], "account_id, time_ms"),
        Table(
            "candles",
            CandleRow,
            ["symbol", "kind", "interval_ms", "open_ms"],
            changes=True,
            rowid=False,
        ),
        Table("funding", FundingRow, ["symbol", "time_ms"], rowid=False),
        Table("funding_payments", FundingPaymentRow, ["account_id", "n"]),
        Table("interest", InterestRow, ["account_id", "n"]),
        Table("loans", LoanRow, ["account_id", "n"]),
        Table("liquidations", LiquidationRow, ["account_id", "n"]),
        Table("calls", CallRow, ["account_id", "n"]),
        Table("deleverages", DeleverRow, ["account_id", "n"]),
        Table("rejects", RejectRow, ["account_id", "seq"], newest=REJECTS_KEPT),
    )
}


def prepare(path: Path) -> sqlite3.Connection:
    """A connection that writes, on a file with all its tables; HistoryVersion if it is newer."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    # After a power failure the last commits may be gone, whole: the journal has them.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        connection.close()
        raise HistoryVersion(f"{path} is of version {version}, not {SCHEMA_VERSION}")
    if version < SCHEMA_VERSION:
        connection.execute("BEGIN")
        for table in TABLES.values():
            for statement in table.grown(connection):
                connection.execute(statement)
        for statement in MORE_DDL if version == 0 else ():
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    return connection


def insert(connection: sqlite3.Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows, many in a statement, each in place of its earlier self."""
    width = len(table.columns)
    # Powers of two, so that few different statements are prepared.
    count = 1 << (VALUES_PER_STATEMENT_MAX // width).bit_length() - 1
    one = f"({', '.join('?' * width)})"
    at = 0
    while at < len(rows):
        while count > len(rows) - at:
            count //= 2
        part = rows[at : at + count]
        statement = f"INSERT OR REPLACE INTO {table.name} VALUES {', '.join([one] * count)}"
        try:
            connection.execute(statement, _plain(part, width))
        except OverflowError:
            stored = [table.stored(row) for row in part]
            connection.execute(statement, _plain(stored, width))
        at += count


def _plain(rows: Iterable[Sequence[Any]], width: int) -> list[Any]:
    """The values of rows one behind the other, flags and enumerations as plain numbers.

    For whatever is not exactly a number or a text sqlite3 looks for an adapter, which takes ten
    times as long as the number itself, and lets no other thread run.
    """
    values = list(chain.from_iterable(rows))
    for at, value in enumerate(values[:width]):  # Each column is of one kind in all rows.
        if type(value) is not int and isinstance(value, int):
            values[at::width] = map(int, values[at::width])
    return values


def _sql_type(hint: object) -> str:
    """A column of no type keeps numbers as numbers and text as text."""
    if hint is Large:
        return ""
    return "TEXT" if hint in (str, str | None) else "INTEGER"
