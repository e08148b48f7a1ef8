"""The rolling day, minute by minute."""

from __future__ import annotations

from exchange.events import DepthChanged, Traded
from exchange.views.candles import Candle, Candles
from exchange.views.depth import Bbo, Depth
from exchange.views.tickers import Ticker, Tickers
from tests.exchange.events_by_hand import MINUTE_MS, START_MS, event

SYMBOL = "BTC-USDT"
DAY_MS = 1_440 * MINUTE_MS


class Market:
    def __init__(self) -> None:
        self.candles = Candles([SYMBOL])
        self.depth = Depth([SYMBOL])
        self.tickers = Tickers(self.candles, self.depth)

    def trade(self, time_ms: int, ticks: int, lots: int) -> None:
        self.candles.fold(event(Traded, time_ms=time_ms, price_ticks=ticks, lots=lots))

    def ticker(self) -> Ticker:
        return self.tickers.get(SYMBOL)


def test_before_the_first_trade_there_is_only_the_book() -> None:
    market = Market()
    market.depth.fold(event(DepthChanged, bids=[(99, 1)]))
    expected = Ticker(SYMBOL, None, None, None, None, 0, 0, 0, Bbo(99, 1, 0, 0))
    assert market.ticker() == expected


def test_the_day_is_folded_from_its_minutes() -> None:
    market = Market()
    market.trade(START_MS, 100, 1)
    market.trade(START_MS + 5 * MINUTE_MS, 140, 2)
    market.trade(START_MS + 9 * MINUTE_MS, 90, 3)
    # Units: 100 x 1 + 140 x 2 + 90 x 3 = 650.
    assert market.ticker() == Ticker(SYMBOL, 90, 100, 140, 90, 6, 650, 3, Bbo(0, 0, 0, 0))
    market.trade(START_MS + 9 * MINUTE_MS + 1, 150, 1)  # Within the same minute.
    assert market.ticker()[1:8] == (150, 100, 150, 90, 7, 800, 4)


def test_what_is_older_than_a_day_leaves_the_window() -> None:
    market = Market()
    market.trade(START_MS, 200, 5)
    market.trade(START_MS + MINUTE_MS, 100, 1)
    market.candles.advance(START_MS + DAY_MS - 1)
    assert market.ticker().high == 200
    market.candles.advance(START_MS + DAY_MS)  # The minute of the 200 is now the 1,441st.
    assert market.ticker()[1:8] == (100, 100, 100, 100, 1, 100, 1)
    market.candles.advance(START_MS + DAY_MS + MINUTE_MS)
    assert market.ticker()[1:8] == (100, 100, 100, 100, 0, 0, 0)


def test_history_laid_down_later_is_seen_once_the_ticker_forgets() -> None:
    market = Market()
    market.candles.preload(SYMBOL, "1m", [Candle(START_MS, 5, 5, 5, 5, 1, 5, 1)])
    assert market.ticker().trades == 1
    rows = [
        Candle(START_MS - MINUTE_MS, 4, 4, 4, 4, 1, 4, 1),
        Candle(START_MS, 5, 5, 5, 5, 1, 5, 1),
    ]
    market.candles.preload(SYMBOL, "1m", rows)
    market.tickers.forget(SYMBOL)
    assert (market.ticker().trades, market.ticker().open) == (2, 4)
