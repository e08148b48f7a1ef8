"""ccxt.pro watches accounts on spot and margin here unchanged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import SPOT, soon, until
from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


async def test_a_spot_wallets_orders_fills_and_balances(market: Venue) -> None:
    async with ccxt_client("binance", await market.account()) as client:
        await client.load_markets()
        await soon(client.ensure_user_data_stream_ws_subscribe_signature())
        watched = [
            asyncio.create_task(each)
            for each in (
                client.watch_orders(SPOT),
                client.watch_my_trades(SPOT),
                client.watch_balance(),
            )
        ]
        await asyncio.sleep(0)
        bought = await client.create_order(SPOT, "market", "buy", 0.01)
        orders, trades, balance = [await soon(each) for each in watched]
        assert (orders[-1]["id"], orders[-1]["status"]) == (bought["id"], "closed")
        assert (trades[-1]["order"], trades[-1]["price"]) == (bought["id"], bought["average"])
        assert trades[-1]["fee"]["currency"] == "BTC"
        assert balance["BTC"]["free"] == pytest.approx(0.00999)
        resting = asyncio.create_task(client.watch_orders())
        order = await client.create_order(SPOT, "limit", "buy", 0.01, 48_000)
        assert (await soon(resting))[-1]["id"] == order["id"]
        gone = asyncio.create_task(client.watch_orders(SPOT))
        await client.cancel_order(order["id"], SPOT)
        last = (await soon(gone))[-1]
        assert (last["id"], last["status"]) == (order["id"], "canceled")


async def test_a_watched_balance_counts_a_transfer_once(market: Venue) -> None:
    async with ccxt_client("binance", await market.account()) as client:
        await client.load_markets()
        await soon(client.ensure_user_data_stream_ws_subscribe_signature())
        watched = asyncio.create_task(client.watch_balance())
        await asyncio.sleep(0)
        order = await client.create_order(SPOT, "limit", "buy", 0.01, 48_000)
        assert (await soon(watched))["USDT"] == {"free": 99_520, "used": 480, "total": 100_000}
        # The difference is told before what there is then, so that it is not added twice.
        await client.transfer("USDT", 1_000, "spot", "margin")
        await until(lambda: client.balance["spot"]["USDT"]["total"] == 99_000, client.watch_balance)
        watched = asyncio.create_task(client.watch_balance())
        await asyncio.sleep(0)
        await client.cancel_order(order["id"], SPOT)
        await soon(watched)
        assert client.balance["spot"]["USDT"] == (await client.fetch_balance())["USDT"]


FIELDS = (
    "status",
    "side",
    "amount",
    "price",
    "filled",
    "remaining",
    "triggerPrice",
    "clientOrderId",
)


async def test_what_is_watched_of_orders_agrees_with_what_is_fetched(market: Venue) -> None:
    trader = await market.account(spot="BTC")
    async with ccxt_client("binance", trader) as client:
        await client.load_markets()
        await soon(client.ensure_user_data_stream_ws_subscribe_signature())
        watched = asyncio.create_task(client.watch_orders(SPOT))
        await asyncio.sleep(0)
        await client.create_order(SPOT, "market", "buy", 0.01)
        await client.create_order(SPOT, "limit", "buy", 1.5, 50_010, {"timeInForce": "FOK"})
        await client.create_order(SPOT, "limit", "buy", 0.01, 48_000, {"timeInForce": "IOC"})
        await client.create_order(SPOT, "limit", "buy", 0.01, 48_000, {"icebergAmount": 0.001})
        await client.create_order(SPOT, "limit", "sell", 0.01, 52_000, {"postOnly": True})
        await client.create_order(SPOT, "market", "sell", 0.01, None, {"stopLossPrice": 49_985})
        await client.create_order(SPOT, "limit", "sell", 0.01, 52_100, {"takeProfitPrice": 52_000})
        edited = await client.create_order(SPOT, "limit", "buy", 0.01, 47_000)
        await client.edit_order(edited["id"], SPOT, "limit", "buy", 0.02, 46_000)
        gone = await client.create_order(SPOT, "limit", "buy", 0.01, 45_000)
        await client.cancel_order(gone["id"], SPOT)
        await client.create_order(SPOT, "limit", "sell", 0.5, 49_990)  # In part, of 1 that is bid,
        taker = await market.account(spot="BTC")
        await taker.order("BTC-USDT", "sell", "0.51")  # and the stop wakes behind the rest.
        await soon(watched)
        await market.kept()
        fetched = {order["id"]: order for order in await client.fetch_orders(SPOT)}
        assert {order["status"] for order in fetched.values()} == {
            *("closed", "expired", "open", "canceled"),
        }
        last = await client.create_order(SPOT, "limit", "buy", 0.01, 44_000)
        await until(
            lambda: last["id"] in {order["id"] for order in client.orders},
            lambda: client.watch_orders(SPOT),
        )
        seen = {order["id"]: order for order in client.orders if order["id"] != last["id"]}
        assert seen.keys() == fetched.keys()
        for number, order in fetched.items():
            told = {field: seen[number][field] for field in FIELDS}
            assert told == {field: order[field] for field in FIELDS}, order["info"]
        await client.cancel_all_orders(SPOT)


CROSS = {"type": "margin"}
ISOLATED = {"type": "margin", "marginMode": "isolated", "symbol": SPOT}


@pytest.mark.parametrize("params", [CROSS, ISOLATED], ids=["cross", "isolated"])
async def test_a_margin_wallets_orders_fills_and_balances(
    market: Venue, params: dict[str, str]
) -> None:
    mode = {"marginMode": params.get("marginMode", "cross")}
    async with ccxt_client("binance", await market.account()) as client:
        await client.transfer("USDT", 1_000, "spot", "margin")
        await client.transfer("USDT", 1_000, "spot", "isolated", {"symbol": SPOT})
        await soon(client.authenticate(dict(params)))
        watched = [
            asyncio.create_task(each)
            for each in (
                client.watch_orders(SPOT, None, None, dict(params)),
                client.watch_my_trades(None, None, None, dict(params)),
                client.watch_balance(dict(params)),
            )
        ]
        await asyncio.sleep(0)
        # An order of the spot wallet is none of this stream's.
        await client.create_order(SPOT, "limit", "buy", 0.01, 47_000)
        borrowing = {**mode, "sideEffectType": "MARGIN_BUY"}
        bought = await client.create_order(SPOT, "market", "buy", 0.03, None, borrowing)
        orders, trades, _ = [await soon(each) for each in watched]
        assert {each["id"] for each in orders} == {bought["id"]}
        assert {each["order"] for each in trades} == {bought["id"]}
        # What was borrowed comes first.
        await until(
            lambda: "BTC" in client.balance["margin"], lambda: client.watch_balance(dict(params))
        )
        assert client.balance["margin"]["BTC"]["free"] == pytest.approx(0.03 * 0.999)
