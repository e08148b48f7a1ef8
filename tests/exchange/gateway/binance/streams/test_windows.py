"""Tickers of rolling windows, and the average price, as streams tell them."""

from __future__ import annotations

import pytest

from exchange.events import Traded
from exchange.gateway.binance.streams.payloads import Numbers
from exchange.gateway.binance.streams.windows import (
    WINDOWS_MS,
    average_price,
    begins_ms,
    mean_price_e8,
    whole_of,
    window_bar,
    window_ticker,
)
from exchange.views.candles import MINUTE_MS, Candle
from risk.parameters import HOUR_MS
from tests.exchange.events_by_hand import SPOT, START_MS, event
from tests.exchange.gateway.binance.streams.listening import Floor, heard

NUMBERS = Numbers(SPOT)


def trade(number: int, ticks: int, lots: int, minutes: int) -> Traded:
    made = event(Traded, time_ms=START_MS + minutes * MINUTE_MS, trade_id=number)
    made.price_ticks, made.lots = ticks, lots
    return made


def traded() -> Floor:
    """Trades in the first, the thirtieth and the ninetieth minute."""
    floor = Floor()
    floor.tell(trade(1, 100, 10, 0))
    floor.tell(trade(2, 130, 20, 30))
    floor.tell(trade(3, 120, 40, 90))
    return floor


def test_a_window_begins_at_a_minute_and_counts_the_running_one_whole() -> None:
    assert begins_ms(HOUR_MS + 1, HOUR_MS) == MINUTE_MS
    assert begins_ms(HOUR_MS - 1, HOUR_MS) == 0


def test_candles_add_up_to_one_that_opens_where_the_price_stood() -> None:
    assert whole_of([]) is None
    flat, moved = Candle(0, 5, 5, 5, 5), Candle(60, 7, 9, 6, 8, 3, 22, 2)
    assert whole_of([flat, moved]) == Candle(0, 5, 9, 5, 8, 3, 22, 2)


def test_a_windows_ticker_tells_of_its_trades_alone() -> None:
    board = traded().board
    hour = window_bar(board, SPOT.symbol, "1h")
    assert hour is not None
    said = window_ticker(board, NUMBERS, "1h", hour)
    # At minute 90 an hour goes back to minute 31: the price stood at 130, and one trade came.
    assert (said["e"], said["n"], said["F"], said["L"]) == ("1hTicker", 1, 3, 3)
    names = ("o", "h", "l", "c", "v")
    assert [said[name] for name in names] == [
        *map(NUMBERS.price, (130, 130, 120, 120)),
        NUMBERS.qty(40),
    ]
    # (120 - 130) / 130 = -7.692 %.
    assert (said["p"], said["P"]) == (NUMBERS.price(-10), "-7.692")
    assert said["O"] == begins_ms(board.time_ms, HOUR_MS)
    four = window_bar(board, SPOT.symbol, "4h")
    assert four is not None
    assert (four.open, four.high, four.trades, four.lots) == (100, 130, 3, 70)


def test_the_average_is_that_of_five_minutes_else_the_last_price() -> None:
    floor = traded()
    floor.tell(trade(4, 150, 40, 91))
    # (40 x 120 + 40 x 150) / 80 = 135.
    assert mean_price_e8(floor.board, NUMBERS) == 135 * SPOT.tick_e8
    said = average_price(floor.board, NUMBERS)
    assert (said["e"], said["i"], said["T"]) == ("avgPrice", "5m", START_MS + 91 * MINUTE_MS)
    floor.board.candles.advance(START_MS + 200 * MINUTE_MS)
    assert mean_price_e8(floor.board, NUMBERS) == 150 * SPOT.tick_e8


@pytest.mark.parametrize("window", WINDOWS_MS)
def test_windows_are_told_as_they_change(window: str) -> None:
    floor = traded()
    one, all_ = f"btcusdt@ticker_{window}", f"!ticker_{window}@arr"
    reader = floor.reader("spot", one, all_, "btcusdt@avgPrice")
    greeted = dict(heard(reader))
    assert greeted[one]["e"] == f"{window}Ticker"
    assert greeted[all_] == [greeted[one]]
    floor.hub.pulse(1_000)
    heard(reader)
    floor.hub.pulse(2_000)
    assert heard(reader) == []
    floor.tell(trade(4, 150, 10, 90))
    floor.hub.pulse(3_000)
    told = dict(heard(reader))
    assert told[one]["c"] == NUMBERS.price(150)
    assert told[all_] == [told[one]]
    assert told["btcusdt@avgPrice"]["e"] == "avgPrice"


def test_before_the_first_price_there_is_nothing_to_tell() -> None:
    floor = Floor()
    assert window_bar(floor.board, SPOT.symbol, "1h") is None
    reader = floor.reader("spot", "btcusdt@ticker_1h", "!ticker_1h@arr")
    floor.hub.pulse(1_000)
    assert heard(reader) == []
