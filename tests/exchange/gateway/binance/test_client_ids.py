"""Every order and every list is called something, also where its owner gave it no name."""

from __future__ import annotations

from pathlib import Path

from exchange.gateway.binance.client_ids import list_name, order_name
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import running


def test_who_has_no_name_is_called_by_a_number() -> None:
    assert (order_name("mine", 7), list_name("mine", 7)) == ("mine", "mine")
    assert (order_name("", 7), list_name("", 7)) == ("order-7", "list-7")
    assert order_name("", 7, forced=True) == "autoclose-7"
    assert order_name("", 0) == ""  # It waits for another.


async def test_an_order_of_the_native_door_has_a_name_on_spot(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "50000")
        bot = await bot_of(rig)
        placed = await bot.trader.order("BTC-USDT", "buy", "0.01", price="49000")
        order_id = placed["order"]["order_id"]
        (said,) = (await bot.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")).json
        assert said["clientOrderId"] == f"order-{order_id}"
        ended = await bot.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=order_id)
        assert ended.json["origClientOrderId"] == f"order-{order_id}"
