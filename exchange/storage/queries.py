"""Questions to the history, whoever answers them: the file beside this process, or a core."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from exchange.storage.rows import (
    AmendmentRow,
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

Conditions = dict[str, str | int | Collection[str] | Collection[int] | None]

ROWS_MAX: Final = 5_000  # Of one answer.
FRESH_WITHIN_S: Final = 2.0
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


class HistoryAway(Exception):
    """Nobody answers for the history just now; the text says so to the one who asked."""


class Queries(ABC):
    """What a history is asked. Times are exchange time."""

    @abstractmethod
    async def rows(self, table: str, where: Conditions, part: Part, *by: str) -> list[Any]:
        """The part of a table's rows, in the order of the columns `by`; the first is what ids name.

        A condition is a column's value, or a collection it is one of; None is no condition.
        """

    @abstractmethod
    async def pnl(
        self, account_id: int, *, from_ms: int | None = None, to_ms: int | None = None
    ) -> list[PnlRow]:
        """The sums of an account's postings by wallet, asset and reason, exact at any size.

        Postings that were pruned count as long as no `from_ms` is given.
        """

    @abstractmethod
    async def caught_up(self, within_s: float = FRESH_WITHIN_S) -> bool:
        """Wait until all that this process knows of is in the file; False if that takes long."""

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
        return await self.rows("orders", where, part, "order_id")

    async def order(self, order_id: int) -> OrderRow | None:
        """One order."""
        rows = await self.rows("orders", {"order_id": order_id}, ALL, "order_id")
        return rows[0] if rows else None

    async def orders_of(
        self, account_id: int, order_ids: Collection[int], *, part: Part = ALL
    ) -> list[OrderRow]:
        """Those of an account's orders that have one of these ids."""
        where: Conditions = {"account_id": account_id, "order_id": order_ids}
        return await self.rows("orders", where, part, "order_id")

    async def order_by_client_id(self, account_id: int, client_id: str) -> OrderRow | None:
        """The newest of an account's orders with this client id."""
        where: Conditions = {"account_id": account_id, "client_id": client_id}
        rows = await self.rows("orders", where, Part(limit=1), "order_id")
        return rows[0] if rows else None

    async def amendments(
        self, account_id: int, order_id: int, *, part: Part = ALL
    ) -> list[AmendmentRow]:
        """How an account's order was changed, by event number: under this id, and under those
        that it had before and after, where it was replaced."""
        for name in ("order_id", "before_id"):
            where: Conditions = {"account_id": account_id, name: order_id}
            found = await self.rows("amendments", where, Part(limit=1), "n")
            if found:
                where = {"account_id": account_id, "first_id": found[0].first_id}
                return await self.rows("amendments", where, part, "n")
        return []

    async def order_lists(
        self, account_id: int, *, symbol: str | None = None, part: Part = ALL
    ) -> list[OrderListRow]:
        """An account's order lists, by list id; the times are those of placing."""
        where: Conditions = {"account_id": account_id, "symbol": symbol}
        return await self.rows("order_lists", where, part, "list_id")

    async def order_list(
        self, account_id: int, *, list_id: int | None = None, client_id: str | None = None
    ) -> OrderListRow | None:
        """An account's list of that id, or its newest of that client id."""
        where: Conditions = {
            "account_id": account_id,
            "list_id": list_id,
            "client_id": client_id,
        }
        rows = await self.rows("order_lists", where, Part(limit=1), "list_id")
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
            return await self.rows("fills", where, part, "trade_id", "order_id")
        assert part.from_id is None, "trade ids count per symbol"
        assert part.before_id is None, "trade ids count per symbol"
        return await self.rows("fills", where, part, "time_ms", "rowid")

    async def trades(
        self, symbol: str, *, forced: bool | None = None, part: Part = ALL
    ) -> list[TradeRow]:
        """A symbol's public trades, by trade id; `forced` ones closed somebody's position."""
        where: Conditions = {"symbol": symbol, "forced": forced}
        return await self.rows("trades", where, part, "trade_id")

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
        return await self.rows("ledger", where, part, "n")

    async def candles(
        self, symbol: str, interval_ms: int, *, kind: str = "last", part: Part = ALL
    ) -> list[CandleRow]:
        """A symbol's candles, by the time they open."""
        where: Conditions = {"symbol": symbol, "kind": kind, "interval_ms": interval_ms}
        return await self.rows("candles", where, part, "open_ms")

    async def funding(self, symbol: str, *, part: Part = ALL) -> list[FundingRow]:
        """A perpetual's funding rates, by time."""
        return await self.rows("funding", {"symbol": symbol}, part, "time_ms")

    async def funding_payments(
        self, account_id: int, *, symbol: str | None = None, part: Part = ALL
    ) -> list[FundingPaymentRow]:
        """What an account paid and received in funding, by event number."""
        where: Conditions = {"account_id": account_id, "symbol": symbol}
        return await self.rows("funding_payments", where, part, "n")

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
        return await self.rows("interest", where, part, "n")

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
        return await self.rows("loans", where, part, "n")

    async def liquidations(
        self, account_id: int, *, symbol: str | None = None, part: Part = ALL
    ) -> list[LiquidationRow]:
        """The steps of an account's liquidations, by event number."""
        where: Conditions = {"account_id": account_id, "symbol": symbol}
        return await self.rows("liquidations", where, part, "n")

    async def fill(self, account_id: int, symbol: str, trade_id: int) -> list[FillRow]:
        """An account's sides of one trade: one, or both where it met itself."""
        where: Conditions = {"account_id": account_id, "symbol": symbol, "trade_id": trade_id}
        return await self.rows("fills", where, ALL, "trade_id", "order_id")

    async def charge(self, account_id: int, n: int) -> InterestRow | FundingPaymentRow | None:
        """The hour of interest, or the funding payment, of an event number."""
        where: Conditions = {"account_id": account_id, "n": n}
        rows = await self.rows("interest", where, ALL, "n")
        rows = rows or await self.rows("funding_payments", where, ALL, "n")
        return rows[0] if rows else None

    async def call(self, account_id: int, n: int) -> CallRow | None:
        """The margin call of an event number."""
        rows = await self.rows("calls", {"account_id": account_id, "n": n}, ALL, "n")
        return rows[0] if rows else None

    async def deleverages(
        self, account_id: int, *, symbol: str | None = None, part: Part = ALL
    ) -> list[DeleverRow]:
        """What of an account was reduced for somebody's bankruptcy, by event number."""
        where: Conditions = {"account_id": account_id, "symbol": symbol}
        return await self.rows("deleverages", where, part, "n")

    async def deleverage(self, account_id: int, n: int) -> DeleverRow | None:
        """The deleveraging of an event number."""
        rows = await self.rows("deleverages", {"account_id": account_id, "n": n}, ALL, "n")
        return rows[0] if rows else None

    async def reject(self, account_id: int, seq: int) -> RejectRow | None:
        """A command of the account that was refused."""
        where: Conditions = {"account_id": account_id, "seq": seq}
        rows = await self.rows("rejects", where, ALL, "seq")
        return rows[0] if rows else None

    async def liquidation(self, account_id: int, n: int) -> list[LiquidationRow]:
        """The steps of one liquidation, from its beginning, whose event number it is called by."""
        where: Conditions = {"account_id": account_id}
        rows = await self.rows("liquidations", where, Part(from_id=n), "n")
        if not rows or rows[0].n != n or rows[0].step != "started":
            return []
        mine = [row for row in rows if row.scope == rows[0].scope]
        ends = (at for at, row in enumerate(mine) if at and row.step == "started")
        return mine[: next(ends, len(mine))]
