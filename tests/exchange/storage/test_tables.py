"""The tables: what is written is read, large numbers included."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.storage.rows import AmendmentRow, CandleRow, Large, OrderRow, RejectRow
from exchange.storage.tables import (
    INT64_MAX,
    REJECTS_KEPT,
    TABLES,
    VALUES_PER_STATEMENT_MAX,
    HistoryVersion,
    Table,
    insert,
    prepare,
)
from matching.types import SelfTrade, Side, Status
from tests.exchange.storage.histories import FILLED, fill, order, trade

ANY_INT = st.integers(-(10**30), 10**30)
OF_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(0, INT64_MAX),
    str: st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12),
    bool: st.booleans(),
    Large: ANY_INT,
    str | None: st.one_of(st.none(), st.text("abc", max_size=5)),
}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = prepare(tmp_path / "history.db")
    yield connection
    connection.close()


def rows_of(table: Table) -> st.SearchStrategy[Any]:
    hints = get_type_hints(table._row, include_extras=True)
    return st.tuples(*(OF_TYPE[hint] for hint in hints.values()))


def all_of(connection: sqlite3.Connection, name: str) -> list[Any]:
    return [TABLES[name].read(row) for row in connection.execute(f"SELECT * FROM {name}")]


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
def test_a_row_of_any_numbers_reads_as_it_was_written(name: str, data: st.DataObject) -> None:
    table = TABLES[name]
    row = data.draw(rows_of(table))
    connection = sqlite3.connect(":memory:")
    for statement in table.ddl():
        connection.execute(statement)
    insert(connection, table, [row])
    if name == "amendments":  # The table finds out where it stands: it is the first of its chain.
        row = (*row[:-2], AmendmentRow(*row).before_id, 1)
    (read,) = all_of(connection, name)
    assert read == row
    assert type(read).__name__.endswith("Row")
    assert [type(value) for value in read] == [type(value) for value in row]
    connection.close()


def test_a_row_replaces_its_earlier_self(connection: sqlite3.Connection) -> None:
    table = TABLES["orders"]
    insert(connection, table, [order(1), order(2)])
    insert(connection, table, [order(1, status=FILLED)])
    assert all_of(connection, "orders") == [order(1, status=FILLED), order(2)]


@pytest.mark.parametrize("count", [0, 1, 3, 744, 745, 2_000])
def test_any_number_of_rows_is_written(connection: sqlite3.Connection, count: int) -> None:
    rows = [trade(trade_id) for trade_id in range(1, count + 1)]
    insert(connection, TABLES["trades"], rows)
    assert all_of(connection, "trades") == rows


def test_one_large_number_among_many_rows_does_not_disturb_them(
    connection: sqlite3.Connection,
) -> None:
    def candle(open_ms: int, units: int) -> CandleRow:
        return CandleRow("BTC-USDT", 60_000, open_ms, 1, 2, 1, 2, 10, units, 3)

    rows = [candle(at * 60_000, 2**63 if at == 5 else at) for at in range(10)]
    insert(connection, TABLES["candles"], rows)
    assert all_of(connection, "candles") == rows
    types = connection.execute("SELECT typeof(units), count(*) FROM candles GROUP BY 1").fetchall()
    assert types == [("integer", 9), ("text", 1)]


def test_a_row_of_the_wrong_width_is_a_bug(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.ProgrammingError, match="bindings"):
        insert(connection, TABLES["trades"], [("BTC-USDT", 1)])


def test_flags_come_back_as_flags(connection: sqlite3.Connection) -> None:
    insert(connection, TABLES["orders"], [order(1)])
    (read,) = all_of(connection, "orders")
    assert isinstance(read, OrderRow)
    assert read.is_open is True


def test_words_of_a_market_are_written_as_their_numbers(connection: sqlite3.Connection) -> None:
    rows = [
        order(1)._replace(side=Side.SELL, status=Status.FILLED, stp=SelfTrade.NONE),
        order(2)._replace(side=0, status=Status.NEW, post_only=True),
        order(3)._replace(side=Side.SELL, reason="EXPIRED", status=1),
    ]
    insert(connection, TABLES["orders"], rows)
    assert all_of(connection, "orders") == rows
    kinds = connection.execute(
        "SELECT DISTINCT typeof(side), typeof(status), typeof(stp), typeof(post_only) FROM orders"
    )
    assert kinds.fetchall() == [("integer",) * 4]


def test_every_statement_stays_within_its_bound() -> None:
    for table in TABLES.values():
        count = 1 << (VALUES_PER_STATEMENT_MAX // len(table.columns)).bit_length() - 1
        assert 1 <= count * len(table.columns) <= VALUES_PER_STATEMENT_MAX


def test_tables_are_made_once(tmp_path: Path) -> None:
    first = prepare(tmp_path / "history.db")
    insert(first, TABLES["trades"], [trade(1)])
    first.close()
    again = prepare(tmp_path / "history.db")
    assert all_of(again, "trades") == [trade(1)]
    again.close()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    connection = prepare(tmp_path / "history.db")
    connection.execute("PRAGMA user_version = 11")
    connection.close()
    with pytest.raises(HistoryVersion, match="version 11, not 10"):
        prepare(tmp_path / "history.db")


def test_a_file_of_the_first_version_grows_the_columns_and_tables_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    old = sqlite3.connect(path)
    for table in TABLES.values():
        if table.name in ("amendments", "calls", "deleverages", "order_lists", "rejects"):
            continue
        for statement in table.ddl():
            old.execute(statement)
    old.execute("CREATE TABLE reached (seq INTEGER)")
    for name, column in (
        ("orders", "position_side"),
        ("orders", "filled_minor"),
        ("orders", "trailing_bps"),
        ("orders", "iceberg_lots"),
        ("orders", "list_id"),
        ("orders", "stp"),
        ("fills", "position_side"),
    ):
        old.execute(f"ALTER TABLE {name} DROP COLUMN {column}")
    for name in ("fills", "funding", "liquidations"):
        old.execute(f"ALTER TABLE {name} DROP COLUMN detail")
    row = fill(1, 2)[:-2]
    old.execute(
        f"INSERT INTO fills VALUES ({', '.join('?' * len(row))})", (*row[:10], "-1", *row[11:])
    )
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    grown = prepare(path)
    (found,) = all_of(grown, "fills")
    assert (found.order_id, found.realised_minor, found.detail) == (2, -1, "")
    assert found.position_side == 0
    insert(grown, TABLES["rejects"], [RejectRow(7, 1, 5, "BUSY")])
    insert(grown, TABLES["amendments"], [AmendmentRow(7, 1, "BTC-USDT", 3, 2, 9, 8, 5, 5, 10)])
    (changed,) = all_of(grown, "amendments")
    assert (changed.first_id, changed.place) == (2, 1)
    for name, table in TABLES.items():
        columns = [row[1] for row in grown.execute(f"PRAGMA table_info({name})")]
        assert columns == table.columns
    grown.close()
    again = prepare(path)
    assert len(all_of(again, "fills")) == len(all_of(again, "rejects")) == 1
    again.close()


def test_of_refusals_the_newest_of_each_account_are_kept(connection: sqlite3.Connection) -> None:
    rows = [RejectRow(7, seq, seq, "BUSY") for seq in range(1, REJECTS_KEPT + 31)]
    insert(connection, TABLES["rejects"], [*rows, RejectRow(8, 3, 3, "BUSY")])
    kept = [row.seq for row in all_of(connection, "rejects") if row.account_id == 7]
    assert sorted(kept) == list(range(31, REJECTS_KEPT + 31))
    assert RejectRow(8, 3, 3, "BUSY") in all_of(connection, "rejects")
