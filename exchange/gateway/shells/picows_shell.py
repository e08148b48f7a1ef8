"""WebSockets of the fast port: the same sessions on picows, many frames to one write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from picows import (
    WSAutoPingStrategy,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from exchange.bounds import HEARTBEAT_S, MESSAGE_BYTES_MAX
from exchange.gateway.calls import ApiError
from exchange.gateway.session import PACKED_PROTOCOL, PROTOCOLS, Session
from exchange.gateway.shells.aiohttp_shell import NewSession
from exchange.gateway.shells.carrying import Carrier
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.flushing import Flusher
from exchange.gateway.shells.frames import BINARY, TEXT, Framer, hang_up

PATH = "/v1/ws"

# Members of an enumeration, which are slow to look up for every frame.
_TEXT = WSMsgType.TEXT
_BINARY = WSMsgType.BINARY

_TOO_BIG = 1009
_TRY_LATER = 1013
_PROTOCOL_ERROR = 1002


class _Port(NamedTuple):
    """What all connections of the port share."""

    new_session: NewSession
    carrier: Carrier
    connections: Connections
    flusher: Flusher
    framer: Framer


Admit = Callable[[Mapping[str, str]], None]  # Headers; raises an ApiError for a stranger's.


async def listen(
    host: str,
    port: int,
    new_session: NewSession,
    carrier: Carrier,
    connections: Connections,
    admit: Admit,
) -> asyncio.Server:
    """Open the fast port; `port` 0 takes any free one.

    Where an address has too many connections a further one is closed at once, with 1013.
    """
    fast = _Port(new_session, carrier, connections, Flusher(), Framer())

    def upgrade(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        path = request.path.decode("latin-1").partition("?")[0]
        if path != PATH:
            return _turned_away(404, b"the WebSocket is at " + PATH.encode())
        try:
            admit(request.headers)
        except ApiError as error:
            return _turned_away(error.http_status, error.message.encode())
        protocol = agreed_protocol(request.headers.get("Sec-WebSocket-Protocol", ""))
        listener = _Listener(fast, packed=protocol == PACKED_PROTOCOL)
        extra = {"Sec-WebSocket-Protocol": protocol} if protocol else None
        response = WSUpgradeResponse.create_101_response(extra)
        return WSUpgradeResponseWithListener(response, listener)

    return await ws_create_server(
        upgrade,
        host,
        port,
        enable_auto_ping=True,
        auto_ping_idle_timeout=HEARTBEAT_S,
        auto_ping_reply_timeout=HEARTBEAT_S,
        auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
        max_frame_size=MESSAGE_BYTES_MAX,
    )


def _turned_away(status: int, why: bytes) -> WSUpgradeResponseWithListener:
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status, why), None)


def agreed_protocol(offered: str) -> str:
    """The first protocol offered that is spoken here; empty for none."""
    names = (name.strip() for name in offered.split(","))
    return next((name for name in names if name in PROTOCOLS), "")


class _Listener(WSListener):
    """One connection. Frames are written when the loop comes round, all that wait in one write."""

    def __init__(self, port: _Port, *, packed: bool) -> None:
        self._port = port
        self._session: Session | None = None
        self._address = ""
        self._packed = packed
        self._kind = WSMsgType.BINARY if packed else WSMsgType.TEXT
        self._paused = False
        self._parts: list[bytes] = []  # Of a message that comes in several frames,
        self._parts_type = WSMsgType.TEXT  # and what its first frame said it was.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        peer = transport.underlying_transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) else ""
        if self._port.connections.enter(self._address):
            wake = partial(self._port.flusher.wake, self._flush)
            self._session = self._port.new_session(self._packed, wake, self._address)
        else:
            hang_up(transport.underlying_transport, _TRY_LATER)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if (kind is _TEXT or kind is _BINARY) and frame.fin and not self._parts:
            self._receive(frame.get_payload_as_bytes(), kind)
        elif kind is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif kind in {_TEXT, _BINARY, WSMsgType.CONTINUATION}:
            self._assemble(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._session is not None:
            self._session.closed()
            self._port.connections.leave(self._address)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._port.flusher.wake(self._flush)

    def _receive(self, payload: bytes, kind: WSMsgType) -> None:
        if self._session is not None:
            self._session.receive(payload, binary=kind is _BINARY)
            self._port.carrier.carry(self._session)

    def _assemble(self, frame: WSFrame) -> None:
        """A message may come in parts (RFC 6455, section 5.4)."""
        first = frame.msg_type is not WSMsgType.CONTINUATION
        if first == bool(self._parts):
            self._end(_PROTOCOL_ERROR)
            return
        if first:
            self._parts_type = frame.msg_type
        self._parts.append(frame.get_payload_as_bytes())
        if sum(map(len, self._parts)) > MESSAGE_BYTES_MAX:
            self._end(_TOO_BIG)
        elif frame.fin:
            payload, self._parts = b"".join(self._parts), []
            self._receive(payload, self._parts_type)

    def _flush(self) -> None:
        session = self._session
        if session is None or self._transport.is_disconnected:
            return
        frames = [] if self._paused else session.to_send()
        if len(frames) == 1:
            self._transport.send(self._kind, frames[0])
        elif frames:
            opcode = BINARY if self._packed else TEXT
            written = self._port.framer.joined(opcode, frames)
            self._transport.underlying_transport.write(written)
        if session.close_code is not None:
            self._end(session.close_code)

    def _end(self, code: int) -> None:
        if self._session is not None:
            self._session.closed()
        hang_up(self._transport.underlying_transport, code)
