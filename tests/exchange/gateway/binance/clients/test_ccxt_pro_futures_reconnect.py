"""After a forced disconnect ccxt.pro's books and private streams of futures are right again."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any, Final

import ccxt

from exchange.gateway.binance.symbols import Product
from tests.exchange.gateway.binance.clients.ccxt_futures import (
    FUTURES,
    Futures,
    by_product,
    funded,
    pro_futures,
)
from tests.exchange.gateway.binance.clients.lively import LivelyMarket, lively_market
from tests.exchange.gateway.binance.clients.test_lively_books import Follower, kept_as_told
from tests.exchange.gateway.binance.clients.venue import WITHIN_S, venue

LIFE_HOURS: Final = 1.0 / 3_600  # Of a socket: a second.
CUTS: Final = 2


class Persistent(Follower):
    """A follower that begins to watch again whenever it is cut off, and counts how often."""

    cuts = 0

    async def _run(self) -> None:
        while True:
            try:
                await super()._run()
            except ccxt.NetworkError:
                self.cuts += 1

    async def caught_up(self, market: LivelyMarket, product: Product, name: str) -> Any:
        """The book kept, once it has reached the last change; a cut begins it anew."""
        while True:
            with contextlib.suppress(ccxt.NetworkError):
                return await super().caught_up(market, product, name)


async def test_books_are_whole_again_after_each_disconnect(tmp_path: Path) -> None:
    async with lively_market(tmp_path, disconnect_hours=LIFE_HOURS) as market:
        trader = await market.open_account()
        for futures in FUTURES:
            async with pro_futures(futures, trader) as client:
                follower = Persistent(client, futures.unified)
                while follower.cuts < CUTS:
                    await market.live_on()
                await market.stand()
                await kept_as_told(market, follower, futures.product, futures.name)
                await follower.end()
                await market.go_on()


async def until_told_again(client: Any, futures: Futures) -> None:
    """Place and cancel orders until one is told by the last of several sockets."""
    symbol = futures.unified
    sockets: list[Any] = []
    watching = asyncio.create_task(client.watch_orders(symbol))
    while True:
        order = await client.create_order(symbol, "limit", "buy", futures.qty, 40_000)
        await client.cancel_order(order["id"], symbol)
        await asyncio.wait([watching], timeout=0.1)
        (socket,) = [each for url, each in client.clients.items() if url.startswith("ws")] or [None]
        if watching.done():
            # Who was cut off while nobody waited is not told so: only the socket is another.
            cut = watching.exception()
            assert cut is None or isinstance(cut, ccxt.NetworkError)
            watching = asyncio.create_task(client.watch_orders(symbol))
            told = cut is None and any(each["id"] == order["id"] for each in client.orders)
            if told and len(sockets) > CUTS and socket is sockets[-1]:
                break
        if socket is not None and socket not in sockets:
            sockets.append(socket)
    watching.cancel()


@by_product
async def test_orders_are_told_again_after_each_disconnect(
    tmp_path: Path, futures: Futures
) -> None:
    async with (
        venue(tmp_path, disconnect_hours=LIFE_HOURS) as market,
        pro_futures(futures, await funded(market)) as client,
    ):
        await client.load_markets()
        await asyncio.wait_for(until_told_again(client, futures), WITHIN_S)
