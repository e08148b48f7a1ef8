"""After a forced disconnect ccxt.pro's books and private streams of futures are right again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import ccxt

from tests.exchange.gateway.binance.clients.ccxt_futures import (
    FUTURES,
    Futures,
    by_product,
    funded,
    pro_futures,
)
from tests.exchange.gateway.binance.clients.lively import lively_market
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
    """Place and cancel orders until one is told after so many cuts."""
    symbol = futures.unified
    cuts, told = 0, False
    watching = asyncio.create_task(client.watch_orders(symbol))
    while cuts < CUTS or not told:
        order = await client.create_order(symbol, "limit", "buy", futures.qty, 40_000)
        await client.cancel_order(order["id"], symbol)
        await asyncio.wait([watching], timeout=0.1)
        if not watching.done():
            continue
        cut = watching.exception()
        if cut is None:
            told = any(each["id"] == order["id"] for each in client.orders)
        else:
            assert isinstance(cut, ccxt.NetworkError)
            cuts, told = cuts + 1, False
        watching = asyncio.create_task(client.watch_orders(symbol))
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
