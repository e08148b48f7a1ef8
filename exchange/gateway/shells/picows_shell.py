"""WebSockets of the fast port: the same sessions on picows, many frames to one write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)
from yarl import URL

from exchange.bounds import MESSAGE_BYTES_MAX
from exchange.gateway.calls import ApiError
from exchange.gateway.session import PACKED_PROTOCOL
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.flushing import Flusher
from exchange.gateway.shells.frames import (
    BINARY,
    PING,
    TEXT,
    Framer,
    frame_bytes,
    hang_up,
)
from exchange.gateway.shells.gates import Asked, Gate, Socket, Talk, gate_at
from exchange.gateway.shells.heart import Heart

# Members of an enumeration, which are slow to look up for every frame.
_TEXT = WSMsgType.TEXT
_BINARY = WSMsgType.BINARY

_GOING: Final = 1001
_TOO_BIG: Final = 1009
_TRY_LATER: Final = 1013
_PROTOCOL_ERROR: Final = 1002

# (path and query, headers); raises an ApiError for a stranger's, or one that is too long.
Admit = Callable[[str, Mapping[str, str]], None]
# (path, address) -> whether the address may ask for it now; an address is known once connected.
Allow = Callable[[str, str], bool]


class FastPort:
    """The port, once open.

    Where an address has too many connections, or asks too often, it is hung up on with 1013.
    `close` takes no more connections; `hang_up` ends those that are there.
    """

    def __init__(
        self, gates: Sequence[Gate], connections: Connections, admit: Admit, allow: Allow
    ) -> None:
        self.connections = connections
        self.allow = allow
        self.flusher = Flusher()
        self.framer = Framer()
        self.listeners: set[_Listener] = set()
        self._gates = gates
        self._admit = admit
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Its number."""
        assert self._server is not None, "it is open"
        return int(self._server.sockets[0].getsockname()[1])

    async def open(self, host: str, port: int) -> None:
        """Listen; `port` 0 takes any free one."""
        self._server = await ws_create_server(
            self._upgrade,
            host,
            port,
            # A server has one pace of pings, and each gate its own.
            enable_auto_ping=False,
            max_frame_size=MESSAGE_BYTES_MAX,
        )

    def close(self) -> None:
        """Take no more connections; those that are there go on."""
        if self._server is not None:
            self._server.close()

    def hang_up(self) -> None:
        """End every conversation: the exchange stops."""
        for listener in tuple(self.listeners):
            listener.end(_GOING)

    def _upgrade(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        target = request.path.decode("latin-1")
        path, _, query = target.partition("?")
        asked = Asked(URL.build(path=path, query_string=query, encoded=True), "")
        try:
            self._admit(target, request.headers)
        except ApiError as error:
            return _turned_away(error.http_status, error.message.encode())
        gate = gate_at(self._gates, asked)
        if gate is None:
            return _turned_away(404, b"there is no WebSocket at that address")
        protocol = agreed_protocol(
            request.headers.get("Sec-WebSocket-Protocol", ""), gate.protocols
        )
        asked = asked._replace(packed=protocol == PACKED_PROTOCOL)
        extra = {"Sec-WebSocket-Protocol": protocol} if protocol else None
        response = WSUpgradeResponse.create_101_response(extra)
        return WSUpgradeResponseWithListener(response, _Listener(self, gate, asked))


def _turned_away(status: int, why: bytes) -> WSUpgradeResponseWithListener:
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status, why), None)


def agreed_protocol(offered: str, spoken: Sequence[str]) -> str:
    """The first protocol offered that is spoken; empty for none."""
    names = (name.strip() for name in offered.split(","))
    return next((name for name in names if name in spoken), "")


class _Listener(WSListener):
    """One connection. Frames are written when the loop comes round, all that wait in one write."""

    def __init__(self, port: FastPort, gate: Gate, asked: Asked) -> None:
        self._port = port
        self._gate = gate
        self._asked = asked
        self._talk: Talk | None = None
        self._heart: Heart | None = None
        self._kind = _BINARY if asked.packed else _TEXT
        self._opcode = BINARY if asked.packed else TEXT
        self._paused = False
        self._parts: list[bytes] = []  # Of a message that comes in several frames,
        self._parts_type = _TEXT  # and what its first frame said it was.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        peer = transport.underlying_transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        self._asked = self._asked._replace(address=address)
        allowed = self._port.allow(self._asked.url.path, address)
        if not (allowed and self._port.connections.enter(address)):
            hang_up(transport.underlying_transport, _TRY_LATER)
            return
        self._port.listeners.add(self)
        wake = partial(self._port.flusher.wake, self._flush)
        if self._gate.heartbeat_s:
            self._heart = Heart(self._gate.heartbeat_s, partial(self._ping, b""), self._silent)
        self._talk = self._gate.begin(self._asked, Socket(wake, self._ping))
        wake()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if self._heart is not None:
            self._heart.heard_any = True
        if (kind is _TEXT or kind is _BINARY) and frame.fin and not self._parts:
            if self._talk is not None:
                self._talk.receive(frame.get_payload_as_bytes(), kind is _BINARY)
        elif kind is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif kind is WSMsgType.PONG:
            if self._talk is not None:
                self._talk.ponged()
        elif kind in {_TEXT, _BINARY, WSMsgType.CONTINUATION}:
            self._assemble(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._heart is not None:
            self._heart.stop()
        if self._talk is not None:
            self._talk.over()
            self._port.connections.leave(self._asked.address)
            self._port.listeners.discard(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._port.flusher.wake(self._flush)

    def end(self, code: int) -> None:
        """Say why, and close."""
        if self._talk is not None:
            self._talk.over()
        hang_up(self._transport.underlying_transport, code)

    def _assemble(self, frame: WSFrame) -> None:
        """A message may come in parts (RFC 6455, section 5.4)."""
        first = frame.msg_type is not WSMsgType.CONTINUATION
        if first == bool(self._parts):
            self.end(_PROTOCOL_ERROR)
            return
        if first:
            self._parts_type = frame.msg_type
        self._parts.append(frame.get_payload_as_bytes())
        if sum(map(len, self._parts)) > MESSAGE_BYTES_MAX:
            self.end(_TOO_BIG)
        elif frame.fin:
            payload, self._parts = b"".join(self._parts), []
            if self._talk is not None:
                self._talk.receive(payload, self._parts_type is _BINARY)

    def _ping(self, payload: bytes) -> None:
        """Send a ping past what waits: a reader who never reads must not hold it up."""
        if not self._transport.is_disconnected:
            self._transport.underlying_transport.write(frame_bytes(PING, payload))

    def _silent(self) -> None:
        """It answered no ping: there is nobody to say goodbye to."""
        self._transport.underlying_transport.abort()

    def _flush(self) -> None:
        talk = self._talk
        if talk is None or self._transport.is_disconnected:
            return
        session = talk.session
        frames = [] if self._paused else session.to_send()
        if len(frames) == 1:
            self._transport.send(self._kind, frames[0])
        elif frames:
            written = self._port.framer.joined(self._opcode, frames)
            self._transport.underlying_transport.write(written)
        if session.close_code is not None:
            self.end(session.close_code)
