"""WebSockets of the main port: aiohttp's bytes to a session, and the session's frames back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

from aiohttp import WSMsgType, web

from exchange.bounds import HEARTBEAT_S, MESSAGE_BYTES_MAX
from exchange.gateway.session import PACKED_PROTOCOL, PROTOCOLS, Session
from exchange.gateway.shells.carrying import Carrier
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.flushing import Flusher
from exchange.gateway.shells.frames import (
    BINARY,
    CLOSE_WAIT_S,
    TEXT,
    Framer,
    hang_up,
)

# (packed, wake, address) -> a session; the server knows what else one is made of.
NewSession = Callable[[bool, Callable[[], None], str], Session]


class WebSocketShell:
    """The handler of `/v1/ws`. Hosts and origins were checked before it is reached."""

    def __init__(self, new_session: NewSession, carrier: Carrier, connections: Connections) -> None:
        self._new_session = new_session
        self._carrier = carrier
        self._connections = connections
        self._flusher = Flusher()
        self._framer = Framer()

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
        talk = Conversation(request, socket, self._flusher, self._framer)
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


class Talker(Protocol):
    """What a conversation sends of: a session, of whichever dialect."""

    packed: bool

    def to_send(self) -> list[bytes]:
        """Frames to send, in this order."""

    @property
    def close_code(self) -> int | None:
        """Why the connection must be closed, once it must."""

    def closed(self) -> None:
        """The connection is gone."""


class Conversation:
    """The sending half: frames go out as fast as the reader takes them, and no faster.

    While the reader keeps up they are written at once, all that wait in one write. Where
    something is still waiting in the transport, a task sends, and aiohttp holds it back.
    """

    def __init__(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        flusher: Flusher,
        framer: Framer,
    ) -> None:
        assert request.transport is not None, "a request that is handled has a connection"
        self._transport = request.transport
        self._socket = socket
        self._framer = framer
        # What the session calls: something waits, or the outbox ran over.
        self.wake: Callable[[], None] = partial(flusher.wake, self._flush)
        self._waiting = asyncio.Event()
        self._behind = False
        self._session: Talker | None = None
        self._sender: asyncio.Task[None] | None = None

    def begin(self, session: Talker) -> None:
        """Send what the session says."""
        self._session = session
        self._sender = asyncio.create_task(self._send(session))
        self.wake()

    async def finish(self) -> None:
        """The connection is over."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait([self._sender])

    def _flush(self) -> None:
        session, transport = self._session, self._transport
        if session is None or transport.is_closing():
            return
        if session.close_code is not None:
            # What was told before the end is read before it, unless the reader is behind already.
            self._write([] if self._behind else session.to_send())
            self._end(session, session.close_code)
        elif self._behind or transport.get_write_buffer_size():
            self._waiting.set()
        else:
            self._write(session.to_send())

    def _write(self, frames: list[bytes]) -> None:
        if frames and self._session is not None:
            opcode = BINARY if self._session.packed else TEXT
            self._transport.write(self._framer.joined(opcode, frames))

    async def _send(self, session: Talker) -> None:
        opcode = WSMsgType.BINARY if session.packed else WSMsgType.TEXT
        try:
            while True:
                await self._waiting.wait()
                self._waiting.clear()
                self._behind = True
                for frame in session.to_send():
                    await self._socket.send_frame(frame, opcode)
                self._behind = False
        except ConnectionError:
            return  # The reader is gone; the handler's own loop ends with it.

    def _end(self, session: Talker, code: int) -> None:
        session.closed()
        if self._sender is not None:
            self._sender.cancel()  # It may hang on a reader who never reads.
        hang_up(self._transport, code)
