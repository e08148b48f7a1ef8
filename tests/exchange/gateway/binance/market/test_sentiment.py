"""Open interest, who holds it, and the volumes of takers, period by period."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.market.sentiment import PERIODS
from exchange.views.candles import MINUTE_MS
from exchange.wire import INTERVALS_MS
from tests.exchange.gateway.binance.market.conftest import Market
from tests.exchange.gateway.rig import START_MS

PERIOD_MS = 5 * MINUTE_MS
UM = "symbol=BTCUSDT&period=5m"
TOP = ("Account", "Position")
CM = "pair=BTCUSD&contractType=PERPETUAL&period=5m"


def test_periods_are_intervals_of_candles() -> None:
    assert set(PERIODS) <= set(INTERVALS_MS)


async def test_open_interest_is_told_at_the_ends_of_periods(market: Market) -> None:
    path = f"/futures/data/openInterestHist?{UM}"
    assert await market.get(path) == []
    await market.trade("50000", "0.01", "BTC-USDT-PERP")
    await market.pass_time(PERIOD_MS)
    await market.trade("50000", "0.02", "BTC-USDT-PERP")
    await market.pass_time(2 * PERIOD_MS)
    said = await market.get(path)
    # 0.01 and 0.03 BTC at 50,000.
    assert said[0] == {
        "symbol": "BTCUSDT",
        "sumOpenInterest": "0.010",
        "sumOpenInterestValue": "500.00000000",
        "timestamp": START_MS + PERIOD_MS,
    }
    assert [row["sumOpenInterestValue"] for row in said[1:]] == ["1500.00000000"] * 2
    assert [row["timestamp"] - START_MS for row in said] == [n * PERIOD_MS for n in (1, 2, 3)]
    middle_ms = said[1]["timestamp"]
    assert await market.get(f"{path}&limit=1") == said[-1:]
    assert await market.get(f"{path}&startTime={middle_ms}&endTime={middle_ms}") == said[1:2]
    assert await market.get(f"{path}&startTime=0&limit=1") == said[:1]


async def test_that_of_coin_m_is_worth_coins(market: Market) -> None:
    await market.trade("50000", "5", "BTC-USD-PERP")
    await market.pass_time(PERIOD_MS)
    # Five contracts of 100 USD at 50,000 are 0.01 BTC.
    assert await market.get(f"/futures/data/openInterestHist?{CM}") == [
        {
            "pair": "BTCUSD",
            "contractType": "PERPETUAL",
            "sumOpenInterest": "5",
            "sumOpenInterestValue": "0.01000000",
            "timestamp": START_MS + PERIOD_MS,
        }
    ]


async def test_the_accounts_that_are_long_are_told_by_those_that_are_short(market: Market) -> None:
    path = "/futures/data/globalLongShortAccountRatio"
    assert await market.get(f"{path}?{UM}") == []
    await market.trade("50000", "0.02", "BTC-USDT-PERP")
    other = await market.rig.open_account()
    await market.maker.order("BTC-USDT-PERP", "sell", "0.01", price="50000")
    await other.order("BTC-USDT-PERP", "buy", "0.01", price="50000")
    await market.pass_time(PERIOD_MS)
    # Two accounts are long, and the maker alone is short.
    assert await market.get(f"{path}?{UM}") == [
        {
            "symbol": "BTCUSDT",
            "longAccount": "0.6667",
            "shortAccount": "0.3333",
            "longShortRatio": "2.0000",
            "timestamp": START_MS + PERIOD_MS,
        }
    ]
    await market.trade("50000", "5", "BTC-USD-PERP")
    await market.pass_time(PERIOD_MS)
    (said,) = await market.get(f"{path}?pair=BTCUSD&period=5m")
    assert (said["pair"], said["longShortRatio"]) == ("BTCUSD", "1.0000")
    assert await market.code(path) == -1102


async def test_of_the_fifth_that_holds_the_most_accounts_and_positions_are_told(
    market: Market,
) -> None:
    accounts, positions = (f"/futures/data/topLongShort{what}Ratio" for what in TOP)
    assert await market.get(f"{accounts}?{UM}") == await market.get(f"{positions}?{UM}") == []
    await market.trade("50000", "0.02", "BTC-USDT-PERP")
    for _ in range(4):
        other = await market.rig.open_account()
        await market.maker.order("BTC-USDT-PERP", "sell", "0.01", price="50000")
        await other.order("BTC-USDT-PERP", "buy", "0.01", price="50000")
    await market.pass_time(PERIOD_MS)
    # Six hold it: the maker is short 0.06, the taker long 0.02, the others long 0.01 each. The
    # fifth of six, rounded up, is two: the maker and the taker. 0.02 / 0.06 = 0.3333.
    said = {"symbol": "BTCUSDT", "timestamp": START_MS + PERIOD_MS}
    halves = {"longAccount": "0.5000", "shortAccount": "0.5000", "longShortRatio": "1.0000"}
    assert await market.get(f"{accounts}?{UM}") == [said | halves]
    quarters = {"longAccount": "0.2500", "shortAccount": "0.7500", "longShortRatio": "0.3333"}
    assert await market.get(f"{positions}?{UM}") == [said | quarters]
    await market.pass_time(PERIOD_MS)
    assert [each["timestamp"] - START_MS for each in await market.get(f"{positions}?{UM}")] == [
        PERIOD_MS,
        2 * PERIOD_MS,
    ]
    assert len(await market.get(f"{positions}?{UM}&limit=1")) == 1


async def test_those_of_coin_m_are_asked_by_pair(market: Market) -> None:
    accounts, positions = (f"/futures/data/topLongShort{what}Ratio" for what in TOP)
    await market.trade("50000", "5", "BTC-USD-PERP")
    await market.pass_time(PERIOD_MS)
    # Of two who hold as much one is on top: the maker, whose account is the older one.
    said = {"pair": "BTCUSD", "longShortRatio": "0.0000", "timestamp": START_MS + PERIOD_MS}
    assert await market.get(f"{accounts}?pair=BTCUSD&period=5m") == [
        said | {"longAccount": "0.0000", "shortAccount": "1.0000"}
    ]
    assert await market.get(f"{positions}?pair=BTCUSD&period=5m") == [
        said | {"longPosition": "0.0000", "shortPosition": "1.0000"}
    ]


async def test_what_takers_bought_and_sold_is_told_of_periods_that_are_over(
    market: Market,
) -> None:
    path = f"/futures/data/takerlongshortRatio?{UM}"
    await market.trade("50000", "0.03", "BTC-USDT-PERP")  # A buyer takes.
    await market.maker.order("BTC-USDT-PERP", "buy", "0.02", price="50000")
    await market.taker.order("BTC-USDT-PERP", "sell", "0.02", price="50000")
    assert await market.get(path) == []
    await market.pass_time(2 * PERIOD_MS)
    first, second = await market.get(path)
    # 0.03 / 0.02 = 1.5.
    assert first == {
        "buySellRatio": "1.5000",
        "buyVol": "0.030",
        "sellVol": "0.020",
        "timestamp": START_MS,
    }
    assert (second["buySellRatio"], second["buyVol"]) == ("0.0000", "0.000")


async def test_those_of_coin_m_are_in_contracts_and_coins(market: Market) -> None:
    await market.trade("50000", "5", "BTC-USD-PERP")
    await market.pass_time(PERIOD_MS)
    assert await market.get(f"/futures/data/takerBuySellVol?{CM}") == [
        {
            "pair": "BTCUSD",
            "contractType": "PERPETUAL",
            "takerBuyVol": "5",
            "takerSellVol": "0",
            "takerBuyVolValue": "0.01000000",
            "takerSellVolValue": "0.00000000",
            "timestamp": START_MS,
        }
    ]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("openInterestHist?symbol=BTCUSDT", -1102),
        ("openInterestHist?symbol=BTCUSDT&period=1m", -1102),
        ("openInterestHist?period=5m", -1102),
        ("openInterestHist?symbol=NOSUCH&period=5m", -1121),
        ("openInterestHist?pair=BTCUSD&period=5m", -1102),
        ("openInterestHist?pair=BTCUSD&contractType=CURRENT_QUARTER&period=5m", -1130),
        ("takerBuySellVol?symbol=BTCUSDT&period=5m", -1102),
        ("takerlongshortRatio?symbol=BTCUSDT&period=5m&limit=0", -1130),
        ("topLongShortAccountRatio?symbol=BTCUSDT", -1102),
        ("topLongShortAccountRatio?symbol=BTCUSDT&period=1m", -1102),
        ("topLongShortAccountRatio?period=5m", -1102),
        ("topLongShortPositionRatio?pair=NOSUCH&period=5m", -1121),
        ("topLongShortPositionRatio?symbol=BTCUSDT&period=5m&limit=0", -1130),
    ],
)
async def test_what_cannot_be_told_is_refused(market: Market, path: str, code: int) -> None:
    assert await market.code(f"/futures/data/{path}") == code
