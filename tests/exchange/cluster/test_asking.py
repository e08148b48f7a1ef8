"""A gateway's questions to the history, and the cores' answers, over a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.cluster import asking
from exchange.cluster.answering import HistoryServer
from exchange.cluster.asking import RemoteHistory
from exchange.cluster.connecting import Connection
from exchange.cluster.names import Names
from exchange.storage.backlog import TableRow
from exchange.storage.history import History
from exchange.storage.queries import HistoryAway, Part
from exchange.storage.rows import CandleRow, PnlRow
from tests.exchange.sequencing import until
from tests.exchange.storage.histories import SYMBOL, fill, named, order, posting

LARGE = 1 << 80


class Cores:
    """A history, what it has reached, and the servers that answer for it."""

    def __init__(self, connection: Connection, names: Names, folder: Path) -> None:
        self.history = History.open(folder / "history.db")
        self.seq = 0
        self.leads: dict[str, bool] = {}
        self.servers: dict[str, HistoryServer] = {}
        self._connection = connection
        self._names = names
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, name: str, *, leads: bool) -> None:
        """One more core that answers."""
        self.leads[name] = leads
        server = HistoryServer(
            self._connection,
            self._names,
            self.history,
            core=name,
            seq=lambda: self.seq,
            leads=lambda: self.leads[name],
        )
        self.servers[name] = server
        self._tasks.append(asyncio.create_task(server.run()))

    def happens(self, *rows: TableRow) -> None:
        """A command that left these rows."""
        self.seq += 1
        self.history.submit(self.seq, list(rows))
        for server in self.servers.values():
            server.on_group([])

    async def stop(self) -> None:
        """Answer no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        await self.stop()
        self.history.close()


@contextlib.asynccontextmanager
async def cores(connection: Connection, names: Names, folder: Path) -> AsyncIterator[Cores]:
    made = Cores(connection, names, folder)
    try:
        yield made
    finally:
        await made.close()


@contextlib.asynccontextmanager
async def remote(
    connection: Connection, names: Names, made: Cores, gateway: str = "g"
) -> AsyncIterator[RemoteHistory]:
    history = RemoteHistory(connection, names, gateway=gateway, seq=lambda: made.seq)
    listening = asyncio.create_task(history.listen())
    try:
        yield history
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await history.close()


async def test_rows_come_as_the_file_has_them(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    """Large numbers, flags, nothing at all, collections and parts of a list included."""
    async with cores(connection, names, tmp_path) as made:
        made.add("a", leads=True)
        candle = CandleRow(SYMBOL, 60_000, 120_000, 1, 2, 0, 1, 5, LARGE, 3, 2, LARGE)
        wide = order(3)._replace(filled_units=LARGE, reason=None, post_only=True)
        made.happens(*named("orders", order(1), order(2), wide), ("candles", candle))
        made.happens(*named("fills", fill(7, 1), fill(8, 2)))
        async with remote(connection, names, made) as history:
            assert await history.orders(7) == [order(1), order(2), wide]
            assert await history.order(3) == wide
            assert await history.order(9) is None
            assert await history.orders_of(7, {1, 3}) == [order(1), wide]
            assert await history.orders(7, part=Part(from_id=2, limit=1)) == [order(2)]
            assert await history.fills(7, order_id=2) == [fill(8, 2)]
            assert await history.candles(SYMBOL, 60_000) == [candle]
            assert await history.caught_up()


async def test_sums_of_postings_are_exact_at_any_size(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with cores(connection, names, tmp_path) as made:
        made.add("a", leads=True)
        made.happens(*named("ledger", posting(1, LARGE), posting(2, 1)))
        async with remote(connection, names, made) as history:
            (row,) = await history.pnl(7)
            assert isinstance(row, PnlRow)
            assert row.change_minor == LARGE + 1
            assert await made.history.pnl(7) == [row]


async def test_an_answer_waits_until_the_core_is_where_the_gateway_was(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with cores(connection, names, tmp_path) as made:
        made.add("a", leads=True)
        async with remote(connection, names, made) as history:
            history.seq = lambda: 1
            asked = asyncio.create_task(history.order(1))
            assert await history.caught_up(0.05) is False
            assert not asked.done()
            made.happens(*named("orders", order(1)))
            assert await asked == order(1)


async def test_a_leader_leaves_the_answering_to_a_standby(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    """Its own history is empty here, so it is known who answered."""
    (tmp_path / "leader").mkdir()
    with connection.sync_client() as client:
        async with (
            cores(connection, names, tmp_path / "leader") as leading,
            cores(connection, names, tmp_path) as standing_by,
            remote(connection, names, standing_by) as history,
        ):
            standing_by.add("standby", leads=False)
            await until(lambda: bool(client.exists(names.standby)))
            leading.add("leader", leads=True)
            standing_by.happens(*named("orders", order(1)))
            leading.happens()
            found = [await history.order(1) for _ in range(20)]
            assert found == [order(1)] * 20
            await standing_by.stop()
            assert await history.order(1) is None  # The leader's, once nobody stands by.


async def test_where_nobody_answers_it_says_so(
    connection: Connection, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ASK_AGAIN_AFTER_S", 0.02)
    async with (
        cores(connection, names, tmp_path) as made,
        remote(connection, names, made) as history,
    ):
        with pytest.raises(HistoryAway, match="no core answers"):
            await history.order(1)
        assert await history.caught_up() is False
        history.patient = True
        asked = asyncio.create_task(history.order(1))
        made.add("late", leads=True)
        made.happens(*named("orders", order(1)))
        assert await asked in {None, order(1)}  # It asked before that was known, and waited.


async def test_answers_go_to_whoever_asked(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with cores(connection, names, tmp_path) as made:
        made.add("a", leads=True)
        made.happens(*named("orders", *(order(number) for number in range(1, 31))))
        async with (
            remote(connection, names, made, "one") as one,
            remote(connection, names, made, "two") as two,
        ):
            found = await asyncio.gather(
                *(one.order(number) for number in range(1, 31)),
                *(two.order(number) for number in range(30, 0, -1)),
            )
        ids = [row.order_id for row in found if row is not None]
        assert ids == [*range(1, 31), *range(30, 0, -1)]
