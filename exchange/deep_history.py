"""The history with, in front of it, what was made up before the venue's first moment.

What is kept on disk begins with the first moment; what lies before follows from the genesis
record and is made again whenever somebody asks. So a question that goes back further finds no
end there. It is told for as long as what followed it is kept: nothing is made up behind a hole.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from exchange.engine import Engine
from exchange.market.bars import Bar
from exchange.market.prehistory import Prehistory
from exchange.storage.pruning import CANDLES_KEPT
from exchange.storage.queries import ALL, FRESH_WITHIN_S, Conditions, Part, Queries
from exchange.storage.rows import CandleRow, FundingRow, PnlRow, TradeRow
from risk.parameters import DAY_MS, Venue

Row = TypeVar("Row")

TRADED: Final = "last"
PRICED: Final = frozenset({"mark", "index"})  # What stood where the trades did, as far as is known.


def deepened(
    history: Queries, past: Prehistory | None, engine: Engine, history_days: int
) -> Queries:
    """A history with the past before it, which is told for as long as what is kept.

    The history itself for a venue without a past.
    """
    if past is None:
        return history
    return DeepHistory(history, past, engine.venue, lambda: engine.time_ms - history_days * DAY_MS)


class DeepHistory(Queries):
    """The answers of a history and, where they are not enough, of the prehistory before it."""

    def __init__(
        self,
        history: Queries,
        past: Prehistory,
        venue: Venue,
        pruned_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        """`pruned_ms` is the moment up to which what is kept may have been removed."""
        self._history = history
        self._pruned_ms = pruned_ms
        self._past = past
        self._tick_e8 = {each.symbol: each.tick_e8 for each in venue.instruments}
        self._interval_ms = {perp.symbol: perp.interval_ms for perp in venue.perps}
        self._trades: dict[str, list[TradeRow]] = {}
        self._fundings: dict[str, list[FundingRow]] = {}
        self._making = threading.Lock()  # The prehistory keeps what it has cut already.

    async def rows(self, table: str, where: Conditions, part: Part, *by: str) -> list[Any]:
        """What was kept."""
        return await self._history.rows(table, where, part, *by)

    async def pnl(
        self, account_id: int, *, from_ms: int | None = None, to_ms: int | None = None
    ) -> list[PnlRow]:
        """The sums of an account's postings; nobody had an account before."""
        return await self._history.pnl(account_id, from_ms=from_ms, to_ms=to_ms)

    async def caught_up(self, within_s: float = FRESH_WITHIN_S) -> bool:
        """Wait until all that this process knows of is in the file."""
        return await self._history.caught_up(within_s)

    # -- candles -------------------------------------------------------------------------------

    async def candles(
        self, symbol: str, interval_ms: int, *, kind: str = TRADED, part: Part = ALL
    ) -> list[CandleRow]:
        """A symbol's candles, by the time they open."""
        found = await self._history.candles(symbol, interval_ms, kind=kind, part=part)
        # The candle that the first moment cuts is kept, with what lies before it.
        cut_ms = self._past.end_ms // interval_ms * interval_ms
        end_ms = cut_ms if part.to_ms is None else min(part.to_ms + 1, cut_ms)
        end_ms = -(-end_ms // interval_ms) * interval_ms
        wanted = part.limit if part.is_oldest else part.limit - len(found)
        start_ms = end_ms - wanted * interval_ms if part.from_ms is None else part.from_ms
        if wanted <= 0 or start_ms >= end_ms or kind not in PRICED | {TRADED}:
            return found
        if cut_ms + CANDLES_KEPT * interval_ms < self._pruned_ms():
            return found
        bars = await asyncio.to_thread(
            self._bars, symbol, interval_ms, (max(start_ms, 0), end_ms), wanted
        )
        tick_e8 = self._tick_e8[symbol] if kind in PRICED else 0
        made = [_candle_row(symbol, interval_ms, kind, bar, tick_e8) for bar in bars]
        return [*made, *found][: part.limit]

    def _bars(self, symbol: str, interval_ms: int, span: tuple[int, int], limit: int) -> list[Bar]:
        with self._making:
            return self._past.candles(symbol, interval_ms, *span, limit)

    # -- trades and funding --------------------------------------------------------------------

    async def trades(
        self, symbol: str, *, forced: bool | None = None, part: Part = ALL
    ) -> list[TradeRow]:
        """A symbol's public trades, by trade id; nobody was forced to those before."""
        found = await self._history.trades(symbol, forced=forced, part=part)
        if forced or (not part.is_oldest and len(found) >= part.limit):
            return found
        if self._past.end_ms < self._pruned_ms():
            return found
        made = await asyncio.to_thread(self._made_trades, symbol)
        within = [row for row in made if _is_within(part, row.time_ms, row.trade_id)]
        return _part_of([*within, *found], part)

    def _made_trades(self, symbol: str) -> list[TradeRow]:
        with self._making:
            if symbol not in self._trades:
                self._trades[symbol] = [
                    TradeRow(
                        symbol=symbol,
                        trade_id=each.trade_id,
                        price_ticks=each.price_ticks,
                        lots=each.lots,
                        taker_side=each.taker_side,
                        maker_order_id=0,
                        taker_order_id=0,
                        time_ms=each.time_ms,
                        synthetic=True,
                    )
                    for each in self._past.trades(symbol)
                ]
            return self._trades[symbol]

    async def funding(self, symbol: str, *, part: Part = ALL) -> list[FundingRow]:
        """A perpetual's funding rates, by time; none of them is ever removed."""
        found = await self._history.funding(symbol, part=part)
        if symbol not in self._interval_ms or (not part.is_oldest and len(found) >= part.limit):
            return found
        made = await asyncio.to_thread(self._made_fundings, symbol)
        within = [row for row in made if _is_within(part, row.time_ms)]
        return _part_of([*within, *found], part)

    def _made_fundings(self, symbol: str) -> list[FundingRow]:
        with self._making:
            if symbol not in self._fundings:
                self._fundings[symbol] = [
                    FundingRow(symbol, each.due_ms, each.rate_e12, each.mark_e8, synthetic=True)
                    for each in self._past.funding(symbol, self._interval_ms[symbol])
                ]
            return self._fundings[symbol]


def _candle_row(symbol: str, interval_ms: int, kind: str, bar: Bar, tick_e8: int) -> CandleRow:
    """A made-up bar; as a price that nobody trades at with `tick_e8`, in 10^-8."""
    row = CandleRow(
        symbol, interval_ms, *bar, bar.taker_lots, bar.taker_units, synthetic=True, kind=kind
    )
    if not tick_e8:
        return row
    return row._replace(
        open=bar.open * tick_e8,
        high=bar.high * tick_e8,
        low=bar.low * tick_e8,
        close=bar.close * tick_e8,
        lots=0,
        units=0,
        taker_lots=0,
        taker_units=0,
    )


def _is_within(part: Part, time_ms: int, id_: int = 0) -> bool:
    return (
        (part.from_ms is None or time_ms >= part.from_ms)
        and (part.to_ms is None or time_ms <= part.to_ms)
        and (part.from_id is None or id_ >= part.from_id)
        and (part.before_id is None or id_ < part.before_id)
    )


def _part_of(rows: Sequence[Row], part: Part) -> list[Row]:
    """The oldest of a list that says where to begin, else the newest."""
    return list(rows[: part.limit] if part.is_oldest else rows[-part.limit :])
