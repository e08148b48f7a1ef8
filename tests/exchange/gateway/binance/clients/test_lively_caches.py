"""Depth caches of python-binance equal the exchange's depth after a minute of lively trading.

A minute of exchange time by default; PAPERTAPE_LIVELY_SECONDS=60 makes it a real one:

    PAPERTAPE_LIVELY_SECONDS=60 pytest tests/exchange/gateway/binance/clients/test_lively_caches.py
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from binance import (
    AsyncClient,
    DepthCacheManager,
    FuturesDepthCacheManager,
    ThreadedDepthCacheManager,
)
from binance.ws.depthcache import DepthCache

from exchange.gateway.binance.symbols import Product
from tests.exchange.gateway.binance.clients.lively import LivelyMarket, lively_market
from tests.exchange.gateway.binance.clients.pointing import point_python_binance, python_binance
from tests.exchange.gateway.rig import Trader

NAME: Final = "BTCUSDT"
WHOLE: Final = 1_000
BEST: Final = 10  # The futures cache keeps these of each side, of every message anew.
WITHIN_S: Final = 30.0

Book = tuple[list[list[float]], list[list[float]]]


class Cache:
    """What one cache shows, how often it changed, and its last state."""

    def __init__(self, product: Product, levels: int) -> None:
        self.product: Product = product
        self.levels = levels
        self.times: set[int] = set()
        self.book: Book = ([], [])
        self.errors: list[Any] = []
        self.moved = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def take(self, cache: Any) -> None:
        """A cache changed; it may be told from another thread."""
        if not isinstance(cache, DepthCache):
            self.errors.append(cache)  # Its socket was cut; it dials and looks again of itself.
            return
        book = cache.get_bids(), cache.get_asks()
        self._loop.call_soon_threadsafe(self._note, cache.update_time, book)

    def _note(self, time_ms: int, book: Book) -> None:
        self.times.add(time_ms)
        self.book = book
        self.moved.set()

    async def reaches(self, market: LivelyMarket) -> None:
        """It comes to equal what the exchange tells of a market that stands."""

        async def reach() -> None:
            while True:
                self.moved.clear()
                if self.book == await self._told(market):
                    return
                await self.moved.wait()

        try:
            await asyncio.wait_for(reach(), WITHIN_S)
        except TimeoutError:
            pytest.fail(f"{self.product} is behind, after {len(self.times)} and {self.errors}")

    async def _told(self, market: LivelyMarket) -> Book:
        """The book as REST tells it now: what was under way when time stopped may still come."""
        told = await market.depth(self.product, NAME)
        bids, asks = ([[float(p), float(q)] for p, q in told[side]] for side in ("bids", "asks"))
        assert min(len(bids), len(asks)) > 50
        return bids[: self.levels], asks[: self.levels]


def spot_cache() -> Cache:
    """Of the whole book of spot."""
    return Cache("spot", WHOLE)


def futures_cache() -> Cache:
    """Of the best of USD-M."""
    return Cache("um", BEST)


@contextlib.asynccontextmanager
async def followed(manager: Any, cache: Cache) -> AsyncIterator[None]:
    """A cache of an asynchronous bot, which is read all the while."""

    async def follow() -> None:
        async with manager:
            while True:
                cache.take(await manager.recv())

    task = asyncio.create_task(follow())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def threaded(trader: Trader, spot: Cache, futures: Cache) -> AsyncIterator[None]:
    """Both caches of a bot without a loop of its own, in the client's thread."""

    def begin() -> ThreadedDepthCacheManager:
        manager = ThreadedDepthCacheManager(trader.key, trader.secret)
        manager.start()
        manager.start_depth_cache(spot.take, NAME, limit=WHOLE, ws_interval=100)
        manager.start_futures_depth_socket(futures.take, NAME)
        return manager

    manager = await asyncio.to_thread(begin)
    try:
        yield
    finally:
        await asyncio.to_thread(manager.stop)
        await asyncio.to_thread(manager.join)


def managers(client: AsyncClient) -> tuple[Any, Any]:
    """The caches of spot and of USD-M."""
    spot = DepthCacheManager(client, NAME, limit=WHOLE, ws_interval=100)
    return spot, FuturesDepthCacheManager(client, NAME)


async def test_depth_caches_equal_rest_depth_after_a_minute_of_lively_trading(
    tmp_path: Path,
) -> None:
    async with lively_market(tmp_path) as market:
        point_python_binance(market.url)
        trader = await market.open_account()
        caches = [make() for make in (spot_cache, futures_cache) * 2]
        async with python_binance(trader) as client, contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(threaded(trader, *caches[2:]))
            for manager, cache in zip(managers(client), caches[:2], strict=True):
                await stack.enter_async_context(followed(manager, cache))
            for cache in caches:
                await asyncio.wait_for(cache.moved.wait(), WITHIN_S)
            before = dict(market.changes)
            await market.live()
            await market.stand()
            for symbol in ("BTC-USDT", "BTC-USDT-PERP"):
                assert market.changes[symbol] - before[symbol] > 500, symbol
            for cache in caches:
                await cache.reaches(market)
                assert len(cache.times) > 20  # Not one snapshot at the end.
            await market.go_on()  # Their sockets close once they have read something more.
