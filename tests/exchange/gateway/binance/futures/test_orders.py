"""Orders on futures are placed, changed, cancelled and found as Binance's clients do it."""

from __future__ import annotations

from pathlib import Path

from tests.exchange.gateway.binance.futures.scenes import INVERSE, LINEAR, futures, order, trade

ORDER = "/fapi/v1/order"


async def test_a_resting_order_is_answered_as_it_was_taken(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        answer = await order(bot, "BUY", "0.010", "49000", newClientOrderId="mine")
        assert answer.status == 200, answer.body
        said = answer.json
        assert (said["symbol"], said["clientOrderId"], said["status"]) == (LINEAR, "mine", "NEW")
        assert (said["price"], said["origQty"], said["executedQty"]) == (
            "49000.0",
            "0.010",
            "0.000",
        )
        assert (said["type"], said["timeInForce"], said["positionSide"]) == ("LIMIT", "GTC", "BOTH")
        assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "1"
        for name in ("time", "fills"):
            assert name not in said


async def test_a_market_order_is_new_unless_its_result_is_asked_for(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await order(maker, "SELL", "1", "50010")
        ack = await order(bot, "BUY", "0.1")
        assert (ack.json["status"], ack.json["executedQty"]) == ("NEW", "0.000")
        result = await order(bot, "BUY", "0.1", newOrderRespType="RESULT")
        assert (result.json["status"], result.json["avgPrice"]) == ("FILLED", "50010")
        assert result.json["cumQuote"] == "5001"  # 0.1 x 50,010


async def test_an_order_is_found_by_either_name_open_and_closed(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        placed = (await order(bot, "BUY", "0.01", "49000", newClientOrderId="mine")).json
        by_id = await bot.signed("GET", ORDER, symbol=LINEAR, orderId=placed["orderId"])
        by_name = await bot.signed("GET", ORDER, symbol=LINEAR, origClientOrderId="mine")
        assert by_id.json == by_name.json
        assert by_id.json["time"] == by_id.json["updateTime"]
        gone = await bot.signed("DELETE", ORDER, symbol=LINEAR, origClientOrderId="mine")
        assert gone.json["status"] == "CANCELED"
        again = await bot.signed("DELETE", ORDER, symbol=LINEAR, origClientOrderId="mine")
        assert (again.status, again.json["code"]) == (400, -2011)
        closed = await bot.signed("GET", ORDER, symbol=LINEAR, orderId=placed["orderId"])
        assert closed.json["status"] == "CANCELED"
        unknown = await bot.signed("GET", ORDER, symbol=LINEAR, orderId=10**9)
        assert unknown.json["code"] == -2013


async def test_no_other_account_finds_an_order(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, other)):
        placed = (await order(bot, "BUY", "0.01", "49000")).json
        for verb, code in (("GET", -2013), ("DELETE", -2011)):
            answer = await other.signed(verb, ORDER, symbol=LINEAR, orderId=placed["orderId"])
            assert answer.json["code"] == code


async def test_post_only_and_fill_or_kill_are_refused_at_once_and_not_recorded(
    tmp_path: Path,
) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await order(maker, "SELL", "0.01", "50010")
        post = await order(bot, "BUY", "0.01", "50010", timeInForce="GTX")
        assert (post.status, post.json["code"]) == (400, -5022)
        kill = await order(bot, "BUY", "1", "50010", timeInForce="FOK")
        assert (kill.status, kill.json["code"]) == (400, -5021)
        assert (await bot.signed("GET", "/fapi/v1/allOrders", symbol=LINEAR)).json == []


async def test_an_order_that_is_only_tried_is_not_placed(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        fields = {"symbol": LINEAR, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        fields |= {"quantity": "0.01", "price": "49000"}
        answer = await bot.signed("POST", f"{ORDER}/test", **fields)
        assert (answer.status, answer.json) == (200, {})
        assert (await bot.signed("GET", "/fapi/v1/openOrders")).json == []


async def test_a_client_id_is_refused_while_its_order_is_open(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        await order(bot, "BUY", "0.01", "49000", newClientOrderId="a")
        again = await order(bot, "BUY", "0.01", "48000", newClientOrderId="a")
        assert again.json["code"] == -4116
        await bot.signed("DELETE", ORDER, symbol=LINEAR, origClientOrderId="a")
        free = await order(bot, "BUY", "0.01", "48000", newClientOrderId="a")
        assert free.status == 200


async def test_a_limit_order_is_modified(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        placed = (await order(bot, "BUY", "0.01", "49000", newClientOrderId="a")).json
        fields = {"symbol": LINEAR, "side": "BUY", "origClientOrderId": "a"}
        less = await bot.signed("PUT", ORDER, quantity="0.005", price="49000", **fields)
        assert (less.json["origQty"], less.json["orderId"]) == ("0.005", placed["orderId"])
        moved = await bot.signed("PUT", ORDER, quantity="0.005", price="48900", **fields)
        assert (moved.json["price"], moved.json["clientOrderId"]) == ("48900.0", "a")
        same = await bot.signed("PUT", ORDER, quantity="0.005", price="48900", **fields)
        assert same.json["code"] == -5027


async def test_a_quantity_that_is_filled_already_ends_the_order(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        placed = (await order(bot, "BUY", "0.02", "49000")).json
        await order(maker, "SELL", "0.01", "49000")
        fields = {"symbol": LINEAR, "side": "BUY", "orderId": placed["orderId"]}
        ended = await bot.signed("PUT", ORDER, quantity="0.01", price="49000", **fields)
        assert (ended.json["status"], ended.json["executedQty"]) == ("CANCELED", "0.010")


async def test_open_and_past_orders_are_listed_by_contract(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        ids = [
            (await order(bot, "BUY", "0.01", price)).json["orderId"]
            for price in ("49000", "48000", "47000")
        ]
        await order(bot, "BUY", "1", "49000", api="dapi")
        opened = (await bot.signed("GET", "/fapi/v1/openOrders", symbol=LINEAR)).json
        assert [each["orderId"] for each in opened] == ids
        coins = (await bot.signed("GET", "/dapi/v1/openOrders", pair="BTCUSD")).json
        assert [each["symbol"] for each in coins] == [INVERSE]
        later = await bot.signed(
            "GET", "/fapi/v1/allOrders", symbol=LINEAR, orderId=ids[1], limit=1
        )
        assert [each["orderId"] for each in later.json] == ids[1:2]
        one = await bot.signed("GET", "/fapi/v1/openOrder", symbol=LINEAR, orderId=ids[0])
        assert one.json == opened[0]
        done = await bot.signed("DELETE", "/fapi/v1/allOpenOrders", symbol=LINEAR)
        assert done.json["code"] == 200
        assert (await bot.signed("GET", "/fapi/v1/openOrders")).json == []
        assert len((await bot.signed("GET", "/dapi/v1/openOrders")).json) == 1


async def test_a_stop_on_order_lives_in_the_normal_order_space(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "0.01", "50000")
        fields = {"symbol": LINEAR, "side": "SELL", "type": "STOP_MARKET"}
        placed = await bot.signed(
            "POST",
            ORDER,
            stopPrice="45000",
            closePosition="true",
            workingType="MARK_PRICE",
            **fields,
        )
        assert placed.status == 200, placed.body
        assert (placed.json["type"], placed.json["closePosition"]) == ("STOP_MARKET", True)
        assert (placed.json["stopPrice"], placed.json["workingType"]) == ("45000.0", "MARK_PRICE")
        both = await bot.signed(
            "POST", ORDER, stopPrice="45000", closePosition="true", quantity="0.01", **fields
        )
        assert both.json["code"] == -4137
        now = await bot.signed("POST", ORDER, stopPrice="60000", quantity="0.01", **fields)
        assert now.json["code"] == -2021
        listed = (await bot.signed("GET", "/fapi/v1/openOrders")).json
        assert [each["orderId"] for each in listed] == [placed.json["orderId"]]


async def test_a_countdown_cancels_a_contracts_orders(tmp_path: Path) -> None:
    async with futures(tmp_path) as (rig, (bot, _)):
        target = "/fapi/v1/countdownCancelAll"
        answer = await bot.signed("POST", target, symbol=LINEAR, countdownTime=60_000)
        assert answer.json == {"symbol": LINEAR, "countdownTime": "60000"}
        countdowns = rig.doors.engine.trading.countdowns
        assert list(countdowns.of(bot.trader.account_id)) == ["BTC-USDT-PERP"]
        await bot.signed("POST", target, symbol=LINEAR, countdownTime=0)
        assert not countdowns.of(bot.trader.account_id)
