"""Candles against a plain fold of the same trades."""

from __future__ import annotations

import random

import pytest

from exchange.bounds import CANDLES_KEPT, CANDLES_TRIMMED
from exchange.events import Traded
from exchange.views.candles import Candle, Candles
from exchange.wire import INTERVALS_MS
from matching.types import Side
from tests.exchange.events_by_hand import MINUTE_MS, START_MS, event

SYMBOL = "BTC-USDT"
HOUR_MS = INTERVALS_MS["1h"]


def candles_of(*trades: tuple[int, int, int]) -> Candles:
    """Candles after trades of (time_ms, ticks, lots)."""
    candles = Candles([SYMBOL])
    for time_ms, ticks, lots in trades:
        candles.fold(event(Traded, time_ms=time_ms, price_ticks=ticks, lots=lots))
    return candles


def test_before_the_first_trade_there_is_no_candle() -> None:
    candles = Candles([SYMBOL])
    candles.advance(START_MS + 10 * MINUTE_MS)
    assert candles.get(SYMBOL, "1m") == []
    assert candles.current(SYMBOL, "1m") is None
    assert candles.last_ticks(SYMBOL) is None


def test_a_minute_folds_its_trades() -> None:
    candles = candles_of((START_MS + 5, 100, 2), (START_MS + 10, 130, 1), (START_MS + 20, 90, 3))
    # Units: 100 x 2 + 130 x 1 + 90 x 3 = 600.
    assert candles.get(SYMBOL, "1m") == [
        Candle(START_MS, 100, 130, 90, 90, 6, 600, 3, taker_lots=6, taker_units=600)
    ]
    assert candles.last_ticks(SYMBOL) == 90


def test_minutes_without_a_trade_are_flat_at_the_last_close() -> None:
    candles = candles_of(
        (START_MS, 100, 1), (START_MS + 1, 120, 1), (START_MS + 3 * MINUTE_MS, 7, 1)
    )
    flat = [(c.open, c.high, c.low, c.close, c.lots) for c in candles.get(SYMBOL, "1m")]
    assert flat == [(100, 120, 100, 120, 2), *[(120, 120, 120, 120, 0)] * 2, (7, 7, 7, 7, 1)]


def test_time_alone_closes_a_candle() -> None:
    candles = candles_of((START_MS, 100, 1))
    candles.advance(START_MS + MINUTE_MS - 1)
    assert [c.open_ms for c in candles.get(SYMBOL, "1m")] == [START_MS]
    candles.advance(START_MS + MINUTE_MS)
    assert [c.open_ms for c in candles.get(SYMBOL, "1m")] == [START_MS, START_MS + MINUTE_MS]


def test_every_interval_is_the_fold_of_its_minutes() -> None:
    dice = random.Random(5)
    candles = Candles([SYMBOL])
    time_ms, traded = START_MS, []
    for number in range(1_200):
        time_ms += dice.choice([0, 1, 900, 20_000, 95_000, 400_000])
        trade = event(
            Traded,
            time_ms=time_ms,
            price_ticks=dice.randint(1, 50),
            lots=dice.randint(1, 9),
            taker_side=dice.choice([Side.BUY, Side.SELL]),
        )
        traded.append(trade)
        candles.fold(trade)
        if number % 100:
            continue
        for interval, step_ms in INTERVALS_MS.items():
            open_ms = time_ms - time_ms % step_ms
            inside = [t for t in traded if t.time_ms >= open_ms]
            bought = [t for t in inside if t.taker_side is Side.BUY]
            current = candles.current(SYMBOL, interval)
            assert current is not None
            assert current == Candle(
                open_ms,
                inside[0].price_ticks,
                max(t.price_ticks for t in inside),
                min(t.price_ticks for t in inside),
                inside[-1].price_ticks,
                sum(t.lots for t in inside),
                sum(t.lots * t.price_ticks for t in inside),
                len(inside),
                taker_lots=sum(t.lots for t in bought),
                taker_units=sum(t.lots * t.price_ticks for t in bought),
            )
    for interval in ("5m", "1h", "4h"):
        for candle in candles.get(SYMBOL, interval, limit=30)[1:-1]:
            end_ms = candle.open_ms + INTERVALS_MS[interval] - 1
            minutes = candles.get(SYMBOL, "1m", candle.open_ms, end_ms, 1_500)
            if len(minutes) * MINUTE_MS < INTERVALS_MS[interval]:
                continue  # Its first minutes are no longer kept.
            assert candle.lots == sum(minute.lots for minute in minutes)
            assert candle.close == minutes[-1].close
            assert candle.taker_lots == sum(minute.taker_lots for minute in minutes)
            assert candle.taker_units == sum(minute.taker_units for minute in minutes)


def test_a_range_includes_both_its_ends() -> None:
    candles = candles_of((START_MS, 1, 1), (START_MS + 9 * MINUTE_MS, 2, 1))

    def opens(
        start_ms: int | None = None, end_ms: int | None = None, limit: int = 500
    ) -> list[int]:
        found = candles.get(SYMBOL, "1m", start_ms, end_ms, limit)
        return [(candle.open_ms - START_MS) // MINUTE_MS for candle in found]

    assert opens() == list(range(10))
    assert opens(START_MS + 2 * MINUTE_MS, START_MS + 4 * MINUTE_MS) == [2, 3, 4]
    assert opens(START_MS + 1, START_MS + 4 * MINUTE_MS - 1) == [1, 2, 3]
    assert opens(limit=3) == [7, 8, 9]
    assert opens(None, START_MS + 5 * MINUTE_MS, limit=2) == [4, 5]
    assert opens(START_MS, limit=2) == [0, 1]
    assert opens(START_MS + 20 * MINUTE_MS) == []
    assert opens(None, START_MS - 1) == []


def test_a_long_silence_keeps_no_more_than_the_bound() -> None:
    candles = candles_of((START_MS, 100, 1))
    years_ms = 3 * 365 * INTERVALS_MS["1d"]
    candles.advance(START_MS + years_ms)
    found = candles.get(SYMBOL, "1m", limit=10 * CANDLES_KEPT)
    assert len(found) == CANDLES_KEPT + 1  # The closed ones and the running one.
    assert found[-1].open_ms == START_MS + years_ms
    assert {candle.close for candle in found} == {100}
    days = candles.get(SYMBOL, "1d", limit=10 * CANDLES_KEPT)
    assert len(days) == 3 * 365 + 1
    assert (days[0].trades, days[1].trades) == (1, 0)


def test_memory_is_bounded_while_time_goes_on() -> None:
    candles = candles_of((START_MS, 100, 1))
    for minute in range(2 * CANDLES_KEPT):
        candles.advance(START_MS + minute * MINUTE_MS)
    kept = len(candles.get(SYMBOL, "1m", limit=10 * CANDLES_KEPT))
    assert CANDLES_KEPT <= kept <= CANDLES_KEPT + CANDLES_TRIMMED


def test_a_day_of_enormous_trades_does_not_overflow() -> None:
    # Two of the largest orders there can be: 2 x 10^9 ticks x 4 x 10^9 lots = 8 x 10^18 units,
    # and a hundred more of them leave 63 bits far behind.
    candles = candles_of(*[(START_MS + k, 10**9, 4 * 10**9) for k in range(102)])
    candles.advance(START_MS + MINUTE_MS)
    closed = candles.get(SYMBOL, "1m", limit=2)[0]
    assert closed.units == 102 * 4 * 10**18


def test_history_comes_before_the_first_live_trade() -> None:
    candles = Candles([SYMBOL])
    hour = START_MS - START_MS % HOUR_MS
    rows = [Candle(hour + k * HOUR_MS, 10, 12, 9, 11, 5, 50, 2, True) for k in range(-3, 1)]
    candles.preload(SYMBOL, "1h", rows)
    candles.preload(SYMBOL, "1m", [Candle(START_MS, 11, 11, 11, 11, 1, 11, 1, True)])
    candles.fold(event(Traded, time_ms=START_MS + 30_000, price_ticks=20, lots=1))
    found = candles.get(SYMBOL, "1h")
    assert found[:3] == rows[:3]
    # The running hour goes on: its history, and the trade of 20 ticks x 1 lot once.
    assert found[3] == Candle(hour, 10, 20, 9, 20, 6, 70, 3, True, 1, 20)
    candles.advance(START_MS + MINUTE_MS)
    assert candles.get(SYMBOL, "1h")[3] == found[3]
    minute = Candle(START_MS, 11, 20, 11, 20, 2, 31, 2, True, 1, 20)
    assert candles.get(SYMBOL, "1m")[0] == minute


def test_history_with_a_hole_is_refused() -> None:
    rows = [Candle(START_MS, 1, 1, 1, 1), Candle(START_MS + 2 * MINUTE_MS, 1, 1, 1, 1)]
    with pytest.raises(ValueError, match="does not follow"):
        Candles([SYMBOL]).preload(SYMBOL, "1m", rows)
    with pytest.raises(ValueError, match="does not follow"):
        Candles([SYMBOL]).preload(SYMBOL, "1m", [Candle(START_MS + 1, 1, 1, 1, 1)])


def test_a_price_that_nobody_trades_at_has_candles_without_volume() -> None:
    candles = Candles([SYMBOL])
    for at_ms, price in ((0, 70), (1_000, -10), (MINUTE_MS, 20)):
        candles.fold_price(SYMBOL, START_MS + at_ms, price)
    closed, running = candles.get(SYMBOL, "1m")
    assert closed == Candle(START_MS, 70, 70, -10, -10, 0, 0, 2)
    assert running == Candle(START_MS + MINUTE_MS, 20, 20, 20, 20, 0, 0, 1)
