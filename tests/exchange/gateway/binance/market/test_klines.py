"""Candles of every interval, oldest first, without holes, within the bounds asked for."""

from __future__ import annotations

from itertools import pairwise

import pytest

from exchange.gateway.binance.market import klines
from exchange.gateway.binance.params import Params
from exchange.views.candles import MINUTE_MS
from risk.parameters import DAY_MS
from tests.exchange.gateway.binance.market.conftest import Market
from tests.exchange.gateway.rig import START_MS

PATH = "/api/v3/klines?symbol=BTCUSDT&interval"


async def test_a_candle_is_twelve_values(market: Market) -> None:
    await market.trade("50000", "0.01")
    await market.trade("50010", "0.02")
    (said,) = await market.get(f"{PATH}=1m")
    # 0.01 x 50,000 + 0.02 x 50,010 = 1,500.2, and a buyer took all of it.
    assert said == [
        START_MS,
        "50000.00000000",
        "50010.00000000",
        "50000.00000000",
        "50010.00000000",
        "0.03000000",
        START_MS + MINUTE_MS - 1,
        "1500.20000000",
        2,
        "0.03000000",
        "1500.20000000",
        "0",
    ]
    assert await market.get(f"/api/v3/uiKlines{PATH.removeprefix('/api/v3/klines')}=1m") == [said]


async def test_bounds_are_inclusive_and_there_are_no_holes(market: Market) -> None:
    await market.trade("50000", "0.01")
    for _ in range(5):
        await market.pass_time(MINUTE_MS)
    opens = [candle[0] for candle in await market.get(f"{PATH}=1m")]
    assert opens == [START_MS + at * MINUTE_MS for at in range(6)]
    start_ms, end_ms = START_MS + 1, START_MS + 3 * MINUTE_MS
    found = await market.get(f"{PATH}=1m&startTime={start_ms}&endTime={end_ms}")
    assert [candle[0] for candle in found] == opens[1:4]
    assert [c[0] for c in await market.get(f"{PATH}=1m&limit=2")] == opens[-2:]
    assert [c[0] for c in await market.get(f"{PATH}=1m&endTime={end_ms}&limit=2")] == opens[2:4]
    assert await market.get(f"{PATH}=1m&startTime={end_ms}&endTime={start_ms}") == []
    assert await market.get(f"{PATH}=1m&startTime={START_MS + DAY_MS}") == []


@pytest.mark.parametrize("interval", ["1m", "1h", "1d", "3d", "1w", "1M"])
async def test_from_the_beginning_of_time_the_oldest_is_first(
    market: Market, interval: str
) -> None:
    await market.trade("50000", "0.01")
    for _ in range(2):
        await market.pass_time(DAY_MS)
    assert await market.rig.doors.history.caught_up(60.0)
    await market.trade("49990", "0.01")
    found = await market.get(f"{PATH}={interval}&startTime=0&limit=1")
    (candle,) = found
    assert candle[0] <= START_MS <= candle[6]
    assert candle[1] == "50000.00000000"


@pytest.mark.parametrize("interval", ["3d", "1w", "1M"])
async def test_long_candles_follow_each_other_and_hold_every_trade(
    market: Market, interval: str
) -> None:
    for _ in range(3):
        await market.trade("50000", "0.01")
        await market.pass_time(20 * DAY_MS)
    found = await market.get(f"{PATH}={interval}&limit=1000")
    for before, after in pairwise(found):
        assert before[6] + 1 == after[0]
    assert sum(candle[8] for candle in found) == 3
    assert found == await market.get(f"{PATH}={interval}&startTime=0")
    assert await market.get(f"{PATH}={interval}&limit=2") == found[-2:]


async def test_seconds_of_a_pair(market: Market) -> None:
    await market.trade("50000", "0.01")
    await market.pass_time(2_500)
    await market.trade("50010", "0.02")
    found = await market.get(f"{PATH}=1s")
    assert [(candle[0] - START_MS, candle[4], candle[8]) for candle in found] == [
        (0, "50000.00000000", 1),
        (1_000, "50000.00000000", 0),
        (2_000, "50010.00000000", 1),
    ]
    assert found[0][6] == START_MS + 999
    assert await market.get(f"{PATH}=1s&startTime={START_MS + 1}&limit=1") == found[1:2]
    assert await market.get(f"{PATH}=1s&endTime={START_MS + 1_999}&limit=1") == found[1:2]


async def test_an_interval_that_is_not_kept_is_refused(market: Market) -> None:
    assert await market.code("/fapi/v1/klines?symbol=BTCUSDT&interval=1s") == -1120
    assert await market.code(f"{PATH}=7m") == -1120
    assert await market.code(f"{PATH}=") == -1102
    assert await market.code(f"{PATH}=1m&timeZone=2") == -1130
    assert await market.get(f"{PATH}=1m&timeZone=0") == []


async def test_a_pair_has_the_candles_of_its_perpetual(market: Market) -> None:
    await market.trade("50000", "5", "BTC-USD-PERP")
    path = "/dapi/v1/continuousKlines?pair=BTCUSD&contractType="
    found = await market.get(f"{path}PERPETUAL&interval=1m")
    assert found == await market.get("/dapi/v1/klines?symbol=BTCUSD_PERP&interval=1m")
    # Five contracts of 100 USD at 50,000 are 0.01 BTC.
    assert found[0][5:8] == ["5", START_MS + MINUTE_MS - 1, "0.01000000"]
    assert await market.code(f"{path}CURRENT_QUARTER&interval=1m") == -1130


async def test_marks_and_indexes_have_candles_without_volume(market: Market) -> None:
    await market.rig.set_index("BTC-USDT", "51000")
    await market.pass_time(MINUTE_MS)
    found = await market.get("/fapi/v1/indexPriceKlines?pair=BTCUSDT&interval=1m")
    assert [candle[0] for candle in found] == [START_MS, START_MS + MINUTE_MS]
    prices = ["50000.00000000", "51000.00000000", "50000.00000000", "51000.00000000"]
    assert found[0][1:8] == [*prices, "0", START_MS + MINUTE_MS - 1, "0"]
    assert found[0][8] > 1
    assert found[0][9:] == ["0", "0", "0"]
    path = "/dapi/v1/markPriceKlines?symbol=BTCUSD_PERP&interval"
    marks = await market.get(f"{path}=1h")
    assert (marks[0][0], marks[0][1]) == (START_MS, "50000.00000000")
    assert len(await market.get(f"{path}=1w&startTime=0")) == 1
    assert await market.code("/fapi/v1/indexPriceKlines?pair=ETHUSDT&interval=1m") == -1121


def test_more_candles_weigh_more() -> None:
    weights = [
        klines.futures_weight(Params([("limit", str(limit))])) for limit in (99, 100, 500, 1_500)
    ]
    assert weights == [1, 2, 5, 10]


async def test_the_premium_has_candles_of_rates(market: Market) -> None:
    # Whoever bids 1,000 contracts of 0.001 BTC at 50,100 pays 100 more than the index: 0.2 %.
    await market.maker.order("BTC-USDT-PERP", "buy", "1", price="50100")
    await market.maker.order("BTC-USDT-PERP", "sell", "1", price="50200")
    await market.rig.set_index("BTC-USDT", "50000.5")
    await market.pass_time(5_000)
    path = "/fapi/v1/premiumIndexKlines?symbol=BTCUSDT&interval=1m"
    candle = (await market.get(path))[0]
    assert candle[0] == START_MS
    # (50,100 - 50,000.5) / 50,000.5 = 0.00198998...
    assert candle[2] == candle[4] == "0.00198998"
    assert candle[5] == "0"
    assert await market.get("/dapi/v1/premiumIndexKlines?symbol=BTCUSD_PERP&interval=1m") == []
