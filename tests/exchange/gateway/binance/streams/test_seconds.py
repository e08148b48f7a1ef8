"""Candles of one second: folded from trades, flat where none was, for an hour."""

from __future__ import annotations

from exchange.bounds import SECONDS_KEPT
from exchange.events import Traded
from exchange.gateway.binance.streams.seconds import SECOND_MS, Seconds
from exchange.views.candles import Candle, flat
from matching.types import Side
from tests.exchange.events_by_hand import PERP, SPOT, START_MS, event


def seconds_of(*trades: tuple[int, int, int]) -> Seconds:
    """Of trades of (milliseconds from the start, ticks, lots); odd lots are bought."""
    seconds = Seconds([SPOT.symbol])
    for at, ticks, lots in trades:
        side = Side.BUY if lots % 2 else Side.SELL
        made = {"price_ticks": ticks, "lots": lots, "taker_side": side}
        seconds.fold(event(Traded, time_ms=START_MS + at, **made))
    return seconds


def asked(
    seconds: Seconds,
    now: int,
    start: int | None = None,
    end: int | None = None,
    limit: int = 500,
) -> list[Candle]:
    """What is told at a moment; moments are milliseconds from the start."""
    start_ms = None if start is None else START_MS + start
    end_ms = None if end is None else START_MS + end
    return seconds.get(SPOT.symbol, start_ms, end_ms, limit, START_MS + now)


def test_trades_of_one_second_are_one_candle() -> None:
    (only,) = asked(seconds_of((0, 10, 1), (500, 12, 2), (999, 11, 3)), now=999)
    # 10 x 1 + 12 x 2 + 11 x 3 = 67; bought were 1 at 10 and 3 at 11.
    assert only == Candle(START_MS, 10, 12, 10, 11, 6, 67, 3, False, 4, 43)


def test_a_second_without_a_trade_is_flat_at_the_last_close() -> None:
    seconds = seconds_of((0, 10, 1), (3_000, 20, 1))
    found = asked(seconds, now=4_500)
    assert [(candle.close, candle.trades) for candle in found] == [
        *((10, 1), (10, 0), (10, 0)),
        *((20, 1), (20, 0)),
    ]
    assert asked(seconds, now=4_500, start=1_000, end=2_000) == found[1:3]
    assert seconds.current(SPOT.symbol, START_MS + 4_500) == flat(START_MS + 4_000, 20)


def test_bounds_are_inclusive_and_a_limit_is_of_the_first_or_of_the_last() -> None:
    seconds = seconds_of((0, 10, 1))
    at = [candle.open_ms - START_MS for candle in asked(seconds, now=9_000)]
    assert at == [second * SECOND_MS for second in range(10)]

    def told(**bounds: int) -> list[int]:
        return [candle.open_ms - START_MS for candle in asked(seconds, now=9_000, **bounds)]

    assert told(limit=2) == at[-2:]
    assert told(start=1, end=3_000) == at[1:4]
    assert told(start=-5_000, limit=2) == at[:2]
    assert told(end=3_999, limit=2) == at[2:4]
    assert told(start=9_001) == told(start=3_000, end=2_000) == told(end=-1) == []


def test_what_is_told_is_not_what_grows() -> None:
    seconds = seconds_of((0, 10, 1))
    (before,) = asked(seconds, now=0)
    seconds.fold(event(Traded, time_ms=START_MS, lots=1))
    assert before.trades == 1


def test_an_hour_is_kept_and_the_price_before_it() -> None:
    hour_ms = SECONDS_KEPT * SECOND_MS
    seconds = seconds_of((0, 10, 1), (1_000, 20, 1), (hour_ms + 5_000, 30, 1))
    found = asked(seconds, now=hour_ms + 5_000, start=0, limit=10_000)
    assert len(found) == SECONDS_KEPT
    assert found[0] == flat(START_MS + 6_000, 20)
    assert found[-1].close == 30


def test_before_the_first_trade_and_of_other_symbols_there_is_nothing() -> None:
    seconds = seconds_of()
    assert asked(seconds, now=0) == []
    assert seconds.current(SPOT.symbol, START_MS) is None
    seconds.fold(event(Traded, symbol=PERP.symbol))
    assert seconds.get(PERP.symbol, None, None, 10, START_MS) == []


def test_it_begins_with_the_first_second_of_which_every_trade_was_kept() -> None:
    seconds = seconds_of()
    moments = (900, 999, 1_000, 1_500, 2_000)
    kept = [event(Traded, time_ms=START_MS + at, lots=1) for at in moments]
    seconds.begin(kept)
    found = asked(seconds, now=2_000)
    assert [(candle.open_ms - START_MS, candle.trades) for candle in found] == [
        (1_000, 2),
        (2_000, 1),
    ]
    seconds.begin([])
