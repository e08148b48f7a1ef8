"""ccxt places, finds, edits and cancels spot orders of every type here unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import (
    SPOT,
    Library,
    by_both,
    ccxt_rest,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The type of an order, what is asked of `create_order`, and what the order is then.
TYPES: Final[tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...]] = (
    ("LIMIT", ("limit", "buy", 0.01, 49_000), {"status": "open", "price": 49_000}),
    (
        "LIMIT",
        ("limit", "buy", 0.01, 50_010),
        {"status": "closed", "filled": 0.01, "average": 50_010},
    ),
    ("MARKET", ("market", "buy", 0.01), {"status": "closed", "cost": 500.1}),
    (
        # 0.00399 at 50,010 is 199.5399; one lot more would cost more than 200.
        "MARKET",
        ("market", "buy", None, None, {"cost": 200}),
        {"status": "closed", "filled": 0.00399, "cost": 199.5399},
    ),
    (
        "LIMIT_MAKER",
        ("limit", "buy", 0.01, 49_000, {"postOnly": True}),
        {"postOnly": True, "status": "open"},
    ),
    ("LIMIT_MAKER", ("LIMIT_MAKER", "buy", 0.01, 49_000), {"postOnly": True, "status": "open"}),
    (
        "LIMIT",
        ("limit", "buy", 0.01, 49_000, {"timeInForce": "IOC"}),
        {"timeInForce": "IOC", "status": "expired", "filled": 0},
    ),
    (
        "LIMIT",
        ("limit", "buy", 1.5, 50_010, {"timeInForce": "FOK"}),  # One is offered at that price.
        {"timeInForce": "FOK", "status": "expired", "filled": 0},
    ),
    (
        "STOP_LOSS",
        ("market", "sell", 0.01, None, {"stopLossPrice": 48_000}),
        {"triggerPrice": 48_000, "status": "open"},
    ),
    (
        "STOP_LOSS_LIMIT",
        ("limit", "sell", 0.01, 47_900, {"stopLossPrice": 48_000}),
        {"triggerPrice": 48_000, "price": 47_900},
    ),
    (
        "TAKE_PROFIT",
        ("market", "sell", 0.01, None, {"takeProfitPrice": 52_000}),
        {"triggerPrice": 52_000, "status": "open"},
    ),
    (
        "TAKE_PROFIT_LIMIT",
        ("limit", "sell", 0.01, 52_100, {"takeProfitPrice": 52_000}),
        {"triggerPrice": 52_000, "price": 52_100},
    ),
    (
        "STOP_LOSS",
        ("STOP_LOSS", "sell", 0.01, None, {"trailingDelta": 100}),
        {"status": "open"},
    ),
    (
        "LIMIT",
        ("limit", "buy", 0.01, 49_000, {"icebergAmount": 0.001}),
        {"status": "open", "amount": 0.01},
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


@by_both
async def test_every_type_of_order(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        for kind, asked, told in TYPES:
            placed = await client.create_order(SPOT, *asked)
            await market.kept()
            found = await client.fetch_order(placed["id"], SPOT)
            for order in (placed, found):
                assert order["info"]["type"] == kind
                assert {field: order[field] for field in told} == told, asked
            if found["status"] == "open":
                await client.cancel_order(placed["id"], SPOT)
        await market.kept()
        *_, iceberg = await client.fetch_orders(SPOT)
        assert (iceberg["info"]["icebergQty"], iceberg["status"]) == ("0.00100000", "canceled")


@by_both
async def test_the_shorthands_of_creating(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        asked = {
            "LIMIT": [
                await client.create_limit_order(SPOT, "buy", 0.001, 49_000),
                await client.create_limit_buy_order(SPOT, 0.001, 49_000),
                await client.create_limit_sell_order(SPOT, 0.001, 52_000),
            ],
            "MARKET": [
                await client.create_market_order(SPOT, "buy", 0.001),
                await client.create_market_buy_order(SPOT, 0.001),
                await client.create_market_sell_order(SPOT, 0.001),
                await client.create_market_order_with_cost(SPOT, "buy", 100),
                await client.create_market_buy_order_with_cost(SPOT, 100),
                await client.create_market_sell_order_with_cost(SPOT, 100),
            ],
            "LIMIT_MAKER": [
                await client.create_post_only_order(SPOT, "limit", "buy", 0.001, 49_000)
            ],
            "STOP_LOSS": [
                await client.create_stop_loss_order(SPOT, "market", "sell", 0.001, None, 48_000),
                await client.create_stop_order(SPOT, "market", "sell", 0.001, None, 48_000),
                await client.create_trailing_percent_order(
                    SPOT,
                    "market",
                    "sell",
                    0.001,
                    None,
                    1,
                    None,
                    {"stopLossOrTakeProfit": "stopLoss"},
                ),
            ],
            "STOP_LOSS_LIMIT": [
                await client.create_stop_limit_order(SPOT, "sell", 0.001, 47_900, 48_000),
                await client.create_trigger_order(SPOT, "limit", "buy", 0.001, 52_100, 52_000),
            ],
            "TAKE_PROFIT": [
                await client.create_take_profit_order(SPOT, "market", "sell", 0.001, None, 52_000)
            ],
        }
        for kind, orders in asked.items():
            for order in orders:
                assert order["info"]["type"] == kind, order["info"]
                assert order["status"] == ("closed" if kind == "MARKET" else "open")
        reducing = await client.create_reduce_only_order(SPOT, "limit", "sell", 0.001, 52_000)
        assert reducing["status"] == "open"  # Spot knows no positions; the flag changes nothing.
        (trailing,) = [each for each in asked["STOP_LOSS"] if each["info"].get("trailingDelta")]
        assert trailing["info"]["trailingDelta"] == 100  # 1 % is 100 basis points.
        await client.cancel_all_orders(SPOT)


@by_both
async def test_an_order_is_edited_found_and_cancelled(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        named = {"clientOrderId": f"mine-{library[-4:]}"}
        placed = await client.create_order(SPOT, "limit", "buy", 0.01, 49_000, named)
        assert placed["clientOrderId"] == named["clientOrderId"]
        edited = await client.edit_order(placed["id"], SPOT, "limit", "buy", 0.02, 48_000)
        assert edited["id"] != placed["id"]
        (found,) = await client.fetch_open_orders(SPOT)
        assert (found["id"], found["price"], found["amount"]) == (edited["id"], 48_000, 0.02)
        cancelled = await client.cancel_order(edited["id"], SPOT)
        assert (cancelled["id"], cancelled["status"]) == (edited["id"], "canceled")
        again = await client.create_limit_buy_order(SPOT, 0.01, 49_000, {"clientOrderId": "again"})
        by_name = await client.cancel_order("", SPOT, {"clientOrderId": "again"})
        assert by_name["id"] == again["id"]
        ids = []
        for price in (48_000, 48_100, 48_200):
            ids.append((await client.create_limit_buy_order(SPOT, 0.01, price))["id"])
        assert [each["id"] for each in await client.cancel_all_orders(SPOT)] == ids
        assert await client.fetch_open_orders(SPOT) == []


@by_both
async def test_orders_and_trades_of_an_account_by_their_times(
    market: Venue, library: Library
) -> None:
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        bought = await client.create_market_buy_order(SPOT, 0.01)
        await market.pass_time(1_000)
        since = market.rig.doors.board.time_ms
        cancelled = await client.create_limit_buy_order(SPOT, 0.01, 48_000)
        await client.cancel_order(cancelled["id"], SPOT)
        resting = await client.create_limit_buy_order(SPOT, 0.01, 48_000)
        await market.kept()

        async def ids(asked: Any) -> list[str]:
            return [each["id"] for each in await asked]

        assert await ids(client.fetch_orders(SPOT)) == [
            bought["id"],
            cancelled["id"],
            resting["id"],
        ]
        assert await ids(client.fetch_orders(SPOT, since)) == [cancelled["id"], resting["id"]]
        assert await ids(client.fetch_orders(SPOT, None, 1)) == [resting["id"]]
        assert await ids(client.fetch_closed_orders(SPOT)) == [bought["id"]]
        assert await ids(client.fetch_canceled_orders(SPOT)) == [cancelled["id"]]
        both = await ids(client.fetch_canceled_and_closed_orders(SPOT))
        assert both == [bought["id"], cancelled["id"]]
        everywhere = {"warnOnFetchOpenOrdersWithoutSymbol": False}
        client.options.update(everywhere)
        assert await ids(client.fetch_open_orders()) == [resting["id"]]
        (trade,) = await client.fetch_my_trades(SPOT)
        assert (trade["order"], trade["takerOrMaker"], trade["price"]) == (
            bought["id"],
            "taker",
            50_010,
        )
        assert trade["fee"] == {"cost": pytest.approx(0.00001), "currency": "BTC"}
        assert await ids(client.fetch_my_trades(SPOT, since)) == []
        assert await ids(client.fetch_order_trades(bought["id"], SPOT)) == [trade["id"]]
        assert await client.fetch_order_trades(resting["id"], SPOT) == []
        await client.cancel_all_orders(SPOT)


@by_both
async def test_an_order_is_tried_without_being_placed(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        tried = await client.create_order(SPOT, "limit", "buy", 0.01, 49_000, {"test": True})
        assert (tried["id"], tried["symbol"]) == (None, SPOT)
        assert await client.fetch_open_orders(SPOT) == []
        await client.load_markets()
        asked = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        rates = await client.private_post_order_test({**asked, "computeCommissionRates": "true"})
        assert rates["standardCommissionForOrder"]["taker"] == "0.00100000"


@by_both
async def test_lists_of_orders_by_the_implicit_methods(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        exits = {
            "aboveType": "LIMIT_MAKER",
            "abovePrice": "53000",
            "belowType": "STOP_LOSS_LIMIT",
            "belowStopPrice": "47000",
            "belowPrice": "46900",
            "belowTimeInForce": "GTC",
        }
        pair = {"symbol": "BTCUSDT"}
        oco = await client.private_post_orderlist_oco(
            {**pair, "side": "SELL", "quantity": "0.01", **exits}
        )
        assert (oco["contingencyType"], oco["listOrderStatus"]) == ("OCO", "EXECUTING")
        assert {each["type"] for each in oco["orderReports"]} == {"LIMIT_MAKER", "STOP_LOSS_LIMIT"}
        working = {
            **pair,
            "workingType": "LIMIT",
            "workingSide": "BUY",
            "workingPrice": "48000",
            "workingQuantity": "0.01",
            "workingTimeInForce": "GTC",
            "pendingSide": "SELL",
        }
        oto = await client.private_post_orderlist_oto(
            {**working, "pendingType": "MARKET", "pendingQuantity": "0.01"}
        )
        assert oto["contingencyType"] == "OTO"
        pending = {f"pending{name[0].upper()}{name[1:]}": told for name, told in exits.items()}
        otoco = await client.private_post_orderlist_otoco(
            {**working, **pending, "pendingQuantity": "0.009"}
        )
        assert len(otoco["orders"]) == 3
        open_lists = await client.private_get_openorderlist()
        placed = [oco["orderListId"], oto["orderListId"], otoco["orderListId"]]
        assert sorted(each["orderListId"] for each in open_lists) == placed
        one = await client.private_get_orderlist({"orderListId": placed[1]})
        assert one["listClientOrderId"] == oto["listClientOrderId"]
        for number in placed:
            gone = await client.private_delete_orderlist({**pair, "orderListId": number})
            assert gone["listOrderStatus"] == "ALL_DONE"
        await market.kept()
        assert len(await client.private_get_allorderlist()) == 3


@by_both
async def test_the_older_way_to_place_an_oco(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        old = await client.private_post_order_oco(
            {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "quantity": "0.01",
                "price": "53000",
                "stopPrice": "47000",
                "stopLimitPrice": "46900",
                "stopLimitTimeInForce": "GTC",
            }
        )
        assert old["contingencyType"] == "OCO"
        # Cancelling all takes lists along.
        await client.cancel_all_orders(SPOT)
        assert await client.fetch_open_orders(SPOT) == []


@by_both
async def test_a_stop_wakes_and_sells(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        stop = await client.create_order(
            SPOT, "market", "sell", 0.01, None, {"stopLossPrice": 49_985}
        )
        taker = await market.account(spot="BTC")
        await taker.order("BTC-USDT", "sell", "1")  # Takes what is bid at 49,990,
        await taker.order("BTC-USDT", "sell", "0.01")  # and trades at 49,980.
        await market.kept()
        woken = await client.fetch_order(stop["id"], SPOT)
        assert (woken["status"], woken["average"]) == ("closed", 49_980)
        # As it was.
        await market.maker.order("BTC-USDT", "buy", "1", price="49990")
        await taker.order("BTC-USDT", "buy", "0.01")


@by_both
async def test_an_account_that_meets_itself(market: Venue, library: Library) -> None:
    # The status of what rests, and of what comes, by how ccxt names what is to be done.
    after = {
        "EXPIRE_MAKER": ("EXPIRED_IN_MATCH", "NEW"),
        "EXPIRE_TAKER": ("NEW", "EXPIRED_IN_MATCH"),
        "EXPIRE_BOTH": ("EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
        "NONE": ("FILLED", "FILLED"),
    }
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        for mode, statuses in after.items():
            rests = await client.create_limit_buy_order(SPOT, 0.001, 49_995)
            how = {"selfTradePrevention": mode}
            comes = await client.create_limit_sell_order(SPOT, 0.001, 49_995, how)
            await market.kept()
            found = [await client.fetch_order(each["id"], SPOT) for each in (rests, comes)]
            assert tuple(each["info"]["status"] for each in found) == statuses, mode
            for order in found:
                if order["status"] == "open":
                    await client.cancel_order(order["id"], SPOT)
