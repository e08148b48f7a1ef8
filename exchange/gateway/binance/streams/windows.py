"""What the last minutes and hours add up to: tickers of rolling windows, and the average price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from exchange.gateway.binance.streams.payloads import NO_TRADE, Numbers, Payload
from exchange.views.board import Board
from exchange.views.candles import MINUTE_MS, Candle
from matching.instrument import fixed_text
from risk.money import half_even_div
from risk.parameters import DAY_MS, HOUR_MS

WINDOWS_MS: Final = {"1h": HOUR_MS, "4h": 4 * HOUR_MS, "1d": DAY_MS}  # Of streams.
AVERAGE_MINUTES: Final = 5
PERCENT_E3: Final = 100_000  # Changes in percent have three places.


def begins_ms(time_ms: int, long_ms: int) -> int:
    """When a window that ends now begins: at a minute, the running one counted whole."""
    return time_ms - time_ms % MINUTE_MS + MINUTE_MS - long_ms


def whole_of(bars: Sequence[Candle]) -> Candle | None:
    """Candles that follow each other as one; None where there are none."""
    if not bars:
        return None
    first, *others = bars
    # A minute without a trade still says where the price stood: the window opens there.
    opened, whole = first.open, msgspec.structs.replace(first)
    for bar in others:
        whole.add(bar)
    whole.open = opened
    whole.high, whole.low = max(whole.high, opened), min(whole.low, opened)
    return whole


def window_bar(board: Board, symbol: str, window: str) -> Candle | None:
    """All that was traded in one of `WINDOWS_MS`, from memory: minutes to a full hour, then hours.

    None before the first price.
    """
    start_ms = begins_ms(board.time_ms, WINDOWS_MS[window])
    hour_ms = -(-start_ms // HOUR_MS) * HOUR_MS
    minutes = board.candles.get(symbol, "1m", start_ms, hour_ms - 1, 60)
    return whole_of([*minutes, *board.candles.get(symbol, "1h", hour_ms, None, 24)])


def window_ticker(board: Board, numbers: Numbers, window: str, bar: Candle) -> Payload:
    """The ticker of a window; `bar` is what was traded in it."""
    last = board.trades.last(numbers.instrument.symbol)
    last_id = last.trade_id if last is not None and bar.trades else NO_TRADE
    moved = bar.close - bar.open
    percent_e3 = half_even_div(moved * PERCENT_E3, bar.open) if bar.open else 0
    return {
        "e": f"{window}Ticker",
        "E": board.time_ms,
        "s": numbers.name,
        "p": numbers.price(moved),
        "P": fixed_text(percent_e3, 3),
        "o": numbers.price(bar.open),
        "h": numbers.price(bar.high),
        "l": numbers.price(bar.low),
        "c": numbers.price(bar.close),
        "w": numbers.price_e8(numbers.mean_e8(bar.units, bar.lots)),
        "v": numbers.qty(bar.lots),
        "q": numbers.turnover(bar.units, bar.lots),
        "O": begins_ms(board.time_ms, WINDOWS_MS[window]),
        "C": board.time_ms,
        "F": last_id - bar.trades + 1 if bar.trades else NO_TRADE,
        "L": last_id,
        "n": bar.trades,
    }


def mean_price_e8(board: Board, numbers: Numbers) -> int:
    """The mean of the last five minutes' trades; the last price where there were none."""
    symbol = numbers.instrument.symbol
    minutes = board.candles.get(symbol, "1m", limit=AVERAGE_MINUTES)
    lots = sum(minute.lots for minute in minutes)
    if lots or not minutes:
        return numbers.mean_e8(sum(minute.units for minute in minutes), lots)
    return minutes[-1].close * numbers.instrument.tick_e8


def average_price(board: Board, numbers: Numbers) -> Payload:
    """The mean price, and when the last trade was."""
    last = board.trades.last(numbers.instrument.symbol)
    return {
        "e": "avgPrice",
        "E": board.time_ms,
        "s": numbers.name,
        "i": f"{AVERAGE_MINUTES}m",
        "w": numbers.price_e8(mean_price_e8(board, numbers)),
        "T": last.time_ms if last is not None else board.time_ms,
    }
