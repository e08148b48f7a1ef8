"""Order lists are placed, carried on, cancelled and looked up, on spot and on margin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.exchange.gateway.binance.spot.spot_scene import ORDER, done, limit, refused, two_bots

OLD = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "price": "55000"}
OTOCO: dict[str, Any] = {
    **{"symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY"},
    **{"workingPrice": "49000", "workingQuantity": "0.01", "workingTimeInForce": "GTC"},
    **{"pendingSide": "SELL", "pendingQuantity": "0.009", "pendingAboveType": "LIMIT_MAKER"},
    **{"pendingAbovePrice": "60000", "pendingBelowType": "STOP_LOSS"},
    **{"pendingBelowStopPrice": "30000", "pendingBelowClientOrderId": "stop"},
}
Api = tuple[str, str, dict[str, str]]
SPOT: Api = ("/api/v3/order/oco", "/api/v3", {})
CROSS: Api = ("/sapi/v1/margin/order/oco", "/sapi/v1/margin", {})
ISOLATED: Api = (*CROSS[:2], {"isIsolated": "TRUE", "symbol": "BTCUSDT"})


@pytest.mark.parametrize("api", [SPOT, CROSS, ISOLATED], ids=["spot", "cross", "isolated"])
async def test_a_list_is_found_while_it_is_open_and_afterwards(tmp_path: Path, api: Api) -> None:
    place, prefix, where = api
    async with two_bots(tmp_path) as (_, bot, other):
        placed = await done(bot, "POST", place, **{**OLD, "stopPrice": "45000", **where})
        list_id = placed["orderListId"]
        reports = placed.pop("orderReports")
        assert {each["orderListId"] for each in reports} == {list_id}
        assert await done(bot, "GET", f"{prefix}/openOrderList", **where) == [placed]
        named = {**where, "orderListId": list_id}
        assert await done(bot, "GET", f"{prefix}/orderList", **named) == placed
        missing = (-2013, "Order list does not exist.")
        assert await refused(other, "GET", f"{prefix}/orderList", **named) == missing
        ended = {**named, "symbol": "BTCUSDT"}
        said = await done(bot, "DELETE", f"{prefix}/orderList", **ended)
        assert [each["status"] for each in said.pop("orderReports")] == ["CANCELED"] * 2
        assert said["listOrderStatus"] == "ALL_DONE"
        assert (await refused(bot, "DELETE", f"{prefix}/orderList", **ended))[0] == -2011
        assert await done(bot, "GET", f"{prefix}/openOrderList", **where) == []
        assert await done(bot, "GET", f"{prefix}/orderList", **named) == said
        assert await done(bot, "GET", f"{prefix}/allOrderList", **where) == [said]
        elsewhere = "/sapi/v1/margin" if prefix == "/api/v3" else "/api/v3"
        assert await done(bot, "GET", f"{elsewhere}/allOrderList") == []
        assert await refused(bot, "GET", f"{elsewhere}/orderList", orderListId=list_id) == missing


async def test_what_waits_gets_an_id_once_the_working_order_is_filled(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        answer = await bot.signed("POST", "/api/v3/orderList/otoco", **OTOCO)
        assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "3"
        placed = answer.json
        assert [each["orderId"] for each in placed["orders"]][1:] == [-1, -1]
        assert [each["workingTime"] for each in placed["orderReports"]][1:] == [-1, -1]
        await done(other, "POST", ORDER, **limit("SELL"))
        named = {"origClientOrderId": placed["listClientOrderId"]}
        said = await done(bot, "GET", "/api/v3/orderList", **named)
        assert all(each["orderId"] > 0 for each in said["orders"])
        stop = await done(bot, "GET", ORDER, symbol="BTCUSDT", origClientOrderId="stop")
        assert (stop["orderListId"], stop["origQty"]) == (placed["orderListId"], "0.00900000")


async def test_all_lists_are_the_newest_or_go_on_from_an_id(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        ids = []
        for _ in range(3):
            placed = await done(bot, "POST", SPOT[0], **OLD, stopPrice="45000")
            ids.append(placed["orderListId"])
        await done(bot, "POST", CROSS[0], **OLD, stopPrice="45000")
        found = await done(bot, "GET", "/api/v3/allOrderList", limit=2)
        assert [each["orderListId"] for each in found] == ids[1:]
        found = await done(bot, "GET", "/api/v3/allOrderList", fromId=ids[0], limit=2)
        assert [each["orderListId"] for each in found] == ids[:2]


async def test_a_list_may_be_acknowledged_only(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        fields = {**OLD, "stopPrice": "45000", "newOrderRespType": "ACK"}
        said = await done(bot, "POST", SPOT[0], **fields)
        keys = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
        assert [set(each) for each in said["orderReports"]] == [keys, keys]


async def test_what_waited_for_an_order_that_found_nobody_is_told_as_expired(
    tmp_path: Path,
) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        fields = {
            **{"symbol": "BTCUSDT", "workingType": "MARKET", "workingSide": "BUY"},
            **{"workingQuantity": "0.01", "pendingType": "LIMIT", "pendingSide": "SELL"},
            **{"pendingPrice": "60000", "pendingQuantity": "0.01", "pendingTimeInForce": "GTC"},
        }
        said = await done(bot, "POST", "/api/v3/orderList/oto", **fields)
        assert said["listOrderStatus"] == "ALL_DONE"
        assert [each["status"] for each in said["orderReports"]] == ["EXPIRED", "EXPIRED"]


@pytest.mark.parametrize("where", [CROSS[2], ISOLATED[2]], ids=["cross", "isolated"])
async def test_margin_has_lists_that_begin_with_a_working_order(
    tmp_path: Path, where: dict[str, str]
) -> None:
    async with two_bots(tmp_path) as (rig, bot, _):
        path = "/sapi/v1/margin/order/otoco"
        placed = await done(bot, "POST", path, **{**OTOCO, **where})
        assert placed["contingencyType"] == "OTO"
        oto = {name: each for name, each in OTOCO.items() if not name.startswith("pending")}
        oto |= {"pendingSide": "SELL", "pendingType": "MARKET", "pendingQuantity": "0.01"}
        await done(bot, "POST", path.replace("otoco", "oto"), **{**oto, **where})
        wallet = "isolated:BTC-USDT" if where else "margin"
        account = rig.doors.engine.risk.accounts[bot.trader.account_id]
        assert {order.wallet for order in account.orders.values()} == {wallet}
        assert len(await done(bot, "GET", "/sapi/v1/margin/openOrderList", **where)) == 2
        assert await done(bot, "GET", "/api/v3/openOrderList") == []
