"""New orders on spot and margin answer as Binance's do, and are refused in its words."""

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


async def test_a_limit_order_that_rests_is_told_in_full(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        answer = await bot.signed("POST", ORDER, **limit(newClientOrderId="mine"))
        said = answer.json
        assert said == {
            "symbol": "BTCUSDT",
            "orderId": said["orderId"],
            "orderListId": -1,
            "clientOrderId": "mine",
            "price": "49000.00000000",
            "origQty": "0.01000000",
            "executedQty": "0.00000000",
            "origQuoteOrderQty": "0.00000000",
            "cummulativeQuoteQty": "0.00000000",
            "status": "NEW",
            "timeInForce": "GTC",
            "type": "LIMIT",
            "side": "BUY",
            "workingTime": said["transactTime"],
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "transactTime": said["transactTime"],
            "fills": [],
        }
        assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "1"
        assert answer.headers["X-MBX-ORDER-COUNT-1D"] == "1"


async def test_a_market_order_lists_its_fills_and_fees(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        await done(other, "POST", ORDER, **limit(price="50000"))
        market = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET"}
        said = await done(bot, "POST", ORDER, **market, quantity="0.004")
        (fill,) = said["fills"]
        # 0.004 x 50,000 = 200 USDT, of which 0.1 % is the fee.
        assert (fill["qty"], fill["commission"], fill["commissionAsset"]) == (
            *("0.00400000", "0.20000000", "USDT"),
        )
        assert (said["status"], said["cummulativeQuoteQty"]) == ("FILLED", "200.00000000")
        said = await done(bot, "POST", ORDER, **market, quoteOrderQty="100")
        assert (said["origQuoteOrderQty"], said["origQty"]) == ("100.00000000", "0.00200000")


async def test_what_cannot_be_filled_at_once_expires_and_is_no_error(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        await done(other, "POST", ORDER, **limit(price="50000"))
        said = await done(bot, "POST", ORDER, **limit("SELL", "50000", "0.5", timeInForce="FOK"))
        assert (said["status"], said["executedQty"]) == ("EXPIRED", "0.00000000")


async def test_other_types_are_acknowledged_unless_more_is_asked_for(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        stop = limit("SELL", "44000", type="STOP_LOSS_LIMIT", stopPrice="45000")
        said = await done(bot, "POST", ORDER, **stop)
        assert set(said) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
        said = await done(bot, "POST", ORDER, **stop, newOrderRespType="RESULT")
        assert (said["type"], said["stopPrice"]) == ("STOP_LOSS_LIMIT", "45000.00000000")
        assert said["workingTime"] == -1
        assert "fills" not in said


async def test_refusals_have_the_codes_and_texts_bots_match_on(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        await done(other, "POST", ORDER, **limit(price="50000", newClientOrderId="one"))
        maker = {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT_MAKER"}
        assert await refused(bot, "POST", ORDER, **maker, quantity="0.01", price="50000") == (
            *(-2010, "Order would immediately match and take."),
        )
        assert await refused(bot, "POST", ORDER, **limit(qty="9", price="50000")) == (
            *(-2010, "Account has insufficient balance for requested action."),
        )
        assert await refused(other, "POST", ORDER, **limit(newClientOrderId="one")) == (
            *(-2010, "Duplicate order sent."),
        )


async def test_a_tried_order_is_refused_as_a_placed_one_and_places_nothing(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        assert await done(bot, "POST", f"{ORDER}/test", **limit(newClientOrderId="one")) == {}
        assert await done(bot, "GET", "/api/v3/openOrders") == []
        costs = await done(bot, "POST", f"{ORDER}/test", **limit(computeCommissionRates="true"))
        assert costs["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
        assert set(costs["discount"]) == {
            *("enabledForAccount", "enabledForSymbol", "discountAsset", "discount"),
        }
        assert (await refused(bot, "POST", f"{ORDER}/test", **limit(qty="9")))[0] == -2010
        await done(bot, "POST", ORDER, **limit(newClientOrderId="one"))
        assert await refused(bot, "POST", f"{ORDER}/test", **limit(newClientOrderId="one")) == (
            *(-2010, "Duplicate order sent."),
        )


@pytest.mark.parametrize("isolated", ["TRUE", "FALSE"])
async def test_a_margin_order_borrows_what_is_lacking(tmp_path: Path, isolated: str) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        order = limit(qty="3", price="50000", isIsolated=isolated)
        assert (await refused(bot, "POST", MARGIN_ORDER, **order))[0] == -2010
        said = await done(bot, "POST", MARGIN_ORDER, **order, sideEffectType="MARGIN_BUY")
        # 3 x 50,000 less the 100,000 there are.
        assert said["marginBuyBorrowAmount"] == "50000.00000000"
        assert said["marginBuyBorrowAsset"] == "USDT"
        assert said["isIsolated"] is (isolated == "TRUE")
