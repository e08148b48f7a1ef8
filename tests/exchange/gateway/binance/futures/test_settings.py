"""Settings on futures are changed once, and refused as Binance refuses them."""

from __future__ import annotations

from pathlib import Path

from tests.exchange.gateway.binance.futures.scenes import INVERSE, LINEAR, futures, order, trade


async def test_leverage_answers_how_large_a_position_may_be(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        said = await bot.signed("POST", "/fapi/v1/leverage", symbol=LINEAR, leverage=20)
        assert said.json == {
            "leverage": 20,
            "symbol": LINEAR,
            "maxNotionalValue": "100000000.00000000",
        }
        coin = await bot.signed("POST", "/dapi/v1/leverage", symbol=INVERSE, leverage=125)
        assert (coin.json["maxQty"], coin.json["leverage"]) == ("5.00000000", 125)
        for wrong in (0, 126):
            bad = await bot.signed("POST", "/fapi/v1/leverage", symbol=LINEAR, leverage=wrong)
            assert bad.json == {"code": -4028, "msg": f"Leverage {wrong} is not valid"}


async def test_a_position_too_large_for_a_leverage_refuses_it(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "1.1", "50000")  # 55,000 is above the 50,000 of 125 times.
        bad = await bot.signed("POST", "/fapi/v1/leverage", symbol=LINEAR, leverage=125)
        assert bad.json["code"] == -2028


async def test_the_margin_type_changes_only_while_nothing_is_open(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        path, fields = "/fapi/v1/marginType", {"symbol": LINEAR}
        same = await bot.signed("POST", path, marginType="CROSSED", **fields)
        assert (same.status, same.json) == (
            400,
            {"code": -4046, "msg": "No need to change margin type."},
        )
        await order(bot, "BUY", "0.01", "49000")
        busy = await bot.signed("POST", path, marginType="ISOLATED", **fields)
        assert busy.json["code"] == -4047
        await bot.signed("DELETE", "/fapi/v1/allOpenOrders", **fields)
        done = await bot.signed("POST", path, marginType="ISOLATED", **fields)
        assert done.json == {"code": 200, "msg": "success"}
        await trade(bot, maker, "0.1", "50000")
        held = await bot.signed("POST", path, marginType="CROSSED", **fields)
        assert held.json["code"] == -4048


async def test_the_position_mode_changes_only_while_nothing_is_open(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        path = "/fapi/v1/positionSide/dual"
        assert (await bot.signed("GET", path)).json == {"dualSidePosition": False}
        same = await bot.signed("POST", path, dualSidePosition="False")
        assert same.json == {"code": -4059, "msg": "No need to change position side."}
        await order(bot, "BUY", "0.01", "49000")
        assert (await bot.signed("POST", path, dualSidePosition="true")).json["code"] == -4067
        await bot.signed("DELETE", "/fapi/v1/allOpenOrders", symbol=LINEAR)
        await trade(bot, maker, "0.1", "50000")
        assert (await bot.signed("POST", path, dualSidePosition="true")).json["code"] == -4068


async def test_multi_asset_mode_does_not_go_with_isolated_margin(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        path = "/fapi/v1/multiAssetsMargin"
        same = await bot.signed("POST", path, multiAssetsMargin="false")
        assert same.json["code"] == -4171
        await bot.signed("POST", "/fapi/v1/marginType", symbol=LINEAR, marginType="ISOLATED")
        assert (await bot.signed("POST", path, multiAssetsMargin="true")).json["code"] == -4167
        await bot.signed("POST", "/fapi/v1/marginType", symbol=LINEAR, marginType="CROSSED")
        assert (await bot.signed("POST", path, multiAssetsMargin="true")).json["code"] == 200
        assert (await bot.signed("GET", path)).json == {"multiAssetsMargin": True}


async def test_brackets_are_numbers_in_an_array(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        (said,) = (await bot.signed("GET", "/fapi/v1/leverageBracket", symbol=LINEAR)).json
        assert said["symbol"] == LINEAR
        # 0.4 % to 50,000, then 0.5 %: 50,000 x 0.1 % = 50 make it continuous.
        assert said["brackets"][:2] == [
            {
                "bracket": 1,
                "initialLeverage": 125,
                "notionalCap": 50_000,
                "notionalFloor": 0,
                "maintMarginRatio": 0.004,
                "cum": 0,
            },
            {
                "bracket": 2,
                "initialLeverage": 100,
                "notionalCap": 600_000,
                "notionalFloor": 50_000,
                "maintMarginRatio": 0.005,
                "cum": 50,
            },
        ]
        everything = (await bot.signed("GET", "/fapi/v1/leverageBracket")).json
        assert [each["symbol"] for each in everything] == [LINEAR, "ETHUSDT"]
        (coin,) = (await bot.signed("GET", "/dapi/v2/leverageBracket", symbol=INVERSE)).json
        assert (coin["brackets"][0]["qtyCap"], coin["symbol"]) == (5, INVERSE)
        (pair,) = (await bot.signed("GET", "/dapi/v1/leverageBracket", pair="BTCUSD")).json
        assert (pair["pair"], pair["brackets"]) == ("BTCUSD", coin["brackets"])


async def test_commission_and_settings_of_a_contract_are_told(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        rates = (await bot.signed("GET", "/fapi/v1/commissionRate", symbol=LINEAR)).json
        assert rates == {
            "symbol": LINEAR,
            "makerCommissionRate": "0.0002",
            "takerCommissionRate": "0.0005",
        }
        await bot.signed("POST", "/fapi/v1/marginType", symbol=LINEAR, marginType="ISOLATED")
        said = (await bot.signed("GET", "/fapi/v1/symbolConfig")).json
        assert [each["marginType"] for each in said] == ["ISOLATED", "CROSSED"]
        (one,) = (await bot.signed("GET", "/fapi/v1/symbolConfig", symbol=LINEAR)).json
        assert one == said[0]
        assert (one["isAutoAddMargin"], one["leverage"]) == (False, 10)


async def test_the_leverage_of_an_isolated_position_is_not_reduced(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await bot.signed("POST", "/fapi/v1/marginType", symbol=LINEAR, marginType="ISOLATED")
        for leverage in (20, 10):  # While nothing is held it may fall.
            said = await bot.signed("POST", "/fapi/v1/leverage", symbol=LINEAR, leverage=leverage)
            assert said.status == 200, said.body
        await trade(bot, maker, "0.1", "50000")
        less = await bot.signed("POST", "/fapi/v1/leverage", symbol=LINEAR, leverage=5)
        assert less.json == {
            "code": -4161,
            "msg": "Leverage reduction is not supported in Isolated Margin Mode with open "
            "positions.",
        }
        more = await bot.signed("POST", "/fapi/v1/leverage", symbol=LINEAR, leverage=20)
        assert more.status == 200, more.body
