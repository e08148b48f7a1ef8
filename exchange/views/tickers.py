"""Twenty-four hours of every symbol in one line, folded from its minutes."""

from __future__ import annotations

from typing import NamedTuple

from exchange.bounds import MINUTES_PER_DAY
from exchange.views.candles import MINUTE_MS, Candles
from exchange.views.depth import Bbo, Depth


class Ticker(NamedTuple):
    """The last 1,440 minutes, the running one included; ticks, lots and ticks x lots.

    Prices are None before the first trade.
    """

    symbol: str
    last: int | None
    open: int | None
    high: int | None
    low: int | None
    lots: int
    units: int
    trades: int
    bbo: Bbo


class _Day(NamedTuple):
    """The closed minutes of the window that ends with the minute at `minute_ms`."""

    minute_ms: int
    open: int | None
    high: int
    low: int
    lots: int
    units: int
    trades: int


class Tickers:
    """Rolling windows by the minute: computed when read, and once a minute at most."""

    def __init__(self, candles: Candles, depth: Depth) -> None:
        self._candles = candles
        self._depth = depth
        self._days: dict[str, _Day] = {}

    def get(self, symbol: str) -> Ticker:
        """The ticker as it stands. O(1), and O(minutes of a day) for the first in a minute."""
        bbo = self._depth.bbo(symbol)
        minute = self._candles.current(symbol, "1m")
        if minute is None:
            return Ticker(symbol, None, None, None, None, 0, 0, 0, bbo)
        day = self._days.get(symbol)
        if day is None or day.minute_ms != minute.open_ms:
            day = self._days[symbol] = self._fold(symbol, minute.open_ms)
        first = day.open is None
        return Ticker(
            symbol,
            minute.close,
            minute.open if first else day.open,
            minute.high if first else max(day.high, minute.high),
            minute.low if first else min(day.low, minute.low),
            day.lots + minute.lots,
            day.units + minute.units,
            day.trades + minute.trades,
            bbo,
        )

    def forget(self, symbol: str) -> None:
        """The minutes before the running one were laid down anew."""
        self._days.pop(symbol, None)

    def _fold(self, symbol: str, minute_ms: int) -> _Day:
        closed = self._candles.get(
            symbol,
            "1m",
            minute_ms - (MINUTES_PER_DAY - 1) * MINUTE_MS,
            minute_ms - MINUTE_MS,
            MINUTES_PER_DAY,
        )
        if not closed:
            return _Day(minute_ms, None, 0, 0, 0, 0, 0)
        return _Day(
            minute_ms,
            closed[0].open,
            max(candle.high for candle in closed),
            min(candle.low for candle in closed),
            sum(candle.lots for candle in closed),
            sum(candle.units for candle in closed),
            sum(candle.trades for candle in closed),
        )
