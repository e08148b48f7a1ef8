"""Candles of a stream: the running one as it grows, each that closes exactly once."""

from __future__ import annotations

from typing import Any

from exchange.bounds import CANDLES_WAITING_MAX
from exchange.events import Marked, Traded
from exchange.gateway.binance.streams.candles import CandleTeller
from exchange.gateway.binance.streams.names import Spec
from exchange.gateway.binance.streams.payloads import Numbers
from matching.types import Side
from tests.exchange.events_by_hand import MINUTE_MS, SPOT, START_MS, event
from tests.exchange.gateway.binance.streams.listening import Floor


class Told:
    """A teller, and what it said."""

    def __init__(self, *trades: tuple[int, int]) -> None:
        self.floor = Floor()
        self.next_id = 1
        self.trade(*trades)
        self.teller = self.teller_of("1m")

    def teller_of(self, interval: str) -> CandleTeller:
        """One who tells the pair's candles of an interval, from now on."""
        spec = Spec("kline", (SPOT.symbol,), 250, interval)
        return CandleTeller(self.floor.board, self.floor.hub.seconds, Numbers(SPOT), spec)

    def trade(self, *trades: tuple[int, int]) -> None:
        """Trades of (minute, lots)."""
        for minute, lots in trades:
            at_ms = START_MS + minute * MINUTE_MS
            side = Side.BUY if lots % 2 else Side.SELL
            made = event(Traded, time_ms=at_ms, trade_id=self.next_id, lots=lots, taker_side=side)
            self.floor.tell(made)
            self.next_id += 1

    def pass_to(self, minute: int) -> None:
        """Time goes by and nothing is traded."""
        self.floor.tell(event(Marked, time_ms=START_MS + minute * MINUTE_MS))

    def news(self) -> list[dict[str, Any]]:
        return [payload["k"] for _, payload in self.teller.news()]

    def brief(self) -> list[tuple[int, bool, int, int, int]]:
        """(minute, closed, trades, first id, last id) of each candle that is news."""
        return [
            ((k["t"] - START_MS) // MINUTE_MS, k["x"], k["n"], k["f"], k["L"]) for k in self.news()
        ]


def test_the_running_candle_is_news_when_it_grows() -> None:
    told = Told((0, 1))
    assert told.brief() == []
    told.trade((0, 2))
    assert told.brief() == [(0, False, 2, 1, 2)]
    assert told.brief() == []


def test_before_the_first_price_there_is_nothing_to_say() -> None:
    told = Told()
    assert told.teller.state() == []
    assert told.brief() == []
    told.trade((0, 1))
    assert told.brief() == [(0, False, 1, 1, 1)]


def test_a_candle_that_closes_is_told_once_also_without_a_trade() -> None:
    told = Told((0, 1))
    told.trade((0, 2))
    told.pass_to(2)
    assert told.brief() == [
        (0, True, 2, 1, 2),
        (1, True, 0, -1, -1),
        (2, False, 0, -1, -1),
    ]
    told.trade((2, 3), (3, 4))
    assert told.brief() == [(2, True, 1, 3, 3), (3, False, 1, 4, 4)]


def test_what_buyers_took_is_told_apart() -> None:
    told = Told((0, 1))
    told.trade((0, 2), (0, 3))
    (bar,) = told.news()
    # Odd lots were bought: 1 and 3 of 6, at 50,000.
    assert (bar["v"], bar["V"]) == ("0.00006000", "0.00004000")
    assert (bar["q"], bar["Q"]) == ("3.00000000", "2.00000000")


def test_one_who_begins_to_listen_hears_the_running_candle() -> None:
    told = Told((0, 1))
    ((key, payload),) = told.teller.state()
    assert key == str(START_MS)
    assert (payload["k"]["x"], payload["k"]["n"]) == (False, 1)


def test_of_a_long_silence_only_the_newest_candles_are_told() -> None:
    told = Told((0, 1))
    told.pass_to(CANDLES_WAITING_MAX + 10)
    said = told.brief()
    assert len(said) == CANDLES_WAITING_MAX + 1
    assert [each[0] for each in said] == list(range(10, CANDLES_WAITING_MAX + 11))
    assert [each[1] for each in said] == [True] * CANDLES_WAITING_MAX + [False]


def test_seconds_are_told_as_minutes_are() -> None:
    told = Told((0, 1))
    told.teller = told.teller_of("1s")
    told.floor.tell(event(Marked, time_ms=START_MS + 1_500))
    made = {"trade_id": 2, "lots": 3, "taker_side": Side.BUY}
    told.floor.tell(event(Traded, time_ms=START_MS + 1_700, **made))
    closed, running = told.news()
    assert (closed["t"], closed["T"], closed["x"]) == (START_MS, START_MS + 999, True)
    assert (running["t"], running["i"], running["x"]) == (START_MS + 1_000, "1s", False)
    assert [(k["n"], k["f"], k["L"]) for k in (closed, running)] == [(1, 1, 1), (1, 2, 2)]
    assert told.news() == []
    told.floor.tell(event(Marked, time_ms=START_MS + 1_000_000))
    assert len(told.news()) == CANDLES_WAITING_MAX + 1


def test_weeks_are_made_of_the_days_the_board_has() -> None:
    told = Told((0, 1))
    told.teller = told.teller_of("1w")
    # The start is a Tuesday; of the week, and so of its candle, six days are left.
    week_ms = 7 * 24 * 60 * MINUTE_MS
    monday_ms = START_MS - (START_MS - 4 * week_ms // 7) % week_ms
    ((_, payload),) = told.teller.state()
    assert (payload["k"]["t"], payload["k"]["T"]) == (monday_ms, monday_ms + week_ms - 1)
    told.trade((24 * 60, 2), (7 * 24 * 60, 3))
    closed, running = told.news()
    assert (closed["t"], closed["n"], closed["x"]) == (monday_ms, 2, True)
    assert (running["t"], running["n"], running["x"]) == (monday_ms + week_ms, 1, False)
    assert told.news() == []
