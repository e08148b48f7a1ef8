"""What was made up before the first moment is found behind what is kept, and nowhere twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from exchange.config import default_venue
from exchange.deep_history import DeepHistory, deepened
from exchange.engine import Engine
from exchange.market.market import prehistory
from exchange.storage.history import History
from exchange.storage.queries import Part
from exchange.storage.rows import CandleRow, FundingRow, TradeRow
from risk.parameters import DAY_MS, HOUR_MS

# A quarter past an hour: the first moment cuts the hour's candle.
CUT_MS = 1_700_000_000_000 // HOUR_MS * HOUR_MS
START_MS = CUT_MS + HOUR_MS // 4
PAIR, PERP = "BTC-USDT", "BTC-USDT-PERP"
VENUE = default_venue(1, START_MS, symbols=(PAIR, PERP))
PAST = prehistory(VENUE)


class Kept:
    """A history of its own, and the deep one around it."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.deep = DeepHistory(history, PAST, VENUE)
        self._seq = 0

    async def keep(self, table: str, *rows: CandleRow | TradeRow | FundingRow) -> None:
        self._seq += 1
        self.history.submit(self._seq, [(table, row) for row in rows])
        assert await self.deep.caught_up(60.0)

    async def opens(self, part: Part, interval_ms: int = HOUR_MS) -> list[int]:
        """The hours that candles open at, counted from the one that the first moment cuts."""
        rows = await self.deep.candles(PAIR, interval_ms, part=part)
        return [(row.open_ms - CUT_MS) // interval_ms for row in rows]

    async def ids(self, part: Part) -> list[int]:
        return [row.trade_id for row in await self.deep.trades(PAIR, part=part)]


@pytest_asyncio.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    history = History.open(tmp_path / "history.db")
    yield Kept(history)
    history.close()


def candle(hours: int, symbol: str = PAIR, kind: str = "last") -> CandleRow:
    return CandleRow(symbol, HOUR_MS, CUT_MS + hours * HOUR_MS, 5, 6, 4, 5, 1, 5, 1, kind=kind)


def trade(trade_id: int) -> TradeRow:
    return TradeRow(PAIR, trade_id, 5, 1, 0, 7, 8, START_MS + trade_id)


async def test_hours_go_on_before_those_that_are_kept(kept: Kept) -> None:
    await kept.keep("candles", candle(0), candle(1))
    assert await kept.opens(Part(limit=5)) == [-3, -2, -1, 0, 1]
    assert await kept.opens(Part(to_ms=CUT_MS - 1, limit=2)) == [-2, -1]
    assert await kept.opens(Part(to_ms=CUT_MS - 2 * HOUR_MS, limit=2)) == [-3, -2]
    begin_ms = CUT_MS - 2 * HOUR_MS
    assert await kept.opens(Part(from_ms=begin_ms, limit=3)) == [-2, -1, 0]
    assert await kept.opens(Part(from_ms=begin_ms + 1, to_ms=CUT_MS, limit=9)) == [-1, 0]
    assert await kept.opens(Part(from_ms=CUT_MS, limit=9)) == [0, 1]
    assert await kept.opens(Part(from_ms=CUT_MS - 9, to_ms=CUT_MS - 8)) == []


async def test_the_candle_that_the_first_moment_cuts_is_not_told_twice(kept: Kept) -> None:
    # It is running still: memory has it, with what was made up of it.
    assert await kept.opens(Part(limit=2)) == [-2, -1]


async def test_the_first_candle_is_that_of_the_first_midnight(kept: Kept) -> None:
    day_ms = 24 * HOUR_MS
    (first,) = await kept.deep.candles(PAIR, day_ms, part=Part(from_ms=0, limit=1))
    assert first.open_ms == (CUT_MS // day_ms - 1_010) * day_ms
    assert len(await kept.opens(Part(limit=2_000), day_ms)) == 1_010


async def test_what_is_made_up_is_told_for_as_long_as_what_followed_it(kept: Kept) -> None:
    # Candles stay for 1,500 intervals more than the rest, as those do that are kept.
    last_ms = CUT_MS + 1_500 * HOUR_MS
    for pruned_ms, count in ((last_ms, 5), (last_ms + 1, 0)):
        kept.deep = DeepHistory(kept.history, PAST, VENUE, partial(int, pruned_ms))
        assert len(await kept.opens(Part(limit=5))) == count
        assert len(await kept.opens(Part(from_ms=0, limit=5))) == count
    for pruned_ms, count in ((PAST.end_ms, 5), (PAST.end_ms + 1, 0)):
        kept.deep = DeepHistory(kept.history, PAST, VENUE, partial(int, pruned_ms))
        assert len(await kept.ids(Part(limit=5))) == count
    # Rates of funding are never removed.
    assert len(await kept.deep.funding(PERP, part=Part(limit=5))) == 5


async def test_made_up_candles_say_so_and_hold_what_the_past_has(kept: Kept) -> None:
    (row,) = await kept.deep.candles(PAIR, HOUR_MS, part=Part(limit=1))
    (bar,) = PAST.candles(PAIR, HOUR_MS, CUT_MS - HOUR_MS, CUT_MS)
    assert row == CandleRow(
        PAIR, HOUR_MS, *bar, taker_lots=bar.lots // 2, taker_units=row.taker_units, synthetic=True
    )
    assert 0 < row.taker_units < row.units


@pytest.mark.parametrize("kind", ["mark", "index"])
async def test_marks_and_indexes_stood_where_the_trades_did(kept: Kept, kind: str) -> None:
    await kept.keep("candles", candle(0, PERP, kind))
    made, _ = await kept.deep.candles(PERP, HOUR_MS, kind=kind, part=Part(limit=2))
    (bar,) = PAST.candles(PERP, HOUR_MS, CUT_MS - HOUR_MS, CUT_MS)
    tick_e8 = next(each.tick_e8 for each in VENUE.instruments if each.symbol == PERP)
    assert (made.open, made.close) == (bar.open * tick_e8, bar.close * tick_e8)
    assert (made.lots, made.units, made.trades) == (0, 0, bar.trades)


async def test_trades_count_on_from_the_made_up_ones(kept: Kept) -> None:
    assert await kept.ids(Part(limit=2)) == [1_199, 1_200]
    await kept.keep("trades", trade(1_201), trade(1_202))
    assert await kept.ids(Part(limit=3)) == [1_200, 1_201, 1_202]
    assert await kept.ids(Part(before_id=3, limit=9)) == [1, 2]
    assert await kept.ids(Part(from_id=1_199, limit=3)) == [1_199, 1_200, 1_201]
    assert await kept.ids(Part(from_ms=START_MS, limit=9)) == [1_201, 1_202]
    assert len(await kept.ids(Part(from_ms=START_MS - 4 * HOUR_MS, limit=5_000))) == 1_202
    assert await kept.deep.trades(PAIR, forced=True, part=Part(limit=9)) == []
    (row,) = await kept.deep.trades(PAIR, part=Part(from_id=7, limit=1))
    assert (row.synthetic, row.seq, row.maker_order_id) == (True, 0, 0)


async def test_funding_goes_back_nine_hundred_times(kept: Kept) -> None:
    interval_ms = VENUE.perps[0].interval_ms
    next_ms = -(-START_MS // interval_ms) * interval_ms
    await kept.keep("funding", FundingRow(PERP, next_ms, 7, 8))
    rows = await kept.deep.funding(PERP, part=Part(from_ms=0, limit=1_000))
    assert [row.time_ms for row in rows] == [next_ms - (900 - n) * interval_ms for n in range(901)]
    assert [row.synthetic for row in rows] == [True] * 900 + [False]
    (last,) = await kept.deep.funding(PERP, part=Part(limit=1))
    assert last.time_ms == next_ms
    two = await kept.deep.funding(PERP, part=Part(to_ms=next_ms - 1, limit=2))
    assert [row.time_ms for row in two] == [next_ms - 2 * interval_ms, next_ms - interval_ms]
    assert await kept.deep.funding(PAIR) == []


async def test_a_venue_without_a_past_has_its_history_alone(tmp_path: Path) -> None:
    history = History.open(tmp_path / "history.db")
    engine = Engine(VENUE)
    assert deepened(history, None, engine, 30) is history
    deep = deepened(history, PAST, engine, 30)
    assert len(await deep.trades(PAIR, part=Part(limit=5))) == 5
    # Thirty days on, what followed the past is removed, and so is the past.
    engine.time_ms += 31 * DAY_MS
    assert await deep.trades(PAIR, part=Part(limit=5)) == []
    history.close()
