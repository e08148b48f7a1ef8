"""Questions to the history, answered in threads by readers that only read."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from exchange.storage.rows import (
    CallRow,
    CandleRow,
    DeleverRow,
    FillRow,
    FundingPaymentRow,
    FundingRow,
    InterestRow,
    LedgerRow,
    LiquidationRow,
    LoanRow,
    OrderListRow,
    OrderRow,
    PnlRow,
    RejectRow,
    TradeRow,
)
from exchange.storage.tables import TABLES

Answer = TypeVar("Answer")
Work = Callable[[sqlite3.Connection], Answer]
Conditions = dict[str, str | int | Collection[str] | Collection[int] | None]

READERS: Final = 2
ROWS_MAX: Final = 5_000  # Of one answer.
ROWS: Final = 500  # Of one answer, unless told otherwise.


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list: within a span of time, or of ids, and how much of it at most.

    Lists are oldest first, and all bounds but `before_id` count as within. Of a longer list it
    is the newest `limit`, or the oldest where it is said where to begin (`from_ms`, `from_id`).
    """

    from_ms: int | None = None
    to_ms: int | None = None
    from_id: int | None = None
    before_id: int | None = None
    limit: int = ROWS

    @property
    def is_oldest(self) -> bool:
        """Is it said where to begin?"""
        return self.from_ms is not None or self.from_id is not None


ALL: Final = Part()


class Queries:
    """The readers of one history file. Times are exchange time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="history reader")
        self._of_thread = threading.local()
        self._readers: list[sqlite3.Connection] = []

    async def query(self, work: Work[Answer]) -> Answer:
        """Do `work` on a read-only connection, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(self._reader()))

    async def orders(
        self,
        account_id: int,
        *,
        symbol: str | None = None,
        wallet: str | Collection[str] | None = None,
        statuses: Collection[int] | None = None,
        is_open: bool | None = None,
        forced: bool | None = None,
        part: Part = ALL,
    ) -> list[OrderRow]:
        """An account's orders, by order id; the times are those of placing.

        `forced` ones were sent by the liquidation engine.
        """
        where: Conditions = {
            "account_id": account_id,
            "symbol": symbol,
            "wallet": wallet,
            "status": statuses,
            "is_open": is_open,
            "forced": forced,
        }
        return await self._rows("orders", where, part, "order_id")

    async def order(self, order_id: int) -> OrderRow | None:
        """One order."""
        rows = await self._rows("orders", {"order_id": order_id}, ALL, "order_id")
        return rows[0] if rows else None

    async def order_by_client_id(self, account_id: int, client_id: str) -> OrderRow | None:
        """The newest of an account's orders with this client id."""
        where: Conditions = {"account_id": account_id, "client_id": client_id}
        rows = await self._rows("orders", where, Part(limit=1), "order_id")
        return rows[0] if rows else None

    async def order_lists(
        self, account_id: int, *, symbol: str | None = None, part: Part = ALL
    ) -> list[OrderListRow]:
        """An account's order lists, by list id; the times are those of placing."""
        where: Conditions = {"account_id": account_id, "symbol": symbol}
        return await self._rows("order_lists", where, part, "list_id")

    async def order_list(
        self, account_id: int, *, list_id: int | None = None, client_id: str | None = None
    ) -> OrderListRow | None:
        """An account's list of that id, or its newest of that client id."""
        where: Conditions = {
            "account_id": account_id,
            "list_id": list_id,
            "client_id": client_id,
        }
        rows = await self._rows("order_lists", where, Part(limit=1), "list_id")
        return rows[0] if rows else None

    async def fills(
        self,
        account_id: int,
        *,
        symbol: str | None = None,
        wallet: str | None = None,
        order_id: int | None = None,
        part: Part = ALL,
    ) -> list[FillRow]:
        """An account's fills, by trade id in one symbol, which ids of `part` need; else by time."""
        where: Conditions = {
            "account_id": account_id,
            "symbol": symbol,
            "wallet": wallet,
            "order_id": order_id,
        }
        if symbol is not None:
            return await self._rows("fills", where, part, "trade_id", "order_id")
        assert part.from_id is None, "trade ids count per symbol"
        assert part.before_id is None, "trade ids count per symbol"
        return await self._rows("fills", where, part, "time_ms", "rowid")

    async def trades(
        self, symbol: str, *, forced: bool | None = None, part: Part = ALL
    ) -> list[TradeRow]:
        """A symbol's public trades, by trade id; `forced` ones closed somebody's position."""
        where: Conditions = {"symbol": symbol, "forced": forced}
        return await self._rows("trades", where, part, "trade_id")

    async def ledger(
        self,
        account_id: int,
        *,
        wallet: str | None = None,
        asset: str | None = None,
        reasons: Collection[str] | None = None,
        part: Part = ALL,
    ) -> list[LedgerRow]:
        """An account's postings, by event number."""
        where: Conditions = {
            "account_id": account_id,
            "wallet": wallet,
            "asset": asset,
            "reason": reasons,
        }
        return await self._rows("ledger", where, part, "n")

    async def candles(
        self, symbol: str, interval_ms: int, *, kind: str = "last", part: Part = ALL
    ) -> list[CandleRow]:
        """A symbol's candles, by the time they open."""
        where: Conditions = {"symbol": symbol, "kind": kind, "interval_ms": interval_ms}
        return await self._rows("candles", where, part, "open_ms")

    async def funding(self, symbol: str, *, part: Part = ALL) -> list[FundingRow]:
        """A perpetual's funding rates, by time."""
        return await self._rows("funding", {"symbol": symbol}, part, "time_ms")

    async def funding_payments(
        self, account_id: int, *, symbol: str | None = None, part: Part = ALL
    ) -> list[FundingPaymentRow]:
        """What an account paid and received in funding, by event number."""
        where: Conditions = {"account_id": account_id, "symbol": symbol}
        return await self._rows("funding_payments", where, part, "n")

    async def interest(
        self,
        account_id: int,
        *,
        wallet: str | None = None,
        asset: str | None = None,
        part: Part = ALL,
    ) -> list[InterestRow]:
        """The hours of interest an account was charged, by event number."""
        where: Conditions = {"account_id": account_id, "wallet": wallet, "asset": asset}
        return await self._rows("interest", where, part, "n")

    async def loans(
        self,
        account_id: int,
        *,
        wallet: str | None = None,
        asset: str | None = None,
        part: Part = ALL,
    ) -> list[LoanRow]:
        """What an account borrowed and repaid, by event number."""
        where: Conditions = {"account_id": account_id, "wallet": wallet, "asset": asset}
        return await self._rows("loans", where, part, "n")

    async def liquidations(
        self, account_id: int, *, symbol: str | None = None, part: Part = ALL
    ) -> list[LiquidationRow]:
        """The steps of an account's liquidations, by event number."""
        where: Conditions = {"account_id": account_id, "symbol": symbol}
        return await self._rows("liquidations", where, part, "n")

    async def fill(self, account_id: int, symbol: str, trade_id: int) -> list[FillRow]:
        """An account's sides of one trade: one, or both where it met itself."""
        where: Conditions = {"account_id": account_id, "symbol": symbol, "trade_id": trade_id}
        return await self._rows("fills", where, ALL, "trade_id", "order_id")

    async def charge(self, account_id: int, n: int) -> InterestRow | FundingPaymentRow | None:
        """The hour of interest, or the funding payment, of an event number."""
        where: Conditions = {"account_id": account_id, "n": n}
        rows = await self._rows("interest", where, ALL, "n")
        rows = rows or await self._rows("funding_payments", where, ALL, "n")
        return rows[0] if rows else None

    async def call(self, account_id: int, n: int) -> CallRow | None:
        """The margin call of an event number."""
        rows = await self._rows("calls", {"account_id": account_id, "n": n}, ALL, "n")
        return rows[0] if rows else None

    async def deleverage(self, account_id: int, n: int) -> DeleverRow | None:
        """The deleveraging of an event number."""
        rows = await self._rows("deleverages", {"account_id": account_id, "n": n}, ALL, "n")
        return rows[0] if rows else None

    async def reject(self, account_id: int, seq: int) -> RejectRow | None:
        """A command of the account that was refused."""
        where: Conditions = {"account_id": account_id, "seq": seq}
        rows = await self._rows("rejects", where, ALL, "seq")
        return rows[0] if rows else None

    async def liquidation(self, account_id: int, n: int) -> list[LiquidationRow]:
        """The steps of one liquidation, from its beginning, whose event number it is called by."""
        where: Conditions = {"account_id": account_id}
        rows = await self._rows("liquidations", where, Part(from_id=n), "n")
        if not rows or rows[0].n != n or rows[0].step != "started":
            return []
        mine = [row for row in rows if row.scope == rows[0].scope]
        ends = (at for at, row in enumerate(mine) if at and row.step == "started")
        return mine[: next(ends, len(mine))]

    async def pnl(
        self, account_id: int, *, from_ms: int | None = None, to_ms: int | None = None
    ) -> list[PnlRow]:
        """The sums of an account's postings by wallet, asset and reason, exact at any size.

        Postings that were pruned count as long as no `from_ms` is given.
        """
        return await self.query(lambda reader: pnl_of(reader, account_id, from_ms, to_ms))

    async def _rows(self, table: str, where: Conditions, part: Part, *by: str) -> list[Any]:
        return await self.query(lambda reader: select(reader, table, where, part, by))

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
