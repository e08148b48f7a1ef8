"""ccxt.pro goes on after its connections were ended or cut, and its books are right again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import ccxt

from tests.exchange.gateway.binance.clients.ccxt_drivers import SPOT, soon, until
from tests.exchange.gateway.binance.clients.moving import while_lively
from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.binance.clients.venue import Venue, venue

SHORT_LIFE: Final = 0.5 / 3_600  # In hours, what the venue gives a socket.
# What ccxt raises where a connection ends, and where it ended just before something was sent.
BROKEN: Final = (ccxt.NetworkError, ConnectionError)


async def until_it_breaks(watch: Callable[[], Awaitable[Any]]) -> None:
    """Watch until the connection ends, which ccxt tells as an error of the network."""
    try:
        while True:
            await soon(watch())
    except BROKEN:
        pass


async def book_is_right(market: Venue, client: Any) -> None:
    """The client's book comes to equal the venue's."""
    depth = market.rig.doors.board.depth
    await market.maker.order("BTC-USDT", "buy", "0.01", price="40000")  # One event at least.
    await until(
        lambda: client.orderbooks[SPOT]["nonce"] == depth.last_id("BTC-USDT"),
        lambda: client.watch_order_book(SPOT),
    )
    told = await client.fetch_order_book(SPOT, 1_000)
    book = client.orderbooks[SPOT]
    assert book["nonce"] == told["nonce"]
    for side in ("bids", "asks"):
        assert [list(level) for level in book[side]] == told[side]


async def test_books_trades_and_orders_go_on_after_a_socket_has_had_its_time(
    tmp_path: Path,
) -> None:
    async with (
        venue(tmp_path, disconnect_hours=SHORT_LIFE) as market,
        ccxt_client("binance", await market.account()) as client,
    ):
        await client.load_markets()

        async def watch() -> None:
            for _ in range(2):
                await until_it_breaks(lambda: client.watch_order_book(SPOT))
                await until_it_breaks(lambda: client.watch_trades(SPOT))

        await while_lively(market.rig, market.maker, "BTC-USDT", watch)
        placed = []
        for price in (48_000, 48_001):
            order = None
            while order is None:
                try:
                    order = await soon(client.create_order_ws(SPOT, "limit", "buy", 0.001, price))
                except BROKEN:  # The end of the socket came between.
                    continue
            placed.append(order["id"])
            await until_it_breaks(client.fetch_balance_ws)
        found = [each["id"] for each in await client.fetch_open_orders(SPOT)]
        assert set(placed) <= set(found)


async def test_a_book_is_right_again_after_a_cut(tmp_path: Path) -> None:
    async with (
        venue(tmp_path) as market,
        ccxt_client("binance", await market.account()) as client,
    ):

        async def watch() -> None:
            for _ in range(3):
                for _ in range(5):
                    await soon(client.watch_order_book(SPOT))
                market.rig.cut()
                await until_it_breaks(lambda: client.watch_order_book(SPOT))
                # What happens meanwhile is told to nobody.
                await market.maker.order("BTC-USDT", "buy", "0.01", price="39000")
                await soon(client.watch_order_book(SPOT))

        await while_lively(market.rig, market.maker, "BTC-USDT", watch)
        await book_is_right(market, client)


async def test_an_account_is_watched_again_after_a_cut(tmp_path: Path) -> None:
    async with (
        venue(tmp_path) as market,
        ccxt_client("binance", await market.account()) as client,
    ):
        await client.load_markets()
        for price in (48_000, 48_100, 48_200):
            watched = asyncio.create_task(client.watch_orders(SPOT))
            order = None
            while not watched.done():
                order = await client.create_order(SPOT, "limit", "buy", 0.001, price)
                await asyncio.wait([watched], timeout=0.2)
            assert order is not None
            assert watched.result()[-1]["price"] == price
            waiting = asyncio.create_task(client.watch_orders(SPOT))
            await asyncio.sleep(0)
            market.rig.cut()
            await until_it_breaks(lambda task=waiting: task)  # type: ignore[misc]


async def test_a_margin_wallet_is_watched_again_once_ccxt_forgets_its_token(
    tmp_path: Path,
) -> None:
    async with (
        venue(tmp_path) as market,
        ccxt_client("binance", await market.account()) as client,
    ):
        await client.transfer("USDT", 1_000, "spot", "margin")
        params = {"type": "margin"}
        for price in (48_000, 48_100):
            watched = asyncio.create_task(client.watch_orders(SPOT, None, None, dict(params)))
            while not watched.done():
                await client.create_order(
                    SPOT, "limit", "buy", 0.001, price, {"marginMode": "cross"}
                )
                await asyncio.wait([watched], timeout=0.2)
            assert watched.result()[-1]["price"] == price
            market.rig.cut()
            await until_it_breaks(lambda: client.watch_orders(SPOT, None, None, dict(params)))
            # It believes to be subscribed for a day, whatever became of the connection.
            client.options["margin"] = {}
