"""python-binance trades spot here unchanged: orders of every type, lists, what became of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from binance import AsyncClient
from binance.exceptions import BinanceAPIException

from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAIR: Final = {"symbol": "BTCUSDT"}
# An order of each type that rests or waits, by the fields that make it one.
WAITING: Final[dict[str, dict[str, str]]] = {
    "LIMIT": {"side": "BUY", "price": "49000", "timeInForce": "GTC"},
    "LIMIT_MAKER": {"side": "BUY", "price": "49000"},
    "STOP_LOSS": {"side": "SELL", "stopPrice": "48000"},
    "STOP_LOSS_LIMIT": {
        "side": "SELL",
        "price": "47900",
        "stopPrice": "48000",
        "timeInForce": "GTC",
    },
    "TAKE_PROFIT": {"side": "SELL", "stopPrice": "52000"},
    "TAKE_PROFIT_LIMIT": {
        "side": "SELL",
        "price": "52100",
        "stopPrice": "52000",
        "timeInForce": "GTC",
    },
}
OCO: Final = PAIR | {
    "side": "SELL",
    "quantity": "0.01",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "52000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowPrice": "47900",
    "belowStopPrice": "48000",
    "belowTimeInForce": "GTC",
}
FIRST: Final = {
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "49000",
    "workingQuantity": "0.01",
    "workingTimeInForce": "GTC",
}
OTO: Final = (
    PAIR
    | FIRST
    | {
        "pendingType": "LIMIT_MAKER",
        "pendingSide": "SELL",
        "pendingPrice": "52000",
        "pendingQuantity": "0.01",
    }
)
OTOCO: Final = (
    PAIR
    | FIRST
    | {
        "pendingSide": "SELL",
        "pendingQuantity": "0.01",
        "pendingAboveType": "LIMIT_MAKER",
        "pendingAbovePrice": "52000",
        "pendingBelowType": "STOP_LOSS",
        "pendingBelowStopPrice": "48000",
    }
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("spot")) as found:
        yield found


async def held(client: AsyncClient, asset: str) -> tuple[float, float]:
    """What is free and what is locked of an asset."""
    balance = await client.get_asset_balance(asset)
    return float(balance["free"]), float(balance["locked"])


async def test_a_market_order_fills_and_moves_balances(spot: Venue) -> None:
    async with spot.bot() as client:
        bought = await client.order_market_buy(**PAIR, quantity="0.05")
        assert (bought["status"], bought["fills"][0]["price"]) == ("FILLED", "50010.00000000")
        # 0.05 less 0.1 %; 100,000 less 0.05 x 50,010.
        assert await held(client, "BTC") == (0.04995, 0)
        assert await held(client, "USDT") == (97_499.5, 0)
        spent = await client.order_market_buy(**PAIR, quoteOrderQty="500.1")
        assert (spent["executedQty"], spent["cummulativeQuoteQty"]) == (
            "0.01000000",
            "500.10000000",
        )
        sold = await client.order_market_sell(**PAIR, quantity="0.02")
        assert sold["fills"][0]["commissionAsset"] == "USDT"
        again = await client.order_market(**PAIR, side="SELL", quantity="0.01")
        account, same = await client.get_account(), await client.v3_get_account()
        assert account["balances"] == same["balances"]
        rates = await client.v3_get_account_commission(**PAIR)
        assert float(rates["standardCommission"]["taker"]) == 0.001
        await spot.kept()
        trades = await client.get_my_trades(**PAIR)
        assert trades == await client.v3_get_my_trades(**PAIR)
        orders = [bought["orderId"], spent["orderId"], sold["orderId"], again["orderId"]]
        assert [each["orderId"] for each in trades] == orders
        # Every fill is of the pair's own book.
        assert await client.get_allocations(**PAIR) == []
        assert await client.v3_get_my_allocations(**PAIR) == []
        assert [each["orderId"] for each in await client.get_all_orders(**PAIR)] == orders
        assert [each["orderId"] for each in await client.v3_get_all_orders(**PAIR)] == orders


@pytest.mark.parametrize("type_", WAITING)
async def test_each_type_of_order_waits_is_found_and_is_cancelled(spot: Venue, type_: str) -> None:
    wish = PAIR | WAITING[type_] | {"type": type_, "quantity": "0.01"}
    async with spot.bot(spot="BTC") as client:
        assert await client.create_test_order(**wish) == {}
        assert await client.v3_post_order_test(**wish) == {}
        assert await client.get_open_orders(**PAIR) == []
        placed = await client.create_order(**wish, newOrderRespType="RESULT")
        assert (placed["status"], placed["type"]) == ("NEW", type_)
        name = {"orderId": placed["orderId"]}
        found = await client.get_order(**PAIR, **name)
        assert found == await client.v3_get_order(**PAIR, **name)
        assert (found["isWorking"], found["side"]) == ("stopPrice" not in wish, wish["side"])
        other = await client.v3_post_order(**wish)
        opened = await client.get_open_orders(**PAIR)
        assert opened == await client.v3_get_open_orders(**PAIR)
        assert [each["orderId"] for each in opened] == [placed["orderId"], other["orderId"]]
        cancelled = await client.cancel_order(**PAIR, **name)
        assert (cancelled["status"], cancelled["orderId"]) == ("CANCELED", placed["orderId"])
        assert cancelled["origClientOrderId"] == placed["clientOrderId"]
        gone = await client.v3_delete_order(**PAIR, origClientOrderId=other["clientOrderId"])
        assert gone["orderId"] == other["orderId"]
        assert await client.get_open_orders() == []


async def test_limit_orders_by_their_short_names(spot: Venue) -> None:
    async with spot.bot(spot="BTC") as client:
        fields = {"quantity": "0.01", "newOrderRespType": "FULL"}
        bid = await client.order_limit_buy(**PAIR, price="49000", **fields)
        ask = await client.order_limit_sell(**PAIR, price="51000", **fields)
        other = await client.order_limit(**PAIR, side="BUY", price="48000", **fields)
        assert [each["side"] for each in (bid, ask, other)] == ["BUY", "SELL", "BUY"]
        # 10 coins less 0.01; 100,000 less 0.01 x 49,000 and 0.01 x 48,000.
        assert await held(client, "BTC") == (9.99, 0.01)
        assert await held(client, "USDT") == (99_030, 970)
        gone = await client.cancel_all_open_orders(**PAIR)
        assert {each["status"] for each in gone} == {"CANCELED"}
        await client.order_limit_buy(**PAIR, price="49000", quantity="0.01")
        assert len(await client.v3_delete_open_orders(**PAIR)) == 1
        assert await held(client, "USDT") == (100_000, 0)
        counts, same = (
            await client.get_current_order_count(),
            await client.v3_get_rate_limit_order(),
        )
        assert [each["count"] for each in counts] == [4, 4]
        assert [each["interval"] for each in same] == ["SECOND", "DAY"]


async def test_time_in_force_and_trailing_and_icebergs(spot: Venue) -> None:
    async with spot.bot(spot="BTC") as client:
        wish: dict[str, Any] = PAIR | {"side": "BUY", "type": "LIMIT"}
        fok = await client.create_order(**wish, price="50010", quantity="1.5", timeInForce="FOK")
        assert (fok["status"], fok["executedQty"]) == ("EXPIRED", "0.00000000")
        ioc = await client.create_order(**wish, price="49995", quantity="0.1", timeInForce="IOC")
        assert ioc["status"] == "EXPIRED"
        shown = await client.order_limit_buy(
            **PAIR, price="49000", quantity="0.1", icebergQty="0.02"
        )
        assert (await client.get_order(**PAIR, orderId=shown["orderId"]))["icebergQty"] == (
            "0.02000000"
        )
        trailing = await client.create_order(
            **PAIR,
            side="SELL",
            type="STOP_LOSS",
            quantity="0.01",
            trailingDelta="200",
            newOrderRespType="RESULT",
        )
        assert trailing["trailingDelta"] == 200
        await client.cancel_all_open_orders(**PAIR)


async def test_an_order_is_replaced_by_another(spot: Venue) -> None:
    async with spot.bot() as client:
        old = await client.order_limit_buy(**PAIR, price="49000", quantity="0.01")
        wish = PAIR | {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.02"}
        said = await client.cancel_replace_order(
            **wish, price="48500", cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=old["orderId"]
        )
        assert (said["cancelResult"], said["newOrderResult"]) == ("SUCCESS", "SUCCESS")
        newer = await client.v3_post_order_cancel_replace(
            **wish,
            price="48400",
            cancelReplaceMode="ALLOW_FAILURE",
            cancelOrderId=said["newOrderResponse"]["orderId"],
        )
        (left,) = await client.get_open_orders(**PAIR)
        assert (left["orderId"], left["price"], left["origQty"]) == (
            newer["newOrderResponse"]["orderId"],
            "48400.00000000",
            "0.02000000",
        )
        with pytest.raises(BinanceAPIException) as refused:
            await client.cancel_replace_order(
                **wish, price="48000", cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=999_999
            )
        assert (refused.value.code, refused.value.status_code) == (-2022, 400)


@pytest.mark.parametrize("method", ["create_oco_order", "v3_post_order_list_oco"])
async def test_two_orders_of_which_one_ends_the_other(spot: Venue, method: str) -> None:
    async with spot.bot(spot="BTC") as client:
        placed = await getattr(client, method)(**OCO)
        assert (placed["contingencyType"], len(placed["orders"])) == ("OCO", 2)
        name = {"orderListId": placed["orderListId"]}
        opened = await client.v3_get_open_order_list()
        assert opened == await client.get_open_oco_orders()
        assert [each["orderListId"] for each in opened] == [placed["orderListId"]]
        assert (await client.v3_get_order_list(**name))["listOrderStatus"] == "EXECUTING"
        gone = await client.v3_delete_order_list(**PAIR, **name)
        assert {each["status"] for each in gone["orderReports"]} == {"CANCELED"}
        await spot.kept()
        (past,) = await client.v3_get_all_order_list()
        assert (past["orderListId"], past["listOrderStatus"]) == (*name.values(), "ALL_DONE")


async def test_lists_of_either_side(spot: Venue) -> None:
    async with spot.bot(spot="BTC") as client:
        sell = {key: each for key, each in OCO.items() if key != "side"}
        selling = await client.order_oco_sell(**sell)
        assert {each["side"] for each in selling["orderReports"]} == {"SELL"}
        buying = await client.order_oco_buy(
            **PAIR,
            quantity="0.01",
            aboveType="STOP_LOSS",
            aboveStopPrice="52000",
            belowType="LIMIT_MAKER",
            belowPrice="48000",
        )
        assert {each["side"] for each in buying["orderReports"]} == {"BUY"}


async def test_an_order_that_brings_others_once_it_is_filled(spot: Venue) -> None:
    async with spot.bot(spot="BTC") as client:
        for method, wish, legs in (
            (client.v3_post_order_list_oto, OTO, 2),
            (client.v3_post_order_list_otoco, OTOCO, 3),
        ):
            taking = wish | {"workingPrice": "50010"}
            placed = await method(**taking)
            assert (placed["contingencyType"], len(placed["orders"])) == ("OTO", legs)
            working = placed["orderReports"][0]
            assert working["status"] == "FILLED"
            opened = await client.get_open_orders(**PAIR)
            assert len(opened) == legs - 1
            assert {each["status"] for each in opened} == {"NEW"}
            resting = await method(**wish)
            assert [each["status"] for each in resting["orderReports"]] == [
                "NEW",
                *["PENDING_NEW"] * (legs - 1),
            ]
            await client.cancel_all_open_orders(**PAIR)


async def test_listen_keys_of_old_begin_go_on_and_end(spot: Venue) -> None:
    async with spot.bot() as client:
        key = await client.stream_get_listen_key()
        assert key.isalnum()
        assert (await client.v3_post_user_data_stream())["listenKey"] == key
        assert await client.stream_keepalive(key) == {}
        assert await client.v3_put_user_data_stream(listenKey=key) == {}
        assert await client.v3_delete_user_data_stream(listenKey=key) == {}
        other = await client.stream_get_listen_key()
        assert other != key
        assert await client.stream_close(other) == {}
        with pytest.raises(BinanceAPIException) as refused:
            await client.stream_keepalive(other)
        assert refused.value.code == -1125
