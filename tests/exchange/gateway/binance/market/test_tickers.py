"""Tickers whose numbers agree with each other, over a day, a window, a trading day."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from exchange.gateway.binance.market import tickers
from exchange.gateway.binance.params import Params
from exchange.views.candles import MINUTE_MS
from risk.parameters import DAY_MS, HOUR_MS
from tests.exchange.gateway.binance.market.conftest import Market
from tests.exchange.gateway.rig import START_MS


async def moved(market: Market) -> None:
    """Trades at 50,000 and then, an hour and a half later, at 50,100 and 50,050."""
    await market.trade("50000", "0.01")
    await market.pass_time(HOUR_MS + 30 * MINUTE_MS)
    await market.trade("50100", "0.02")
    await market.trade("50050", "0.01")


def refuse_contradictions(said: dict[str, Any]) -> None:
    """What suites cross-check."""
    number = {
        key: Fraction(text)
        for key, text in said.items()
        if isinstance(text, str) and key != "symbol"
    }
    assert number["priceChange"] == number["lastPrice"] - number["openPrice"]
    percent = 100 * number["priceChange"] / number["openPrice"]
    assert abs(percent - number["priceChangePercent"]) <= Fraction(5, 10_000)
    low, high = number["lowPrice"], number["highPrice"]
    assert low <= number["openPrice"] <= high
    assert low <= number["weightedAvgPrice"] <= high
    assert low * number["volume"] <= number["quoteVolume"] <= high * number["volume"]
    assert said["lastId"] - said["firstId"] + 1 == said["count"]


async def test_a_day_agrees_with_itself(market: Market) -> None:
    await moved(market)
    await market.maker.order("BTC-USDT", "buy", "0.01", price="49000")
    said = await market.get("/api/v3/ticker/24hr?symbol=BTCUSDT")
    refuse_contradictions(said)
    # 50 of 50,000 is 0.1 %; 0.01 x 50,000 + 0.02 x 50,100 + 0.01 x 50,050 = 2,002.5.
    assert (said["priceChange"], said["priceChangePercent"]) == ("50.00000000", "0.100")
    assert (said["volume"], said["quoteVolume"]) == ("0.04000000", "2002.50000000")
    assert (said["bidPrice"], said["askPrice"]) == ("49000.00000000", "0.00000000")
    assert (said["firstId"], said["lastId"], said["count"]) == (1, 3, 3)
    assert (said["lastQty"], said["closeTime"] - said["openTime"]) == ("0.01000000", DAY_MS)
    every = await market.get("/api/v3/ticker/24hr")
    assert every[0] == said
    assert (every[1]["symbol"], every[1]["count"], every[1]["lastId"]) == ("ETHUSDT", 0, -1)


async def test_a_short_ticker_leaves_out_what_is_derived(market: Market) -> None:
    await moved(market)
    said = await market.get("/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI")
    assert set(said) == set(tickers.MINI)
    assert await market.code("/api/v3/ticker/24hr?symbol=BTCUSDT&type=TINY") == -1130


async def test_a_day_of_futures_has_no_best_prices(market: Market) -> None:
    await market.trade("50000", "5", "BTC-USD-PERP")
    (said,) = await market.get("/dapi/v1/ticker/24hr?symbol=BTCUSD_PERP")
    assert not {"bidPrice", "askPrice", "prevClosePrice", "quoteVolume"} & set(said)
    assert (said["volume"], said["baseVolume"], said["pair"]) == ("5", "0.01000000", "BTCUSD")
    linear = await market.get("/fapi/v1/ticker/24hr?symbol=BTCUSDT")
    assert (linear["lastPrice"], linear["volume"]) == ("0.0", "0.000")


@pytest.mark.parametrize("path", ["/fapi/v1/ticker/price", "/fapi/v2/ticker/price"])
async def test_the_last_price_of_futures_has_its_time(market: Market, path: str) -> None:
    await market.trade("50000", "0.01", "BTC-USDT-PERP")
    said = await market.get(f"{path}?symbol=BTCUSDT")
    assert said == {"symbol": "BTCUSDT", "price": "50000.0", "time": START_MS}
    assert await market.get(path) == [said]


async def test_the_average_is_of_five_minutes_trades(market: Market) -> None:
    await moved(market)
    said = await market.get("/api/v3/avgPrice?symbol=BTCUSDT")
    # (0.02 x 50,100 + 0.01 x 50,050) / 0.03 = 50,083.33333333.
    assert (said["mins"], said["price"]) == (5, "50083.33333333")
    await market.pass_time(5 * MINUTE_MS)
    said = await market.get("/api/v3/avgPrice?symbol=BTCUSDT")
    assert said["price"] == "50050.00000000"  # Nothing was traded: the last price.
    assert said["closeTime"] == START_MS + HOUR_MS + 30 * MINUTE_MS


@pytest.mark.parametrize(
    ("window", "count", "opened"),
    [
        ("1m", 2, "50100"),
        ("1h", 2, "50000"),
        ("90m", 0, ""),
        ("2h", 3, "50000"),
        ("7d", 3, "50000"),
    ],
)
async def test_a_window_holds_its_minutes(
    market: Market, window: str, count: int, opened: str
) -> None:
    await moved(market)
    path = f"/api/v3/ticker?symbol=BTCUSDT&windowSize={window}"
    if not opened:
        assert await market.code(path) == -1130
        return
    said = await market.get(path)
    refuse_contradictions(said)
    assert (said["count"], said["openPrice"]) == (count, f"{opened}.00000000")
    assert said["closeTime"] == START_MS + HOUR_MS + 30 * MINUTE_MS


async def test_a_trading_day_begins_at_midnight(market: Market) -> None:
    await moved(market)
    said = await market.get("/api/v3/ticker/tradingDay?symbol=BTCUSDT")
    refuse_contradictions(said)
    assert (said["openTime"] % DAY_MS, said["closeTime"] - said["openTime"]) == (0, DAY_MS - 1)
    assert await market.code("/api/v3/ticker/tradingDay") == -1102
    assert await market.code("/api/v3/ticker/tradingDay?symbol=BTCUSDT&timeZone=8") == -1130
    (listed,) = await market.get("/api/v3/ticker/tradingDay?symbols=%5B%22BTCUSDT%22%5D")
    assert listed == said


def test_more_symbols_weigh_more() -> None:
    def several(count: int) -> Params:
        return Params([("symbols", "[" + ",".join(['"BTCUSDT"'] * count) + "]")])

    assert [tickers.spot_day_weight(several(count)) for count in (20, 21)] == [2, 40]
    assert tickers.spot_day_weight(Params([("symbol", "BTCUSDT")])) == 2
    assert tickers.spot_day_weight(Params([])) == 80
    assert [tickers.each_weight(several(count)) for count in (1, 3, 60)] == [4, 12, 200]
