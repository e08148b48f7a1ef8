"""Questions that no gateway of ours asks are passed over; the others are answered all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.cluster.asking import Ask, encode
from exchange.cluster.connecting import Connection
from exchange.cluster.names import Names
from tests.exchange.cluster.test_asking import cores, remote
from tests.exchange.sequencing import until
from tests.exchange.storage.histories import named, order

BAD = [
    b"",
    b"\xff\xff no question",
    encode(Ask("g", 1, 0, "rows", "no_such_table", {}, (None,) * 4 + (1,), ["n"])),
    encode(Ask("g", 1, 0, "rows", "orders; DROP TABLE orders", {}, by=["order_id"])),
    encode(Ask("g", 1, 0, "rows", "orders", {"1=1 OR account_id": 7}, by=["order_id"])),
    encode(Ask("g", 1, 0, "rows", "orders", {"account_id": 7}, by=["order_id; DROP"])),
    encode(Ask("g", 1, 0, "rows", "orders", {"account_id": 7}, by=[])),
    encode(Ask("g", 1, 0, "pnl", "", {"account_id": "7 OR 1=1"})),
]


@pytest.mark.parametrize("question", BAD, ids=range(len(BAD)))
async def test_a_bad_question_changes_nothing_and_stops_nobody(
    connection: Connection,
    names: Names,
    tmp_path: Path,
    question: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with cores(connection, names, tmp_path) as made:
        made.add("a", leads=True)
        made.happens(*named("orders", order(1)))
        async with remote(connection, names, made) as history:
            assert await history.order(1) == order(1)
            client = connection.client()
            await client.xadd(names.asks, {"data": question})
            await client.xadd(names.asks, {"nothing": "at all"})
            await client.aclose()
            assert await history.order(1) == order(1)
            # Both of them, each with a word, none as a fault.
            await until(lambda: caplog.text.count("was passed over") == 2)


async def test_who_trims_the_questions_away_does_not_stop_the_answering(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    """A stream that was deleted takes the readers' group along; it is made again."""
    async with cores(connection, names, tmp_path) as made:
        made.add("a", leads=True)
        made.happens(*named("orders", order(1)))
        async with remote(connection, names, made) as history:
            assert await history.order(1) == order(1)
            client = connection.client()
            await client.delete(names.asks)
            await client.aclose()
            assert await history.order(1) == order(1)
