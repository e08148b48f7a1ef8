"""Batches of orders answer for each element by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.exchange.gateway.binance.futures.scenes import LINEAR, futures, order

BATCH = "/fapi/v1/batchOrders"


def limit(price: str, **more: Any) -> dict[str, Any]:
    """A bid for 0.01 as an element."""
    return {
        "symbol": LINEAR,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": price,
        **more,
    }


async def test_a_failed_element_stands_in_its_place(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        items = [limit("49000"), limit("49000.05"), limit("48000", positionSide="LONG")]
        answer = await bot.signed("POST", BATCH, batchOrders=json.dumps(items))
        assert answer.status == 200, answer.body
        assert answer.json[0]["status"] == "NEW"
        assert [each.get("code") for each in answer.json] == [None, -1111, -4061]
        assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "2"  # The second was never sent.


async def test_a_fill_or_kill_element_is_refused_alone(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await order(maker, "SELL", "0.005", "50010")
        items = [limit("50010", timeInForce="FOK"), limit("49000")]
        answer = await bot.signed("POST", BATCH, batchOrders=json.dumps(items))
        assert [each.get("code", each.get("status")) for each in answer.json] == [-5021, "NEW"]


async def test_orders_of_a_batch_are_changed_and_cancelled(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        items = [limit("49000", newClientOrderId="a"), limit("48000", newClientOrderId="b")]
        await bot.signed("POST", BATCH, batchOrders=json.dumps(items))
        fields = {"symbol": LINEAR, "side": "BUY", "quantity": "0.005"}
        changes = [
            fields | {"origClientOrderId": "a", "price": "49000"},
            fields | {"origClientOrderId": "none", "price": "49000"},
        ]
        changed = (await bot.signed("PUT", BATCH, batchOrders=json.dumps(changes))).json
        assert [each.get("origQty", each.get("code")) for each in changed] == ["0.005", -2013]
        names = json.dumps(["a", "b", "none"])
        gone = await bot.signed("DELETE", BATCH, symbol=LINEAR, origClientOrderIdList=names)
        words = [each.get("status", each.get("code")) for each in gone.json]
        assert words == ["CANCELED", "CANCELED", -2011]


async def test_a_batch_has_one_to_five_orders(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        for items in ([], [limit("49000")] * 6):
            answer = await bot.signed("POST", BATCH, batchOrders=json.dumps(items))
            assert answer.json["code"] == -4082
        assert (await bot.signed("POST", BATCH)).json["code"] == -1102
