"""Marks, funding and open interest of perpetuals."""

from __future__ import annotations

from msgspec.structs import replace

from risk.parameters import HOUR_MS
from tests.exchange.gateway.binance.market.conftest import Market
from tests.exchange.gateway.rig import START_MS


async def test_mark_index_and_funding_to_come(market: Market) -> None:
    said = await market.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")
    assert said == {
        "symbol": "BTCUSDT",
        "markPrice": "50000.00000000",
        "indexPrice": "50000.00000000",
        "estimatedSettlePrice": "50000.00000000",
        "lastFundingRate": "0.00010000",
        "interestRate": "0.00010000",
        "nextFundingTime": 1_700_006_400_000,  # 00:00 on 2023-11-15
        "time": START_MS,
    }
    assert await market.get("/fapi/v1/premiumIndex") == [said]
    (coin,) = await market.get("/dapi/v1/premiumIndex?pair=BTCUSD")
    assert (coin["symbol"], coin["pair"]) == ("BTCUSD_PERP", "BTCUSD")


async def test_the_funding_to_come_is_the_next_also_where_the_mark_stood_still(
    market: Market,
) -> None:
    before = await market.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")
    await market.pass_time(8 * HOUR_MS)
    after = await market.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")
    assert after["markPrice"] == before["markPrice"]
    assert after["nextFundingTime"] == before["nextFundingTime"] + 8 * HOUR_MS


async def test_fixed_rates_are_told_oldest_first(market: Market) -> None:
    assert await market.get("/fapi/v1/fundingRate") == []
    for _ in range(3):
        await market.pass_time(8 * HOUR_MS)
    said = await market.get("/fapi/v1/fundingRate?symbol=BTCUSDT")
    dues = [1_700_006_400_000 + at * 8 * HOUR_MS for at in range(3)]
    assert [each["fundingTime"] for each in said] == dues
    assert set(said[0]) == {"symbol", "fundingTime", "fundingRate", "markPrice"}
    path = "/fapi/v1/fundingRate?symbol=BTCUSDT"
    assert await market.get(f"{path}&limit=1") == said[-1:]
    assert await market.get(f"{path}&startTime=0&limit=1") == said[:1]
    assert await market.get(f"{path}&startTime={dues[1]}&endTime={dues[1]}") == said[1:2]
    assert await market.get("/fapi/v1/fundingRate") == said
    assert await market.code("/dapi/v1/fundingRate") == -1102


async def test_the_cap_of_a_rate_is_three_quarters_of_maintenance(market: Market) -> None:
    (said,) = await market.get("/fapi/v1/fundingInfo")
    # P9: 0.75 x 0.4 % = 0.3 %.
    assert said == {
        "symbol": "BTCUSDT",
        "adjustedFundingRateCap": "0.00300000",
        "adjustedFundingRateFloor": "-0.00300000",
        "fundingIntervalHours": 8,
        "disclaimer": False,
    }


async def test_a_part_of_an_hour_counts_as_one(market: Market) -> None:
    """Clients divide by the hours between two payments."""
    engine = market.rig.doors.engine
    perps = tuple(replace(each, interval_ms=HOUR_MS // 2) for each in engine.venue.perps)
    engine.venue = replace(engine.venue, perps=perps)
    (said,) = await market.get("/fapi/v1/fundingInfo")
    assert said["fundingIntervalHours"] == 1


async def test_open_interest_is_what_is_held_long(market: Market) -> None:
    await market.trade("50000", "0.01", "BTC-USDT-PERP")
    said = await market.get("/fapi/v1/openInterest?symbol=BTCUSDT")
    assert said == {"symbol": "BTCUSDT", "openInterest": "0.010", "time": START_MS}
    coin = await market.get("/dapi/v1/openInterest?symbol=BTCUSD_PERP")
    assert (coin["openInterest"], coin["contractType"]) == ("0", "PERPETUAL")
