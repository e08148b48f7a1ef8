"""Fan-out: what an applied group brought about, encoded once per channel, handed to its readers.

Public channels push the state or the news of a symbol. Private channels push an account's events
under their own numbers, so that a reader who lost the connection can resume. Nothing here waits:
a slow reader's outbox conflates, or closes (see `exchange.outbox`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from exchange.bounds import (
    BOOK_LEVELS_PUSHED,
    CANDLES_WAITING_MAX,
    GAUGE_MS,
    NOTICES_WAITING_MAX,
    PULSE_MS,
    TRADES_WAITING_MAX,
)
from exchange.channels import Channel, Frame, public_channels
from exchange.events import (
    AnyEvent,
    AuctionIndicated,
    AuctionUncrossed,
    DepthChanged,
    FundCovered,
    FundingFixed,
    IndexPriced,
    InterestFixed,
    Liquidated,
    LoanWrittenOff,
    Marked,
    PrivateEvent,
    SymbolStateChanged,
    Traded,
)
from exchange.gateway.native.notices import Figures
from exchange.gateway.native.showing import (
    bbo_say,
    book_say,
    candle_say,
    current_mark_say,
    status_say,
    ticker_say,
)
from exchange.gateway.native.translate import CHANNEL_OF, diff_say, private_say, said
from exchange.outbox import CLOSE_KEY_ENDED, CLOSE_SLOW, Outbox
from exchange.retention import Retention
from exchange.views.board import Board
from exchange.views.candles import Candle
from exchange.wire import INTERVALS_MS, PRIVATE_CHANNELS, AccountSay, Push
from exchange.wire.stream import GaugeSay

UNNUMBERED: Final = 0  # The `seq` of a gauge.

Batch = Callable[[int, bytes], None]  # (last command number, JSON array of public pushes)


class Desk(Figures, Protocol):
    """What the publisher asks about accounts; `exchange.views.accounts` answers from the engine."""

    def is_user(self, account_id: int) -> bool:
        """Whether the account is a customer's, whose events are kept for `resume`."""

    def last_n(self, account_id: int) -> int:
        """The number of the account's last private event."""

    def account(self, account_id: int) -> AccountSay:
        """The account as it stands."""

    def gauges(self, account_id: int) -> list[GaugeSay]:
        """The account's margin scopes as they stand."""


class Reader:
    """One connection's place at the publisher: its outbox, and what it holds."""

    __slots__ = ("account_id", "number", "outbox", "private", "public", "still", "told")

    def __init__(self, number: int, outbox: Outbox) -> None:
        self.number = number  # No two connections of one run have the same.
        self.outbox = outbox
        self.account_id: int | None = None
        self.public: set[str] = set()
        # Private channels held, each with the number of the last event before it was.
        self.private: dict[str, int] = {}
        self.told = 0  # The private number that the next push follows.
        self.still: Callable[[], bool] | None = None  # May it still speak for its account?


class Publisher:
    """Pushes to readers; `on_group` belongs behind the board's in the sequencer's listeners.

    `batches` are called with the public pushes of a group as one JSON array (for Redis).
    """

    def __init__(self, board: Board, desk: Desk) -> None:
        self.batches: list[Batch] = []
        self.is_replica = False  # Others may be ahead of what is known here.
        self.private_closes = 0
        self.market_dropped = 0  # By readers that are gone; `dropped` adds the present ones.
        self._board = board
        self._desk = desk
        self._retention = Retention()
        self._channels = public_channels(board.instruments.values())
        self._candles = [c for c in self._channels.values() if c.kind == "candles"]
        self._readers: set[Reader] = set()
        self._opened = 0
        self._accounts: dict[int, dict[Reader, None]] = {}
        self._users: dict[int, bool] = {}
        self._moved: set[str] = set()  # Symbols to tell of at the next pulse.
        self._batch: list[bytes] = []
        self._changes: dict[str, list[DepthChanged]] = {}  # Of the group under way,
        self._marks: dict[str, Marked | IndexPriced] = {}  # and its newest marks.
        self._gauged_ms = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            **dict.fromkeys(CHANNEL_OF, self._private),
            DepthChanged: self._depth_changed,
            Traded: self._traded,
            Marked: self._marked,
            IndexPriced: self._marked,
            FundingFixed: self._funding_fixed,
            Liquidated: self._liquidated,
            SymbolStateChanged: self._status,
            InterestFixed: self._status,
            FundCovered: self._status,
            LoanWrittenOff: self._status,
            AuctionIndicated: self._status,
            AuctionUncrossed: self._status,
        }

    # -- readers -------------------------------------------------------------------------------

    def open(self, packed: bool, wake: Callable[[], None]) -> Reader:
        """A connection: `wake` is called when its outbox has something to send."""
        self._opened += 1
        reader = Reader(self._opened, Outbox(packed, self._fresh_book, wake))
        self._readers.add(reader)
        return reader

    def close(self, reader: Reader) -> None:
        """The connection is gone."""
        self.unsubscribe(reader, [*reader.public, *reader.private])
        self._readers.discard(reader)
        self.market_dropped += reader.outbox.dropped
        self.private_closes += reader.outbox.close_code == CLOSE_SLOW

    @property
    def dropped(self) -> int:
        """Market data that readers were too slow for, in all."""
        return self.market_dropped + sum(reader.outbox.dropped for reader in self._readers)

    @property
    def sessions(self) -> int:
        """Open connections."""
        return len(self._readers)

    @property
    def time_ms(self) -> int:
        """Exchange time of the last group."""
        return self._board.time_ms

    def account(self, reader: Reader) -> AccountSay:
        """The account a reader speaks for, as it stands: where to begin without a resume."""
        assert reader.account_id is not None, "a session asks for a login first"
        return self._desk.account(reader.account_id)

    def is_channel(self, name: str) -> bool:
        """Whether there is such a channel."""
        return name in self._channels or name in PRIVATE_CHANNELS

    def login(self, reader: Reader, account_id: int) -> None:
        """The connection speaks for an account now; private channels of another are let go."""
        if reader.account_id != account_id:
            self.unsubscribe(reader, list(reader.private))
            reader.account_id = account_id

    def subscribe(self, reader: Reader, names: Sequence[str]) -> None:
        """Hear channels that exist (`is_channel`); private ones need a login.

        What they say first comes with `greet`, behind the reply.
        """
        self._hold_private(reader, [name for name in names if name in PRIVATE_CHANNELS])
        for name in names:
            channel = self._channels.get(name)
            if channel is not None:
                if not channel.readers:
                    channel.last = None
                channel.readers[reader.outbox] = None
                reader.public.add(name)

    def greet(self, reader: Reader, names: Sequence[str]) -> None:
        """Say the state of channels that have one: a book begins with its snapshot."""
        for name in names:
            channel = self._channels.get(name)
            if channel is not None:
                self._greet(channel, reader.outbox)

    def unsubscribe(self, reader: Reader, names: Iterable[str]) -> None:
        """Hear these channels no more; those not held are no news."""
        for name in names:
            channel = self._channels.get(name)
            if channel is not None:
                channel.readers.pop(reader.outbox, None)
                reader.outbox.forget(name)
            reader.public.discard(name)
            reader.private.pop(name, None)
        if reader.account_id is not None and not reader.private:
            readers = self._accounts.get(reader.account_id, {})
            readers.pop(reader, None)
            if not readers:
                self._accounts.pop(reader.account_id, None)

    def resume(self, reader: Reader, last_seq: int) -> int | None:
        """Push what was missed after `last_seq` of the channels held; answers how many events.

        Each comes exactly once and in order; what was pushed live since the subscription does
        not come again. A reader without private channels holds all of them from now on. None
        means that not all is kept any more: begin from a snapshot.
        """
        account_id = reader.account_id
        assert account_id is not None, "a session resumes after its login"
        if not reader.private:
            self._hold_private(reader, PRIVATE_CHANNELS)
        now_seq = self._desk.last_n(account_id)
        if self.is_replica and now_seq < last_seq:
            # It heard more elsewhere than is known here yet: go on behind that.
            reader.private = {name: max(at, last_seq) for name, at in reader.private.items()}
            reader.told = last_seq
            return 0
        missed = self._retention.after(account_id, last_seq, now_seq)
        if missed is None:
            reader.told = now_seq
            return None
        resumed, prev = 0, last_seq
        for event in missed:
            since = reader.private.get(CHANNEL_OF[type(event)])
            if since is None:
                continue
            if event.n <= since:
                frame = self._private_frame(event, prev)
                reader.outbox.tell(frame.of(reader.outbox.packed))
                resumed += 1
            prev = event.n
        reader.private = {name: min(since, last_seq) for name, since in reader.private.items()}
        return resumed

    def _hold_private(self, reader: Reader, names: Sequence[str]) -> None:
        if not names:
            return
        account_id = reader.account_id
        assert account_id is not None, "a session asks for a login before private channels"
        now_seq = self._desk.last_n(account_id)
        if not reader.private:
            self._accounts.setdefault(account_id, {})[reader] = None
            reader.told = self._retention.last_held(account_id, names, now_seq)
        for name in names:
            reader.private.setdefault(name, now_seq)

    def _greet(self, channel: Channel, outbox: Outbox) -> None:
        """Say a channel's state to one who begins to listen."""
        board = self._board
        kind, symbol = channel.kind, channel.symbol
        data: Any = None
        if kind == "book":
            outbox.tell_book(channel.name)
        elif kind == "bbo":
            data = bbo_say(board, symbol)
        elif kind == "ticker":
            data = ticker_say(board, symbol)
        elif kind == "mark":
            data = current_mark_say(board, symbol)
        elif kind == "status":
            data = status_say(board)
        elif kind == "candles":
            running = board.candles.current(symbol, channel.interval)
            if channel.last is None:
                channel.last = running
            if running is not None:
                instrument = board.instruments[symbol]
                data = candle_say(instrument, channel.interval, running, closed=False)
        if data is not None:
            seq = board.depth.last_id(symbol) if kind == "bbo" else board.seq
            frame = Frame(Push(channel.name, seq, board.time_ms, data))
            outbox.tell_latest(channel.name, frame.of(outbox.packed))

    def _fresh_book(self, name: str, packed: bool) -> bytes:
        data = book_say(self._board, self._channels[name].symbol, BOOK_LEVELS_PUSHED)
        return Frame(Push(name, data.last_id, self._board.time_ms, data)).of(packed)

    # -- groups --------------------------------------------------------------------------------

    def on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        """Push what an applied group brought about: a list of events for each command."""
        handlers = self._handlers
        for events in groups:
            for event in events:
                handle = handlers.get(type(event))
                if handle is not None:
                    handle(event)
        books, self._changes = self._changes, {}
        for symbol, changes in books.items():
            self._moved.add(symbol)
            self._book(symbol, changes)
        marks, self._marks = self._marks, {}
        for event in marks.values():
            self._mark(event)
        if self._batch:
            batch, self._batch = b"[" + b",".join(self._batch) + b"]", []
            for take in self.batches:
                take(groups[-1][-1].seq, batch)

    def _depth_changed(self, event: DepthChanged) -> None:
        self._changes.setdefault(event.symbol, []).append(event)

    def _marked(self, event: Marked | IndexPriced) -> None:
        self._marks[event.symbol] = event

    def _traded(self, event: Traded) -> None:
        self._moved.add(event.symbol)
        self._news(event, f"trades.{event.symbol}", event.trade_id, TRADES_WAITING_MAX)

    def _funding_fixed(self, event: FundingFixed) -> None:
        self._news(event, f"funding.{event.symbol}", event.seq, NOTICES_WAITING_MAX)

    def _liquidated(self, event: Liquidated) -> None:
        self._news(event, "liquidations", event.seq, NOTICES_WAITING_MAX)

    def _status(self, event: AnyEvent) -> None:
        self._news(event, "status", event.seq, NOTICES_WAITING_MAX)

    def _heard(self, channel: Channel) -> bool:
        return bool(channel.readers or self.batches)

    def _frame(self, channel: Channel, seq: int, time_ms: int, data: Any) -> Frame:
        """A push of a group, encoded once; it is in the batch too."""
        frame = Frame(Push(channel.name, seq, time_ms, data))
        if self.batches:
            self._batch.append(frame.of(False))
        return frame

    def _news(self, event: AnyEvent, name: str, seq: int, waiting_max: int) -> None:
        channel = self._channels[name]
        if not self._heard(channel):
            return
        told = said(event, self._board.instruments, self._desk)
        assert told is not None, "news are public"
        frame = self._frame(channel, seq, event.time_ms, told[1])
        for outbox in channel.readers:
            outbox.tell_each(name, frame.of(outbox.packed), waiting_max)

    def _book(self, symbol: str, changes: list[DepthChanged]) -> None:
        channel = self._channels[f"book.{symbol}"]
        last = changes[-1]
        if self._heard(channel):
            data = diff_say(merged(changes), self._board.instruments[symbol])
            frame = self._frame(channel, last.last_id, last.time_ms, data)
            for outbox in channel.readers:
                outbox.tell_diff(channel.name, frame.of(outbox.packed))
        channel = self._channels[f"bbo.{symbol}"]
        if self._heard(channel):
            bbo = self._board.depth.bbo(symbol)
            if bbo != channel.last:
                channel.last = bbo
                data_bbo = bbo_say(self._board, symbol)
                self._latest(channel, self._frame(channel, last.last_id, last.time_ms, data_bbo))

    def _mark(self, event: Marked | IndexPriced) -> None:
        told = said(event, self._board.instruments, self._desk)
        assert told is not None, "marks are public"
        channel = self._channels[told[0]]
        if self._heard(channel):
            self._latest(channel, self._frame(channel, event.seq, event.time_ms, told[1]))

    def _latest(self, channel: Channel, frame: Frame) -> None:
        for outbox in channel.readers:
            outbox.tell_latest(channel.name, frame.of(outbox.packed))

    # -- private events ------------------------------------------------------------------------

    def _private(self, event: PrivateEvent) -> None:
        account_id = event.account_id
        is_user = self._users.get(account_id)
        if is_user is None:
            is_user = self._users[account_id] = self._desk.is_user(account_id)
        if is_user:
            self._retention.keep(event)
        readers = self._accounts.get(account_id)
        if not readers:
            return
        name = CHANNEL_OF[type(event)]
        frames: dict[int, Frame] = {}  # By `prev`, which is all that two readers may differ in.
        for reader in readers:
            if event.n <= reader.private.get(name, event.n):
                continue  # It does not hear this, or has heard it elsewhere already.
            frame = frames.get(reader.told)
            if frame is None:
                frame = frames[reader.told] = self._private_frame(event, reader.told)
            reader.outbox.tell(frame.of(reader.outbox.packed))
            reader.told = event.n

    def _private_frame(self, event: PrivateEvent, prev: int) -> Frame:
        data = private_say(event, self._board.instruments, self._desk)
        return Frame(Push(CHANNEL_OF[type(event)], event.n, event.time_ms, data, prev))

    # -- what moves all the time ---------------------------------------------------------------

    async def run(self) -> None:
        """Keep the pulse until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PULSE_MS / 1_000)
            self.pulse(int(loop.time() * 1_000))

    def pulse(self, now_ms: int) -> None:
        """Tell tickers and candles that moved, and once in `GAUGE_MS` the gauges.

        Then too the readers whose key has ended are closed.
        `now_ms` is of any clock that only rises.
        """
        moved, self._moved = self._moved, set()
        for symbol in moved:
            channel = self._channels[f"ticker.{symbol}"]
            if channel.readers:
                self._latest(channel, self._now(channel, ticker_say(self._board, symbol)))
        for channel in self._candles:
            if channel.readers:
                self._candle(channel)
        if now_ms - self._gauged_ms >= GAUGE_MS:
            self._gauged_ms = now_ms
            self._judge()
            for account_id, readers in self._accounts.items():
                self._gauge(account_id, [r.outbox for r in readers if "margin" in r.private])

    def _judge(self) -> None:
        for reader in self._readers:
            if reader.still is not None and not reader.still():
                reader.outbox.close(CLOSE_KEY_ENDED)

    def _now(self, channel: Channel, data: Any) -> Frame:
        return Frame(Push(channel.name, self._board.seq, self._board.time_ms, data))

    def _candle(self, channel: Channel) -> None:
        """Tell the running candle if it changed, and before it those that closed since."""
        candles, instrument = self._board.candles, self._board.instruments[channel.symbol]
        running = candles.current(channel.symbol, channel.interval)
        last: Candle | None = channel.last
        if running is None or running == last:
            return
        channel.last = running
        if last is not None and last.open_ms < running.open_ms:
            start_ms = max(
                last.open_ms,
                running.open_ms - CANDLES_WAITING_MAX * INTERVALS_MS[channel.interval],
            )
            closed = candles.get(
                channel.symbol, channel.interval, start_ms, running.open_ms - 1, CANDLES_WAITING_MAX
            )
            for candle in closed:
                say = candle_say(instrument, channel.interval, candle, closed=True)
                frame = self._now(channel, say)
                for outbox in channel.readers:
                    outbox.tell_each(channel.name, frame.of(outbox.packed), CANDLES_WAITING_MAX)
        say = candle_say(instrument, channel.interval, running, closed=False)
        self._latest(channel, self._now(channel, say))

    def _gauge(self, account_id: int, outboxes: list[Outbox]) -> None:
        if not outboxes:
            return
        for gauge in self._desk.gauges(account_id):
            frame = Frame(Push("margin", UNNUMBERED, self._board.time_ms, gauge))
            for outbox in outboxes:
                outbox.tell_latest(f"margin:{gauge.wallet}", frame.of(outbox.packed))


def merged(changes: Sequence[DepthChanged]) -> DepthChanged:
    """Changes of one book that follow each other, as one: each level at its last total."""
    if len(changes) == 1:
        return changes[0]
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for change in changes:
        bids.update(change.bids)
        asks.update(change.asks)
    last = changes[-1]
    return DepthChanged(
        last.seq,
        last.time_ms,
        last.symbol,
        changes[0].first_id,
        last.last_id,
        list(bids.items()),
        list(asks.items()),
    )
