"""A stage for the living market: a real engine, sources, and a log of all that they sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from exchange.commands import AnyCommand, Continue, Tick
from exchange.engine import Engine
from exchange.events import Answered, AnyEvent
from exchange.market.market import market
from exchange.sequencer import Source
from exchange.venue import default_venue
from matching.reasons import Reason
from matching.types import Side
from risk.parameters import Prices, Venue

START_MS = 1_700_000_000_000
PAIR, CONTRACT = "BTC-USDT", "BTC-USDT-PERP"


def small_venue(prices: Prices = "walk", seed: int = 1) -> Venue:
    """One coin and its perpetual."""
    return default_venue(seed, START_MS, symbols=[PAIR, CONTRACT], prices=prices)


class Stage:
    """Runs sources against an engine, as the sequencer does, without a clock."""

    def __init__(self, venue: Venue, sources: Sequence[Source] | None = None) -> None:
        self.engine = Engine(venue)
        self.log: list[AnyCommand] = []
        self.journal: list[AnyCommand] = []  # The log, and the slices of work between.
        self.events: list[AnyEvent] = []
        self.refused: list[tuple[AnyCommand, Reason]] = []
        self.sources = market(venue, self.engine.time_ms) if sources is None else list(sources)

    def send(self, command: AnyCommand, time_ms: int | None = None) -> Answered:
        """Stamp and apply one command, and the work it leaves."""
        engine = self.engine
        stamped = msgspec.structs.replace(
            command, seq=engine.seq + 1, time_ms=time_ms or engine.time_ms
        )
        events = engine.apply(stamped)
        self.log.append(stamped)
        self.journal.append(stamped)
        self.events += events
        answer = events[-1]
        assert isinstance(answer, Answered)
        if answer.reason is not None:
            self.refused.append((stamped, answer.reason))
        while engine.pending_work:
            self.journal.append(Continue(seq=engine.seq + 1, time_ms=engine.time_ms))
            engine.apply(self.journal[-1])
        return answer

    def moment(self) -> list[AnyCommand]:
        """Everything that is due next; each source decides on the state before it."""
        due_ms = min(due for s in self.sources if (due := s.next_due_ms()) is not None)
        commands: list[AnyCommand] = []
        for source in self.sources:
            if source.next_due_ms() == due_ms:
                commands += source.commands(due_ms, self.engine)
                after_ms = source.next_due_ms()
                assert after_ms is None or after_ms > due_ms
        for command in commands:
            self.send(command, due_ms)
        if not commands:
            self.send(Tick(), due_ms)
        return commands

    def run(self, seconds: float, each: Callable[[], None] | None = None) -> list[AnyCommand]:
        """Run so long; `each` looks at every moment's end. Answers what was sent."""
        until_ms = self.engine.time_ms + round(seconds * 1_000)
        first = len(self.log)
        while min(due for s in self.sources if (due := s.next_due_ms()) is not None) <= until_ms:
            self.moment()
            if each is not None:
                each()
        return self.log[first:]

    def levels(self, symbol: str) -> tuple[int, int]:
        """How many price levels bid and ask have."""
        book = self.engine.books[symbol]
        return len(book.levels(Side.BUY, 999)), len(book.levels(Side.SELL, 999))

    def mid_e8(self, symbol: str) -> int:
        """The middle of a book."""
        book = self.engine.books[symbol]
        assert book.best_bid_ticks
        assert book.best_ask_ticks
        tick_e8 = self.engine.instruments[symbol].tick_e8
        return (book.best_bid_ticks + book.best_ask_ticks) * tick_e8 // 2
