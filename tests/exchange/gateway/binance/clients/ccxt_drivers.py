"""ccxt's clients under one hand: the synchronous one in a thread, the asynchronous, and ccxt.pro.

A test that is written once, with `await` before every method, drives either of the first two.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, Literal

import ccxt
import ccxt.async_support
import pytest

from tests.exchange.gateway.binance.clients.pointing import point_ccxt
from tests.exchange.gateway.rig import Trader

Library = Literal["ccxt", "ccxt.async_support"]
LIBRARIES: Final[tuple[Library, ...]] = ("ccxt", "ccxt.async_support")
SPOT: Final = "BTC/USDT"
WITHIN_S: Final = 20.0
AGAIN_S: Final = 0.2

by_both = pytest.mark.parametrize("library", LIBRARIES)


class Threaded:
    """A synchronous client whose methods are run in a thread, so that the venue can answer."""

    def __init__(self, exchange: Any) -> None:
        self._exchange = exchange

    def __getattr__(self, name: str) -> Any:
        """An attribute of the client; of a method, a coroutine function."""
        found = getattr(self._exchange, name)
        if not inspect.ismethod(found) and not callable(found):
            return found

        @functools.wraps(found)
        async def in_thread(*args: Any, **more: Any) -> Any:
            return await asyncio.to_thread(found, *args, **more)

        return in_thread


@contextlib.asynccontextmanager
async def ccxt_rest(library: Library, trader: Trader, **options: Any) -> AsyncIterator[Any]:
    """The class `binance` of either library with an account's key; its methods are awaited.

    Its own throttle is off, as the venue of these tests has no limits.
    """
    module = ccxt if library == "ccxt" else ccxt.async_support
    settings = {"apiKey": trader.key, "secret": trader.secret, "enableRateLimit": False}
    exchange = module.binance({**settings, **options})
    point_ccxt(exchange, trader.rig.url, ("linear", "spot"))
    try:
        yield Threaded(exchange) if library == "ccxt" else exchange
    finally:
        if library == "ccxt":
            exchange.session.close()
        else:
            await exchange.close()


async def soon(wish: Any) -> Any:
    """What a client's coroutine answers, which must not wait for ever."""
    return await asyncio.wait_for(wish, WITHIN_S)


async def until(happened: Callable[[], bool], watch: Callable[[], Awaitable[Any]]) -> None:
    """Watch until something has happened; what came just before a watch is not told by it."""
    async with asyncio.timeout(WITHIN_S):
        while not happened():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch(), AGAIN_S)
