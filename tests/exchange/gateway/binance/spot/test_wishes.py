"""Fields that a type needs, or does not take, are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.exchange.gateway.binance.spot.spot_scene import (
    MARGIN_ORDER,
    ORDER,
    done,
    limit,
    refused,
    two_bots,
)


def unlike(**fields: Any) -> dict[str, Any]:
    """A limit order without the fields that are None."""
    return {name: value for name, value in limit(**fields).items() if value is not None}


CASES = (
    (unlike(side="UP"), -1117),
    (unlike(type="LIMITED"), -1116),
    (unlike(timeInForce="GTD"), -1115),
    (unlike(timeInForce=None), -1102),
    (unlike(price=None), -1102),
    (unlike(quantity=None), -1102),
    (unlike(symbol=None), -1102),
    (unlike(symbol="NONE"), -1121),
    (unlike(stopPrice="48000"), -1106),
    (unlike(type="LIMIT_MAKER"), -1106),
    (unlike(type="MARKET", timeInForce=None), -1106),
    (unlike(type="MARKET", timeInForce=None, price=None, quantity=None), -1102),
    (unlike(type="MARKET", timeInForce=None, price=None, quoteOrderQty="5"), -1106),
    (unlike(quoteOrderQty="5"), -1106),
    (unlike(type="STOP_LOSS_LIMIT"), -1102),
    (unlike(type="STOP_LOSS", timeInForce=None, price=None, trailingDelta="0"), -1128),
    (unlike(type="STOP_LOSS", timeInForce=None, price=None, trailingDelta="99999"), -1013),
    (unlike(selfTradePreventionMode="SOME"), -1130),
    (unlike(newOrderRespType="SOME"), -1130),
    (unlike(newClientOrderId="a b"), -1100),
    (unlike(icebergQty="0.001", timeInForce="IOC"), -1115),
)


async def test_what_does_not_hang_together_is_refused_by_code(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        for fields, code in CASES:
            assert (await refused(bot, "POST", ORDER, **fields))[0] == code, fields
        assert await done(bot, "GET", "/api/v3/openOrders") == []


@pytest.mark.parametrize("kind", ["STOP_LOSS", "TAKE_PROFIT"])
async def test_an_order_may_trail_the_price(tmp_path: Path, kind: str) -> None:
    async with two_bots(tmp_path) as (rig, bot, _):
        fields = {"symbol": "BTCUSDT", "side": "SELL", "type": kind, "quantity": "0.01"}
        said = await done(bot, "POST", ORDER, **fields, trailingDelta="100")
        order = rig.doors.engine.risk.accounts[bot.trader.account_id].orders[said["orderId"]]
        assert order.trailing_bps == 100
        said = await done(bot, "GET", ORDER, symbol="BTCUSDT", orderId=said["orderId"])
        assert (said["type"], said["trailingDelta"], said["isWorking"]) == (kind, 100, False)


async def test_options_of_an_order_reach_the_engine(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (rig, bot, _):
        fields = limit(
            icebergQty="0.002",
            selfTradePreventionMode="EXPIRE_BOTH",
            sideEffectType="AUTO_BORROW_REPAY",
            autoRepayAtCancel="FALSE",
        )
        said = await done(bot, "POST", MARGIN_ORDER, **fields)
        order = rig.doors.engine.risk.accounts[bot.trader.account_id].orders[said["orderId"]]
        assert (order.iceberg_lots, order.wallet, order.side_effect) == (200, "margin", 3)
        assert order.stp.name == "EXPIRE_BOTH"
        assert order.auto_repay_at_cancel is False
