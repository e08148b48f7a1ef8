"""What may be traded and borrowed on margin, as Binance tells it."""

from __future__ import annotations

from pathlib import Path

from exchange.commands import SetSymbolState
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import running


async def test_both_lists_of_pairs_are_told_to_whoever_has_a_key(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        cross = (await bot.keyed("GET", "/sapi/v1/margin/allPairs")).json
        assert [(each["id"], each["symbol"]) for each in cross] == [(1, "BTCUSDT"), (2, "ETHUSDT")]
        isolated = (await bot.keyed("GET", "/sapi/v1/margin/isolated/allPairs")).json
        assert isolated[0] == {
            "symbol": "BTCUSDT",
            "base": "BTC",
            "quote": "USDT",
            "isMarginTrade": True,
            "isBuyAllowed": True,
            "isSellAllowed": True,
        }
        answer = await rig.ask("GET", "/sapi/v1/margin/allPairs")
        assert answer.status == 401


async def test_one_pair_is_told_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        said = (await bot.keyed("GET", "/sapi/v1/margin/pair", symbol="ETHUSDT")).json
        assert (said["id"], said["base"]) == (2, "ETH")
        said = (await bot.keyed("GET", "/sapi/v1/margin/isolated/pair", symbol="ETHUSDT")).json
        assert said["symbol"] == "ETHUSDT"
        said = (await bot.keyed("GET", "/sapi/v1/margin/allPairs", symbol="ETHUSDT")).json
        assert [each["id"] for each in said] == [2]
        said = (await bot.keyed("GET", "/sapi/v1/margin/pair", symbol="NOSUCH")).json
        assert said["code"] == -1121


async def test_a_halted_pair_takes_neither_side(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await rig.do(SetSymbolState(symbol="ETH-USDT", state="halt"))
        said = (await bot.keyed("GET", "/sapi/v1/margin/pair", symbol="ETHUSDT")).json
        assert not said["isBuyAllowed"]
        assert not said["isSellAllowed"]


async def test_assets_tell_whether_they_are_lent_and_count(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        everything = (await bot.keyed("GET", "/sapi/v1/margin/allAssets")).json
        assert [each["assetName"] for each in everything] == list(rig.doors.engine.risk.assets)
        one = (await bot.keyed("GET", "/sapi/v1/margin/asset", asset="btc")).json
        assert one["assetName"] == "BTC"
        assert one["isBorrowable"]
        assert one["isMortgageable"]
        assert one in everything
        unknown = (await bot.keyed("GET", "/sapi/v1/margin/asset", asset="XYZ")).json
        assert unknown == {"code": -3027, "msg": "Not a valid margin asset."}


async def test_the_price_index_is_the_one_margin_is_valued_by(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await rig.set_index("BTC-USDT", "41234.5")
        said = (await bot.keyed("GET", "/sapi/v1/margin/priceIndex", symbol="BTCUSDT")).json
        assert said == {
            "calcTime": rig.doors.board.time_ms,
            "price": "41234.50000000",
            "symbol": "BTCUSDT",
        }


async def test_a_pair_without_an_index_has_none_to_tell(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        rig.doors.engine.risk.indexes["BTC-USDT"].index_e8 = None
        said = (await bot.keyed("GET", "/sapi/v1/margin/priceIndex", symbol="BTCUSDT")).json
        assert said["code"] == -3042
