"""The sockets of the streams: aiohttp's bytes to a session, its frames back, pings and the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from itertools import count
from typing import Final

from aiohttp import WSMsgType, web

from exchange.bounds import MESSAGE_BYTES_MAX
from exchange.gateway.auth import RateLimiter
from exchange.gateway.binance.calls import Dialect
from exchange.gateway.binance.homes import home_of
from exchange.gateway.binance.streams.names import Opening, opening_of
from exchange.gateway.binance.streams.session import StreamSession
from exchange.gateway.binance.symbols import Product
from exchange.gateway.shells.aiohttp_shell import Conversation
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.flushing import Flusher
from exchange.gateway.shells.frames import CLOSE_WAIT_S, PING, Framer, frame_bytes

log: Final = logging.getLogger(__name__)

SECOND_MS: Final = 1_000
HOUR_MS: Final = 3_600_000
PULSE_S: Final = 0.1  # The finest pace of what is told at one.


class StreamsDoor:
    """The handlers of the streams' paths. Hosts and origins were checked before they are reached.

    While the application runs it keeps the hub's pulse.
    """

    def __init__(self, dialect: Dialect, connections: Connections) -> None:
        self._doors = dialect.doors
        self._hub = dialect.hub
        self._connections = connections
        limits = self._doors.config.binance
        spot = RateLimiter(limits.spot_messages_per_second, SECOND_MS)
        futures = RateLimiter(limits.futures_messages_per_second, SECOND_MS)
        self._limiters: dict[Product, RateLimiter] = {"spot": spot, "um": futures, "cm": futures}
        self._life_ms = int(limits.disconnect_hours * HOUR_MS)
        self._flusher = Flusher()
        self._framer = Framer()
        self._numbers = count(1)

    def register(self, app: web.Application) -> None:
        """Add every path a socket may be opened at."""
        for prefix in ("", "/um", "/cm"):
            for category in ("", "/public", "/market", "/private"):
                for path in ("ws", "ws/{rest:.*}", "stream", "stream/", "stream/ws{rest:.*}"):
                    app.router.add_get(f"{prefix}{category}/{path}", self._handle, allow_head=False)
        app.cleanup_ctx.append(self._pulsing)

    async def _pulsing(self, app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._pulse())
        yield
        task.cancel()
        await asyncio.wait([task])

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(PULSE_S)
            try:
                self._hub.pulse(_now_ms())
            except Exception:
                # One stream that cannot be told must not silence the others for ever.
                log.exception("a fault while telling streams")

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Hold one conversation, until either side ends it; 429 where there are too many."""
        opening = opening_of(request.path, request.query, home_of(request))
        if opening is None:
            raise web.HTTPNotFound
        address = request.remote or ""
        if not self._connections.enter(address):
            return web.Response(status=429, text="too many connections from this address")
        try:
            return await self._talk(request, opening)
        finally:
            self._connections.leave(address)

    async def _talk(self, request: web.Request, opening: Opening) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(
            timeout=CLOSE_WAIT_S,
            autoping=False,  # The session wants to know of pongs.
            compress=False,
            max_msg_size=MESSAGE_BYTES_MAX,
            decode_text=False,
        )
        await socket.prepare(request)
        talk = Conversation(request, socket, self._flusher, self._framer)
        session = StreamSession(
            self._hub,
            opening,
            self._limiters[opening.product],
            name=f"stream {next(self._numbers)}",
            life_ms=self._life_ms,
            now_ms=_now_ms,
            wall_ms=self._doors.clock.wall_ms,
            wake=talk.wake,
        )
        talk.begin(session)
        keeper = asyncio.create_task(_keep(session, talk, request.transport))
        try:
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    session.receive(message.data, binary=message.type is WSMsgType.BINARY)
                elif message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    session.ponged()
        finally:
            session.closed()
            keeper.cancel()
            await asyncio.wait([keeper])
            await talk.finish()
        return socket


async def _keep(
    session: StreamSession, talk: Conversation, transport: asyncio.Transport | None
) -> None:
    """Ping, warn and end a connection when it is time.

    Pings go past what waits: a reader who never reads must not hold them up.
    """
    assert transport is not None, "a request that is handled has a connection"
    while session.close_code is None:
        await asyncio.sleep(max(0, session.next_ms - _now_ms()) / SECOND_MS)
        ping = session.keep()
        if transport.is_closing():
            return
        if ping is not None:
            transport.write(frame_bytes(PING, ping))
        if session.close_code is not None:
            talk.wake()


def _now_ms() -> int:
    """Time that only rises."""
    return int(asyncio.get_running_loop().time() * SECOND_MS)
