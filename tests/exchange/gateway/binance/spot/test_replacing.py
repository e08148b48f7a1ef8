"""A cancel-replace tells of both halves: success, 409 where one came about, 400 where none did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.exchange.gateway.binance.spot.spot_scene import ORDER, done, limit, two_bots

REPLACE = f"{ORDER}/cancelReplace"
POOR = {"qty": "9"}  # More than the account can pay.


async def test_both_halves(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        await done(bot, "POST", ORDER, **limit(newClientOrderId="old"))
        fields = limit(price="48000", newClientOrderId="new", cancelReplaceMode="STOP_ON_FAILURE")
        said = await done(bot, "POST", REPLACE, **fields, cancelOrigClientOrderId="old")
        assert (said["cancelResult"], said["newOrderResult"]) == ("SUCCESS", "SUCCESS")
        assert said["cancelResponse"]["origClientOrderId"] == "old"
        assert said["newOrderResponse"]["clientOrderId"] == "new"
        (left,) = await done(bot, "GET", "/api/v3/openOrders", symbol="BTCUSDT")
        assert left["clientOrderId"] == "new"


@pytest.mark.parametrize(
    ("mode", "known", "more", "answered", "results", "left"),
    [
        ("STOP_ON_FAILURE", False, {}, (400, -2022), ("FAILURE", "NOT_ATTEMPTED"), 1),
        ("ALLOW_FAILURE", False, {}, (409, -2021), ("FAILURE", "SUCCESS"), 2),
        ("ALLOW_FAILURE", False, POOR, (400, -2022), ("FAILURE", "FAILURE"), 1),
        ("STOP_ON_FAILURE", True, POOR, (409, -2021), ("SUCCESS", "FAILURE"), 0),
    ],
)
async def test_one_half_or_none(
    tmp_path: Path,
    mode: str,
    known: bool,
    more: dict[str, str],
    answered: tuple[int, int],
    results: tuple[str, str],
    left: int,
) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        old = await done(bot, "POST", ORDER, **limit())
        fields: dict[str, Any] = limit(cancelReplaceMode=mode, **more)
        old_id = old["orderId"] if known else 999
        answer = await bot.signed("POST", REPLACE, **fields, cancelOrderId=old_id)
        assert (answer.status, answer.json["code"]) == answered
        data = answer.json["data"]
        assert (data["cancelResult"], data["newOrderResult"]) == results
        if results[0] == "FAILURE":
            assert data["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
        if results[1] == "FAILURE":
            assert data["newOrderResponse"]["code"] == -2010
        if results[1] == "NOT_ATTEMPTED":
            assert data["newOrderResponse"] is None
        orders = await done(bot, "GET", "/api/v3/openOrders", symbol="BTCUSDT")
        assert len(orders) == left


async def test_where_neither_half_was_tried_the_refusal_stands_alone(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        old = await done(bot, "POST", ORDER, **limit(newClientOrderId="mine"))
        fields = limit(newClientOrderId="mine", cancelReplaceMode="ALLOW_FAILURE")
        answer = await bot.signed("POST", REPLACE, **fields, cancelOrderId=old["orderId"])
        assert (answer.status, answer.json) == (
            *(400, {"code": -2010, "msg": "Duplicate order sent."}),
        )
        assert len(await done(bot, "GET", "/api/v3/openOrders")) == 1
