"""Sockets of python-binance come back after the exchange or the line cut them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest
from binance import AsyncClient, BinanceSocketManager
from binance.ws.constants import WSListenerState

from tests.exchange.gateway.binance.clients.pointing import opened
from tests.exchange.gateway.binance.clients.venue import WITHIN_S, Venue, venue

A_SECOND: Final = 1 / 3_600
PERP: Final = "BTCUSDT"


async def next_of(socket: Any, kind: str) -> Any:
    """The next message of a kind."""

    async def listen() -> Any:
        while True:
            said = await socket.recv()
            if said.get("e") == kind:
                return said

    return await asyncio.wait_for(listen(), WITHIN_S)


async def traded(floor: Venue, socket: Any) -> Any:
    """A trade that a socket tells; what is traded while it is away is not told, so it repeats."""
    heard = asyncio.create_task(next_of(socket, "trade"))
    while not heard.done():
        await floor.trade("BTC-USDT", "50000", "0.001")
        await asyncio.wait([heard], timeout=0.1)
    return heard.result()


async def test_a_market_socket_comes_back_when_its_life_was_over(tmp_path: Path) -> None:
    async with (
        venue(tmp_path, disconnect_hours=A_SECOND) as floor,
        floor.bot() as client,
        opened(BinanceSocketManager(client).trade_socket("BTCUSDT")) as socket,
    ):
        first = await traded(floor, socket)
        over = await next_of(socket, "error")  # The client's own word that it was cut.
        assert over["type"] in {"ConnectionClosedOK", "BinanceWebsocketClosed"}
        again = await traded(floor, socket)
        assert again["t"] > first["t"]


async def test_a_market_socket_comes_back_when_the_line_broke(tmp_path: Path) -> None:
    async with (
        venue(tmp_path) as floor,
        floor.bot() as client,
        opened(BinanceSocketManager(client).trade_socket("BTCUSDT")) as socket,
    ):
        first = await traded(floor, socket)
        floor.cut()
        assert (await next_of(socket, "error"))["type"] == "ConnectionClosedError"
        assert (await traded(floor, socket))["t"] > first["t"]


async def bought(client: AsyncClient) -> int:
    """The number of an order that was just filled."""
    return int((await client.futures_market_buy_order(symbol=PERP, quantity="0.01"))["orderId"])


async def test_an_account_socket_comes_back_with_its_listen_key(tmp_path: Path) -> None:
    async with (
        venue(tmp_path) as floor,
        floor.bot() as client,
        opened(BinanceSocketManager(client).futures_user_socket()) as socket,
    ):
        first = await bought(client)
        assert (await next_of(socket, "ORDER_TRADE_UPDATE"))["o"]["i"] == first
        floor.cut()
        assert (await next_of(socket, "error"))["type"] == "ConnectionClosedError"
        told = asyncio.create_task(next_of(socket, "ORDER_TRADE_UPDATE"))
        last = first
        while not told.done():  # What happens while it is away is not told.
            last = await bought(client)
            await asyncio.wait([told], timeout=0.2)
        assert first < told.result()["o"]["i"] <= last


async def dialled_again(api: Any, before: Any) -> None:
    """A WebSocket API has another connection, and reads it."""

    def is_read() -> bool:
        reading = api.ws_state is WSListenerState.STREAMING
        return reading and api.ws not in (before, None)

    async def wait() -> None:
        # The client has no event for it.
        while not is_read():  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    await asyncio.wait_for(wait(), WITHIN_S)


async def test_the_websocket_api_is_dialled_again_when_the_line_broke(tmp_path: Path) -> None:
    async with venue(tmp_path) as floor, floor.bot() as client:
        limit = {"symbol": PERP, "price": "49000", "quantity": "0.01"}
        socket = BinanceSocketManager(client).user_socket()
        await socket.__aenter__()
        await client.ws_order_limit_buy(**limit)
        assert (await next_of(socket, "executionReport"))["x"] == "NEW"
        broken = client.ws_api.ws
        floor.cut()
        assert (await next_of(socket, "error"))["type"] == "ConnectionClosedError"
        await dialled_again(client.ws_api, broken)
        # It asks on, but what was subscribed to is lost: whoever listened opens another socket.
        assert len(await client.ws_get_open_orders()) == 1
        async with opened(BinanceSocketManager(client).user_socket()) as fresh:
            other = await client.ws_order_limit_buy(**limit)
            assert (await next_of(fresh, "executionReport"))["i"] == other["orderId"]


@pytest.mark.parametrize("hours", [0.0, 24.0])
async def test_a_socket_lives_on_where_its_life_is_longer(tmp_path: Path, hours: float) -> None:
    async with (
        venue(tmp_path, disconnect_hours=hours) as floor,
        floor.bot() as client,
        opened(BinanceSocketManager(client).trade_socket("BTCUSDT")) as socket,
    ):
        kept = socket.ws
        for _ in range(3):
            await traded(floor, socket)
        assert socket.ws is kept
