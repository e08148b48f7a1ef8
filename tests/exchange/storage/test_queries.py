"""Questions to the history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.storage.queries import ALL, ROWS_MAX, Part, Queries
from exchange.storage.readers import Readers
from exchange.storage.rows import (
    AmendmentRow,
    CallRow,
    CandleRow,
    FundingPaymentRow,
    FundingRow,
    InterestRow,
    LiquidationRow,
    LoanRow,
    PnlRow,
    RejectRow,
)
from exchange.storage.tables import TABLES, insert, prepare
from tests.exchange.storage.histories import (
    CANCELLED,
    FILLED,
    NEW,
    SYMBOL,
    fill,
    order,
    order_list,
    posting,
    trade,
)

ETH = "ETH-USDT"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = prepare(tmp_path / "history.db")
    yield connection
    connection.close()


@pytest.fixture
def queries(tmp_path: Path, writer: sqlite3.Connection) -> Iterator[Readers]:
    queries = Readers(tmp_path / "history.db")
    yield queries
    queries._close_readers()


async def order_ids(queries: Queries, part: Part = ALL) -> list[int]:
    return [row.order_id for row in await queries.orders(7, part=part)]


async def test_orders_are_found_by_what_they_are(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    rows = [
        order(1, status=FILLED),
        order(2),
        order(3, symbol=ETH, status=CANCELLED),
        order(4, account_id=8),
    ]
    insert(writer, TABLES["orders"], rows)
    assert await queries.orders(7) == rows[:3]
    assert await queries.orders(7, symbol=ETH) == [rows[2]]
    assert await queries.orders(7, is_open=True) == [rows[1]]
    assert await queries.orders(7, is_open=False) == [rows[0], rows[2]]
    assert await queries.orders(7, statuses=[NEW, FILLED]) == rows[:2]
    assert await queries.orders(7, statuses=[]) == []
    assert await queries.orders(7, wallet="margin") == []
    assert await queries.orders(7, wallet=["margin", "spot"], forced=False) == rows[:3]
    assert await queries.orders(7, forced=True) == []
    assert await queries.orders(9) == []
    assert await queries.order(4) == rows[3]
    assert await queries.order(5) is None


async def test_a_list_is_answered_in_parts(writer: sqlite3.Connection, queries: Queries) -> None:
    insert(writer, TABLES["orders"], [order(number, at_ms=100 * number) for number in range(1, 8)])
    assert await order_ids(queries, Part(limit=3)) == [5, 6, 7]
    assert await order_ids(queries, Part(limit=3, before_id=5)) == [2, 3, 4]
    assert await order_ids(queries, Part(limit=3, from_id=2)) == [2, 3, 4]
    assert await order_ids(queries, Part(limit=3, from_ms=300)) == [3, 4, 5]
    assert await order_ids(queries, Part(limit=3, to_ms=300)) == [1, 2, 3]
    assert await order_ids(queries, Part(from_ms=300, to_ms=500)) == [3, 4, 5]
    assert await order_ids(queries, Part(limit=0)) == []


async def test_no_answer_is_longer_than_its_bound(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    insert(writer, TABLES["trades"], [trade(number) for number in range(1, ROWS_MAX + 3)])
    answer = await queries.trades("BTC-USDT", part=Part(limit=10**9))
    assert (len(answer), answer[0].trade_id) == (ROWS_MAX, 3)


async def test_a_client_id_names_its_newest_order(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    rows = [order(1, client_id="a"), order(2, client_id="a"), order(3, account_id=8, client_id="a")]
    insert(writer, TABLES["orders"], rows)
    assert await queries.order_by_client_id(7, "a") == rows[1]
    assert await queries.order_by_client_id(7, "b") is None


async def test_lists_are_found_by_account_symbol_id_and_client_id(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    rows = [
        order_list(1, client_id="a"),
        order_list(2, symbol=ETH, client_id="a"),
        order_list(3, account_id=8, client_id="a"),
    ]
    insert(writer, TABLES["order_lists"], rows)
    assert await queries.order_lists(7) == rows[:2]
    assert await queries.order_lists(7, symbol=ETH) == [rows[1]]
    assert await queries.order_lists(7, part=Part(before_id=2)) == [rows[0]]
    assert await queries.order_list(7, list_id=1) == rows[0]
    assert await queries.order_list(7, client_id="a") == rows[1]
    assert await queries.order_list(7, list_id=3) is None
    assert await queries.order_list(7, client_id="b") is None


async def test_fills_are_found_by_account_symbol_and_order(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    own_both = [fill(1, 11), fill(1, 12)]  # A trade with oneself is two fills.
    rows = [*own_both, fill(2, 12), fill(1, 13, symbol=ETH), fill(2, 14, account_id=8)]
    insert(writer, TABLES["fills"], rows)
    assert await queries.fills(7, symbol="BTC-USDT") == rows[:3]
    assert await queries.fills(7, symbol="BTC-USDT", part=Part(from_id=2)) == [rows[2]]
    assert await queries.fills(7, symbol="BTC-USDT", part=Part(before_id=2)) == rows[:2]
    assert await queries.fills(7, order_id=12) == [rows[1], rows[2]]
    # By time, and within one moment as they were written: 10 ms, 10 ms, 10 ms, 20 ms.
    assert await queries.fills(7) == [rows[0], rows[1], rows[3], rows[2]]
    with pytest.raises(AssertionError, match="per symbol"):
        await queries.fills(7, part=Part(before_id=2))


async def test_trades_are_found_by_symbol_and_by_force(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    rows = [trade(1), trade(2, forced=True), trade(3), trade(1, symbol=ETH)]
    insert(writer, TABLES["trades"], rows)
    assert await queries.trades("BTC-USDT") == rows[:3]
    assert await queries.trades("BTC-USDT", forced=True) == [rows[1]]
    assert await queries.trades("BTC-USDT", part=Part(from_ms=20, limit=1)) == [rows[1]]


async def test_the_ledger_is_found_by_wallet_asset_and_reason(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    rows = [
        posting(1, 100),
        posting(2, -5, reason="fee"),
        posting(3, 7, wallet="perp", reason="funding"),
        posting(4, 1, asset="BTC"),
        posting(1, 9, account_id=8),
    ]
    insert(writer, TABLES["ledger"], rows)
    assert await queries.ledger(7) == rows[:4]
    assert await queries.ledger(7, reasons=["fee", "funding"]) == [rows[1], rows[2]]
    assert await queries.ledger(7, wallet="perp") == [rows[2]]
    assert await queries.ledger(7, asset="BTC") == [rows[3]]
    assert await queries.ledger(7, part=Part(before_id=3, limit=1)) == [rows[1]]


async def test_candles_are_found_by_interval_kind_and_span(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    minutes = [
        CandleRow("BTC-USDT", 60_000, at * 60_000, 1, 3, 1, 2, 10, 20, 4, synthetic=at == 0)
        for at in range(5)
    ]
    hour = CandleRow("BTC-USDT", 3_600_000, 0, 1, 3, 1, 2, 50, 100, 20)
    mark = CandleRow("BTC-USDT", 60_000, 0, 1, 3, 1, 2, 0, 0, 0, kind="mark")
    insert(writer, TABLES["candles"], [*minutes, hour, mark])
    assert await queries.candles("BTC-USDT", 60_000) == minutes
    assert await queries.candles("BTC-USDT", 60_000, part=Part(limit=2)) == minutes[3:]
    within = Part(from_ms=60_000, to_ms=180_000)
    assert await queries.candles("BTC-USDT", 60_000, part=within) == minutes[1:4]
    assert await queries.candles("BTC-USDT", 3_600_000) == [hour]
    assert await queries.candles("BTC-USDT", 60_000, kind="mark") == [mark]


async def test_funding_is_found_by_symbol_and_paid_by_account(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    rates = [FundingRow("BTC-USDT-PERP", at, 10**8, 5 * 10**12) for at in (1, 2, 3)]
    paid = [FundingPaymentRow(7, n, "BTC-USDT-PERP", 5, 10, 20, -(10**19), n) for n in (1, 2)]
    insert(writer, TABLES["funding"], rates)
    insert(writer, TABLES["funding_payments"], paid)
    assert await queries.funding("BTC-USDT-PERP", part=Part(from_ms=2)) == rates[1:]
    assert await queries.funding(ETH) == []
    assert await queries.funding_payments(7) == paid
    assert await queries.funding_payments(7, symbol=ETH) == []


async def test_what_loans_cost_is_found_by_wallet_and_asset(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    hours = [InterestRow(7, n, "margin", "USDT", n, 10**11, 10**7, 10**24, 10**25) for n in (1, 2)]
    loans = [LoanRow(7, 3, 1, "margin", "USDT", 10**11, 0, 0, 10**11, 0, 1)]
    insert(writer, TABLES["interest"], hours)
    insert(writer, TABLES["loans"], loans)
    assert await queries.interest(7, wallet="margin", asset="USDT") == hours
    assert await queries.interest(7, asset="BTC") == []
    assert await queries.loans(7, wallet="margin") == loans
    assert await queries.loans(8) == []


async def test_liquidations_are_found_by_account_and_symbol(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    steps = [
        LiquidationRow(7, n, "perp", "BTC-USDT-PERP", step, "USDT", 1, 2, 3, 4, 5, n)
        for n, step in enumerate(("started", "sold", "restored"), 1)
    ]
    insert(writer, TABLES["liquidations"], steps)
    assert await queries.liquidations(7) == steps
    assert await queries.liquidations(7, symbol=ETH) == []


async def test_pnl_sums_postings_by_reason_exactly_past_64_bits(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    large = 2**63 - 1
    rows = [
        posting(1, large),
        posting(2, large),
        posting(3, -(10**25)),
        posting(4, -1),
        posting(5, -5, reason="fee"),
        posting(6, -6, reason="fee"),
        posting(7, 3, wallet="perp", reason="funding"),
        posting(1, 99, account_id=8),
    ]
    insert(writer, TABLES["ledger"], rows)
    assert await queries.pnl(7) == [
        PnlRow("perp", "USDT", "funding", 3),
        PnlRow("spot", "USDT", "fee", -11),  # -5 - 6.
        PnlRow("spot", "USDT", "trade", 2 * large - 10**25 - 1),
    ]
    assert await queries.pnl(7, from_ms=50, to_ms=60) == [PnlRow("spot", "USDT", "fee", -11)]
    assert await queries.pnl(9) == []


async def test_readers_only_read(queries: Readers) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await queries.query(lambda reader: reader.execute("DELETE FROM trades"))


async def test_a_liquidation_is_found_by_the_number_it_began_with(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    """Another scope's steps, and the next liquidation of the same scope, are not its own."""
    steps = [
        (3, "perp", "started"),
        (4, "margin", "started"),
        (5, "perp", "sold"),
        (6, "perp", "closed"),
        (9, "perp", "started"),
        (10, "perp", "sold"),
    ]
    rows = [LiquidationRow(7, n, scope, "", step, "", 0, 0, 0, 0, 0, n) for n, scope, step in steps]
    insert(writer, TABLES["liquidations"], rows)
    assert [row.n for row in await queries.liquidation(7, 3)] == [3, 5, 6]
    assert [row.n for row in await queries.liquidation(7, 9)] == [9, 10]
    assert await queries.liquidation(7, 5) == []
    assert await queries.liquidation(8, 3) == []


async def test_a_charge_a_call_a_refusal_and_a_fill_are_found_by_their_ids(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    interest = InterestRow(7, 4, "margin", "USDT", 5, 100, 10, 1, 1)
    paid = FundingPaymentRow(7, 5, "BTC-USDT-PERP", 10, 50, 1, -2, 5)
    call = CallRow(7, 6, "margin", 10**12, 10**12, 5, False, 5, 1, "[]")
    reject = RejectRow(7, 8, 5, "BUSY", "{}")
    for name, row in (
        ("interest", interest),
        ("funding_payments", paid),
        ("calls", call),
        ("rejects", reject),
        ("fills", fill(3, 1)),
        ("fills", fill(3, 2)),
    ):
        insert(writer, TABLES[name], [row])
    assert await queries.charge(7, 4) == interest
    assert await queries.charge(7, 5) == paid
    assert await queries.call(7, 6) == call
    assert await queries.reject(7, 8) == reject
    assert await queries.fill(7, SYMBOL, 3) == [fill(3, 1), fill(3, 2)]
    for found in (
        await queries.charge(8, 4),
        await queries.call(8, 6),
        await queries.reject(8, 8),
        await queries.charge(7, 6),
    ):
        assert found is None


def amendment(n: int, order_id: int, before_id: int, *, account_id: int = 7) -> AmendmentRow:
    return AmendmentRow(account_id, n, SYMBOL, order_id, before_id, 100 + n, 101 + n, 9, 8, n * 10)


async def test_amendments_are_found_by_any_order_of_their_chain(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    """Order 1 was cut twice, replaced by 4, and that by 6; 2 by 5; and 3 never."""
    rows = [
        *(amendment(1, 1, 1), amendment(2, 5, 2), amendment(3, 1, 1), amendment(4, 4, 1)),
        *(amendment(5, 6, 4), amendment(2, 1, 1, account_id=8)),
    ]
    for _ in range(2):  # Written again after a crash, they are the same.
        insert(writer, TABLES["amendments"], rows)
        for order_id in (1, 4, 6):
            found = await queries.amendments(7, order_id)
            assert [(row.n, row.first_id, row.place) for row in found] == [
                *((1, 1, 1), (3, 1, 2), (4, 1, 3), (5, 1, 4)),
            ]
        for order_id in (2, 5):
            (only,) = await queries.amendments(7, order_id)
            assert (only.n, only.first_id, only.place) == (2, 2, 1)
        assert await queries.amendments(7, 3) == []
        assert [row.n for row in await queries.amendments(8, 1)] == [2]
    part = await queries.amendments(7, 6, part=Part(from_ms=30, limit=2))
    assert [row.place for row in part] == [2, 3]
    assert [row.place for row in await queries.amendments(7, 6, part=Part(limit=1))] == [4]


async def test_what_is_left_of_a_pruned_chain_is_found_by_its_orders(
    writer: sqlite3.Connection, queries: Queries
) -> None:
    insert(writer, TABLES["amendments"], [amendment(1, 2, 1), amendment(2, 3, 2)])
    writer.execute("DELETE FROM amendments WHERE n = 1")
    for order_id in (1, 2, 3):
        found = await queries.amendments(7, order_id)
        assert [row.n for row in found] == ([] if order_id == 1 else [2]), order_id
