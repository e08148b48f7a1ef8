"""The benchmark's side of a WebSocket: messages made beforehand, so many of them in flight.

It is on picows and writes frames that were made before the clock ran, all that a read allows in
one write, so that it costs little of what it measures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from exchange.bench.processes import Account
from exchange.gateway import auth
from exchange.gateway.doors import LOGIN_TARGET

_OK: Final = b'"ok":true'
_MASKED: Final = 0x80
_LENGTH_7_MAX: Final = 125
FRAME_BYTES_MAX: Final = 16 * 1024 * 1024


def client_frame(payload: bytes) -> bytes:
    """A text frame as a client must send it (RFC 6455, section 5.3); its mask changes nothing."""
    length = len(payload)
    if length <= _LENGTH_7_MAX:
        return bytes((0x81, _MASKED | length)) + bytes(4) + payload
    return bytes((0x81, _MASKED | 126)) + length.to_bytes(2, "big") + bytes(4) + payload


class Pipe(WSListener):
    """One connection. `ask` is for before the start; `play` sends frames, so many in flight."""

    def __init__(self) -> None:
        self.heard = 0
        self.refused: list[bytes] = []
        self._transport: WSTransport
        self._asked: asyncio.Future[Any] | None = None
        self._frames: Sequence[bytes] = ()
        self._sent = self._answered = 0
        self._judged = False
        self._done: asyncio.Future[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The connection stands."""
        self._transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        for waiting in (self._asked, self._done):
            if waiting is not None and not waiting.done():
                waiting.set_exception(ConnectionError("the server hung up"))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A message came."""
        if frame.msg_type is not WSMsgType.TEXT:
            return
        self.heard += 1
        if self._done is None:
            self._say(frame)
            return
        if self._judged:
            payload = frame.get_payload_as_bytes()
            if _OK not in payload:
                self.refused.append(payload)
        self._answered += 1
        if frame.last_in_buffer:
            self._go_on()

    def _say(self, frame: WSFrame) -> None:
        if self._asked is not None and not self._asked.done():
            said = msgspec.json.decode(frame.get_payload_as_bytes())
            if "id" in said:
                self._asked.set_result(said)

    async def ask(self, op: str, **fields: Any) -> Any:
        """Ask one thing; its result."""
        self._asked = asyncio.get_running_loop().create_future()
        self._transport.send(WSMsgType.TEXT, msgspec.json.encode({"id": 0, "op": op, **fields}))
        said = await self._asked
        assert said["ok"], said
        return said["result"]

    async def login(self, account: Account) -> None:
        """Speak for an account from now on."""
        stamp = time.time_ns() // 1_000_000
        signature = auth.hmac_signature(account.secret, auth.payload(stamp, *LOGIN_TARGET))
        await self.ask("login", key=account.key, timestamp=stamp, signature=signature)

    async def play(self, frames: Sequence[bytes], in_flight: int, *, judged: bool) -> None:
        """Send all frames, and come back when each was answered; `judged` answers must be ok."""
        self._frames, self._judged = frames, judged
        self._sent = self._answered = 0
        self._done = asyncio.get_running_loop().create_future()
        self._send(min(in_flight, len(frames)))
        try:
            await self._done
        finally:
            self._done = None

    def shout(self, frame: bytes) -> None:
        """Send one frame, whatever else is under way."""
        self._transport.underlying_transport.write(frame)

    def close(self) -> None:
        """Hang up."""
        self._transport.disconnect()

    def _go_on(self) -> None:
        """As many go out as came back."""
        assert self._done is not None, "it plays"
        if self._answered == len(self._frames):
            self._done.set_result(None)
            return
        in_flight = self._sent - self._answered
        self._send(min(self._wanted - in_flight, len(self._frames) - self._sent))

    def _send(self, count: int) -> None:
        if not self._sent:
            self._wanted = count
        frames = self._frames[self._sent : self._sent + count]
        self._sent += count
        if frames:
            self._transport.underlying_transport.write(b"".join(frames))


async def connected(url: str) -> Pipe:
    """A pipe to a URL (http or ws)."""
    address = url.replace("http", "ws", 1)
    _, pipe = await ws_connect(Pipe, address, max_frame_size=FRAME_BYTES_MAX)
    assert isinstance(pipe, Pipe)
    return pipe
