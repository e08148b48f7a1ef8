"""How clients that were written for Binance are pointed at another address."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import ccxt.pro
from binance import AsyncClient, BinanceSocketManager
from binance.base_client import BaseClient
from websockets.exceptions import ConnectionClosed

from tests.exchange.gateway.rig import Trader


def point_ccxt(
    exchange: Any, url: str, last_counts: Iterable[str] = ("spot", "linear"), sockets: str = ""
) -> None:
    """Every address of a ccxt exchange, and what error codes mean by the kind of market.

    Its sockets may be on another port.
    """
    sockets = sockets or url.replace("http", "ws", 1)
    for name, address in exchange.urls["api"].items():
        if isinstance(address, str):
            exchange.urls["api"][name] = f"{url}/{address.split('/', 3)[3]}"
    if "ws" in exchange.urls["api"]:  # Only ccxt.pro has any.
        exchange.urls["api"]["ws"].update(
            spot=f"{sockets}/stream/ws",
            margin=f"{sockets}/stream/ws",
            linear=f"{sockets}/um/ws",
            inverse=f"{sockets}/cm/ws",
        )
        exchange.urls["api"]["ws"]["ws-api"] = {
            "spot": f"{sockets}/ws-api/v3",
            "linear": f"{sockets}/ws-fapi/v1",
            "inverse": f"{sockets}/ws-dapi/v1",
        }
    for kind in last_counts:
        exchange.exceptions["exact"].update(exchange.exceptions[kind]["exact"])


@contextlib.asynccontextmanager
async def ccxt_client(kind: str, trader: Trader) -> AsyncIterator[Any]:
    """`binance`, `binanceusdm` or `binancecoinm` of ccxt.pro, with an account's key."""
    settings = {"apiKey": trader.key, "secret": trader.secret, "enableRateLimit": False}
    exchange = getattr(ccxt.pro, kind)(settings)
    point_ccxt(exchange, trader.rig.url, sockets=trader.rig.sockets)
    try:
        yield exchange
    finally:
        await exchange.close()


def point_python_binance(url: str, sockets: str = "") -> None:
    """Every address of python-binance; they are attributes of its classes.

    Its sockets may be on another port.
    """
    sockets = sockets or url.replace("http", "ws", 1)
    client_class: Any = BaseClient
    client_class.API_URL, client_class.MARGIN_API_URL = f"{url}/api", f"{url}/sapi"
    client_class.FUTURES_URL, client_class.FUTURES_COIN_URL = f"{url}/fapi", f"{url}/dapi"
    client_class.FUTURES_DATA_URL = client_class.FUTURES_COIN_DATA_URL = f"{url}/futures/data"
    client_class.WS_API_URL = f"{sockets}/ws-api/v3"
    client_class.WS_FUTURES_URL = f"{sockets}/ws-fapi/v1"
    manager: Any = BinanceSocketManager
    manager.STREAM_URL, manager.FSTREAM_URL = f"{sockets}/", f"{sockets}/um/"
    manager.DSTREAM_URL = f"{sockets}/cm/"


@contextlib.asynccontextmanager
async def python_binance(trader: Trader, **settings: Any) -> AsyncIterator[AsyncClient]:
    """The asynchronous client of python-binance, with an account's key or one in `settings`."""
    point_python_binance(trader.rig.url, trader.rig.sockets)
    key = {"api_key": trader.key, "api_secret": trader.secret}
    client = await AsyncClient.create(**(key | settings))
    try:
        yield client
    finally:
        await hang_up(client.ws_future)
        await hang_up(client.ws_api)
        await client.close_connection()


@contextlib.asynccontextmanager
async def opened(socket: Any) -> AsyncIterator[Any]:
    """A socket of python-binance, open."""
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(hang_up, socket)
        await socket.__aenter__()
        yield socket


async def hang_up(socket: Any) -> None:
    """Close a socket of python-binance, which ends only once it has read something more."""
    closing = asyncio.create_task(socket.close())
    await asyncio.sleep(0)  # It has said that it ends, and waits for its reader.
    if socket.ws is not None:
        with contextlib.suppress(ConnectionClosed):
            await socket.ws.send('{"id":1,"method":"LIST_SUBSCRIPTIONS"}')
    await closing
