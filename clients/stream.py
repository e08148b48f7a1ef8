"""One WebSocket to the exchange that reconnects and resumes: the shell around a session."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from clients.channels import ACCOUNT_CHANNEL, Event, private
from clients.errors import PapertapeError
from clients.session import Answer, Session
from clients.signing import Signer

EVENTS_WAITING_MAX: Final = 100_000  # Of one subscription; who reads slower is told so.
FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
FIRST_DELAY_S: Final = 0.1
LAST_DELAY_S: Final = 10.0


def wall_ms() -> int:
    """Wall time in epoch milliseconds: what signatures carry."""
    return time.time_ns() // 1_000_000


def delays(dice: random.Random) -> Iterator[float]:
    """Seconds to wait before each new attempt: doubling to a ceiling, each at random between
    half of it and all of it, so that those who lost one server do not come back as one.
    """
    ceiling = FIRST_DELAY_S
    while True:
        yield ceiling * (0.5 + dice.random() / 2)
        ceiling = min(2 * ceiling, LAST_DELAY_S)


class Subscription:
    """Events of some channels, in order: `async for event in subscription`.

    It ends with `close()`, or when the client is closed.  A refused channel, and a reader who
    leaves more than `EVENTS_WAITING_MAX` events waiting, is a PapertapeError at the next event.
    """

    def __init__(self, channels: tuple[str, ...], closed: Callable[[Subscription], None]) -> None:
        self.channels = channels
        self._closed = closed
        self._waiting: deque[Event] = deque()
        self._news = asyncio.Event()
        self._error: PapertapeError | None = None
        self._over = False

    def __aiter__(self) -> AsyncIterator[Event]:
        """Events as they come."""
        return self

    async def __anext__(self) -> Event:
        """The next event, as soon as there is one."""
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()

    def waiting(self) -> list[Event]:
        """The events that have come already, without waiting for another."""
        events = list(self._waiting)
        self._waiting.clear()
        return events

    def close(self) -> None:
        """Hear no more."""
        if not self._over:
            self._over = True
            self._closed(self)
            self._news.set()

    def put(self, event: Event) -> None:
        """An event for this reader."""
        if self._over:
            return
        if len(self._waiting) >= EVENTS_WAITING_MAX:
            self._waiting.clear()
            self.fail(PapertapeError("SLOW_READER", "too many events wait to be read"))
        else:
            self._waiting.append(event)
            self._news.set()

    def fail(self, error: PapertapeError) -> None:
        """End with an error."""
        self._error = error
        self.close()

    def hears(self, channel: str) -> bool:
        """Whether an event of this channel is for this reader."""
        if channel == ACCOUNT_CHANNEL:
            return any(map(private, self.channels))
        return channel in self.channels


class Stream:
    """The connection; it opens with the first request or subscription and stays open."""

    def __init__(
        self,
        url: str,
        signer: Signer | None,
        dice: random.Random | None = None,
        *,
        others: Sequence[str] = (),
    ) -> None:
        self.url = url
        self._others = deque(others)  # Doors of the same venue, each tried in its turn.
        self._session = Session(signer)
        self._dice = dice or random.Random()
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None
        self._sending = asyncio.Lock()
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._readers: list[Subscription] = []
        self._errands: set[asyncio.Task[None]] = set()
        self._closing = False
        self._counted = False  # Whether this connection is among them:
        self.connections = 0  # how many times we were logged in.

    async def request(self, op: str, fields: Mapping[str, Any]) -> Answer:
        """Ask and wait for the answer; an error of the exchange is part of the answer."""
        await self._open()
        number = self._session.request(op, fields)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._flush()
            return await answer
        finally:
            self._answers.pop(number, None)
            self._session.forget(number)

    def subscribe(self, channels: Iterable[str]) -> Subscription:
        """Hear channels, from now on and over every break."""
        reader = Subscription(tuple(dict.fromkeys(channels)), self._left)
        for channel in reader.channels:
            book = self._session.book(channel)
            if book is not None:  # Others hear it already: begin with what they know.
                reader.put(Event(channel, 0, wall_ms(), book))
        self._readers.append(reader)
        self._session.hold(reader.channels)
        self._errand(self._hear(reader))
        return reader

    async def close(self) -> None:
        """Close the connection; readers end, requests without an answer fail."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for errand in list(self._errands):
            errand.cancel()
        self._over(PapertapeError("CLOSED", "the client was closed"))

    # -- opening and keeping open --------------------------------------------------------------

    async def _open(self) -> None:
        """Be logged in, or raise why not; afterwards the task below keeps it so."""
        if self._closing:
            raise PapertapeError("CLOSED", "the client was closed")
        if self._task is None:
            self._opened = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._keep_open(self._opened))
            self._task.add_done_callback(self._ended)
        assert self._opened is not None
        await asyncio.shield(self._opened)

    async def _keep_open(self, opened: asyncio.Future[None]) -> None:
        """Connect, converse until it breaks, wait a little, again.  A first failure is told."""
        waits, failures = delays(self._dice), 0
        while True:
            before = self.connections
            try:
                await self._converse(opened)
            except (OSError, InvalidURI, InvalidHandshake, TimeoutError) as error:
                failures += 1
                if not opened.done() and failures > len(self._others):
                    self._fail(opened, _unreachable(self.url, error))
                    return
            except WebSocketException:
                pass  # It broke: that is what this loop is for.
            self._socket = None
            self._session.closed()
            self._dispatch()
            if self._session.login_refused is not None:
                self._fail(opened, self._session.login_refused)
                return
            if self.connections > before:
                waits = delays(self._dice)
            await asyncio.sleep(next(waits))
            self._turn_to_another()

    def _turn_to_another(self) -> None:
        """The next attempt goes to the next door, where there are several."""
        self._others.append(self.url)
        self.url = self._others.popleft()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nobody may wait for a task that is dead: say what killed it."""
        error = None if task.cancelled() else task.exception()
        if error is not None and self._opened is not None:
            self._fail(self._opened, PapertapeError("MALFORMED_MESSAGE", repr(error)))

    async def _converse(self, opened: asyncio.Future[None]) -> None:
        # Small messages gain nothing from compression, and it costs each of them time.
        async with connect(self.url, compression=None, max_size=FRAME_BYTES_MAX) as socket:
            self._socket = socket
            self._counted = False
            self._session.opened(wall_ms())
            await self._follow(opened)
            async for text in socket:
                self._session.receive(text)
                await self._follow(opened)
                if self._session.login_refused is not None:
                    return

    async def _follow(self, opened: asyncio.Future[None]) -> None:
        """Do what follows from what was just received."""
        if self._session.ready and not self._counted:
            self._counted = True
            self.connections += 1
            if not opened.done():
                opened.set_result(None)
        self._dispatch()
        await self._flush()

    # -- sending and handing out ---------------------------------------------------------------

    async def _flush(self) -> None:
        """Send what the session wants sent, in its order."""
        async with self._sending:
            if self._socket is None:
                return
            try:
                for text in self._session.to_send():
                    await self._socket.send(text)
            except WebSocketException:
                return  # The reading side sees the same and reconnects.

    def _dispatch(self) -> None:
        """Answers to those who wait, events to those who listen."""
        for answer in self._session.answers():
            waiting = self._answers.get(answer.number)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
        for event in self._session.events():
            for reader in list(self._readers):
                if reader.hears(event.channel):
                    reader.put(event)
        for channels, error in self._session.refused():
            for reader in list(self._readers):
                if any(map(reader.hears, channels)):
                    reader.fail(error)

    async def _hear(self, reader: Subscription) -> None:
        try:
            await self._open()
        except PapertapeError as error:
            reader.fail(error)
        else:
            await self._flush()

    def _left(self, reader: Subscription) -> None:
        """A reader is gone: drop the channels nobody else hears."""
        if reader in self._readers:
            self._readers.remove(reader)
        held = {channel for other in self._readers for channel in other.channels}
        self._session.drop(channel for channel in reader.channels if channel not in held)
        if not self._closing:
            self._errand(self._flush())

    def _errand(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _fail(self, opened: asyncio.Future[None], error: PapertapeError) -> None:
        """The connection cannot be had: tell everybody who counts on it."""
        if not opened.done():
            opened.set_exception(error)
            opened.exception()  # Perhaps nobody waits; then nobody needs to be told.
        self._over(error)
        self._closing = True

    def _over(self, error: PapertapeError) -> None:
        for number, waiting in list(self._answers.items()):
            if not waiting.done():
                waiting.set_result(Answer(number, error=error))
        for reader in list(self._readers):
            if error.code == "CLOSED":
                reader.close()
            else:
                reader.fail(error)


def _unreachable(url: str, error: Exception) -> PapertapeError:
    return PapertapeError("UNREACHABLE", f"nobody answers at {url}: {error}", {"url": url})
