"""Where the WebSocket API is found on the main port, and what carries its requests out."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import WSMsgType, web

from exchange.bounds import MESSAGE_BYTES_MAX
from exchange.gateway.binance.calls import Api, Dialect
from exchange.gateway.binance.door import carried_out
from exchange.gateway.binance.errors import BUSY, BinanceError, refused
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.streams.session import SHUTDOWN_NOTICE_MS
from exchange.gateway.binance.ws_api.session import ApiSession, Pending
from exchange.gateway.shells.aiohttp_shell import Conversation
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.flushing import Flusher
from exchange.gateway.shells.frames import CLOSE_WAIT_S, Framer

HOUR_S: Final = 3_600
PING_S: Final = 120  # Of silence before a ping; half of it is the time to answer.
APIS: Final[dict[str, Api]] = {
    "/ws-api/v3": "api",
    "/ws-fapi/v1": "fapi",
    "/ws-dapi/v1": "dapi",
}


class WsApiDoor:
    """The handlers of the three addresses. Hosts and origins were checked before."""

    def __init__(self, dialect: Dialect, connections: Connections) -> None:
        self._dialect = dialect
        self._connections = connections
        self._flusher = Flusher()
        self._framer = Framer()
        self._tasks: set[asyncio.Task[None]] = set()

    def register(self, app: web.Application) -> None:
        """Add the addresses; what was begun is finished before the application is gone."""
        for path in APIS:
            app.router.add_get(path, self._handle, allow_head=False)
        app.on_shutdown.append(self._finish)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        address = request.remote or ""
        if not self._connections.enter(address):
            return web.Response(status=429, text="too many connections from this address")
        try:
            return await self._talk(request, address)
        finally:
            self._connections.leave(address)

    async def _talk(self, request: web.Request, address: str) -> web.StreamResponse:
        params = Params.of_request(request.rel_url.raw_query_string, "")
        tells_limits = params.get("returnRateLimits").lower() != "false"
        socket = web.WebSocketResponse(
            timeout=CLOSE_WAIT_S,
            heartbeat=PING_S,
            compress=False,
            max_msg_size=MESSAGE_BYTES_MAX,
            decode_text=False,
        )
        await socket.prepare(request)
        talk = Conversation(request, socket, self._flusher, self._framer)
        session = ApiSession(
            self._dialect,
            APIS[request.path],
            wake=talk.wake,
            address=address,
            tells_limits=tells_limits,
        )
        talk.begin(session)
        timers = self._lifetime(session)
        try:
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    session.receive(message.data, binary=message.type is WSMsgType.BINARY)
                    self._carry(session)
        finally:
            session.closed()
            for timer in timers:
                timer.cancel()
            await talk.finish()
        return socket

    def _lifetime(self, session: ApiSession) -> list[asyncio.TimerHandle]:
        """A connection may stay for so long; a notice comes before."""
        life_s = self._dialect.doors.config.binance.disconnect_hours * HOUR_S
        if not life_s:
            return []
        loop = asyncio.get_running_loop()
        notice_s = min(SHUTDOWN_NOTICE_MS / 1_000, life_s / 2)
        return [
            loop.call_later(life_s - notice_s, session.warn),
            loop.call_later(life_s, session.expire),
        ]

    def _carry(self, session: ApiSession) -> None:
        """Begin what the session has handed over, in its order."""
        for pending in session.requests():
            task = asyncio.create_task(_carried(session, pending))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _finish(self, app: web.Application) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_WAIT_S)


async def _carried(session: ApiSession, pending: Pending) -> None:
    """Carry a request out; one that was begun is finished also where its connection is gone."""
    try:
        result = await carried_out(pending.route, pending.call)
    except BinanceError as error:
        session.refuse(pending, error)
    except (ConnectionError, TimeoutError):
        session.refuse(pending, refused(BUSY))
    else:
        session.answer(pending, result)
