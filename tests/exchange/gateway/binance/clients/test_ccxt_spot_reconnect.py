"""ccxt.pro goes on after its connections were ended or cut, and its books are right again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import ccxt

from tests.exchange.gateway.binance.clients.ccxt_drivers import AGAIN_S, SPOT, soon, until
from tests.exchange.gateway.binance.clients.moving import while_lively
from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.binance.clients.venue import Venue, venue

SHORT_LIFE: Final = 0.5 / 3_600  # In hours, what the venue gives a socket.
PATIENCE_S: Final = 3.0
# What ccxt raises where a connection ends, and where it ended just before something was sent; what
# is sent while it ends may be lost without a word, and it waits longer and longer to come back.
BROKEN: Final = (ccxt.NetworkError, ConnectionError, TimeoutError)


async def across_breaks(watch: Callable[[], Awaitable[Any]], breaks: int) -> Any:
    """What comes first after the connection has ended so many times, or more."""
    while True:
        try:
            seen = await asyncio.wait_for(watch(), PATIENCE_S)
        except BROKEN:
            breaks -= 1
        else:
            if breaks <= 0:
                return seen


async def cut(market: Venue, watch: Callable[[], Awaitable[Any]]) -> None:
    """Cut every connection while somebody watches."""
    watched = asyncio.ensure_future(watch())
    await asyncio.sleep(0)
    market.rig.cut()
    with contextlib.suppress(*BROKEN):
        await asyncio.wait_for(watched, PATIENCE_S)


async def order_is_seen(
    client: Any, price: float, watched: dict[str, str], placed: dict[str, str]
) -> None:
    """Place orders until one of them is seen, over as many connections as it takes."""
    while True:
        watch = asyncio.create_task(client.watch_orders(SPOT, None, None, dict(watched)))
        while not watch.done():
            with contextlib.suppress(*BROKEN):
                await client.create_order(SPOT, "limit", "buy", 0.001, price, dict(placed))
            await asyncio.wait([watch], timeout=AGAIN_S)
        if isinstance(watch.exception(), BROKEN):
            continue
        if price in {order["price"] for order in watch.result()}:
            return


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
            await across_breaks(lambda: client.watch_order_book(SPOT), 1)
            trades = await across_breaks(lambda: client.watch_trades(SPOT), 1)
            assert trades[-1]["symbol"] == SPOT

        await while_lively(market.rig, market.maker, "BTC-USDT", watch)
        await across_breaks(client.fetch_balance_ws, 1)
        order = await across_breaks(
            lambda: client.create_order_ws(SPOT, "limit", "buy", 0.001, 48_000), 0
        )
        assert order["id"] in {each["id"] for each in await client.fetch_open_orders(SPOT)}


async def test_a_book_is_right_again_after_a_cut(tmp_path: Path) -> None:
    async with (
        venue(tmp_path) as market,
        ccxt_client("binance", await market.account()) as client,
    ):

        async def watch() -> None:
            for _ in range(3):
                for _ in range(5):
                    await soon(client.watch_order_book(SPOT))
                await cut(market, lambda: client.watch_order_book(SPOT))
                # What happens meanwhile is told to nobody.
                await market.maker.order("BTC-USDT", "buy", "0.01", price="39000")
                await across_breaks(lambda: client.watch_order_book(SPOT), 0)

        await while_lively(market.rig, market.maker, "BTC-USDT", watch)
        await book_is_right(market, client)


async def test_an_account_is_watched_again_after_a_cut(tmp_path: Path) -> None:
    async with (
        venue(tmp_path) as market,
        ccxt_client("binance", await market.account()) as client,
    ):
        await client.load_markets()
        for price in (48_000, 48_100, 48_200):
            await order_is_seen(client, price, {}, {})
            await cut(market, lambda: client.watch_orders(SPOT))


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
            await order_is_seen(client, price, params, {"marginMode": "cross"})
            await cut(market, lambda: client.watch_orders(SPOT, None, None, dict(params)))
            # It believes to be subscribed for a day, whatever became of the connection.
            client.options["margin"] = {}
