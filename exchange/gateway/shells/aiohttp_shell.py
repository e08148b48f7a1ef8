"""WebSockets of the main port: aiohttp's bytes to a session, and the session's frames back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import WSMsgType, web

from exchange.bounds import HEARTBEAT_S, MESSAGE_BYTES_MAX
from exchange.gateway.session import PACKED_PROTOCOL, PROTOCOLS, Session
from exchange.gateway.shells.carrying import Carrier
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.frames import CLOSE_WAIT_S, hang_up

# (packed, wake, address) -> a session; the server knows what else one is made of.
NewSession = Callable[[bool, Callable[[], None], str], Session]


class WebSocketShell:
    """The handler of `/v1/ws`. Hosts and origins were checked before it is reached."""

    def __init__(self, new_session: NewSession, carrier: Carrier, connections: Connections) -> None:
        self._new_session = new_session
        self._carrier = carrier
        self._connections = connections

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Hold one conversation, until either side ends it; 429 where there are too many."""
        address = request.remote or ""
        if not self._connections.enter(address):
            return web.Response(status=429, text="too many connections from this address")
        try:
            return await self._talk(request, address)
        finally:
            self._connections.leave(address)

    async def _talk(self, request: web.Request, address: str) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(
            timeout=CLOSE_WAIT_S,
            heartbeat=HEARTBEAT_S,
            protocols=PROTOCOLS,
            # Compressing every small push costs more than it saves on the way.
            compress=False,
            max_msg_size=MESSAGE_BYTES_MAX,
            # The session reads bytes; it also says so where they are no text.
            decode_text=False,
        )
        await socket.prepare(request)
        talk = _Conversation(request, socket)
        packed = socket.ws_protocol == PACKED_PROTOCOL
        session = self._new_session(packed, talk.wake, address)
        talk.begin(session)
        try:
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    session.receive(message.data, binary=message.type is WSMsgType.BINARY)
                    self._carrier.carry(session)
        finally:
            session.closed()
            await talk.finish()
        return socket


class _Conversation:
    """The sending half: frames go out as fast as the reader takes them, and no faster."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request = request
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._waiting = asyncio.Event()
        self._session: Session | None = None
        self._sender: asyncio.Task[None] | None = None

    def begin(self, session: Session) -> None:
        """Send what this session says."""
        self._session = session
        self._sender = asyncio.create_task(self._send(session))

    def wake(self) -> None:
        """Something waits; or the outbox ran over, and nobody waits for the reader any longer."""
        self._waiting.set()
        session = self._session
        if session is not None and session.close_code is not None:
            # Not at once: whoever fills the outbox may be in the middle of all its readers.
            self._loop.call_soon(self._end, session, session.close_code)

    async def finish(self) -> None:
        """The connection is over."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait([self._sender])

    async def _send(self, session: Session) -> None:
        opcode = WSMsgType.BINARY if session.packed else WSMsgType.TEXT
        try:
            while True:
                await self._waiting.wait()
                self._waiting.clear()
                for frame in session.to_send():
                    await self._socket.send_frame(frame, opcode)
        except ConnectionError:
            return  # The reader is gone; the handler's own loop ends with it.

    def _end(self, session: Session, code: int) -> None:
        session.closed()
        if self._sender is not None:
            self._sender.cancel()  # It may hang on a reader who never reads.
        if self._request.transport is not None:
            hang_up(self._request.transport, code)
