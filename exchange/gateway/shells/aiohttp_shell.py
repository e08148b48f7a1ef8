"""WebSockets of the main port: aiohttp's bytes to a session, and the session's frames back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from aiohttp import WSMsgType, web

from exchange.bounds import MESSAGE_BYTES_MAX
from exchange.gateway.session import PACKED_PROTOCOL
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.flushing import Flusher
from exchange.gateway.shells.frames import (
    BINARY,
    CLOSE_WAIT_S,
    PING,
    TEXT,
    Framer,
    frame_bytes,
    hang_up,
)
from exchange.gateway.shells.gates import Asked, Gate, Socket, Talk, Talker


class WebSocketShell:
    """The handler of one gate's addresses. Hosts and origins were checked before it is reached."""

    def __init__(self, gate: Gate, connections: Connections) -> None:
        self._gate = gate
        self._connections = connections
        self._flusher = Flusher()
        self._framer = Framer()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Hold one conversation, until either side ends it; 429 where there are too many."""
        address = request.remote or ""
        asked = Asked(request.rel_url, address, port=_port_of(request))
        if not self._gate.has(asked):
            raise web.HTTPNotFound
        if not self._connections.enter(address):
            return web.Response(status=429, text="too many connections from this address")
        try:
            return await self._talk(request, asked)
        finally:
            self._connections.leave(address)

    async def _talk(self, request: web.Request, asked: Asked) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(
            timeout=CLOSE_WAIT_S,
            heartbeat=self._gate.heartbeat_s or None,
            # A session that sends its own pings wants to know of the answers.
            autoping=bool(self._gate.heartbeat_s),
            protocols=self._gate.protocols,
            # Compressing every small push costs more than it saves on the way.
            compress=False,
            max_msg_size=MESSAGE_BYTES_MAX,
            # The session reads bytes; it also says so where they are no text.
            decode_text=False,
        )
        await socket.prepare(request)
        sending = Conversation(request, socket, self._flusher, self._framer)
        packed = socket.ws_protocol == PACKED_PROTOCOL
        talk = self._gate.begin(asked._replace(packed=packed), Socket(sending.wake, sending.ping))
        sending.begin(talk.session)
        try:
            await _listen(socket, talk)
        finally:
            talk.over()
            await sending.finish()
        return socket


async def _listen(socket: web.WebSocketResponse, talk: Talk) -> None:
    async for message in socket:
        if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            talk.receive(message.data, message.type is WSMsgType.BINARY)
        elif message.type is WSMsgType.PING:
            await socket.pong(message.data)
        elif message.type is WSMsgType.PONG:
            talk.ponged()


def _port_of(request: web.Request) -> int:
    """The port of ours that a request came by; 0 where it came by none."""
    assert request.transport is not None, "a request that is handled has a connection"
    address = request.transport.get_extra_info("sockname")
    return int(address[1]) if isinstance(address, tuple) else 0


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

    def ping(self, payload: bytes) -> None:
        """Send a ping past what waits: a reader who never reads must not hold it up."""
        if not self._transport.is_closing():
            self._transport.write(frame_bytes(PING, payload))

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
