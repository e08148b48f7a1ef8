"""Books and their best prices, and what asking for them weighs."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.market import books
from exchange.gateway.binance.params import Params
from tests.exchange.gateway.binance.market.conftest import Market
from tests.exchange.gateway.rig import START_MS


async def test_a_book_is_sorted_and_as_deep_as_asked(market: Market) -> None:
    for price in ("49000", "49500", "48000"):
        await market.maker.order("BTC-USDT", "buy", "0.01", price=price)
    await market.maker.order("BTC-USDT", "sell", "0.02", price="51000")
    said = await market.get("/api/v3/depth?symbol=BTCUSDT&limit=2")
    last_id = market.rig.doors.board.depth.last_id("BTC-USDT")
    assert said == {
        "lastUpdateId": last_id,
        "bids": [["49500.00000000", "0.01000000"], ["49000.00000000", "0.01000000"]],
        "asks": [["51000.00000000", "0.02000000"]],
    }
    assert len((await market.get("/api/v3/depth?symbol=BTCUSDT&limit=99999"))["bids"]) == 3
    assert await market.code("/api/v3/depth?symbol=BTCUSDT&limit=0") == -1130
    assert await market.code("/api/v3/depth") == -1102


async def test_a_book_of_futures_has_its_time(market: Market) -> None:
    await market.maker.order("BTC-USD-PERP", "sell", "3", price="50100")
    said = await market.get("/dapi/v1/depth?symbol=BTCUSD_PERP")
    assert (said["E"], said["T"], said["pair"]) == (START_MS, START_MS, "BTCUSD")
    assert said["asks"] == [["50100.0", "3"]]
    assert set(await market.get("/fapi/v1/depth?symbol=BTCUSDT")) == {
        *("lastUpdateId", "E", "T", "bids", "asks")
    }


async def test_the_best_prices_of_one_and_of_all(market: Market) -> None:
    await market.maker.order("BTC-USDT", "buy", "0.01", price="49000")
    one = await market.get("/api/v3/ticker/bookTicker?symbol=BTCUSDT")
    assert one == {
        "symbol": "BTCUSDT",
        "bidPrice": "49000.00000000",
        "bidQty": "0.01000000",
        "askPrice": "0.00000000",
        "askQty": "0.00000000",
    }
    every = await market.get("/api/v3/ticker/bookTicker")
    assert [each["symbol"] for each in every] == ["BTCUSDT", "ETHUSDT"]
    assert every[0] == one
    (coin,) = await market.get("/dapi/v1/ticker/bookTicker?symbol=BTCUSD_PERP")
    assert (coin["pair"], coin["time"]) == ("BTCUSD", START_MS)


@pytest.mark.parametrize(
    ("limit", "spot", "futures"),
    [("1", 5, 2), ("100", 5, 5), ("101", 25, 10), ("1000", 50, 20), ("5000", 250, 20)],
)
def test_a_deeper_book_weighs_more(limit: str, spot: int, futures: int) -> None:
    params = Params([("limit", limit)])
    assert (books.spot_weight(params), books.futures_weight(params)) == (spot, futures)
