"""One side of a conversation with the exchange, without a socket: text in, text out.

The owner asks (`request`, `hold`, `drop`) and reads what came of it (`answers`, `events`); a shell
around it says what its socket does (`opened`, `receive`, `closed`) and sends `to_send`.  Three
things survive a broken connection:

- what is held is subscribed to again; a book starts again from the snapshot that follows;
- private events go on after the last one delivered (`resume`), each exactly once and in order;
- a request without an answer is sent once more.  Those that change something carry a client id,
  so the exchange answers the first result instead of doing it twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from clients.channels import ACCOUNT_CHANNEL, Event, private, said
from clients.errors import PapertapeError
from clients.local_book import LocalBook, OutOfStep
from clients.private_line import PrivateLine
from clients.signing import WINDOW_MS, Signer
from exchange.wire import AccountSay, BookDiffSay, BookSay, ErrorSay

_LOGIN, _RESUME, _BASELINE = "login", "resume", "baseline"


class Answer(msgspec.Struct, frozen=True):
    """What came of a request: the undecoded result, or the error; `again` if it was sent twice."""

    number: int
    result: bytes = b""
    error: PapertapeError | None = None
    again: bool = False


class _Frame(msgspec.Struct):
    """Anything the exchange sends: a push has a channel, a reply has an id."""

    id: str | int | None = None
    ok: bool = False
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: ErrorSay | None = None
    ch: str = ""
    seq: int = 0
    ts: int = 0
    data: msgspec.Raw = msgspec.Raw(b"null")
    prev: int | None = None
    gap: int = 0


@dataclass
class _Asked:
    text: str
    sent: bool = False
    again: bool = False


class Session:
    """The conversation; see the module.  Without a signer it is a public one."""

    def __init__(self, signer: Signer | None = None) -> None:
        self._signer = signer
        self._asked: dict[int, _Asked] = {}
        self._numbered = 0
        self._held: dict[str, None] = {}  # Kept in the order they were asked for.
        self._books: dict[str, LocalBook] = {}
        self._subscribing: dict[str, tuple[str, ...]] = {}
        self._line: PrivateLine[Event] = PrivateLine()
        self._out: list[str] = []
        self._answers: list[Answer] = []
        self._events: list[Event] = []
        self._refused: list[tuple[tuple[str, ...], PapertapeError]] = []
        self.ready = False  # Logged in (or public): requests flow.
        self.login_refused: PapertapeError | None = None

    # -- the owner's side ----------------------------------------------------------------------

    def request(self, op: str, fields: Mapping[str, Any]) -> int:
        """Ask something; the answer carries the number returned."""
        self._numbered += 1
        asked = _Asked(_text({"id": self._numbered, "op": op, **fields}))
        self._asked[self._numbered] = asked
        if self.ready:
            self._send_asked(asked)
        return self._numbered

    def forget(self, number: int) -> None:
        """Nobody waits for this answer any more."""
        self._asked.pop(number, None)

    def hold(self, channels: Iterable[str]) -> None:
        """Hear these channels from now on, over every break."""
        fresh = [channel for channel in dict.fromkeys(channels) if channel not in self._held]
        self._held.update(dict.fromkeys(fresh))
        if self.ready and fresh:
            self._subscribe(fresh)

    def drop(self, channels: Iterable[str]) -> None:
        """Hear these channels no more."""
        gone = [channel for channel in dict.fromkeys(channels) if channel in self._held]
        for channel in gone:
            del self._held[channel]
            self._books.pop(channel, None)
        if self.ready and gone:
            self._out.append(_text({"id": "drop", "op": "unsubscribe", "channels": gone}))
        if not any(map(private, self._held)):
            self._line = PrivateLine()  # Who holds some again begins anew.

    def book(self, channel: str) -> BookSay | None:
        """The book of a channel held, as it stands, for a reader who joins late."""
        book = self._books.get(channel)
        return book.snapshot() if book and book.ready else None

    def answers(self) -> list[Answer]:
        """Answers since the last call."""
        answers, self._answers = self._answers, []
        return answers

    def events(self) -> list[Event]:
        """What the channels said since the last call, private events in their order."""
        events, self._events = self._events, []
        return events

    def refused(self) -> list[tuple[tuple[str, ...], PapertapeError]]:
        """Subscriptions the exchange refused since the last call."""
        refused, self._refused = self._refused, []
        return refused

    @property
    def last_seq(self) -> int | None:
        """The number of the last private event delivered."""
        return self._line.last_seq

    # -- the socket's side ---------------------------------------------------------------------

    def opened(self, now_ms: int) -> None:
        """The socket is open: log in, or if there is no key, begin."""
        if self._signer is None:
            self._begin()
            return
        signature = self._signer.sign(now_ms, "GET", "/v1/ws")
        login = {"key": self._signer.key, "timestamp": now_ms, "window": WINDOW_MS}
        self._out.append(_text({"id": _LOGIN, "op": "login", **login, "signature": signature}))

    def closed(self) -> None:
        """The socket broke: keep what will be sent once more, give up what already was."""
        self.ready = False
        self._out.clear()
        self._subscribing.clear()
        self._line.broke()
        self._books.clear()
        for number, asked in list(self._asked.items()):
            if not asked.sent:
                continue  # It waits for a connection that holds.
            if asked.again:
                lost = PapertapeError("CONNECTION_LOST", "the connection broke twice, ask anew")
                self._answer(number, error=lost)
            else:
                asked.again, asked.sent = True, False

    def receive(self, text: str | bytes) -> None:
        """A message came."""
        frame = msgspec.json.decode(text, type=_Frame)
        if frame.ch:
            self._pushed(frame)
        elif isinstance(frame.id, int):
            error = None if frame.ok else PapertapeError.of(frame.error)
            self._answer(frame.id, result=bytes(frame.result), error=error)
        else:
            self._own(frame)

    def to_send(self) -> list[str]:
        """What to send, in this order."""
        out, self._out = self._out, []
        return out

    # -- replies -------------------------------------------------------------------------------

    def _answer(
        self, number: int, result: bytes = b"", error: PapertapeError | None = None
    ) -> None:
        asked = self._asked.pop(number, None)
        if asked is not None:
            self._answers.append(Answer(number, result, error, asked.again))

    def _own(self, frame: _Frame) -> None:
        """A reply to what the session itself asked."""
        name = str(frame.id)
        if name == _LOGIN:
            self._logged_in(frame)
        elif name == _RESUME:
            self._resumed(frame)
        elif name == _BASELINE:
            self._based(frame)
        elif name in self._subscribing:
            channels = self._subscribing.pop(name)
            if not frame.ok:
                self._refuse(channels, frame.error)

    def _refuse(self, channels: tuple[str, ...], error: ErrorSay | None) -> None:
        self._held = {held: None for held in self._held if held not in channels}
        self._refused.append((channels, PapertapeError.of(error)))

    def _logged_in(self, frame: _Frame) -> None:
        if frame.ok:
            self._begin()
        else:
            self.login_refused = PapertapeError.of(frame.error)

    def _begin(self) -> None:
        """Logged in: subscribe to what is held, then send what waits."""
        self.ready = True
        if self._held:
            self._subscribe(list(self._held))
        for asked in self._asked.values():
            self._send_asked(asked)

    def _send_asked(self, asked: _Asked) -> None:
        asked.sent = True
        self._out.append(asked.text)

    def _subscribe(self, channels: list[str]) -> None:
        """Subscribe; private channels also need to know where their events go on.

        Public channels each have a request of their own, so that a refused one spoils no other.
        """
        own = [channel for channel in channels if private(channel)]
        others = [[channel] for channel in channels if not private(channel)]
        for group in (*others, own):
            if group:
                self._numbered += 1
                name = f"subscribe {self._numbered}"
                self._subscribing[name] = tuple(group)
                self._out.append(_text({"id": name, "op": "subscribe", "channels": group}))
        if own and not self._line.catching_up:
            self._catch_up(first=self._line.last_seq is None)

    def _catch_up(self, first: bool) -> None:
        """Ask for what was missed; the first time, for the account as it stands."""
        self._line.begin()
        if first:
            self._out.append(_text({"id": _BASELINE, "op": "account.get"}))
        else:
            resume = {"id": _RESUME, "op": "resume", "last_seq": self._line.last_seq}
            self._out.append(_text(resume))

    def _resumed(self, frame: _Frame) -> None:
        if frame.ok:
            self._events += self._line.caught_up()
        else:  # Too old, or not to be had: begin again from the account as it stands.
            self._catch_up(first=True)

    def _based(self, frame: _Frame) -> None:
        if not frame.ok:
            self._refuse(tuple(filter(private, self._held)), frame.error)
            return
        account = msgspec.json.decode(frame.result, type=AccountSay)
        seq = account.last_seq
        self._events.append(Event(ACCOUNT_CHANNEL, seq, account.time, account))
        self._events += self._line.caught_up(seq)

    # -- pushes --------------------------------------------------------------------------------

    def _pushed(self, frame: _Frame) -> None:
        if frame.ch not in self._held:
            return  # Sent before the exchange heard that nobody listens any more.
        data = said(frame.ch, frame.data)
        event = Event(frame.ch, frame.seq, frame.ts, data, frame.gap)
        if isinstance(data, BookSay | BookDiffSay):
            self._book_pushed(event, data)
            return
        if frame.prev is None:
            self._events.append(event)
            return
        was_catching_up = self._line.catching_up
        self._events += self._line.take(frame.seq, frame.prev, event)
        if self._line.catching_up and not was_catching_up:
            self._catch_up(first=False)

    def _book_pushed(self, event: Event, say: BookSay | BookDiffSay) -> None:
        book = self._books.setdefault(event.channel, LocalBook(say.symbol))
        if isinstance(say, BookDiffSay) and not book.ready:
            return  # A fresh snapshot was asked for and is on its way.
        try:
            book.apply(say)
        except OutOfStep:
            again = {"id": "again", "op": "unsubscribe", "channels": [event.channel]}
            self._out.append(_text(again))
            self._subscribe([event.channel])
        else:
            self._events.append(event)


def _text(message: Mapping[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
