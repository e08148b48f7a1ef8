"""Algo orders live in a space of their own until their trigger is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.exchange.gateway.binance.binance_rig import Bot
from tests.exchange.gateway.binance.futures.scenes import LINEAR, futures, order, trade
from tests.exchange.gateway.rig import Answer

ALGO = "/fapi/v1/algoOrder"


async def algo(bot: Bot, type_: str = "STOP_MARKET", **more: Any) -> Answer:
    """A sell stop of 0.01 at 45,000, or what else is asked."""
    fields = {"algoType": "CONDITIONAL", "symbol": LINEAR, "side": "SELL", "type": type_}
    if type_ != "TRAILING_STOP_MARKET":
        fields["triggerPrice"] = "45000"
    if more.get("closePosition") != "true":
        fields["quantity"] = "0.01"
    return await bot.signed("POST", ALGO, **(fields | more))


async def test_an_algo_order_that_waits_is_no_order(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        placed = await algo(bot, clientAlgoId="exit", workingType="MARK_PRICE")
        assert placed.status == 200, placed.body
        said = placed.json
        assert (said["algoStatus"], said["orderType"]) == ("NEW", "STOP_MARKET")
        assert (said["clientAlgoId"], said["triggerPrice"]) == ("exit", "45000.0")
        assert (said["triggerTime"], "actualOrderId" in said) == (0, False)
        opened = await bot.signed("GET", "/fapi/v1/openAlgoOrders", symbol=LINEAR)
        assert opened.json == [said]
        assert (await bot.signed("GET", "/fapi/v1/openOrders")).json == []
        for name in ({"orderId": said["algoId"]}, {"origClientOrderId": "exit"}):
            found = await bot.signed("GET", "/fapi/v1/order", symbol=LINEAR, **name)
            assert found.json["code"] == -2013
        await bot.signed("DELETE", "/fapi/v1/allOpenOrders", symbol=LINEAR)
        still = await bot.signed("GET", ALGO, clientAlgoId="exit")
        assert still.json["algoStatus"] == "NEW"


async def test_a_cancelled_algo_order_is_still_found_among_algo_orders(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        placed = (await algo(bot, clientAlgoId="exit")).json
        gone = await bot.signed("DELETE", ALGO, algoId=placed["algoId"])
        assert gone.json == {
            "algoId": placed["algoId"],
            "clientAlgoId": "exit",
            "code": "200",
            "msg": "success",
        }
        past = await bot.signed("GET", "/fapi/v1/allAlgoOrders", symbol=LINEAR)
        assert [each["algoStatus"] for each in past.json] == ["CANCELED"]
        assert (await bot.signed("GET", "/fapi/v1/allOrders", symbol=LINEAR)).json == []
        again = await bot.signed("DELETE", ALGO, algoId=placed["algoId"])
        assert again.json["code"] == -2011


async def test_a_triggered_algo_order_is_an_order_as_well(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "0.01", "50000")
        placed = (await algo(bot, triggerPrice="49900", clientAlgoId="exit")).json
        await order(maker, "BUY", "0.05", "49800")
        third = (await order(maker, "SELL", "0.01", "49850", newOrderRespType="RESULT")).json
        assert third["status"] == "NEW"
        await order(bot, "BUY", "0.01")  # The last price is 49,850: the stop sells at 49,800.
        done = (await bot.signed("GET", ALGO, algoId=placed["algoId"])).json
        assert (done["algoStatus"], done["actualPrice"]) == ("FINISHED", "49800")
        assert done["actualOrderId"] == str(placed["algoId"])
        real = await bot.signed("GET", "/fapi/v1/order", symbol=LINEAR, orderId=placed["algoId"])
        assert (real.json["type"], real.json["origType"]) == ("MARKET", "STOP_MARKET")
        assert (real.json["status"], real.json["clientOrderId"]) == ("FILLED", "exit")


async def test_a_trailing_stop_has_an_activation_and_a_distance(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        placed = await algo(bot, "TRAILING_STOP_MARKET", activatePrice="51000", callbackRate="0.5")
        assert placed.status == 200, placed.body
        assert (placed.json["activatePrice"], placed.json["callbackRate"]) == ("51000.0", "0.5")
        bad = await algo(bot, "TRAILING_STOP_MARKET", callbackRate="0.001")
        assert bad.json["code"] == -2007


async def test_only_one_algo_order_closes_the_position_on_a_side(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "0.01", "50000")
        first = await algo(bot, closePosition="true")
        assert (first.json["closePosition"], first.json["quantity"]) == (True, "0.000")
        second = await algo(bot, closePosition="true", triggerPrice="44000")
        assert second.json["code"] == -4130
        limit = await algo(bot, "STOP", closePosition="true", price="44000")
        assert limit.json["code"] == -4136


async def test_all_that_wait_on_a_contract_are_cancelled_together(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        await algo(bot)
        await algo(bot, triggerPrice="44000")
        resting = (await order(bot, "BUY", "0.01", "40000")).json["orderId"]
        done = await bot.signed("DELETE", "/fapi/v1/algoOpenOrders", symbol=LINEAR)
        assert done.json["code"] == 200
        assert (await bot.signed("GET", "/fapi/v1/openAlgoOrders")).json == []
        left = (await bot.signed("GET", "/fapi/v1/openOrders")).json
        assert [each["orderId"] for each in left] == [resting]


async def test_client_ids_of_algo_orders_and_orders_do_not_meet(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        assert (await algo(bot, clientAlgoId="same")).status == 200
        assert (await order(bot, "BUY", "0.01", "40000", newClientOrderId="same")).status == 200
        assert (await algo(bot, clientAlgoId="same")).json["code"] == -4116


async def test_a_plain_order_is_no_algo_order(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        assert (await algo(bot, "LIMIT", price="45000")).json["code"] == -1116
