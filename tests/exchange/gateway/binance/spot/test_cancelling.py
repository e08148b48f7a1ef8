"""Orders are cancelled by either name, made smaller in place, and cancelled all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exchange.gateway.binance.spot.spot_scene import (
    MARGIN_ORDER,
    ORDER,
    done,
    limit,
    refused,
    two_bots,
)

UNKNOWN = (-2011, "Unknown order sent.")
AMEND = f"{ORDER}/amend/keepPriority"


async def test_a_cancellation_has_a_client_id_of_its_own(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        await done(bot, "POST", ORDER, **limit(newClientOrderId="mine"))
        named = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
        said = await done(bot, "DELETE", ORDER, **named, newClientOrderId="end")
        assert (said["status"], said["clientOrderId"]) == ("CANCELED", "end")
        assert said["origClientOrderId"] == "mine"
        assert await refused(bot, "DELETE", ORDER, **named) == UNKNOWN


async def test_what_is_not_here_is_unknown(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        placed = await done(bot, "POST", ORDER, **limit(newClientOrderId="mine"))
        named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
        assert await refused(other, "DELETE", ORDER, **named) == UNKNOWN
        assert await refused(bot, "DELETE", MARGIN_ORDER, **named) == UNKNOWN
        assert await refused(bot, "DELETE", ORDER, **{**named, "symbol": "ETHUSDT"}) == UNKNOWN
        assert await refused(bot, "DELETE", ORDER, **named, origClientOrderId="no") == UNKNOWN
        nameless = await refused(bot, "DELETE", ORDER, symbol="BTCUSDT")
        assert nameless[0] == -1102
        assert "origClientOrderId" in nameless[1]
        await done(bot, "DELETE", ORDER, **named, origClientOrderId="mine")


async def test_a_cancellation_may_want_an_untouched_order(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        placed = await done(bot, "POST", ORDER, **limit())
        named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
        wanted = {"cancelRestrictions": "ONLY_PARTIALLY_FILLED"}
        assert await refused(bot, "DELETE", ORDER, **named, **wanted) == (
            *(-2011, "Order was not canceled due to cancel restrictions."),
        )
        await done(bot, "DELETE", ORDER, **named, cancelRestrictions="ONLY_NEW")


async def test_all_on_a_symbol_are_those_of_one_wallet(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        spot = await done(bot, "POST", ORDER, **limit())
        cross = await done(bot, "POST", MARGIN_ORDER, **limit())
        alone = await done(bot, "POST", MARGIN_ORDER, **limit(isIsolated="TRUE"))
        margin = "/sapi/v1/margin/openOrders"
        (said,) = await done(bot, "DELETE", margin, symbol="BTCUSDT", isIsolated="TRUE")
        assert (said["orderId"], said["isIsolated"]) == (alone["orderId"], True)
        (said,) = await done(bot, "DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
        assert (said["orderId"], said["status"]) == (spot["orderId"], "CANCELED")
        assert await refused(bot, "DELETE", "/api/v3/openOrders", symbol="BTCUSDT") == UNKNOWN
        (said,) = await done(bot, "GET", margin)
        assert said["orderId"] == cross["orderId"]


async def test_a_smaller_order_keeps_its_id(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        placed = await done(bot, "POST", ORDER, **limit(newClientOrderId="mine"))
        named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
        said = (await done(bot, "PUT", AMEND, **named, newQty="0.004"))["amendedOrder"]
        assert (said["orderId"], said["qty"]) == (placed["orderId"], "0.00400000")
        assert said["origClientOrderId"] == said["clientOrderId"] == "mine"
        (kept,) = await done(bot, "GET", "/api/v3/openOrders", symbol="BTCUSDT")
        assert (kept["orderId"], kept["origQty"]) == (placed["orderId"], "0.00400000")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"newQty": "0.01"}, -2038),
        ({"newQty": "0.02"}, -2038),
        ({}, -1102),
        ({"newQty": "0.005", "newClientOrderId": "other"}, -1106),
    ],
)
async def test_an_order_cannot_be_amended_so(
    tmp_path: Path, more: dict[str, str], code: int
) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        placed = await done(bot, "POST", ORDER, **limit())
        named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
        assert (await refused(bot, "PUT", AMEND, **named, **more))[0] == code
        assert (await refused(bot, "PUT", AMEND, **{**named, "orderId": 99}, newQty="1")) == UNKNOWN
