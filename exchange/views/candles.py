"""Candles of every symbol and interval, folded from trades; in ticks, lots and ticks x lots.

Those of a price that nobody trades at, such as a mark, count its moments as their trades.

Candles stand on a grid that starts at the epoch, and from the first price on there is one for
each step of it: a step without a trade is flat at the last close.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from exchange.bounds import CANDLES_KEPT, CANDLES_TRIMMED
from exchange.events import Traded
from exchange.wire import INTERVALS_MS
from matching.types import Side

MINUTE_MS: Final = INTERVALS_MS["1m"]

# A column holds 63 bits; a day's ticks x lots may need more, so they take two columns.
_SPLIT_BITS: Final = 62
_SPLIT_MASK: Final = (1 << _SPLIT_BITS) - 1
_COLUMNS: Final = 12


class Candle(msgspec.Struct, gc=False):
    """One candle. `lots` is its volume, `units` the sum of ticks x lots, `trades` their count.

    Of these, buying takers brought about `taker_lots` and `taker_units`. With no trade it is
    flat: four times the last close.
    """

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    units: int = 0
    trades: int = 0
    synthetic: bool = False
    taker_lots: int = 0
    taker_units: int = 0

    def add(self, later: Candle) -> None:
        """Fold in what was traded after it, within its interval."""
        if not later.trades:
            return
        if self.trades:
            self.high = max(self.high, later.high)
            self.low = min(self.low, later.low)
        else:
            self.open, self.high, self.low = later.open, later.high, later.low
        self.close = later.close
        self.lots += later.lots
        self.units += later.units
        self.trades += later.trades
        self.synthetic = self.synthetic or later.synthetic
        self.taker_lots += later.taker_lots
        self.taker_units += later.taker_units


def flat(open_ms: int, ticks: int) -> Candle:
    """A candle without a trade."""
    return Candle(open_ms, ticks, ticks, ticks, ticks)


class Candles:
    """The candles of all symbols; memory is bounded per symbol and interval."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._lines = {symbol: _Line() for symbol in symbols}
        self.symbols = tuple(self._lines)
        self._due_ms = 0  # No candle ends before this moment.

    def fold(self, trade: Traded) -> None:
        """Fold a trade in; trades come in the order of their time. O(1)."""
        self.advance(trade.time_ms)
        bought = trade.lots if trade.taker_side is Side.BUY else 0
        self._lines[trade.symbol].trade(trade.time_ms, trade.price_ticks, trade.lots, bought)

    def fold_price(self, symbol: str, time_ms: int, price: int) -> None:
        """Fold in what a price was at a moment, in whatever unit it is told in. O(1)."""
        self.advance(time_ms)
        self._lines[symbol].trade(time_ms, price, 0, 0)

    def advance(self, time_ms: int) -> None:
        """It is `time_ms`: close the candles that are over, and draw the flat ones between."""
        if time_ms < self._due_ms:
            return
        for line in self._lines.values():
            line.advance(time_ms)
        self._due_ms = time_ms - time_ms % MINUTE_MS + MINUTE_MS

    def preload(self, symbol: str, interval: str, rows: Sequence[Candle]) -> None:
        """Lay down history, oldest first, without holes; the last row may still be running.

        It must come before any live trade of the symbol. A row off the grid, or one that does
        not follow the row before, is a ValueError.
        """
        self._lines[symbol].preload(interval, rows)
        self._due_ms = 0

    def get(
        self,
        symbol: str,
        interval: str,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Candle]:
        """Candles that open from `start_ms` to `end_ms` (both included), oldest first.

        With a start the first `limit` of them, without one the last; the running candle is the
        newest. O(limit).
        """
        return self._lines[symbol].get(interval, start_ms, end_ms, limit)

    def current(self, symbol: str, interval: str) -> Candle | None:
        """The running candle; None before the first price."""
        return self._lines[symbol].current(interval)

    def last_ticks(self, symbol: str) -> int | None:
        """The price of the last trade; None before the first."""
        current = self.current(symbol, "1m")
        return current.close if current else None


class _Line:
    """The candles of one symbol. `fresh` gathers the running minute's trades for every series."""

    __slots__ = ("fresh", "series")

    def __init__(self) -> None:
        self.series = {name: _Series(step_ms) for name, step_ms in INTERVALS_MS.items()}
        self.fresh: Candle | None = None

    def trade(self, time_ms: int, ticks: int, lots: int, bought: int) -> None:
        fresh = self.fresh
        units = ticks * lots
        if fresh is None:
            open_ms = time_ms - time_ms % MINUTE_MS
            fresh = self.fresh = Candle(open_ms, ticks, ticks, ticks, ticks, lots, units, 1)
            fresh.taker_lots, fresh.taker_units = bought, ticks * bought
            for series in self.series.values():
                series.start(open_ms, ticks)
            return
        fresh.high = max(fresh.high, ticks)
        fresh.low = min(fresh.low, ticks)
        fresh.close = ticks
        fresh.lots += lots
        fresh.units += units
        fresh.trades += 1
        fresh.taker_lots += bought
        fresh.taker_units += ticks * bought

    def advance(self, time_ms: int) -> None:
        fresh = self.fresh
        if fresh is not None and time_ms >= fresh.open_ms + MINUTE_MS:
            for series in self.series.values():
                series.running_add(fresh)
            self.fresh = None
        for series in self.series.values():
            series.advance(time_ms)

    def preload(self, interval: str, rows: Sequence[Candle]) -> None:
        assert self.fresh is None, "history is laid down before the first live trade"
        self.series[interval].preload(rows)

    def current(self, interval: str) -> Candle | None:
        running = self.series[interval].running
        if running is None:
            return None
        shown = msgspec.structs.replace(running)
        if self.fresh is not None:
            shown.add(self.fresh)
        return shown

    def get(
        self, interval: str, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Candle]:
        series = self.series[interval]
        current = self.current(interval)
        if current is None:
            return []
        step_ms = series.step_ms
        first_ms = current.open_ms - len(series) * step_ms
        first = 0 if start_ms is None else max(0, -(-(start_ms - first_ms) // step_ms))
        stop = len(series) + 1
        if end_ms is not None:
            stop = min(stop, (end_ms - first_ms) // step_ms + 1)
        if start_ms is None:
            first = max(first, stop - limit)
        stop = min(stop, first + limit)
        found = [series.closed(place) for place in range(first, min(stop, len(series)))]
        if first <= len(series) < stop:
            found.append(current)
        return found


class _Series:
    """The candles of one interval: the closed ones in flat columns, and the running one.

    There are no holes, so a candle's place tells its time.
    """

    __slots__ = ("columns", "running", "step_ms")

    def __init__(self, step_ms: int) -> None:
        self.step_ms = step_ms
        self.columns = array("q")
        self.running: Candle | None = None

    def __len__(self) -> int:
        return len(self.columns) // _COLUMNS

    def start(self, time_ms: int, ticks: int) -> None:
        """The first price ever; no news where a candle is running."""
        if self.running is None:
            self.running = flat(time_ms - time_ms % self.step_ms, ticks)

    def running_add(self, minute: Candle) -> None:
        """Fold a minute that is over into the running candle."""
        assert self.running is not None, "a series starts with its first trade"
        self.running.add(minute)

    def advance(self, time_ms: int) -> None:
        """Close the running candle if it is over; at most `CANDLES_KEPT` flat ones follow."""
        running = self.running
        if running is None or time_ms < running.open_ms + self.step_ms:
            return
        open_ms = time_ms - time_ms % self.step_ms
        missing = (open_ms - running.open_ms) // self.step_ms - 1
        if missing >= CANDLES_KEPT:
            del self.columns[:]  # All of it is older than what is kept.
        else:
            self._close(running)
        still = flat(open_ms, running.close)
        for _ in range(min(missing, CANDLES_KEPT)):
            self._close(still)
        self.running = still

    def preload(self, rows: Sequence[Candle]) -> None:
        """Lay down history; see `Candles.preload`."""
        for number, row in enumerate(rows):
            if row.open_ms != rows[0].open_ms + number * self.step_ms or row.open_ms % self.step_ms:
                raise ValueError(f"the candle at {row.open_ms} does not follow the one before")
        del self.columns[:]
        for row in rows[:-1]:
            self._close(row)
        self.running = msgspec.structs.replace(rows[-1]) if rows else None

    def closed(self, place: int) -> Candle:
        """The closed candle at a place, 0 the oldest kept."""
        assert self.running is not None, "what is closed was running once"
        at = place * _COLUMNS
        open_, high, low, close, lots, *rest = self.columns[at : at + _COLUMNS]
        units_high, units_low, trades, synthetic, bought, bought_high, bought_low = rest
        return Candle(
            self.running.open_ms - (len(self) - place) * self.step_ms,
            open_,
            high,
            low,
            close,
            lots,
            (units_high << _SPLIT_BITS) + units_low,
            trades,
            bool(synthetic),
            bought,
            (bought_high << _SPLIT_BITS) + bought_low,
        )

    def _close(self, candle: Candle) -> None:
        self.columns.extend(
            (
                candle.open,
                candle.high,
                candle.low,
                candle.close,
                candle.lots,
                candle.units >> _SPLIT_BITS,
                candle.units & _SPLIT_MASK,
                candle.trades,
                int(candle.synthetic),
                candle.taker_lots,
                candle.taker_units >> _SPLIT_BITS,
                candle.taker_units & _SPLIT_MASK,
            )
        )
        if len(self) >= CANDLES_KEPT + CANDLES_TRIMMED:
            del self.columns[: CANDLES_TRIMMED * _COLUMNS]
