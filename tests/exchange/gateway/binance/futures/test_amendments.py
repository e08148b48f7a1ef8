"""How an order was changed, by whichever of its numbers, and through whichever door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.gateway.binance.binance_rig import Bot
from tests.exchange.gateway.binance.futures.scenes import INVERSE, LINEAR, futures, order, trade
from tests.exchange.gateway.binance.ws_api.socket_rig import connected


async def changed(bot: Bot, **fields: Any) -> Any:
    return (await bot.signed("GET", "/fapi/v1/orderAmendment", symbol=LINEAR, **fields)).json


async def modified(bot: Bot, api: str, quantity: str, price: str, **name: Any) -> Any:
    symbol = LINEAR if api == "fapi" else INVERSE
    wish = {"symbol": symbol, "side": "BUY", "quantity": quantity, "price": price}
    return (await bot.signed("PUT", f"/{api}/v1/order", **wish, **name)).json


@pytest.mark.parametrize(
    ("api", "pair", "first", "less", "more"),
    [("fapi", "BTCUSDT", "0.030", "0.020", "0.040"), ("dapi", "BTCUSD", "30", "20", "40")],
)
async def test_s7_each_change_is_told_newest_first_by_any_number_of_the_order(
    tmp_path: Path, api: str, pair: str, first: str, less: str, more: str
) -> None:
    async with futures(tmp_path) as (rig, (bot, other)):
        symbol = LINEAR if api == "fapi" else INVERSE
        placed = (await order(bot, "BUY", first, "49000", api=api, newClientOrderId="mine")).json
        path, by_client = f"/{api}/v1/orderAmendment", {"origClientOrderId": "mine"}
        none = await bot.signed("GET", path, symbol=symbol, orderId=placed["orderId"])
        assert none.json == []
        cut = await modified(bot, api, less, "49000", **by_client)
        await rig.doors.sequencer.step(1_000)
        moved = await modified(bot, api, less, "48900", **by_client)
        await rig.doors.sequencer.step(1_000)
        grown = await modified(bot, api, more, "48800", **by_client)
        assert cut["orderId"] == placed["orderId"] < moved["orderId"] < grown["orderId"]
        told = (await bot.signed("GET", path, symbol=symbol, **by_client)).json
        assert [each["orderId"] for each in told] == [
            each["orderId"] for each in (grown, moved, cut)
        ]
        assert [each["time"] for each in told] == [
            each["updateTime"] for each in (grown, moved, cut)
        ]
        assert [each["amendment"] for each in told] == [
            {
                "price": {"before": before, "after": after},
                "origQty": {"before": had, "after": has},
                "count": count,
            }
            for before, after, had, has, count in (
                ("48900.0", "48800.0", less, more, 3),
                ("49000.0", "48900.0", less, less, 2),
                ("49000.0", "49000.0", first, less, 1),
            )
        ]
        assert {(each["symbol"], each["pair"], each["clientOrderId"]) for each in told} == {
            (symbol, pair, "mine")
        }
        numbers = [each["amendmentId"] for each in told]
        assert numbers == sorted(set(numbers), reverse=True)
        for number in (placed["orderId"], moved["orderId"], grown["orderId"]):
            same = await bot.signed("GET", path, symbol=symbol, orderId=number)
            assert same.json == told
        theirs = await other.signed("GET", path, symbol=symbol, orderId=placed["orderId"])
        assert theirs.json["code"] == -2013


async def test_a_part_of_the_changes_is_asked_for_by_time_and_number(tmp_path: Path) -> None:
    async with futures(tmp_path) as (rig, (bot, _)):
        await order(bot, "BUY", "0.03", "49000", newClientOrderId="mine")
        for price in ("48900", "48800", "48700"):
            await rig.doors.sequencer.step(1_000)
            await modified(bot, "fapi", "0.03", price, origClientOrderId="mine")
        third, second, first = await changed(bot, origClientOrderId="mine")
        by_client = {"origClientOrderId": "mine"}
        assert await changed(bot, **by_client, limit=1) == [third]
        assert await changed(bot, **by_client, startTime=second["time"]) == [third, second]
        assert await changed(bot, **by_client, endTime=second["time"]) == [second, first]
        assert await changed(bot, **by_client, startTime=first["time"], limit=2) == [second, first]
        assert (await changed(bot))["code"] == -1102
        assert (await changed(bot, orderId=999))["code"] == -2013
        assert (await changed(bot, **by_client, limit=0))["code"] == -1130
        missing = await bot.signed("GET", "/fapi/v1/orderAmendment", origClientOrderId="mine")
        assert missing.json["code"] == -1102
        elsewhere = await bot.signed("GET", "/dapi/v1/orderAmendment", symbol=INVERSE, **by_client)
        assert elsewhere.json["code"] == -2013


async def test_s7_what_was_filled_is_no_part_of_the_order_that_replaces_it(tmp_path: Path) -> None:
    """0.03 of which 0.01 was filled goes on as 0.02 at another price."""
    async with futures(tmp_path) as (_, (bot, other)):
        await order(bot, "BUY", "0.03", "49990", newClientOrderId="mine")
        await order(other, "SELL", "0.01")
        await modified(bot, "fapi", "0.03", "49000", origClientOrderId="mine")
        (told,) = await changed(bot, origClientOrderId="mine")
        assert told["amendment"]["origQty"] == {"before": "0.030", "after": "0.020"}


async def test_changes_through_every_door_count_and_those_of_the_venue_do_not(
    tmp_path: Path,
) -> None:
    """A batch, the native door and a socket change it; that the position shrinks below what it
    would close does, too, and is nobody's wish."""
    async with futures(tmp_path) as (rig, (bot, maker)):
        await trade(bot, maker, "0.05", "50000")
        sell = {"reduceOnly": "true", "newClientOrderId": "close"}
        await order(bot, "SELL", "0.05", "51000", **sell)
        wish = {"symbol": LINEAR, "side": "SELL", "quantity": "0.04", "price": "51000"}
        batch = json.dumps([wish | {"origClientOrderId": "close"}])
        await bot.signed("PUT", "/fapi/v1/batchOrders", batchOrders=batch)
        native = await bot.trader.ask("PATCH", "/v1/orders/client:close", {"price": "51100"})
        assert native.status == 200, native.body
        async with connected(rig, "/ws-fapi/v1", bot) as socket:
            named = wish | {"price": "51200", "origClientOrderId": "close"}
            assert (await socket.signed("order.modify", **named))["status"] == 200
        await trade(maker, bot, "0.03", "50000")
        left = await bot.signed("GET", "/fapi/v1/order", symbol=LINEAR, origClientOrderId="close")
        assert left.json["origQty"] == "0.020"
        told = await changed(bot, origClientOrderId="close")
        assert [(each["amendment"]["count"], each["amendment"]["price"]) for each in told] == [
            (3, {"before": "51100.0", "after": "51200.0"}),
            (2, {"before": "51000.0", "after": "51100.0"}),
            (1, {"before": "51000.0", "after": "51000.0"}),
        ]
