"""The market that is already there: the whole venue, minutes of it in stepped time, looked at.

One exchange is run for the module, with its time stepped by the administrator: five minutes as
they come, with funding every minute; then the price is moved against a gambler; then another
minute. What the tests look at is what its listeners and its doors told meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

import pytest

from clients.api import Papertape
from exchange.config import Config, Limits, Market, Server, Storage
from exchange.events import (
    AnyEvent,
    Event,
    FundingCharged,
    FundingFixed,
    LedgerPosted,
    Liquidated,
    LiquidationEnded,
    LiquidationStarted,
    Marked,
    Traded,
)
from exchange.gateway.native.auditing import audit_say
from exchange.server import Running, start
from exchange.wire import AuditSay, BookSay, CandleSay, FundingSay, InstrumentsSay
from matching.types import Side
from risk.account import Account

Kind = TypeVar("Kind", bound=Event)

MINUTE_MS = 60_000
START_MS = 1_699_999_200_000  # A full minute, and no full hour.
MINUTES = 5
ADMIN = "the-admin-key"
COMMANDS_PER_S_MAX = 300  # DESIGN section 5: what the house's agents may send at speed 1.
GAMBLERS = "gambler:"

CONFIG = Config(
    seed=1,
    speed=0.0,
    server=Server(port=0, fast_port=0, admin_key=ADMIN),
    market=Market(start_ms=START_MS, funding_interval_ms=MINUTE_MS),
    storage=Storage(ephemeral=True),
    limits=Limits(weight_per_minute=0),
)


@dataclass
class Lived:
    """What happened, and what the doors said of it."""

    events: list[AnyEvent] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    instruments: InstrumentsSay | None = None
    candles: dict[str, list[CandleSay]] = field(default_factory=dict)
    books: dict[str, BookSay] = field(default_factory=dict)
    funding: dict[str, list[FundingSay]] = field(default_factory=dict)
    audits: list[AuditSay] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)  # At the start, and at the end of each minute.
    moved_ms: int = 0  # When the price began to be moved.
    victim_id: int = 0
    victim_symbol: str = ""
    victim_side: int = 0  # 1 long, -1 short
    failed: bool = False

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]


class Listening(logging.Handler):
    """Keeps what is logged at WARNING and above, by whomever."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


async def live(lived: Lived) -> None:
    running = await start(CONFIG)
    try:
        running.doors.sequencer.listeners.append(
            lambda groups: lived.events.extend(event for group in groups for event in group)
        )
        async with Papertape(running.url, admin_key=ADMIN) as admin:
            await look_on(lived, running, admin)
            await move_against_a_gambler(lived, running, admin)
            await step(lived, running, admin)
    finally:
        await running.stop()
    lived.failed = running.failed


async def step(lived: Lived, running: Running, admin: Papertape) -> None:
    """A minute, and what is to be seen at its end."""
    await admin.set_clock(step_ms=MINUTE_MS)
    lived.seqs.append(running.doors.engine.seq)
    lived.audits.append(audit_say(running.doors.auditor.look()))


async def look_on(lived: Lived, running: Running, admin: Papertape) -> None:
    lived.instruments = await admin.instruments()
    lived.seqs.append(running.doors.engine.seq)
    for minute in range(MINUTES):
        await step(lived, running, admin)
        if minute == 0:
            for each in lived.instruments.instruments:
                lived.books[each.symbol] = await admin.book(each.symbol, limit=100)
    for each in lived.instruments.instruments:
        lived.candles[each.symbol] = await admin.candles(each.symbol, "1m", limit=MINUTES + 2)
        if each.funding_interval_ms is not None:
            lived.funding[each.symbol] = await admin.funding(each.symbol, limit=MINUTES + 2)


def gamblers_in(running: Running) -> list[Account]:
    """Those who hold a position now."""
    accounts = running.doors.engine.risk.accounts.values()
    return [each for each in accounts if each.label.startswith(GAMBLERS) and each.positions]


async def move_against_a_gambler(lived: Lived, running: Running, admin: Papertape) -> None:
    """One per cent a step, six times: three times what a position at 50x can bear."""
    held = gamblers_in(running)
    assert held, "by now some gambler has always entered; this seed's have not"
    victim = held[0]
    ((symbol, position),) = victim.positions.items()
    lived.victim_id, lived.victim_symbol = victim.id, symbol
    lived.victim_side = 1 if position.lots > 0 else -1
    lived.moved_ms = running.doors.engine.time_ms
    pair = symbol.removesuffix("-PERP")
    for _ in range(6):
        index = (await admin.mark(symbol)).index
        assert index is not None
        price = Decimal(index) * (100 - lived.victim_side) / 100
        await admin.set_index(pair, price.quantize(Decimal("0.01")))
        await admin.set_clock(step_ms=2_000)


@pytest.fixture(scope="module")
def lived() -> Lived:
    lived = Lived()
    listening = Listening(lived.warnings)
    logging.getLogger().addHandler(listening)
    try:
        asyncio.run(live(lived))
    finally:
        logging.getLogger().removeHandler(listening)
    return lived


def symbols(lived: Lived, kind: str | None = None) -> list[str]:
    assert lived.instruments is not None
    return [i.symbol for i in lived.instruments.instruments if kind in (None, i.kind)]


def test_the_whole_venue_is_there(lived: Lived) -> None:
    # Fifteen coins and ETH-BTC on spot, three perpetuals.
    assert len(symbols(lived, "spot")) == 16
    assert symbols(lived, "linear") == ["BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP"]


def test_every_book_is_deep_and_open(lived: Lived) -> None:
    for symbol, book in lived.books.items():
        assert len(book.bids) == len(book.asks) == 100, symbol
        assert Decimal(book.bids[0][0]) < Decimal(book.asks[0][0]), symbol


def test_every_market_trades_spot_and_perpetual_alike(lived: Lived) -> None:
    trades = Counter(event.symbol for event in lived.of(Traded))
    assert set(trades) == set(symbols(lived))
    # Somebody trades the majors every few seconds.
    for symbol in ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "ETH-USDT-PERP"):
        assert trades[symbol] > MINUTES * 20, symbol


def test_candles_tick_minute_by_minute_and_follow_the_trades(lived: Lived) -> None:
    for symbol in symbols(lived):
        closed = [each for each in lived.candles[symbol] if each.closed and not each.synthetic]
        opens = [START_MS + minute * MINUTE_MS for minute in range(MINUTES)]
        assert [each.open_time for each in closed] == opens, symbol
        for candle in closed:
            prices = (candle.open, candle.close)
            assert Decimal(candle.low) <= min(map(Decimal, prices)), candle
            assert max(map(Decimal, prices)) <= Decimal(candle.high), candle
            traded = [
                event
                for event in lived.of(Traded)
                if event.symbol == symbol and 0 <= event.time_ms - candle.open_time < MINUTE_MS
            ]
            assert candle.trades == len(traded), candle


def test_marks_move_with_the_seconds(lived: Lived) -> None:
    for symbol in symbols(lived, "linear"):
        marks = [e for e in lived.of(Marked) if e.symbol == symbol]
        before = [mark for mark in marks if mark.time_ms <= lived.moved_ms]
        assert all(mark.time_ms % 1_000 == 0 for mark in before), symbol
        # Of the three hundred seconds, a third at least bring another mark.
        assert len({mark.mark_e8 for mark in before}) > MINUTES * 60 / 3, symbol
        for mark in before:
            # A perpetual lies where its index lies.
            assert abs(mark.mark_e8 - mark.index_e8) * 100 < mark.index_e8, mark


def test_funding_falls_due_every_minute_and_nets_to_the_rounding(lived: Lived) -> None:
    boundaries = [START_MS + minute * MINUTE_MS for minute in range(1, MINUTES + 1)]
    for symbol in symbols(lived, "linear"):
        told = [each.time for each in lived.funding[symbol] if not each.synthetic]
        assert told[::-1] == boundaries, symbol
        fixed = [e.due_ms for e in lived.of(FundingFixed) if e.symbol == symbol]
        assert fixed[: len(boundaries)] == boundaries, symbol
        for due_ms in boundaries:
            flows = [e.flow_minor for e in _charged(lived, symbol) if e.due_ms == due_ms]
            assert len(flows) >= 2, (symbol, due_ms)
            # A4: each flow is rounded down, so less than one unit an account stays with the house.
            assert -len(flows) < sum(flows) <= 0, (symbol, due_ms)


def _charged(lived: Lived, symbol: str) -> Sequence[FundingCharged]:
    return [event for event in lived.of(FundingCharged) if event.symbol == symbol]


def test_a_gambler_is_liquidated_when_the_price_goes_against_it(lived: Lived) -> None:
    begun = [event for event in lived.of(LiquidationStarted) if event.account_id == lived.victim_id]
    assert begun
    assert begun[0].scope == "perp"
    assert begun[0].time_ms >= lived.moved_ms
    # Margin balance at or below maintenance margin: that is what liquidates.
    assert begun[0].assets_e16 <= begun[0].debt_e16
    ended = [
        event.result for event in lived.of(LiquidationEnded) if event.account_id == lived.victim_id
    ]
    assert ended
    assert set(ended) <= {"closed", "bankrupt", "restored"}
    # Everybody hears of the forced trade: a long is sold, a short is bought back.
    heard = [event for event in lived.of(Liquidated) if event.symbol == lived.victim_symbol]
    assert heard
    assert heard[0].side is (Side.SELL if lived.victim_side == 1 else Side.BUY)


def test_a_gambler_that_lost_its_stake_is_given_another_by_an_explicit_deposit(
    lived: Lived,
) -> None:
    deposits = [
        event
        for event in lived.of(LedgerPosted)
        if event.account_id == lived.victim_id
        and event.reason == "deposit"
        and event.time_ms > lived.moved_ms
    ]
    assert deposits
    assert all(event.change_minor > 0 for event in deposits)


def test_the_auditor_is_content_at_every_look(lived: Lived) -> None:
    assert len(lived.audits) == MINUTES + 1
    for audit in lived.audits:
        assert audit.ok, audit.violations
        assert audit.deficits == {}
        assert {totals["sum"] for totals in audit.assets.values()} == {"0"}


def test_the_agents_keep_to_their_measure(lived: Lived) -> None:
    # The first minute sets everything up; the others are as they always are.
    for before, after in zip(lived.seqs[1:MINUTES], lived.seqs[2 : MINUTES + 1], strict=True):
        assert 60 < after - before <= COMMANDS_PER_S_MAX * 60


def test_nothing_is_logged_that_somebody_should_look_at(lived: Lived) -> None:
    assert lived.warnings == []
    assert not lived.failed
