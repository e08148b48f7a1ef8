"""The public past of a symbol: what memory holds, joined with what the history keeps before it."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.bounds import TRADES_KEPT
from exchange.events import FundingFixed, Traded
from exchange.gateway.doors import Doors
from exchange.storage.queries import Part
from exchange.storage.rows import CandleRow, FundingRow
from exchange.views.candles import Candle, Candles, flat
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
    "mark" or "index". Without holes: of a stretch that nobody recorded the candles are flat.
    """
    found = await _recorded(doors, (symbol, interval, kind), start_ms, end_ms, limit)
    current = _kept(doors, kind).current(symbol, interval)
    if current is None:
        return found
    step_ms = INTERVALS_MS[interval]
    until_ms = current.open_ms if end_ms is None else min(current.open_ms, end_ms)
    if start_ms is None:
        return _unbroken(found, step_ms, until_ms, slice(-limit, None))[-limit:]
    first_ms = -(-start_ms // step_ms) * step_ms
    if first_ms <= until_ms and (not found or found[0].open_ms > first_ms):
        part = Part(to_ms=first_ms - 1, limit=1)
        before = await doors.history.candles(symbol, step_ms, kind=kind, part=part)
        found = [*(flat(first_ms - step_ms, row.close) for row in before), *found]
    whole = _unbroken(found, step_ms, until_ms, slice(0, limit))
    return [candle for candle in whole if candle.open_ms >= first_ms][:limit]


async def _recorded(
    doors: Doors,
    line: tuple[str, str, str],
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
) -> list[Candle]:
    """What memory and history have, which may have holes."""
    symbol, interval, kind = line
    found = _kept(doors, kind).get(symbol, interval, start_ms, end_ms, limit)
    # Asked from a start, memory may begin behind it; asked for the last ones, it may hold too few.
    wanted = limit if start_ms is not None else limit - len(found)
    before_ms = found[0].open_ms - 1 if found else end_ms
    if not wanted or (start_ms is not None and before_ms is not None and before_ms < start_ms):
        return found
    part = Part(from_ms=start_ms, to_ms=before_ms, limit=wanted)
    rows = await doors.history.candles(symbol, INTERVALS_MS[interval], kind=kind, part=part)
    return [*map(candle_of_row, rows), *found]


def _kept(doors: Doors, kind: str) -> Candles:
    return doors.board.candles if kind == "last" else doors.board.price_candles[kind]


def _unbroken(candles: list[Candle], step_ms: int, until_ms: int, part: slice) -> list[Candle]:
    """The candles with flat ones where some are missing, up to the one that `until_ms` is in.

    Of a hole only those that may be in the part that is asked for.
    """
    whole: list[Candle] = []
    for candle in candles:
        if whole:
            whole += _flats(whole[-1], candle.open_ms, step_ms, part)
        whole.append(candle)
    if whole:
        whole += _flats(whole[-1], until_ms + 1, step_ms, part)
    return whole


def _flats(before: Candle, stop_ms: int, step_ms: int, part: slice) -> Iterator[Candle]:
    hole = range(before.open_ms + step_ms, stop_ms, step_ms)
    return (flat(open_ms, before.close) for open_ms in hole[part])


async def fundings_of(
    doors: Doors, symbol: str, limit: int, start_ms: int | None, end_ms: int | None
) -> list[FundingFixed]:
    """Funding rates due from `start_ms` to `end_ms` (both included), oldest first.

    With a start the first `limit` of them, without one the last.
    """
    found = doors.board.marks.fundings(symbol, limit, start_ms, end_ms)
    wanted = limit if start_ms is not None else limit - len(found)
    before_ms = found[0].due_ms - 1 if found else end_ms
    if not wanted:
        return found
    part = Part(from_ms=start_ms, to_ms=before_ms, limit=wanted)
    rows = await doors.history.funding(symbol, part=part)
    earlier = (funding_of_row(row, 0 if row.synthetic else doors.board.seq) for row in rows)
    return [*earlier, *found][:limit]


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


def funding_of_row(row: FundingRow, seq: int) -> FundingFixed:
    """A rate of the history; `seq` 0 says that no command made it."""
    return FundingFixed(seq, row.time_ms, row.symbol, row.time_ms, row.rate_e12, row.mark_e8)


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
