"""Isolated margin accounts as Binance tells them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.exchange.gateway.binance.accounts.money import borrowed, moved, refused_code
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import running

ACCOUNT = "/sapi/v1/margin/isolated/account"


async def test_pairs_in_use_are_told_with_the_worth_of_all(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "40000")
        bot = await bot_of(rig)
        assert (await bot.signed("GET", ACCOUNT)).json["assets"] == []
        await moved(bot, "MAIN_ISOLATED_MARGIN", "2000", toSymbol="BTCUSDT")
        await moved(bot, "MAIN_ISOLATED_MARGIN", "2000", toSymbol="ETHUSDT")
        said = (await bot.signed("GET", ACCOUNT)).json
        assert [each["symbol"] for each in said["assets"]] == ["BTCUSDT", "ETHUSDT"]
        assert said["totalAssetOfBtc"] == "0.10000000"  # (2000 + 2000) / 40000
        pair = said["assets"][0]
        assert pair["isolatedCreated"] is True
        assert pair["indexPrice"] == "40000.00000000"
        assert pair["marginLevel"] == "999.00000000"
        assert pair["marginLevelStatus"] == "EXCESSIVE"
        assert pair["quoteAsset"]["totalAsset"] == "2000.00000000"
        assert pair["quoteAsset"]["netAssetOfBtc"] == "0.05000000"
        assert pair["baseAsset"]["asset"] == "BTC"


async def test_named_pairs_are_told_whether_used_or_not(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_ISOLATED_MARGIN", "20", toSymbol="ETHUSDT")
        said = (await bot.signed("GET", ACCOUNT, symbols="BTCUSDT,ETHUSDT")).json
        assert set(said) == {"assets"}
        created = {each["symbol"]: each["isolatedCreated"] for each in said["assets"]}
        assert created == {"BTCUSDT": False, "ETHUSDT": True}
        assert await refused_code(bot, "GET", ACCOUNT, symbols="BTCUSDT,NOSUCH") == -1121


async def test_a_borrowed_base_has_a_price_at_which_it_ends(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "40000")
        bot = await bot_of(rig)
        await moved(bot, "MAIN_ISOLATED_MARGIN", "4000", toSymbol="BTCUSDT")
        await borrowed(bot, "BTC", "0.1", isIsolated="TRUE", symbol="BTCUSDT")
        (pair,) = (await bot.signed("GET", ACCOUNT, symbols="BTCUSDT")).json["assets"]
        # (4000 + 0.1 x 40000) / (0.1 x 40000) = 2, less the first hour's interest.
        assert Decimal("1.99") < Decimal(pair["marginLevel"]) < 2
        assert pair["marginLevelStatus"] == "NORMAL"
        assert pair["baseAsset"]["borrowed"] == "0.10000000"
        assert Decimal(pair["baseAsset"]["netAsset"]) < 0
        # Where 4000 + 0.1 P = level x 0.1 P: at a level of 1.1 that is 400000.
        level = Decimal(pair["liquidateRate"])
        expected = Decimal(4_000) / (Decimal("0.1") * (level - 1))
        assert abs(Decimal(pair["liquidatePrice"]) / expected - 1) < Decimal("0.001")


async def test_a_pair_is_given_up_only_when_it_is_empty(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        said = (await bot.signed("POST", ACCOUNT, symbol="BTCUSDT")).json
        assert said == {"success": True, "symbol": "BTCUSDT"}
        assert await refused_code(bot, "DELETE", ACCOUNT, symbol="BTCUSDT") == -11001
        await moved(bot, "MAIN_ISOLATED_MARGIN", "20", toSymbol="BTCUSDT")
        assert await refused_code(bot, "DELETE", ACCOUNT, symbol="BTCUSDT") == -1000
        listed = (await bot.signed("GET", ACCOUNT)).json["assets"]
        assert [pair["symbol"] for pair in listed] == ["BTCUSDT"]
        await moved(bot, "ISOLATED_MARGIN_MAIN", "20", fromSymbol="BTCUSDT")
        said = (await bot.signed("DELETE", ACCOUNT, symbol="BTCUSDT")).json
        assert said == {"success": True, "symbol": "BTCUSDT"}
        limit = (await bot.signed("GET", "/sapi/v1/margin/isolated/accountLimit")).json
        assert limit == {"enabledAccount": 0, "maxAccount": 2}
        assert (await bot.signed("GET", ACCOUNT)).json["assets"] == []
