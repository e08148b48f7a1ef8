"""Orders are found in the space and on the product they were asked for, open and past."""

from __future__ import annotations

from pathlib import Path

from exchange.commands import PlaceOrder
from matching.types import OrderType, Side
from tests.exchange.gateway.binance.futures.scenes import INVERSE, LINEAR, futures, order

ORDER = "/fapi/v1/order"


async def test_an_order_is_not_found_under_another_contract_or_product(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        order_id = (await order(bot, "BUY", "0.01", "49000")).json["orderId"]
        other = await bot.signed("GET", ORDER, symbol="ETHUSDT", orderId=order_id)
        assert other.json["code"] == -2013
        coin = await bot.signed("GET", "/dapi/v1/order", symbol=INVERSE, orderId=order_id)
        assert coin.json["code"] == -2013
        gone = await bot.signed("DELETE", ORDER, symbol="ETHUSDT", orderId=order_id)
        assert gone.json["code"] == -2011


async def test_an_order_must_be_named(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        for verb in ("GET", "DELETE"):
            answer = await bot.signed(verb, ORDER, symbol=LINEAR)
            assert answer.json["code"] == -1102


async def test_an_order_of_another_door_is_found_by_its_number(tmp_path: Path) -> None:
    async with futures(tmp_path) as (rig, (bot, _)):
        native = PlaceOrder(
            account_id=bot.trader.account_id,
            symbol="BTC-USDT-PERP",
            side=Side.BUY,
            type=OrderType.LIMIT,
            lots=10,
            price_ticks=490_000,
            wallet="perp",
        )
        await rig.do(native)
        (found,) = (await bot.signed("GET", "/fapi/v1/openOrders")).json
        assert found["clientOrderId"] == f"order-{found['orderId']}"
        same = await bot.signed("GET", ORDER, symbol=LINEAR, orderId=found["orderId"])
        assert same.json == found


async def test_the_past_is_told_from_where_it_was_asked(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await order(maker, "SELL", "0.01", "50010")
        ids = []
        for price in ("49000", "50010", "48000", "47000"):
            # The second is post-only, would take, and leaves no record.
            answer = await order(bot, "BUY", "0.01", price, timeInForce="GTX")
            ids.append(answer.json.get("orderId"))
        kept = [order_id for order_id in ids if order_id]
        target = "/fapi/v1/allOrders"
        newest = (await bot.signed("GET", target, symbol=LINEAR, limit=2)).json
        assert [each["orderId"] for each in newest] == kept[-2:]
        oldest = (await bot.signed("GET", target, symbol=LINEAR, limit=2, orderId=1)).json
        assert [each["orderId"] for each in oldest] == kept[:2]
        none = await bot.signed("GET", target, symbol=LINEAR, startTime=1, endTime=2)
        assert none.json == []
