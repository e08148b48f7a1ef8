"""Lists are read by their new and their old names, and refused where the orders do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.exchange.gateway.binance.spot.spot_scene import done, refused, two_bots

OCO = "/api/v3/orderList/oco"
SELL = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01"}
ABOVE = {"aboveType": "LIMIT_MAKER", "abovePrice": "55000"}
BELOW = {"belowType": "STOP_LOSS", "belowStopPrice": "45000"}
WORKING = {
    **{"symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY"},
    **{"workingPrice": "49000", "workingQuantity": "0.01", "workingTimeInForce": "GTC"},
}


async def test_a_buyers_stop_lies_above(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        said = await done(
            bot,
            "POST",
            OCO,
            **{**SELL, "side": "BUY", "aboveType": "STOP_LOSS_LIMIT", "abovePrice": "56000"},
            **{"aboveStopPrice": "55000", "aboveTimeInForce": "GTC", "belowType": "TAKE_PROFIT"},
            **{"belowStopPrice": "45000", "aboveClientOrderId": "up", "belowClientOrderId": "dn"},
        )
        types = [(each["clientOrderId"], each["type"]) for each in said["orderReports"]]
        assert types == [("dn", "TAKE_PROFIT"), ("up", "STOP_LOSS_LIMIT")]


async def test_the_old_names_make_the_same_list(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        fields = {**SELL, "price": "55000", "stopPrice": "45000", "listClientOrderId": "both"}
        ids = {"limitClientOrderId": "up", "stopClientOrderId": "down"}
        said = await done(bot, "POST", "/api/v3/order/oco", **fields, **ids)
        types = [(each["clientOrderId"], each["type"]) for each in said["orderReports"]]
        assert types == [("up", "LIMIT_MAKER"), ("down", "STOP_LOSS")]
        assert said["listClientOrderId"] == "both"
        with_limit = {**fields, "stopLimitPrice": "44000", "listClientOrderId": "other"}
        code, msg = await refused(bot, "POST", "/api/v3/order/oco", **with_limit)
        assert code == -1102
        assert "stopLimitTimeInForce" in msg
        said = await done(
            bot, "POST", "/api/v3/order/oco", **with_limit, stopLimitTimeInForce="GTC"
        )
        stop = said["orderReports"][1]
        assert (stop["type"], stop["price"], stop["stopPrice"]) == (
            *("STOP_LOSS_LIMIT", "44000.00000000", "45000.00000000"),
        )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({**SELL, **ABOVE}, -1102),
        ({**SELL, **BELOW, "aboveType": "LIMIT_MAKER"}, -1102),
        ({**SELL, **ABOVE, **BELOW, "belowType": "LIMIT_MAKER", "belowPrice": "1"}, -1106),
        ({**SELL, **ABOVE, "belowType": "LIMIT_MAKER", "belowPrice": "45000"}, -1128),
        ({**SELL, **ABOVE, "belowType": "STOP_LOSS", "belowTrailingDelta": "100"}, -1128),
        ({**SELL, **ABOVE, **BELOW, "abovePrice": "44000"}, -2010),
        ({**SELL, **ABOVE, **BELOW, "aboveClientOrderId": "a", "belowClientOrderId": "a"}, -2010),
        ({**SELL, **ABOVE, **BELOW, "quantity": "50"}, -2010),
    ],
)
async def test_orders_that_make_no_list_are_refused(
    tmp_path: Path, fields: dict[str, Any], code: int
) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        assert (await refused(bot, "POST", OCO, **fields))[0] == code
        assert await done(bot, "GET", "/api/v3/openOrders") == []


async def test_a_working_order_waits_for_no_price(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        pending = {"pendingType": "LIMIT_MAKER", "pendingSide": "SELL", "pendingPrice": "60000"}
        fields = {**WORKING, **pending, "pendingQuantity": "0.01"}
        path = "/api/v3/orderList/oto"
        stop = {**fields, "workingType": "STOP_LOSS", "workingStopPrice": "51000"}
        assert (await refused(bot, "POST", path, **stop))[0] == -1128
        said = await done(bot, "POST", path, **fields)
        assert [each["status"] for each in said["orderReports"]] == ["NEW", "PENDING_NEW"]
