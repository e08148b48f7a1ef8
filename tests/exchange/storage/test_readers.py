"""The readers of a history file."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from exchange.storage.queries import ALL
from exchange.storage.readers import Readers
from exchange.storage.tables import TABLES, insert, prepare
from tests.exchange.storage.histories import order


async def test_a_reader_sees_what_was_committed_and_can_write_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    writer = prepare(path)
    readers = Readers(path)
    try:
        assert await readers.rows("orders", {"account_id": 7}, ALL, "order_id") == []
        insert(writer, TABLES["orders"], [order(1), order(2)])
        assert await readers.rows("orders", {"account_id": 7}, ALL, "order_id") == [
            order(1),
            order(2),
        ]
        assert await readers.orders_of(7, {2, 3}) == [order(2)]
        assert await readers.caught_up()
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await readers.query(lambda reader: reader.execute("DELETE FROM orders"))
    finally:
        readers._close_readers()
        writer.close()


async def test_many_questions_at_once_are_answered_by_few_threads(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    writer = prepare(path)
    insert(writer, TABLES["orders"], [order(number) for number in range(1, 41)])
    readers = Readers(path)
    try:
        found = await asyncio.gather(*(readers.order(number) for number in range(1, 41)))
        assert [row.order_id for row in found if row] == list(range(1, 41))
        assert len(readers._readers) <= 2
    finally:
        readers._close_readers()
        writer.close()
