"""New orders on spot and margin answer as Binance's do, and refuse in its words."""

from __future__ import annotations

from pathlib import Path

from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import running

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}


async def test_a_limit_order_that_rests_is_told_in_full(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        fields = {**LIMIT, "quantity": "0.01", "price": "40000", "newClientOrderId": "mine"}
        answer = await bot.signed("POST", "/api/v3/order", **fields)
        assert answer.status == 200, answer.body
        said = answer.json
        time_ms = said.pop("transactTime")
        assert said == {
            "symbol": "BTCUSDT",
            "orderId": said["orderId"],
            "orderListId": -1,
            "clientOrderId": "mine",
            "price": "40000.00000000",
            "origQty": "0.01000000",
            "executedQty": "0.00000000",
            "origQuoteOrderQty": "0.00000000",
            "cummulativeQuoteQty": "0.00000000",
            "status": "NEW",
            "timeInForce": "GTC",
            "type": "LIMIT",
            "side": "BUY",
            "workingTime": time_ms,
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "fills": [],
        }
        assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "1"
        assert answer.headers["X-MBX-ORDER-COUNT-1D"] == "1"
