"""ccxt.pro places, finds, edits and cancels spot orders over the WebSocket API unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import SPOT
from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("both_ports")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


async def test_an_order_lives_its_whole_life_over_one_socket(market: Venue) -> None:
    async with ccxt_client("binance", await market.account()) as client:
        placed = await client.create_order_ws(SPOT, "limit", "buy", 0.01, 49_000)
        assert (placed["status"], placed["price"]) == ("open", 49_000)
        found = await client.fetch_order_ws(placed["id"], SPOT)
        assert (found["id"], found["amount"]) == (placed["id"], 0.01)
        edited = await client.edit_order_ws(placed["id"], SPOT, "limit", "buy", 0.02, 48_000)
        assert (edited["amount"], edited["price"]) == (0.02, 48_000)
        assert [each["id"] for each in await client.fetch_open_orders_ws(SPOT)] == [edited["id"]]
        gone = await client.cancel_order_ws(edited["id"], SPOT)
        assert (gone["id"], gone["status"]) == (edited["id"], "canceled")
        await client.create_order_ws(SPOT, "limit", "buy", 0.01, 47_000)
        await client.create_limit_order_ws(SPOT, "buy", 0.01, 47_000)
        cancelled = await client.cancel_all_orders_ws(SPOT)
        assert [each["status"] for each in cancelled] == ["canceled", "canceled"]
        assert await client.fetch_open_orders_ws(SPOT) == []


async def test_every_type_of_order_over_the_socket(market: Venue) -> None:
    asked: tuple[tuple[str, str, tuple[Any, ...], dict[str, Any]], ...] = (
        ("MARKET", "closed", ("market", "buy", 0.01), {}),
        ("MARKET", "closed", ("market", "buy", 0.002, 50_000), {}),  # By what it costs: 100.
        ("LIMIT_MAKER", "open", ("limit", "buy", 0.01, 48_000), {"postOnly": True}),
        ("LIMIT", "expired", ("limit", "buy", 0.01, 48_000), {"timeInForce": "IOC"}),
        ("STOP_LOSS", "open", ("market", "sell", 0.01, None), {"stopLossPrice": 48_000}),
        ("STOP_LOSS_LIMIT", "open", ("limit", "sell", 0.01, 47_900), {"stopLossPrice": 48_000}),
        ("TAKE_PROFIT", "open", ("market", "sell", 0.01, None), {"takeProfitPrice": 52_000}),
        ("TAKE_PROFIT_LIMIT", "open", ("limit", "sell", 0.01, 52_100), {"takeProfitPrice": 52_000}),
    )
    async with ccxt_client("binance", await market.account(spot="BTC")) as client:
        for kind, status, wish, more in asked:
            placed = await client.create_order_ws(SPOT, *wish, params=more)
            assert (placed["info"]["type"], placed["status"]) == (kind, status)
        market_order = await client.create_market_order_ws(SPOT, "sell", 0.01)
        assert (market_order["status"], market_order["average"]) == ("closed", 49_990)
        tried = await client.create_order_ws(SPOT, "limit", "buy", 1, 49_000, {"test": True})
        assert tried["id"] is None
        await client.cancel_all_orders_ws(SPOT)


async def test_what_an_account_did_and_has_is_read_over_the_socket(market: Venue) -> None:
    async with ccxt_client("binance", await market.account()) as client:
        bought = await client.create_market_order_ws(SPOT, "buy", 0.01)
        resting = await client.create_limit_order_ws(SPOT, "buy", 0.01, 48_000)
        await market.kept()
        orders = await client.fetch_orders_ws(SPOT)
        assert [each["id"] for each in orders] == [bought["id"], resting["id"]]
        closed = await client.fetch_closed_orders_ws(SPOT)
        assert [each["id"] for each in closed] == [bought["id"]]
        (trade,) = await client.fetch_my_trades_ws(SPOT)
        assert (trade["order"], trade["price"], trade["takerOrMaker"]) == (
            bought["id"],
            50_010,
            "taker",
        )
        # ccxt reads only balances of contracts out of this answer; it hands on those of spot.
        told = (await client.fetch_balance_ws())["info"]["balances"]
        held = {each["asset"]: (float(each["free"]), float(each["locked"])) for each in told}
        assert held["BTC"] == (0.00999, 0)
        assert held["USDT"][1] == 480
        await client.cancel_all_orders_ws(SPOT)


async def test_the_market_is_read_over_the_socket(market: Venue) -> None:
    async with ccxt_client("binance", await market.account()) as client:
        bought = await client.create_market_order_ws(SPOT, "buy", 0.01)
        *_, last = await client.fetch_trades_ws(SPOT)
        assert (last["price"], last["amount"]) == (bought["average"], 0.01)
        *_, candle = await client.fetch_ohlcv_ws(SPOT, "1m")
        assert candle[4] == 50_010
        assert await client.fetch_ohlcv(SPOT, "1m") == await client.fetch_ohlcv_ws(SPOT, "1m")
