"""ccxt.pro watches accounts on spot and margin here unchanged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import SPOT, soon
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
        while client.balance["spot"]["USDT"]["total"] != 99_000:
            await soon(client.watch_balance())
        watched = asyncio.create_task(client.watch_balance())
        await asyncio.sleep(0)
        await client.cancel_order(order["id"], SPOT)
        await soon(watched)
        assert client.balance["spot"]["USDT"] == (await client.fetch_balance())["USDT"]


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
        orders, trades, balance = [await soon(each) for each in watched]
        assert {each["id"] for each in orders} == {bought["id"]}
        assert {each["order"] for each in trades} == {bought["id"]}
        while "BTC" not in balance:  # What was borrowed comes first.
            balance = await soon(client.watch_balance(dict(params)))
        assert balance["BTC"]["free"] == pytest.approx(0.03 * 0.999)
