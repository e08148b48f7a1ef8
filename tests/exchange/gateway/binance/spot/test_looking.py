"""Orders and fills are found while they are open, and afterwards."""

from __future__ import annotations

from pathlib import Path

from tests.exchange.gateway.binance.spot.spot_scene import (
    MARGIN_ORDER,
    ORDER,
    done,
    limit,
    refused,
    two_bots,
)


async def test_an_order_is_told_alike_from_the_book_and_from_the_past(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        stp = {"selfTradePreventionMode": "EXPIRE_TAKER"}
        placed = await done(bot, "POST", ORDER, **limit(newClientOrderId="mine", **stp))
        named = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
        on_book = await done(bot, "GET", ORDER, **named)
        assert on_book == {
            **{name: placed[name] for name in placed if name not in {"transactTime", "fills"}},
            **{"stopPrice": "0.00000000", "icebergQty": "0.00000000", "isWorking": True},
            **{"time": placed["transactTime"], "updateTime": placed["transactTime"]},
        }
        await done(bot, "DELETE", ORDER, **named)
        past = await done(bot, "GET", ORDER, symbol="BTCUSDT", orderId=placed["orderId"])
        assert past == {**on_book, "status": "CANCELED"}
        assert past["selfTradePreventionMode"] == "EXPIRE_TAKER"
        assert await done(bot, "GET", ORDER, **named) == past


async def test_orders_of_others_and_of_other_wallets_do_not_exist(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        placed = await done(bot, "POST", ORDER, **limit(timeInForce="IOC"))  # It is over.
        named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
        missing = (-2013, "Order does not exist.")
        assert await refused(other, "GET", ORDER, **named) == missing
        assert await refused(bot, "GET", MARGIN_ORDER, **named) == missing
        assert await refused(bot, "GET", ORDER, **{**named, "symbol": "ETHUSDT"}) == missing
        assert await refused(bot, "GET", ORDER, **named, origClientOrderId="no") == missing
        assert (await done(bot, "GET", ORDER, **named))["status"] == "EXPIRED"


async def test_all_orders_are_the_newest_or_go_on_from_an_id(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, _):
        ids = [(await done(bot, "POST", ORDER, **limit()))["orderId"] for _ in range(3)]
        await done(bot, "POST", MARGIN_ORDER, **limit())
        path, symbol = "/api/v3/allOrders", "BTCUSDT"
        found = await done(bot, "GET", path, symbol=symbol, limit=2)
        assert [each["orderId"] for each in found] == ids[1:]
        found = await done(bot, "GET", path, symbol=symbol, orderId=ids[0], limit=2)
        assert [each["orderId"] for each in found] == ids[:2]
        cross = await done(bot, "GET", "/sapi/v1/margin/allOrders", symbol=symbol)
        assert [each["isIsolated"] for each in cross] == [False]


async def test_trades_name_order_list_fee_and_side(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        oco = {"aboveType": "LIMIT_MAKER", "abovePrice": "55000", "belowType": "STOP_LOSS"}
        fields = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", **oco}
        placed = await done(bot, "POST", "/api/v3/orderList/oco", **fields, belowStopPrice="45000")
        await done(other, "POST", ORDER, **limit(price="55000"))
        (trade,) = await done(bot, "GET", "/api/v3/myTrades", symbol="BTCUSDT")
        order_id = placed["orders"][0]["orderId"]
        assert (trade["orderId"], trade["orderListId"]) == (order_id, placed["orderListId"])
        # 0.01 x 55,000 = 550 USDT, of which 0.1 % is the fee.
        assert (trade["quoteQty"], trade["commission"]) == ("550.00000000", "0.55000000")
        assert (trade["isBuyer"], trade["isMaker"], trade["commissionAsset"]) == (
            *(False, True, "USDT"),
        )
        path, symbol = "/api/v3/myTrades", "BTCUSDT"
        assert await done(bot, "GET", path, symbol=symbol, orderId=order_id) == [trade]
        assert await done(bot, "GET", path, symbol=symbol, orderId=order_id + 1) == []
        assert await done(bot, "GET", path, symbol=symbol, fromId=trade["id"] + 1) == []
        assert await done(bot, "GET", "/sapi/v1/margin/myTrades", symbol=symbol) == []
        (bought,) = await done(other, "GET", path, symbol=symbol)
        assert (bought["orderListId"], bought["commissionAsset"]) == (-1, "BTC")


async def test_orders_are_counted_by_the_account(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        await done(bot, "POST", ORDER, **limit())
        counts = await done(bot, "GET", "/api/v3/rateLimit/order")
        assert [(each["interval"], each["count"]) for each in counts] == [("SECOND", 1), ("DAY", 1)]
        counts = await done(other, "GET", "/api/v3/rateLimit/order")
        assert {each["count"] for each in counts} == {0}


async def test_no_order_is_ever_routed_elsewhere(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        await done(other, "POST", ORDER, **limit("SELL"))
        await done(bot, "POST", ORDER, **limit("BUY"))
        assert await done(bot, "GET", "/api/v3/myAllocations", symbol="BTCUSDT") == []
        assert await refused(bot, "GET", "/api/v3/myAllocations", symbol="NOPE") == (
            -1121,
            "Invalid symbol.",
        )
