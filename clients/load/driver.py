"""The driver: sends each request of a plan at its time, whether or not earlier ones were answered.

A `Line` is one WebSocket on picows, so that the generator costs little of what it measures.  Time
comes from a `Timer`, so that tests need none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import msgspec
from picows import WSFrame, WSHandshakeError, WSListener, WSMsgType, WSTransport, ws_connect

from clients.errors import PapertapeError
from clients.load.plan import NS_PER_S, Plan
from clients.load.record import Record
from clients.load.wording import Wording
from clients.signing import WINDOW_MS, Signer
from clients.stream import wall_ms
from exchange.wire import ErrorSay

DRAIN_S: Final = 5  # How long the last answers are waited for.
LOOK_NS: Final = 10_000_000  # How often it is seen whether they are all there.
ANSWER_WITHIN_S: Final = 10.0  # Of what is asked before the start.
CLOSE_WITHIN_S: Final = 1.0
FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
SLOW_READ_S: Final = 1.0  # A slow reader looks at one piece of what waits in this time.

# An event loop wakes up to a millisecond late: the last one is spent looking at the clock.
SPIN_NS: Final = 1_500_000
BURST: Final = 32  # Requests sent in a row, when late, before replies are looked at.


class Timer(Protocol):
    """The time since the start, and a way to wait for a moment."""

    def now_ns(self) -> int:
        """Nanoseconds since the start."""

    async def until(self, at_ns: int) -> None:
        """Come back at that moment, or soon if it is past."""


class Sender(Protocol):
    """Where a request goes."""

    @property
    def alive(self) -> bool:
        """Whether answers can still come."""

    def send(self, text: bytes) -> bool:
        """Hand a message over; False if the connection is gone."""


class WallTimer:
    """Real time; `begin` sets the start."""

    def __init__(self) -> None:
        self._start_ns = 0
        self._in_a_row = 0
        self.begin()

    def begin(self) -> None:
        """The start is now."""
        self._start_ns = time.perf_counter_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the start."""
        return time.perf_counter_ns() - self._start_ns

    async def until(self, at_ns: int) -> None:
        """Come back at that moment; who is late lets the loop run once in a burst only."""
        wait_ns = at_ns - self.now_ns()
        if wait_ns <= 0:
            self._in_a_row += 1
            if self._in_a_row >= BURST:
                self._in_a_row = 0
                await asyncio.sleep(0)
            return
        self._in_a_row = 0
        if wait_ns > SPIN_NS:
            await asyncio.sleep((wait_ns - SPIN_NS) / NS_PER_S)
        while self.now_ns() < at_ns:  # noqa: ASYNC110 - Of a moment, nobody sets an event.
            await asyncio.sleep(0)


async def drive(
    plan: Plan, senders: Sequence[Sender], wording: Wording, record: Record, timer: Timer
) -> None:
    """Carry a plan out, then wait a little while for the last answers.

    It ends at once when it is cancelled, or every connection is lost; the record then holds what
    came until then.
    """
    try:
        for number, item in enumerate(plan.items):
            text = wording.text(number, item)
            await timer.until(item.at_ns)
            # The record comes first: a sender may be answered before it returns.
            record.send(number, item, timer.now_ns())
            if not senders[item.connection].send(text):
                record.take_back(number)
                if not any(sender.alive for sender in senders):
                    return  # There is nobody left to ask.
        await timer.until(plan.ends_ns)
        patience_ns = timer.now_ns() + DRAIN_S * NS_PER_S
        while record.waiting and timer.now_ns() < patience_ns and any(s.alive for s in senders):
            await timer.until(timer.now_ns() + LOOK_NS)
    finally:
        record.end(timer.now_ns())


# -- connections -------------------------------------------------------------------------------


class _Head(msgspec.Struct):
    """What of a message is read: a push has a channel, a reply an id and maybe an error."""

    id: int | str | None = None
    ch: str = ""
    ok: bool = False
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: ErrorSay | None = None


class Line(WSListener):
    """One connection: requests out, replies and pushes into the record."""

    def __init__(self, record: Record, timer: Timer) -> None:
        self._record = record
        self._timer = timer
        self._heads = msgspec.json.Decoder(_Head)
        self._asked: dict[str, asyncio.Future[_Head]] = {}
        self._transport: WSTransport | None = None
        self._closing = False
        self._code = "broken"
        self.closed_with = ""  # By the other side: a close code, or "broken".

    # -- before the start ----------------------------------------------------------------------

    async def ask(self, op: str, **fields: Any) -> bytes:
        """Ask and wait for the result, undecoded.

        A PapertapeError if the exchange refuses, breaks off or is silent.
        """
        name = f"{op} {len(self._asked)}"
        answer: asyncio.Future[_Head] = asyncio.get_running_loop().create_future()
        self._asked[name] = answer
        try:
            if not self.send(msgspec.json.encode({"id": name, "op": op, **fields})):
                raise PapertapeError("CONNECTION_LOST", "the connection is gone")
            async with asyncio.timeout(ANSWER_WITHIN_S):
                head = await answer
        except TimeoutError:
            raise PapertapeError(
                "SILENT", f"no answer to {op} in {ANSWER_WITHIN_S:.0f} s"
            ) from None
        finally:
            del self._asked[name]
        if not head.ok:
            raise PapertapeError.of(head.error)
        return bytes(head.result)

    async def login(self, signer: Signer) -> None:
        """Speak for the account of a key from now on."""
        now_ms = wall_ms()
        await self.ask(
            "login",
            key=signer.key,
            timestamp=now_ms,
            window=WINDOW_MS,
            signature=signer.sign(now_ms, "GET", "/v1/ws"),
        )

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
            self._hear(frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.CLOSE:
            self._hang_up(str(int.from_bytes(frame.get_payload_as_bytes()[:2]) or "no code"))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is over: ours to want, or lost."""
        if not self._closing:
            self.closed_with = self._code
            self._record.lose(self._code)
        for answer in self._asked.values():
            if not answer.done():
                lost = ErrorSay("CONNECTION_LOST", f"the connection closed with {self._code}")
                answer.set_result(_Head(error=lost))

    def _hang_up(self, code: str) -> None:
        assert self._transport is not None, "messages come over a connection"
        self._code = code
        self._transport.disconnect()

    def _hear(self, payload: bytes) -> None:
        try:
            head = self._heads.decode(payload)
        except msgspec.MsgspecError:
            self._hang_up("malformed message")
            return
        if head.ch:
            self._record.push(len(payload))
        elif isinstance(head.id, int):
            error = "" if head.ok else head.error.code if head.error else "MALFORMED_REPLY"
            self._record.answer(head.id, error, self._timer.now_ns())
        elif isinstance(head.id, str) and head.id in self._asked:
            self._asked[head.id].set_result(head)


class SlowReader(Line):
    """A connection that hears much and reads little, to see that it slows nobody else."""

    def __init__(self, record: Record, timer: Timer) -> None:
        super().__init__(record, timer)
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


async def connect(url: str, make: Callable[[], Line]) -> Line:
    """Open a connection; a PapertapeError where none can be had."""
    try:
        _, line = await ws_connect(make, url, max_frame_size=FRAME_BYTES_MAX)
    except (OSError, WSHandshakeError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise PapertapeError("UNREACHABLE", f"nobody answers at {url}: {reason}") from error
    assert isinstance(line, Line), "it is what was made"
    return line
