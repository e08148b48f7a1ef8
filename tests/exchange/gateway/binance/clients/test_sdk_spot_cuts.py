"""The official SDK's sockets hear of their end, and come back, as its makers meant."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

from binance_common.configuration import ConfigurationWebSocketAPI
from binance_sdk_spot.spot import Spot

from tests.exchange.gateway.binance.clients.test_sdk_spot import LIMIT
from tests.exchange.gateway.binance.clients.test_sdk_spot_ws import Heard, sdk, told
from tests.exchange.gateway.binance.clients.test_signatures_of_clients import pem_of
from tests.exchange.gateway.binance.clients.venue import WITHIN_S, Venue, venue

# Told of its end after seven seconds, the client dials anew five seconds later.
FOURTEEN_SECONDS: Final = 14 / 3_600


async def until(happened: asyncio.Event) -> None:
    """Something happens, in time."""
    await asyncio.wait_for(happened.wait(), WITHIN_S)


async def replaced(api: Any, old: Any) -> None:
    """A connection is hung up for good; until then the client goes on asking by it."""
    # The client has no event for it.
    while old in api.connections:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def traded(floor: Venue, heard: Heard) -> Any:
    """A trade that a stream tells; those made before it listens are lost, so it repeats."""
    told = asyncio.create_task(heard.until(lambda said: said.e == "trade"))
    while not told.done():
        await floor.trade("BTC-USDT", "50000", "0.001")
        await asyncio.wait([told], timeout=0.05)
    return told.result()


async def listening(spot: Spot) -> tuple[Heard, asyncio.Event]:
    """A new connection of streams that hears trades, and what happens once it ends."""
    streams, heard, closed = spot.websocket_streams, Heard(), asyncio.Event()
    await streams.create_connection()
    streams.on_connection("close", closed.set)
    (await streams.trade("btcusdt")).on("message", heard.messages.put_nowait)
    return heard, closed


async def test_a_stream_hears_that_its_line_broke_and_is_dialled_again(tmp_path: Path) -> None:
    async with venue(tmp_path) as floor:
        trader = await floor.account()
        spot, other = sdk(trader), sdk(trader)
        heard, closed = await listening(spot)
        first = await traded(floor, heard)
        floor.cut()
        await until(closed)
        # It does not dial of itself, and takes what it had subscribed to for held: so another.
        again, _ = await listening(other)
        assert (await traded(floor, again)).t > first.t
        for each in (spot, other):
            await each.websocket_streams.close_connection()


async def test_a_session_whose_end_is_near_dials_logs_on_and_listens_anew(tmp_path: Path) -> None:
    async with venue(tmp_path, disconnect_hours=FOURTEEN_SECONDS) as floor:
        trader = await floor.account()
        private, public = pem_of("ed25519")  # With another kind it does not log on anew.
        made = (await trader.ask("POST", "/v1/keys", {"public_key": public})).json
        url = trader.rig.url.replace("http", "ws", 1)
        settings = ConfigurationWebSocketAPI(
            made["api_key"],
            private_key=private,
            stream_url=f"{url}/ws-api/v3",
            reconnect_delay=0,
        )
        spot, heard, anew = Spot(config_ws_api=settings), Heard(), asyncio.Event()
        api = spot.websocket_api
        await api.create_connection()
        api.on_connection("open", anew.set)
        await api.session_logon()
        feed = await api.user_data_stream_subscribe()
        feed.stream.on("message", heard.messages.put_nowait)
        old = api.connections[0]
        anew.clear()
        await until(anew)
        await asyncio.wait_for(replaced(api, old), WITHIN_S)
        placed = await told(spot, "websocket_api.order_place", **LIMIT)  # Unsigned, as it is on.
        await heard.until(lambda each: getattr(each.actual_instance, "i", 0) == placed.order_id)
        await api.close_connection()


async def test_a_ping_is_answered(tmp_path: Path) -> None:
    async with venue(tmp_path) as floor:
        spot = sdk(await floor.account())
        answered = asyncio.Event()
        await spot.websocket_api.create_connection()
        spot.websocket_api.on_connection("pong", answered.set)
        await spot.websocket_api.ping_server(spot.websocket_api.connections[0])
        await until(answered)
        await spot.websocket_api.close_connection()
        answered.clear()
        await spot.websocket_streams.create_connection()
        spot.websocket_streams.on_connection("pong", answered.set)
        await spot.websocket_streams.ping_server(spot.websocket_streams.connections[0])
        await until(answered)
        await spot.websocket_streams.close_connection()
