"""Fan-out of the streams: each is computed and encoded once, for all sockets that hold it.

What nobody holds costs nothing. What happens is told with the group it happened in; candles,
tickers and books that are told at a pace come with `pulse`, where they have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from exchange.bounds import NOTICES_WAITING_MAX, TRADES_KEPT, TRADES_WAITING_MAX
from exchange.events import AnyEvent, DepthChanged, Liquidated, Marked, Traded
from exchange.gateway.binance.streams import payloads
from exchange.gateway.binance.streams.candles import CandleTeller
from exchange.gateway.binance.streams.names import PERIODIC, Spec, spec_of
from exchange.gateway.binance.streams.outbox import DepthFrame, Frame, Outbox
from exchange.gateway.binance.streams.payloads import Numbers
from exchange.gateway.binance.streams.private import PrivateStreams
from exchange.gateway.binance.streams.seconds import Seconds
from exchange.gateway.binance.streams.windows import average_price, window_bar, window_ticker
from exchange.gateway.binance.symbols import Product, Symbols
from exchange.publisher import merged
from exchange.views.board import Board
from exchange.views.candles import Candle

MARKING: Final = frozenset({"markPrice", "indexPrice"})


class Stream:
    """A stream that somebody holds. `told` is what its readers were told last, by symbol."""

    __slots__ = ("changes", "due_ms", "name", "readers", "spec", "teller", "told")

    def __init__(self, name: str, spec: Spec) -> None:
        self.name = name
        self.spec = spec
        self.readers: dict[Outbox, None] = {}  # A set that keeps its order.
        self.told: dict[str, Any] = {}
        self.changes: list[DepthChanged] = []  # Of a book, since it was told.
        self.due_ms = 0
        self.teller: CandleTeller | None = None


class Hub:
    """The streams of a venue; `on_group` belongs behind the board's in the sequencer's listeners.

    `private` has the events of accounts, which whoever keeps the listenKeys pushes; `seconds`
    the candles of one second of pairs, which begin with the trades the board kept.
    """

    def __init__(self, board: Board, symbols: Symbols) -> None:
        self.private = PrivateStreams()
        pairs = [each.symbol for each in symbols.all("spot")]
        self.seconds = Seconds(pairs)
        for symbol in pairs:
            self.seconds.begin(board.trades.recent(symbol, TRADES_KEPT))
        self._board = board
        self._symbols = symbols
        self._numbers = {
            symbol: Numbers(instrument) for symbol, instrument in board.instruments.items()
        }
        self._streams: dict[tuple[Product, str], Stream] = {}
        self._paced: dict[Stream, None] = {}
        self._marking: dict[Stream, None] = {}
        self._by_event: dict[tuple[str, str], dict[Stream, None]] = {}  # By topic and symbol.

    # -- readers -------------------------------------------------------------------------------

    def hold(self, outbox: Outbox, product: Product, name: str) -> None:
        """A socket subscribes; a name that no market stream has may be a listenKey."""
        spec = spec_of(name, product, self._symbols)
        if spec is None:
            self.private.hold(outbox, product, name)
            return
        stream = self._streams.get((product, name))
        if stream is None:
            stream = self._streams[product, name] = Stream(name, spec)
            self._begin(stream)
        stream.readers[outbox] = None

    def greet(self, outbox: Outbox, product: Product, name: str) -> None:
        """Tell one who begins to listen the state of a stream that has one."""
        stream = self._streams.get((product, name))
        if stream is None:
            return
        for key, payload in self._states(stream):
            outbox.tell_latest(key, Frame(name, payload))

    def drop(self, outbox: Outbox, product: Product, name: str) -> None:
        """A socket holds it no more; no news where it never did."""
        stream = self._streams.get((product, name))
        if stream is None:
            self.private.drop(outbox, name)
            return
        stream.readers.pop(outbox, None)
        outbox.forget(name)
        if not stream.readers:
            del self._streams[product, name]
            self._end(stream)

    def _begin(self, stream: Stream) -> None:
        spec = stream.spec
        if spec.topic in PERIODIC and spec.every_ms:
            self._paced[stream] = None
        if spec.topic in MARKING:
            self._marking[stream] = None
        if spec.topic in {"kline", "continuousKline"}:
            symbol = spec.symbols[0]
            stream.teller = CandleTeller(self._board, self.seconds, self._numbers[symbol], spec)
        if spec.topic == "levels":
            stream.told[spec.symbols[0]] = self._board.depth.last_id(spec.symbols[0])
        for symbol in spec.symbols:
            self._by_event.setdefault((spec.topic, symbol), {})[stream] = None

    def _end(self, stream: Stream) -> None:
        self._paced.pop(stream, None)
        self._marking.pop(stream, None)
        for symbol in stream.spec.symbols:
            streams = self._by_event[stream.spec.topic, symbol]
            del streams[stream]
            if not streams:
                del self._by_event[stream.spec.topic, symbol]

    def _of(self, topic: str, symbol: str) -> Sequence[Stream]:
        return tuple(self._by_event.get((topic, symbol), ()))

    # -- groups --------------------------------------------------------------------------------

    def on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        """Tell what an applied group brought about: a list of events for each command."""
        self.seconds.on_group(groups)
        if not self._streams:
            return
        books: dict[str, list[DepthChanged]] = {}
        run: list[Traded] = []  # Fills of one taker at one price and moment.
        for events in groups:
            for event in events:
                if isinstance(event, Traded):
                    self._trade(event)
                    if run and not _same_taker(run[0], event):
                        self._aggregate(run)
                        run = []
                    run.append(event)
                elif isinstance(event, DepthChanged):
                    books.setdefault(event.symbol, []).append(event)
                elif isinstance(event, Liquidated):
                    self._liquidated(event)
        if run:
            self._aggregate(run)
        for symbol, changes in books.items():
            self._book(symbol, changes)
        if self._marking:
            self._tell_marks(self._board.time_ms)

    def _trade(self, event: Traded) -> None:
        for stream in self._of("trade", event.symbol):
            frame = Frame(stream.name, payloads.trade(self._numbers[event.symbol], event))
            self._each(stream, frame, TRADES_WAITING_MAX)

    def _aggregate(self, run: list[Traded]) -> None:
        symbol = run[0].symbol
        for stream in self._of("aggTrade", symbol):
            frame = Frame(stream.name, payloads.agg_trade(self._numbers[symbol], run))
            self._each(stream, frame, TRADES_WAITING_MAX)

    def _liquidated(self, event: Liquidated) -> None:
        for stream in self._of("forceOrder", event.symbol):
            frame = Frame(stream.name, payloads.force_order(self._numbers[event.symbol], event))
            self._each(stream, frame, NOTICES_WAITING_MAX)

    def _book(self, symbol: str, changes: list[DepthChanged]) -> None:
        for stream in self._of("depth", symbol):
            stream.changes += changes
            if not stream.spec.every_ms:
                self._tell_changes(stream)
        for stream in self._of("levels", symbol):
            if not stream.spec.every_ms:
                self._tell_levels(stream)
        for stream in self._of("bookTicker", symbol):
            bbo = self._board.depth.bbo(symbol)
            if stream.told.get(symbol) != bbo:
                stream.told[symbol] = bbo
                self._latest(stream, symbol, self._book_ticker(symbol))

    def _tell_marks(self, time_ms: int) -> None:
        """Tell the marks at each stream's pace, in exchange time; those that stand as well."""
        for stream in self._marking:
            beat = time_ms // stream.spec.every_ms
            if beat != stream.due_ms:
                stream.due_ms = beat
                for key, payload in self._mark_state(stream):
                    self._latest(stream, key, payload)

    def _mark_state(self, stream: Stream) -> list[tuple[str, Any]]:
        marks = [mark for symbol in stream.spec.symbols if (mark := self._board.marks.mark(symbol))]
        now_ms = self._board.time_ms
        marks = [msgspec.structs.replace(mark, time_ms=now_ms) for mark in marks]
        return [("", self._mark_payload(stream, marks))] if marks else []

    def _mark_payload(self, stream: Stream, events: Sequence[Marked]) -> Any:
        says = payloads.mark_price if stream.spec.topic == "markPrice" else payloads.index_price
        said = [says(self._numbers[event.symbol], event) for event in events]
        return said if stream.spec.array else said[0]

    # -- what is told at a pace ----------------------------------------------------------------

    def pulse(self, now_ms: int) -> None:
        """Tell the streams that are due and have changed; `now_ms` is of any clock that rises."""
        for stream in tuple(self._paced):
            if now_ms < stream.due_ms:
                continue
            every_ms = stream.spec.every_ms
            stream.due_ms = now_ms - now_ms % every_ms + every_ms
            _PACED[stream.spec.topic](self, stream)

    def _tell_changes(self, stream: Stream) -> None:
        if not stream.changes:
            return
        change, stream.changes = merged(stream.changes), []
        numbers = self._numbers[change.symbol]
        frame = DepthFrame(stream.name, change, lambda each: payloads.depth(numbers, each))
        for outbox in stream.readers:
            outbox.tell_depth(frame)

    def _tell_levels(self, stream: Stream) -> None:
        symbol = stream.spec.symbols[0]
        last_id, before_id = self._board.depth.last_id(symbol), stream.told[symbol]
        if last_id != before_id:
            stream.told[symbol] = last_id
            self._latest(stream, "", self._levels(stream, before_id))

    def _tell_candles(self, stream: Stream) -> None:
        assert stream.teller is not None, "a stream of candles has its teller"
        for candle, payload in stream.teller.news():
            frame = Frame(stream.name, payload)
            for outbox in stream.readers:
                outbox.tell_latest(str(candle.open_ms), frame)

    def _tell_tickers(self, stream: Stream) -> None:
        changed = []
        for symbol in stream.spec.symbols:
            ticker = self._board.tickers.get(symbol)
            if ticker.last is not None and stream.told.get(symbol) != ticker:
                stream.told[symbol] = ticker
                changed.append(self._ticker(stream, symbol))
        if changed:
            self._latest(stream, "", changed if stream.spec.array else changed[0])

    def _tell_windows(self, stream: Stream) -> None:
        changed = []
        for symbol in stream.spec.symbols:
            bar = window_bar(self._board, symbol, stream.spec.interval)
            if bar is not None and stream.told.get(symbol) != bar:
                stream.told[symbol] = bar
                changed.append(self._window(stream, symbol, bar))
        if changed:
            self._latest(stream, "", changed if stream.spec.array else changed[0])

    def _tell_average(self, stream: Stream) -> None:
        symbol = stream.spec.symbols[0]
        said = average_price(self._board, self._numbers[symbol])
        if stream.told.get(symbol) != (said["w"], said["T"]):
            stream.told[symbol] = said["w"], said["T"]
            self._latest(stream, "", said)

    # -- states --------------------------------------------------------------------------------

    def _states(self, stream: Stream) -> list[tuple[str, Any]]:
        """What a stream would say now, with the key of each state; news have none."""
        spec, board = stream.spec, self._board
        if spec.topic in {"ticker", "miniTicker"}:
            said = [
                self._ticker(stream, symbol)
                for symbol in spec.symbols
                if board.tickers.get(symbol).last is not None
            ]
            return [("", said if spec.array else said[0])] if said else []
        if spec.topic == "window":
            bars = ((each, window_bar(board, each, spec.interval)) for each in spec.symbols)
            said = [self._window(stream, each, bar) for each, bar in bars if bar is not None]
            return [("", said if spec.array else said[0])] if said else []
        if spec.topic == "avgPrice":
            return [("", average_price(board, self._numbers[spec.symbols[0]]))]
        if spec.topic in MARKING:
            return self._mark_state(stream)
        if spec.topic == "bookTicker":
            return [(symbol, self._book_ticker(symbol)) for symbol in spec.symbols]
        if spec.topic == "levels":
            return [("", self._levels(stream, stream.told[spec.symbols[0]]))]
        if stream.teller is not None:
            return stream.teller.state()
        return []

    def _ticker(self, stream: Stream, symbol: str) -> payloads.Payload:
        numbers, board = self._numbers[symbol], self._board
        ticker = board.tickers.get(symbol)
        if stream.spec.topic == "miniTicker":
            return payloads.mini_ticker(numbers, ticker, board.time_ms)
        return payloads.day_ticker(numbers, ticker, board.trades.last(symbol), board.time_ms)

    def _window(self, stream: Stream, symbol: str, bar: Candle) -> payloads.Payload:
        return window_ticker(self._board, self._numbers[symbol], stream.spec.interval, bar)

    def _book_ticker(self, symbol: str) -> payloads.Payload:
        depth = self._board.depth
        return payloads.book_ticker(
            self._numbers[symbol], depth.bbo(symbol), depth.last_id(symbol), self._board.time_ms
        )

    def _levels(self, stream: Stream, before_id: int) -> payloads.Payload:
        symbol = stream.spec.symbols[0]
        book = self._board.depth.snapshot(symbol, stream.spec.levels)
        return payloads.levels(self._numbers[symbol], book, before_id, self._board.time_ms)

    # -- handing over --------------------------------------------------------------------------

    def _each(self, stream: Stream, frame: Frame, waiting_max: int) -> None:
        for outbox in stream.readers:
            outbox.tell_each(frame, waiting_max)

    def _latest(self, stream: Stream, key: str, payload: Any) -> None:
        frame = Frame(stream.name, payload)
        for outbox in stream.readers:
            outbox.tell_latest(key, frame)


def _same_taker(one: Traded, other: Traded) -> bool:
    return (one.symbol, one.taker_order_id, one.price_ticks, one.time_ms) == (
        other.symbol,
        other.taker_order_id,
        other.price_ticks,
        other.time_ms,
    )


_PACED: dict[str, Callable[[Hub, Stream], None]] = {
    "depth": Hub._tell_changes,
    "levels": Hub._tell_levels,
    "kline": Hub._tell_candles,
    "continuousKline": Hub._tell_candles,
    "ticker": Hub._tell_tickers,
    "miniTicker": Hub._tell_tickers,
    "window": Hub._tell_windows,
    "avgPrice": Hub._tell_average,
}
