"""The futures of the tests of ccxt: which class trades what, in which wallet, how much of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from exchange.gateway.binance.symbols import Product
from tests.exchange.gateway.binance.clients.ccxt_drivers import LIBRARIES, Library, Threaded
from tests.exchange.gateway.binance.clients.pointing import point_ccxt
from tests.exchange.gateway.binance.clients.venue import Venue
from tests.exchange.gateway.rig import Trader


class Futures(NamedTuple):
    """One product as ccxt trades it. `qty` is coins on USD-M and contracts on COIN-M."""

    kind: str  # The class.
    unified: str  # ccxt's name of the contract,
    name: str  # Binance's,
    symbol: str  # and the engine's.
    product: Product
    settle: str
    account: str  # The wallet, as ccxt's transfers name it.
    qty: float
    margin: float  # What is added to an isolated position: ccxt rounds it as a quantity.


LINEAR: Final = Futures(
    "binanceusdm",
    "BTC/USDT:USDT",
    "BTCUSDT",
    "BTC-USDT-PERP",
    "um",
    "USDT",
    "linear",
    qty=0.02,
    margin=10,
)
INVERSE: Final = Futures(
    "binancecoinm",
    "BTC/USD:BTC",
    "BTCUSD_PERP",
    "BTC-USD-PERP",
    "cm",
    "BTC",
    "inverse",
    qty=20,
    margin=2,
)
FUTURES: Final = (LINEAR, INVERSE)

by_product = pytest.mark.parametrize("futures", FUTURES, ids=lambda each: each.product)
by_each = pytest.mark.parametrize(
    ("futures", "library"),
    [
        pytest.param(futures, library, id=f"{futures.product}-{library}")
        for futures in FUTURES
        for library in LIBRARIES
    ],
)


@contextlib.asynccontextmanager
async def ccxt_futures(
    futures: Futures, library: Library, trader: Trader, **options: Any
) -> AsyncIterator[Any]:
    """The product's class of either library, with an account's key; its methods are awaited."""
    module = ccxt if library == "ccxt" else ccxt.async_support
    settings = {"apiKey": trader.key, "secret": trader.secret, "enableRateLimit": False}
    exchange = getattr(module, futures.kind)({**settings, **options})
    point_ccxt(exchange, trader.rig.url, (futures.account,))
    try:
        yield Threaded(exchange) if library == "ccxt" else exchange
    finally:
        if library == "ccxt":
            exchange.session.close()
        else:
            await exchange.close()


async def funded(venue: Venue) -> Trader:
    """An account with money in the wallets of both products."""
    return await venue.account(perp_BTC="BTC")


@contextlib.asynccontextmanager
async def pro_futures(futures: Futures, trader: Trader, **options: Any) -> AsyncIterator[Any]:
    """The product's class of ccxt.pro, with an account's key."""
    settings = {"apiKey": trader.key, "secret": trader.secret, "enableRateLimit": False}
    exchange = getattr(ccxt.pro, futures.kind)({**settings, **options})
    point_ccxt(exchange, trader.rig.url, (futures.account,))
    try:
        yield exchange
    finally:
        await exchange.close()
