"""Pruning: old rows go, open orders and sums stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.storage import pruning as pruning_module
from exchange.storage.pruning import PRUNED, pruning
from exchange.storage.readers import pnl_of
from exchange.storage.rows import CandleRow, FundingRow
from exchange.storage.tables import TABLES, insert, prepare
from tests.exchange.storage.histories import FILLED, order, order_list, posting, trade


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = prepare(tmp_path / "history.db")
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning_module, "ROWS_PER_SLICE", 3)


def ids(connection: sqlite3.Connection, column: str, table: str) -> list[int]:
    return [row[0] for row in connection.execute(f"SELECT {column} FROM {table} ORDER BY 1")]


def test_rows_from_before_go_in_slices(connection: sqlite3.Connection) -> None:
    insert(connection, TABLES["trades"], [trade(number) for number in range(1, 12)])
    # Trade 8 was at 80 ms. Slices of three: 1-3, 4-6, 7 of 7-9, and 10-12 is all behind it.
    assert list(pruning(connection, 80, ["trades"])) == [3, 3, 1]
    assert ids(connection, "trade_id", "trades") == [8, 9, 10, 11]
    assert list(pruning(connection, 80, ["trades"])) == []


def test_open_orders_stay_and_closed_ones_go_by_their_last_change(
    connection: sqlite3.Connection,
) -> None:
    rows = [
        order(1),
        order(2, status=FILLED, updated_ms=5),
        order(3, status=FILLED, updated_ms=500),
        order(4, status=FILLED, updated_ms=500),
        order(5, status=FILLED, updated_ms=500),
        order(6, status=FILLED, updated_ms=500),
        order(7, status=FILLED, updated_ms=7),
    ]
    insert(connection, TABLES["orders"], rows)
    # The second slice (4-6) holds nothing old, and yet the third does.
    assert sum(pruning(connection, 100, ["orders"])) == 2
    assert ids(connection, "order_id", "orders") == [1, 3, 4, 5, 6]


def test_open_lists_stay_and_past_ones_go_by_their_last_change(
    connection: sqlite3.Connection,
) -> None:
    rows = [order_list(1, is_open=True), order_list(2), order_list(3, updated_ms=500)]
    insert(connection, TABLES["order_lists"], rows)
    assert sum(pruning(connection, 100, ["order_lists"])) == 1
    assert ids(connection, "list_id", "order_lists") == [1, 3]


def test_sums_of_postings_outlive_them(connection: sqlite3.Connection) -> None:
    rows = [posting(n, 2**62, reason="fee" if n % 2 else "trade") for n in range(1, 12)]
    insert(connection, TABLES["ledger"], rows)
    before = pnl_of(connection, 7, None, None)
    for before_ms in (40, 90):
        assert sum(pruning(connection, before_ms, ["ledger"])) in (3, 5)
        assert pnl_of(connection, 7, None, None) == before
    assert ids(connection, "n", "ledger") == [9, 10, 11]
    (fees, _) = pnl_of(connection, 7, 0, None)  # A span knows only what is still there: 9, 11.
    assert (fees.reason, fees.change_minor) == ("fee", 2 * 2**62)


def test_candles_go_by_the_length_of_their_interval(connection: sqlite3.Connection) -> None:
    def candle(interval_ms: int, open_ms: int) -> CandleRow:
        return CandleRow("BTC-USDT", interval_ms, open_ms, 1, 1, 1, 1, 0, 0, 0)

    minute, hour = 60_000, 3_600_000
    now_ms = 2_000 * hour
    rows = [candle(minute, at * minute) for at in (0, 118_499, 118_500, 119_999)]
    rows += [candle(hour, at * hour) for at in (0, 499, 500, 1_999)]
    insert(connection, TABLES["candles"], rows)
    # 2,000 hours are 120,000 minutes; of both kinds the last 1,500 intervals stay.
    assert sum(pruning(connection, now_ms, ["candles"])) == 4
    kept = connection.execute("SELECT interval_ms, open_ms / interval_ms FROM candles").fetchall()
    assert sorted(kept) == [(minute, 118_500), (minute, 119_999), (hour, 500), (hour, 1_999)]


def test_funding_rates_stay(connection: sqlite3.Connection) -> None:
    insert(connection, TABLES["funding"], [FundingRow("BTC-USDT-PERP", 1, 2, 3)])
    assert "funding" not in PRUNED
    assert sum(pruning(connection, 10**15)) == 0
    assert ids(connection, "time_ms", "funding") == [1]
