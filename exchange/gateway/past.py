"""The public past of a symbol: what memory holds, joined with what the history keeps before it."""

from __future__ import annotations

from exchange.bounds import TRADES_KEPT
from exchange.events import Traded
from exchange.gateway.doors import Doors
from exchange.storage.queries import Part
from exchange.storage.rows import CandleRow
from exchange.views.candles import Candle
from exchange.views.trades import trade_of_row
from exchange.wire import INTERVALS_MS


async def candles_of(
    doors: Doors,
    symbol: str,
    interval: str,
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
    kind: str = "last",
) -> list[Candle]:
    """Candles that open from `start_ms` to `end_ms` (both included), oldest first.

    With a start the first `limit` of them, without one the last. Of trades, or of a perpetual's
    "mark" or "index".
    """
    board = doors.board
    kept = board.candles if kind == "last" else board.price_candles[kind]
    found = kept.get(symbol, interval, start_ms, end_ms, limit)
    # Asked from a start, memory may begin behind it; asked for the last ones, it may hold too few.
    wanted = limit if start_ms is not None else limit - len(found)
    before_ms = found[0].open_ms - 1 if found else end_ms
    if not wanted or (start_ms is not None and before_ms is not None and before_ms < start_ms):
        return found
    part = Part(from_ms=start_ms, to_ms=before_ms, limit=wanted)
    rows = await doors.history.candles(symbol, INTERVALS_MS[interval], kind=kind, part=part)
    return [*map(candle_of_row, rows), *found][:limit]


async def last_trades(
    doors: Doors, symbol: str, limit: int, before_id: int | None = None
) -> list[Traded]:
    """The last `limit` trades, oldest first; with `before_id` those of lower ids."""
    found = doors.board.trades.recent(symbol, limit, before_id)
    missing = limit - len(found)
    if not missing:
        return found
    part = Part(before_id=found[0].trade_id if found else before_id, limit=missing)
    rows = await doors.history.trades(symbol, part=part)
    return [*map(trade_of_row, rows), *found]


async def trades_from(doors: Doors, symbol: str, from_id: int, limit: int) -> list[Traded]:
    """The first `limit` trades of `from_id` and higher ids, oldest first."""
    last = doors.board.trades.last(symbol)
    if last is None or last.trade_id < from_id:
        return []
    kept = doors.board.trades.recent(symbol, last.trade_id - from_id + 1)
    kept = [each for each in kept if each.trade_id >= from_id]
    if kept[0].trade_id <= from_id:
        return kept[:limit]
    part = Part(from_id=from_id, before_id=kept[0].trade_id, limit=limit)
    rows = await doors.history.trades(symbol, part=part)
    return [*map(trade_of_row, rows), *kept][:limit]


async def id_at(doors: Doors, symbol: str, time_ms: int) -> int:
    """The id of the first trade at `time_ms` or later; of a trade to come where there is none."""
    kept = doors.board.trades.recent(symbol, TRADES_KEPT)
    if kept and kept[0].time_ms < time_ms:
        within = (each.trade_id for each in kept if each.time_ms >= time_ms)
        return next(within, kept[-1].trade_id + 1)
    rows = await doors.history.trades(symbol, part=Part(from_ms=time_ms, limit=1))
    ids = [row.trade_id for row in rows] + [each.trade_id for each in kept[:1]]
    return min(ids, default=1)


def candle_of_row(row: CandleRow) -> Candle:
    """A candle of the history, which keeps those that are over."""
    return Candle(
        row.open_ms,
        row.open,
        row.high,
        row.low,
        row.close,
        row.lots,
        row.units,
        row.trades,
        row.synthetic,
        row.taker_lots,
        row.taker_units,
    )
