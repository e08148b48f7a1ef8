"""WebSockets of the main port: aiohttp's bytes to a session, and the session's frames back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import WSMsgType, web

from exchange.bounds import HEARTBEAT_S, MESSAGE_BYTES_MAX
from exchange.gateway.session import PACKED_PROTOCOL, PROTOCOLS, Session
from exchange.gateway.shells.carrying import Carrier

CLOSE_WAIT_S = 5.0  # How long a reader that is told to go may take to say goodbye.

# (packed, wake, address) -> a session; the server knows what else one is made of.
NewSession = Callable[[bool, Callable[[], None], str], Session]


class WebSocketShell:
    """The handler of `/v1/ws`. Hosts and origins were checked before it is reached."""

    def __init__(self, new_session: NewSession, carrier: Carrier) -> None:
        self._new_session = new_session
        self._carrier = carrier

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Hold one conversation, until either side ends it."""
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
        session = self._new_session(packed, talk.wake, request.remote or "")
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
        self._waiting = asyncio.Event()
        self._session: Session | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, session: Session) -> None:
        """Send what this session says."""
        self._session = session
        self._tasks.append(asyncio.create_task(self._send(session)))

    def wake(self) -> None:
        """Something waits; or the outbox ran over, and nobody waits for the reader any longer."""
        self._waiting.set()
        session = self._session
        if session is not None and session.close_code is not None and len(self._tasks) == 1:
            self._tasks.append(asyncio.create_task(self._hang_up(session.close_code)))

    async def finish(self) -> None:
        """The connection is over; one that is being closed is given its time to say why."""
        self._tasks[0].cancel()
        await asyncio.wait(self._tasks)

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

    async def _hang_up(self, code: int) -> None:
        self._tasks[0].cancel()  # It may hang on a reader who never reads.
        try:
            reason = b"too slow: read faster, then resume"
            await asyncio.wait_for(self._socket.close(code=code, message=reason), CLOSE_WAIT_S)
        except TimeoutError:
            if self._request.transport is not None:
                self._request.transport.abort()
