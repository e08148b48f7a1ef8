"""ccxt.pro watches accounts on futures here unchanged, and trades by the WebSocket API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import ccxt
import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_futures import (
    LINEAR,
    Futures,
    by_product,
    funded,
    pro_futures,
)
from tests.exchange.gateway.binance.clients.venue import WITHIN_S, Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


async def soon(wish: Any) -> Any:
    return await asyncio.wait_for(wish, WITHIN_S)


async def listening(client: Any, futures: Futures) -> None:
    """The client's private stream stands: what is placed is told there."""
    await client.load_markets()
    symbol = futures.unified
    watched = asyncio.create_task(client.watch_orders(symbol))
    while True:
        order = await client.create_order(symbol, "limit", "buy", futures.qty, 40_000)
        await client.cancel_order(order["id"], symbol)
        await asyncio.wait([watched], timeout=0.1)
        told = [(each["id"], each["status"]) for each in client.orders or ()]
        if (order["id"], "canceled") in told:
            return
        if watched.done():
            watched = asyncio.create_task(client.watch_orders(symbol))


async def until(watch: Any, right: Any) -> Any:
    """What is watched, once it is right."""

    async def run() -> Any:
        while True:
            seen = await watch()
            if right(seen):
                return seen

    return await soon(run())


@by_product
async def test_orders_trades_positions_and_balances_are_watched(
    market: Venue, futures: Futures
) -> None:
    symbol, qty = futures.unified, futures.qty
    async with pro_futures(futures, await funded(market)) as client:
        await listening(client, futures)
        balance = asyncio.create_task(client.watch_balance())
        positions = asyncio.create_task(client.watch_positions([symbol]))
        trades = asyncio.create_task(client.watch_my_trades(symbol))
        orders = asyncio.create_task(
            until(lambda: client.watch_orders(symbol), lambda seen: seen[-1]["status"] == "closed")
        )
        await asyncio.sleep(0)  # All of them listen now.
        bought = await client.create_order(symbol, "market", "buy", qty)
        (trade, *_) = await soon(trades)
        assert (trade["order"], trade["price"], trade["amount"]) == (bought["id"], 50_010, qty)
        assert trade["fee"]["currency"] == futures.settle
        (*_, order) = await soon(orders)
        assert (order["id"], order["filled"], order["average"]) == (bought["id"], qty, 50_010)
        (position, *_) = await soon(positions)
        assert (position["side"], position["contracts"]) == ("long", qty)
        assert position["entryPrice"] == pytest.approx(50_010, rel=1e-7)
        told = (await soon(balance))[futures.settle]
        # It tells the wallet's balance, to which fetch_balance adds what positions gained.
        (asset,) = [
            each
            for each in (await client.fetch_balance())["info"]["assets"]
            if each["asset"] == futures.settle
        ]
        assert told["total"] == float(asset["walletBalance"])


@by_product
async def test_both_legs_of_hedge_mode_are_watched(market: Venue, futures: Futures) -> None:
    symbol, qty = futures.unified, futures.qty
    async with pro_futures(futures, await funded(market)) as client:
        await listening(client, futures)
        await client.set_position_mode(True, symbol)

        def held() -> dict[str, float]:
            """The legs as the client keeps them."""
            kept = client.positions[futures.account]
            return {each["side"]: each["contracts"] for each in kept if each["contracts"]}

        async def watched(*legs: str) -> None:
            await until(lambda: client.watch_positions([symbol]), lambda _: set(held()) == {*legs})

        for side, leg, legs in (
            ("buy", "LONG", ("long",)),
            ("sell", "SHORT", ("long", "short")),
            ("sell", "LONG", ("short",)),
            ("buy", "SHORT", ()),
        ):
            seen = asyncio.create_task(watched(*legs))
            await asyncio.sleep(0)
            await client.create_order(symbol, "market", side, qty, None, {"positionSide": leg})
            await soon(seen)


@by_product
async def test_orders_are_placed_edited_and_cancelled_by_the_websocket_api(
    market: Venue, futures: Futures
) -> None:
    symbol, qty = futures.unified, futures.qty
    async with pro_futures(futures, await funded(market)) as client:
        await client.set_leverage(1, symbol)
        placed = await soon(client.create_order_ws(symbol, "limit", "buy", qty, 45_000))
        assert (placed["status"], placed["price"]) == ("open", 45_000)
        found = await soon(client.fetch_order_ws(placed["id"], symbol))
        assert (found["id"], found["amount"]) == (placed["id"], qty)
        edited = await soon(
            client.edit_order_ws(placed["id"], symbol, "limit", "buy", qty * 2, 44_000)
        )
        assert (edited["amount"], edited["price"]) == (qty * 2, 44_000)
        gone = await soon(client.cancel_order_ws(edited["id"], symbol))
        assert (gone["id"], gone["status"]) == (edited["id"], "canceled")
        with pytest.raises(ccxt.OrderNotFound):
            await soon(client.cancel_order_ws(edited["id"], symbol))
        with pytest.raises(ccxt.InsufficientFunds):
            await soon(client.create_order_ws(symbol, "limit", "buy", qty * 300, 49_000))
        shorthand = await soon(client.create_limit_order_ws(symbol, "buy", qty, 43_000))
        assert shorthand["status"] == "open"
        bought = await soon(client.create_market_order_ws(symbol, "buy", qty))
        assert (bought["status"], bought["average"]) == ("closed", 50_010)
        for held in (
            await soon(client.fetch_positions_ws([symbol])),
            await soon(client.fetch_position_ws(symbol)),
        ):
            (position,) = held
            assert (position["side"], position["contracts"]) == ("long", qty)
        balance = (await soon(client.fetch_balance_ws()))[futures.settle]
        assert balance["total"] == (await client.fetch_balance())[futures.settle]["total"]


async def test_books_and_quotes_of_usd_m_by_the_websocket_api(market: Venue) -> None:
    symbol = LINEAR.unified
    async with pro_futures(LINEAR, await funded(market)) as client:
        book = await soon(client.fetch_order_book_ws(symbol))
        assert book["nonce"] == market.rig.doors.board.depth.last_id(LINEAR.symbol)
        ticker = await soon(client.fetch_ticker_ws(symbol))
        assert (ticker["bid"], ticker["ask"]) == (book["bids"][0][0], book["asks"][0][0])
        stop = await soon(
            client.create_order_ws(symbol, "market", "sell", 0.02, None, {"triggerPrice": 45_000})
        )
        assert stop["info"]["algoStatus"] == "NEW"
        gone = await soon(client.cancel_order_ws(stop["id"], symbol, {"trigger": True}))
        assert gone["id"] == stop["id"]


@by_product
async def test_a_conditional_order_is_watched_until_it_is_done(
    market: Venue, futures: Futures
) -> None:
    symbol, qty = futures.unified, futures.qty
    async with pro_futures(futures, await funded(market)) as client:
        await listening(client, futures)
        stop = await client.create_order(
            symbol, "market", "buy", qty, None, {"triggerPrice": 50_015}
        )
        seen = asyncio.create_task(
            until(lambda: client.watch_orders(symbol), lambda seen: seen[-1]["status"] == "closed")
        )
        await asyncio.sleep(0)
        # What is asked at 50,010 is bought, and one step at 50,020: that wakes the stop.
        qty_up = "1.001" if futures is LINEAR else "501"
        buyer = await funded(market)
        await buyer.order(futures.symbol, "buy", qty_up, leverage=20)
        order = (await soon(seen))[-1]
        assert (order["symbol"], order["filled"]) == (symbol, qty)
        assert (await client.fetch_order(stop["id"], symbol, {"trigger": True}))["id"] == stop["id"]
