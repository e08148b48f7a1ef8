"""Tests of restored boards: they show what a board shows that was there all the time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exchange import recovery
from exchange.bounds import CANDLES_KEPT, FUNDINGS_KEPT, TRADES_KEPT
from exchange.engine import Engine
from exchange.history_rows import HistoryRows
from exchange.market.bars import Bar
from exchange.market.market import prehistory
from exchange.recovery import begin
from exchange.restoring import joined, restore_board
from exchange.storage.history import History
from exchange.views.board import Board
from exchange.views.candles import Candle
from exchange.views.top_traders import Top
from exchange.wire import INTERVALS_MS
from matching.types import Side
from tests.exchange.tapes import START_MS, Tape, an_hour_at_the_market, order, venue

MINUTE_MS = 60_000
LOOKED_AT = 1_000  # Candles of each interval that DESIGN section 5 promises.


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    history = History.open(tmp_path / "history.db")
    yield history
    await asyncio.to_thread(history.close)


@pytest.fixture(autouse=True)
def short_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "TAIL_COMMANDS_MIN", 0)


def shown(board: Board, *, candles: int = LOOKED_AT) -> dict[str, Any]:
    """All that a reader could see of a board."""
    said: dict[str, Any] = {"seq": board.seq, "time": board.time_ms, "states": board.states}
    for symbol in board.instruments:
        said[symbol] = {
            "depth": board.depth.snapshot(symbol, 100),
            "trades": board.trades.recent(symbol, TRADES_KEPT),
            "ticker": board.tickers.get(symbol),
            "fundings": [
                (each.due_ms, each.rate_e12, each.mark_e8)
                for each in board.marks.fundings(symbol, FUNDINGS_KEPT)
            ],
            "open": board.marks.open_lots(symbol),
            "holders": board.marks.holders(symbol),
            "top": board.marks.top_traders(symbol),
            **{
                interval: board.candles.get(symbol, interval, limit=candles)
                for interval in INTERVALS_MS
            },
        }
    return said


class Watched:
    """A tape that a board and the history watch from its first moment."""

    def __init__(self, directory: Path, history: History) -> None:
        self.tape = Tape(directory)
        self.engine = self.tape.engine
        self.board = Board(self.engine.instruments, self.engine.venue.perps)
        self.rows = HistoryRows(history, self.board, lambda number: True, START_MS)
        self._do = self.tape.do
        self.tape.do = self._told  # type: ignore[method-assign]

    def _told(self, *wishes: Any, ms: int = 0) -> Any:
        groups = self._do(*wishes, ms=ms)
        self.board.on_group(groups)
        self.rows.on_group(groups)
        return groups


@pytest.mark.parametrize("made_up", [True, False])
async def test_a_restored_board_shows_what_the_one_before_the_crash_showed(
    tmp_path: Path, history: History, made_up: bool
) -> None:
    watched = Watched(tmp_path / "data", history)
    past = prehistory(venue()) if made_up else None
    await restore_board(watched.board, watched.engine, history, past)
    an_hour_at_the_market(watched.tape)
    # The snapshot falls into the middle of a minute that was traded in before and after it.
    watched.tape.do(order("49001", 70), order("49002", 10), ms=7_000)
    watched.tape.do(order("49002", 60, account_id=101, side=Side.SELL), ms=11_000)
    watched.tape.snapshot()
    base_seq = watched.engine.seq
    watched.tape.do(order("49001", 60, account_id=101, side=Side.SELL), ms=9_000)
    watched.tape.do(order("49000", 5, account_id=101, side=Side.SELL), ms=95_000)
    watched.tape.close()
    await history.caught_up()

    begun = begin(tmp_path / "data", venue)
    assert begun.footing.seq == base_seq
    minute_ms = begun.footing.engine.time_ms // MINUTE_MS * MINUTE_MS
    board = Board(begun.engine.instruments, begun.engine.venue.perps)
    await restore_board(board, begun.engine, history, past)
    begun.replay([board.on_group])
    begun.journal.close()
    assert shown(board) == shown(watched.board)
    for kind, candles in board.price_candles.items():
        was = watched.board.price_candles[kind].get("BTC-USDT-PERP", "1m", limit=LOOKED_AT)
        found = candles.get("BTC-USDT-PERP", "1m", limit=LOOKED_AT)
        assert was or kind in ("premium", "interest")  # Nobody trades the perpetual.
        assert [each.open_ms for each in found] == [each.open_ms for each in was]
        # The minute that the snapshot fell into begins anew.
        assert [each for each in found if each.open_ms != minute_ms] == [
            each for each in was if each.open_ms != minute_ms
        ]
    if made_up:
        depth = {len(board.candles.get("BTC-USDT", name, limit=2_000)) for name in INTERVALS_MS}
        assert min(depth) >= LOOKED_AT


async def test_what_is_held_is_known_though_the_minute_of_the_snapshot_begins_anew(
    tmp_path: Path, history: History
) -> None:
    watched = Watched(tmp_path / "data", history)
    an_hour_at_the_market(watched.tape)
    # 5,000 x 100 ticks of a pair are 50,000 of the perpetual.
    perp: dict[str, Any] = {"symbol": "BTC-USDT-PERP", "wallet": "perp", "leverage": 5}
    watched.tape.do(
        order("5000", **perp), order("5000", account_id=101, side=Side.SELL, **perp), ms=9_000
    )
    watched.tape.snapshot()
    watched.tape.close()
    await history.caught_up()

    begun = begin(tmp_path / "data", venue)
    board = Board(begun.engine.instruments, begun.engine.venue.perps)
    await restore_board(board, begun.engine, history, None)
    begun.journal.close()
    # An account is long 20 lots and 10 more, and another short; the older one ranks first.
    assert {
        kind: board.price_candles[kind].last_ticks("BTC-USDT-PERP")
        for kind in ("interest", "longs", "shorts", *(f"top_{what}" for what in Top._fields))
    } == {
        "interest": 30,
        "longs": 1,
        "shorts": 1,
        "top_longs": 1,
        "top_shorts": 0,
        "top_long_lots": 30,
        "top_short_lots": 0,
    }


async def test_a_new_venue_has_a_past_that_is_marked_as_made_up(
    tmp_path: Path, history: History
) -> None:
    tape = Tape(tmp_path / "data")
    tape.close()
    board = Board(tape.engine.instruments, tape.engine.venue.perps)
    await restore_board(board, tape.engine, history, prehistory(venue()))
    for symbol in board.instruments:
        for interval in INTERVALS_MS:
            *closed, running = board.candles.get(symbol, interval, limit=2_000)
            assert len(closed) >= LOOKED_AT
            assert all(candle.synthetic for candle in closed)
            assert running.open_ms <= tape.engine.time_ms < running.open_ms + INTERVALS_MS[interval]
        assert len(board.trades.recent(symbol, TRADES_KEPT)) >= 1_200
    assert len(board.marks.fundings("BTC-USDT-PERP", FUNDINGS_KEPT)) == 900


async def test_a_venue_without_a_past_shows_none(tmp_path: Path, history: History) -> None:
    tape = Tape(tmp_path / "data")
    tape.close()
    engine: Engine = tape.engine
    board = Board(engine.instruments, engine.venue.perps)
    await restore_board(board, engine, history, None)
    assert board.candles.get("BTC-USDT", "1m") == []
    assert board.price_candles["interest"].get("BTC-USDT-PERP", "1m") == []
    assert board.trades.recent("BTC-USDT", 10) == []


def bar(minute: int, open_: int, close: int, trades: int = 1) -> Bar:
    low, high = sorted((open_, close))
    return Bar(minute * MINUTE_MS, open_, high, low, close, 10 * trades, 100 * trades, trades)


def test_shorter_bars_are_joined_into_longer_ones() -> None:
    bars = [bar(3, 7, 9), bar(4, 9, 5), bar(5, 5, 6)]
    # Of five minutes each: minutes 0 to 4, and 5 to 9.
    assert joined(bars, 5 * MINUTE_MS, 5 * MINUTE_MS) == [
        # Half of what was made up counts as bought by takers.
        Candle(0, 7, 9, 5, 5, 20, 200, 2, True, 10, 100),
        Candle(5 * MINUTE_MS, 5, 6, 5, 6, 10, 100, 1, True, 5, 50),
    ]


def test_holes_are_flat_at_the_last_close() -> None:
    assert joined([bar(1, 7, 9), bar(4, 8, 8, trades=0)], MINUTE_MS, 5 * MINUTE_MS) == [
        Candle(1 * MINUTE_MS, 7, 9, 7, 9, 10, 100, 1, True, 5, 50),
        Candle(2 * MINUTE_MS, 9, 9, 9, 9),
        Candle(3 * MINUTE_MS, 9, 9, 9, 9),
        Candle(4 * MINUTE_MS, 8, 8, 8, 8),
        Candle(5 * MINUTE_MS, 8, 8, 8, 8),
    ]


def test_a_hole_longer_than_what_is_kept_hides_what_lies_before_it() -> None:
    until = 10 * CANDLES_KEPT
    made = joined([bar(1, 7, 9)], MINUTE_MS, until * MINUTE_MS)
    assert made[0].open_ms == (until - CANDLES_KEPT) * MINUTE_MS
    assert len(made) == CANDLES_KEPT + 1
    assert {candle.close for candle in made} == {9}


def test_no_bars_no_candles() -> None:
    assert joined([], MINUTE_MS, 5 * MINUTE_MS) == []
