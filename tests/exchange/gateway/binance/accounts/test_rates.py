"""What borrowing costs and how much is lent, as Binance tells it."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from exchange.clock import SteppedClock
from exchange.commands import Tick
from risk.parameters import DAY_MS, HOUR_MS
from tests.exchange.gateway.binance.accounts.money import borrowed, moved, refused_code
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import START_MS, Rig, running

MARGIN = "/sapi/v1/margin"


def hourly(rig: Rig, asset: str) -> Decimal:
    """The hourly rate of an asset."""
    return Decimal(rig.doors.engine.risk.rates_e12[asset]) / 10**12


async def test_hours_of_interest_are_listed_the_newest_first(tmp_path: Path) -> None:
    clock = SteppedClock(START_MS)
    async with running(tmp_path, clock=clock) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "1000")
        await borrowed(bot, "USDT", "300")
        clock.step(HOUR_MS)
        await rig.do(Tick())
        said = (await bot.signed("GET", f"{MARGIN}/interestHistory", asset="USDT")).json
        assert said["total"] == 2
        later, first = said["rows"]
        assert (first["type"], later["type"]) == ("ON_BORROW", "PERIODIC")
        assert first["principal"] == "300.00000000"
        assert Decimal(first["interest"]) == 300 * hourly(rig, "USDT")
        assert Decimal(first["interestRate"]) == 24 * hourly(rig, "USDT")
        assert later["interestAccuredTime"] == START_MS + HOUR_MS
        assert later["txId"] > first["txId"]
        assert "isolatedSymbol" not in first
        begin = {"startTime": START_MS + 1}
        said = (await bot.signed("GET", f"{MARGIN}/interestHistory", **begin)).json
        assert [each["type"] for each in said["rows"]] == ["PERIODIC"]


async def test_interest_of_a_pair_is_listed_under_it(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_ISOLATED_MARGIN", "1000", toSymbol="BTCUSDT")
        await borrowed(bot, "USDT", "100", isIsolated="TRUE", symbol="BTCUSDT")
        said = await bot.signed("GET", f"{MARGIN}/interestHistory", isolatedSymbol="BTCUSDT")
        assert [each["isolatedSymbol"] for each in said.json["rows"]] == ["BTCUSDT"]
        assert (await bot.signed("GET", f"{MARGIN}/interestHistory")).json["total"] == 0


async def test_a_rate_that_never_changes_is_told_for_every_day(tmp_path: Path) -> None:
    clock = SteppedClock(START_MS)
    async with running(tmp_path, clock=clock) as rig:
        bot = await bot_of(rig)
        clock.step(DAY_MS)
        await rig.do(Tick())
        assert rig.doors.engine.risk.assets["BTC"].curve is None
        said = (await bot.signed("GET", f"{MARGIN}/interestRateHistory", asset="BTC")).json
        today = (START_MS + DAY_MS) // DAY_MS * DAY_MS
        assert [each["timestamp"] for each in said] == [today, today - DAY_MS]
        assert Decimal(said[0]["dailyInterestRate"]) == 24 * hourly(rig, "BTC")
        assert said[0]["vipLevel"] == 0
        target = f"{MARGIN}/interestRateHistory"
        said = (await bot.signed("GET", target, asset="BTC", endTime=today - 1)).json
        assert [each["timestamp"] for each in said] == [today - DAY_MS]
        said = (await bot.signed("GET", target, asset="BTC", startTime=today)).json
        assert [each["timestamp"] for each in said] == [today]
        said = (await bot.signed("GET", target, asset="BTC", limit=1)).json
        assert len(said) == 1
        assert await refused_code(bot, "GET", target, asset="XYZ") == -3027


async def test_the_next_hour_and_what_is_left_to_lend_are_told(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        target = f"{MARGIN}/next-hourly-interest-rate"
        said = (await bot.signed("GET", target, assets="BTC,USDT", isIsolated="FALSE")).json
        assert [each["asset"] for each in said] == ["BTC", "USDT"]
        assert Decimal(said[0]["nextHourlyInterestRate"]) == hourly(rig, "BTC")
        before = (await bot.signed("GET", f"{MARGIN}/available-inventory", type="MARGIN")).json
        await moved(bot, "MAIN_MARGIN", "1000")
        await borrowed(bot, "USDT", "100")
        after = (await bot.signed("GET", f"{MARGIN}/available-inventory", type="ISOLATED")).json
        lent = Decimal(before["assets"]["USDT"]) - Decimal(after["assets"]["USDT"])
        assert lent == 100
        assert await refused_code(bot, "GET", f"{MARGIN}/available-inventory") == -1102
        assert await refused_code(bot, "GET", target, assets=",".join(["BTC"] * 21)) == -1130


async def test_limits_and_rates_are_told_by_coin_and_by_pair(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        everything = (await bot.signed("GET", f"{MARGIN}/crossMarginData")).json
        assert [each["coin"] for each in everything] == list(rig.doors.engine.risk.assets)
        (usdt,) = (await bot.signed("GET", f"{MARGIN}/crossMarginData", coin="USDT")).json
        assert usdt["marginablePairs"] == ["BTCUSDT", "ETHUSDT"]
        assert usdt["borrowable"] is True
        assert Decimal(usdt["yearlyInterest"]) == 365 * Decimal(usdt["dailyInterest"])
        pairs = (await bot.signed("GET", f"{MARGIN}/isolatedMarginData")).json
        assert [each["symbol"] for each in pairs] == ["BTCUSDT", "ETHUSDT"]
        (pair,) = (await bot.signed("GET", f"{MARGIN}/isolatedMarginData", symbol="BTCUSDT")).json
        tiers = rig.doors.engine.risk.spots["BTC-USDT"].isolated
        assert pair["leverage"] == str(tiers[0].leverage)
        assert [each["coin"] for each in pair["data"]] == ["BTC", "USDT"]
        limit = min(
            tiers[-1].quote_limit_minor, rig.doors.engine.risk.assets["USDT"].borrow_limit_minor
        )
        assert Decimal(pair["data"][1]["borrowLimit"]) == Decimal(limit) / 10**8


async def test_the_tiers_of_a_pair_are_numbered_from_one(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        tiers = rig.doors.engine.risk.spots["BTC-USDT"].isolated
        target = f"{MARGIN}/isolatedMarginTier"
        said = (await bot.signed("GET", target, symbol="BTCUSDT")).json
        assert [each["tier"] for each in said] == list(range(1, len(tiers) + 1))
        assert Decimal(said[0]["liquidationRiskRatio"]) > 1
        assert (await bot.signed("GET", target, symbol="BTCUSDT", tier=1)).json == said[:1]


async def test_collateral_is_told_slab_by_slab(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        said = (await bot.keyed("GET", f"{MARGIN}/crossMarginCollateralRatio")).json
        named = [asset for each in said for asset in each["assetNames"]]
        assert sorted(named) == sorted(rig.doors.engine.risk.assets)
        (btc,) = [each["collaterals"] for each in said if "BTC" in each["assetNames"]]
        tiers = rig.doors.engine.risk.assets["BTC"].collateral
        assert [Decimal(each["discountRate"]) * 10**12 for each in btc] == [
            tier.ratio_e12 for tier in tiers
        ]
        assert btc[0]["minUsdValue"] == "0.00000000"
        for low, high in pairwise(btc):
            assert low["maxUsdValue"] == high["minUsdValue"]
