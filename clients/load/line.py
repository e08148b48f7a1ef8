"""One WebSocket to the exchange, on picows, so that the generator costs little of what it measures.

What a message means is the business of a dialect: `native_line` and `binance_line`.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar

import msgspec
from picows import WSFrame, WSHandshakeError, WSListener, WSMsgType, WSTransport, ws_connect

from clients.errors import PapertapeError
from clients.load.record import Record
from exchange.wire import ErrorSay

ANSWER_WITHIN_S: Final = 10.0  # Of what is asked before the start.
CLOSE_WITHIN_S: Final = 1.0
FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
SLOW_READ_S: Final = 1.0  # A slow reader looks at one piece of what waits in this time.
TOO_MANY: Final = 429

SomeLine = TypeVar("SomeLine", bound="Line")


class Clock(Protocol):
    """The time of the run."""

    def now_ns(self) -> int:
        """Nanoseconds since the start."""


class Reply(msgspec.Struct, frozen=True):
    """What became of something asked before the start: its result, undecoded, or an error."""

    result: bytes = b"null"
    error: ErrorSay | None = None


class Line(WSListener):
    """One connection: requests out, replies and pushes into the record."""

    def __init__(self, record: Record, clock: Clock) -> None:
        self._record = record
        self._clock = clock
        self._asked: dict[str, asyncio.Future[Reply]] = {}
        self._transport: WSTransport | None = None
        self._closing = False
        self._code = "broken"
        self.closed_with = ""  # By the other side: a close code, or "broken".

    # -- the dialect's part --------------------------------------------------------------------

    @abstractmethod
    def _worded(self, name: str, op: str, fields: dict[str, Any]) -> bytes:
        """A request whose reply carries `name`."""

    @abstractmethod
    def _hear(self, payload: bytes, now_ns: int) -> None:
        """A message: a push, or a reply. A MsgspecError if it is neither."""

    # -- before the start ----------------------------------------------------------------------

    async def ask(self, op: str, **fields: Any) -> bytes:
        """Ask and wait for the result, undecoded.

        A PapertapeError if the exchange refuses, breaks off or is silent.
        """
        name = f"{op} {len(self._asked)}"
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked[name] = answer
        try:
            if not self.send(self._worded(name, op, fields)):
                raise PapertapeError("CONNECTION_LOST", "the connection is gone")
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reply = await answer
        except TimeoutError:
            raise PapertapeError(
                "SILENT", f"no answer to {op} in {ANSWER_WITHIN_S:.0f} s"
            ) from None
        finally:
            del self._asked[name]
        if reply.error is not None:
            raise PapertapeError.of(reply.error)
        return reply.result

    def _replied(self, name: str, reply: Reply) -> None:
        if name in self._asked and not self._asked[name].done():
            self._asked[name].set_result(reply)

    # -- under load ----------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether answers can still come."""
        return self._transport is not None and not self._transport.is_disconnected

    def send(self, text: bytes) -> bool:
        """Hand a message to the socket; False if the connection is gone."""
        if self._transport is None or self._transport.is_disconnected:
            return False
        self._transport.send(WSMsgType.TEXT, text)
        return True

    async def close(self) -> None:
        """Hang up."""
        self._closing = True
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return
        transport.send_close()
        transport.disconnect()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await transport.wait_disconnected()
        except TimeoutError:
            transport.disconnect(False)  # It does not take what is left for it.

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The connection stands."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A message came; the exchange sends each in one frame."""
        if frame.msg_type is WSMsgType.TEXT:
            try:
                self._hear(frame.get_payload_as_bytes(), self._clock.now_ns())
            except msgspec.MsgspecError:
                self._hang_up("malformed message")
        elif frame.msg_type is WSMsgType.CLOSE:
            self._hang_up(str(int.from_bytes(frame.get_payload_as_bytes()[:2]) or "no code"))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is over: ours to want, or lost."""
        if not self._closing:
            self.closed_with = self._code
            self._record.lose(self._code)
        lost = ErrorSay("CONNECTION_LOST", f"the connection closed with {self._code}")
        for name in self._asked:
            self._replied(name, Reply(error=lost))

    def _hang_up(self, code: str) -> None:
        assert self._transport is not None, "messages come over a connection"
        self._code = code
        self._transport.disconnect()


class Dawdling(Line):
    """What makes a line hear much and read little, to see that it slows nobody else."""

    def __init__(self, record: Record, clock: Clock) -> None:
        super().__init__(record, clock)
        self._task: asyncio.Task[None] | None = None
        self._slow = False

    def dawdle(self) -> None:
        """From now on, read one piece at a time, and then nothing for a while."""
        self._slow = True
        self._task = asyncio.create_task(self._look_now_and_then())

    async def close(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await super().close()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A message came: that is enough for now."""
        super().on_ws_frame(transport, frame)
        if self._slow and not transport.is_disconnected:
            transport.underlying_transport.pause_reading()

    async def _look_now_and_then(self) -> None:
        while self._transport is not None and not self._transport.is_disconnected:
            self._transport.underlying_transport.resume_reading()
            await asyncio.sleep(SLOW_READ_S)


async def connect(url: str, make: Callable[[], SomeLine]) -> SomeLine:
    """Open a connection; a PapertapeError where none can be had."""
    try:
        _, line = await ws_connect(make, url, max_frame_size=FRAME_BYTES_MAX)
    except WSHandshakeError as error:
        status = error.response.status if error.response is not None else 0
        if status == TOO_MANY:
            raise PapertapeError(
                "TOO_MANY_CONNECTIONS", "the exchange takes no more connections from this address"
            ) from error
        raise PapertapeError("UNREACHABLE", f"no WebSocket answers at {url}: {error}") from error
    except (OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise PapertapeError("UNREACHABLE", f"nobody answers at {url}: {reason}") from error
    return line  # type: ignore[return-value]  # It is what was made.
