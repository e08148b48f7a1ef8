"""What an order says is read as Binance reads it, and refused with its codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.config import Binance, Config, Server
from tests.exchange.gateway.binance.futures.scenes import LINEAR, futures, order
from tests.exchange.gateway.rig import ADMIN_KEY

ORDER = "/fapi/v1/order"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"price": "49000.05"}, -1111),
        ({"quantity": "0.0001"}, -1111),
        ({"quantity": "0"}, -4003),
        ({"price": "0"}, -4001),
        ({"quantity": "x"}, -1102),
        ({"side": "HOLD"}, -1117),
        ({"type": "TRAILING"}, -1116),
        ({"timeInForce": "DAY"}, -1115),
        ({"symbol": "NONEUSDT"}, -1121),
        ({"quantity": "0.001", "price": "4000"}, -4164),  # 4 USDT, and the least is 5.
        ({"quantity": "900", "price": "49000"}, -2019),
        ({"reduceOnly": "true"}, -2022),
        ({"positionSide": "LONG"}, -4061),
        ({"stopPrice": "1"}, -1106),
        ({"newClientOrderId": "not allowed"}, -4015),
        ({"timeInForce": "GTD", "goodTillDate": "1"}, -5040),
    ],
)
async def test_a_refusal_has_its_code(tmp_path: Path, fields: dict[str, str], code: int) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        whole = {"symbol": LINEAR, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        whole |= {"quantity": "0.01", "price": "49000"} | fields
        answer = await bot.signed("POST", ORDER, **whole)
        assert (answer.status, answer.json["code"]) == (400, code), answer.body
        tried = await bot.signed("POST", f"{ORDER}/test", **whole)
        assert tried.json["code"] == code, tried.body


async def test_a_notional_too_small_is_told_the_least_there_may_be(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        fields = {"symbol": LINEAR, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        for path in (ORDER, f"{ORDER}/test"):
            answer = await bot.signed("POST", path, quantity="0.001", price="4000", **fields)
            assert answer.json["msg"] == (
                "Order's notional must be no smaller than 5 (unless you choose reduce only)."
            )


async def test_a_price_can_be_the_books(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await order(maker, "SELL", "0.01", "50010")
        await order(maker, "BUY", "0.01", "49990")
        fields = {"symbol": LINEAR, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        for match, price in (("QUEUE", "49990.0"), ("OPPONENT", "50010.0")):
            answer = await bot.signed("POST", ORDER, quantity="0.01", priceMatch=match, **fields)
            assert answer.json["price"] == price
        deep = await bot.signed("POST", ORDER, quantity="0.01", priceMatch="QUEUE_5", **fields)
        assert deep.json["code"] == -5041


async def test_a_strict_venue_sends_stops_to_the_algo_endpoint(tmp_path: Path) -> None:
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(conditional_on_order=False))
    async with futures(tmp_path, config=config) as (_, (bot, _)):
        fields = {"symbol": LINEAR, "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01"}
        answer = await bot.signed("POST", ORDER, stopPrice="45000", **fields)
        assert answer.json["code"] == -4120


async def test_what_reduces_may_last_until_the_position_is_closed(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await order(maker, "SELL", "0.01", "50000")
        await order(bot, "BUY", "0.01")
        fields = {"timeInForce": "GTE_GTC"}
        reducing = await order(bot, "SELL", "0.01", "51000", reduceOnly="true", **fields)
        assert reducing.status == 200, reducing.body
        opening = await order(bot, "BUY", "0.01", "49000", **fields)
        assert opening.json["code"] == -1115


async def test_in_hedge_mode_the_leg_says_what_reduces(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        await bot.signed("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
        flag = await order(bot, "BUY", "0.01", "49000", positionSide="LONG", reduceOnly="true")
        assert flag.json["code"] == -1106
        none = await order(bot, "BUY", "0.01", "49000", positionSide="SHORT")
        assert none.json["code"] == -2022
        unsaid = await order(bot, "BUY", "0.01", "49000")
        assert unsaid.json["code"] == -4061


async def test_an_order_without_a_client_id_gets_one(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        drawn = [(await order(bot, "BUY", "0.01", "49000")).json["clientOrderId"] for _ in "ab"]
        assert len(set(drawn)) == 2
        assert all(drawn)
