"""An order is found by the names that were sent, and on the wallet the call is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.gateway.binance.spot.finding import is_named
from matching.types import Order, OrderType, Side
from tests.exchange.gateway.binance.spot.spot_scene import MARGIN_ORDER, done, limit, two_bots

OPEN = Order(7, 100, "BTC-USDT", Side.BUY, OrderType.LIMIT, 1, 1, client_id="mine")


@pytest.mark.parametrize(
    ("order_id", "client_id", "named"),
    [(7, "", True), (0, "mine", True), (7, "mine", True), (7, "no", False), (8, "mine", False)],
)
def test_both_names_count_where_both_were_sent(order_id: int, client_id: str, named: bool) -> None:
    assert is_named(OPEN, order_id, client_id) is named


async def test_isolated_orders_are_apart_from_cross_ones(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        ids = {}
        for isolated in ("TRUE", "FALSE"):
            placed = await done(bot, "POST", MARGIN_ORDER, **limit(isIsolated=isolated))
            ids[isolated] = placed["orderId"]
        for isolated, order_id in ids.items():
            named = {"symbol": "BTCUSDT", "orderId": order_id, "isIsolated": isolated}
            said = await done(bot, "GET", MARGIN_ORDER, **named)
            assert said["isIsolated"] is (isolated == "TRUE")
            where = {"symbol": "BTCUSDT", "isIsolated": isolated}
            (found,) = await done(bot, "GET", "/sapi/v1/margin/openOrders", **where)
            assert found == said
        nowhere = await bot.signed("GET", "/sapi/v1/margin/openOrders", isIsolated="TRUE")
        assert nowhere.json["code"] == -1102  # An isolated wallet is a symbol's.
