"""Marks, indexes, funding rates and open interest as last told."""

from __future__ import annotations

from exchange.events import FundingFixed, IndexPriced, Marked, PositionChanged
from exchange.views.marks import Marks
from tests.exchange.events_by_hand import PERP, SPOT, event

SYMBOL = PERP.symbol


def test_the_last_word_on_each_symbol_stands() -> None:
    marks = Marks([SYMBOL, SPOT.symbol])
    assert marks.mark(SYMBOL) is None
    assert marks.index(SPOT.symbol) is None
    marks.fold_mark(event(Marked, mark_e8=1))
    marks.fold_mark(event(Marked, mark_e8=2))
    marks.fold_index(event(IndexPriced, index_e8=3))
    mark, index = marks.mark(SYMBOL), marks.index(SPOT.symbol)
    assert mark is not None
    assert index is not None
    assert (mark.mark_e8, index.index_e8) == (2, 3)


def test_open_interest_is_the_sum_of_the_longs() -> None:
    marks = Marks([SYMBOL])

    def holds(account_id: int, lots: int) -> int:
        marks.fold_position(event(PositionChanged, account_id=account_id, lots=lots))
        return marks.open_lots(SYMBOL)

    assert holds(100, 5) == 5
    assert holds(101, -5) == 5
    assert holds(101, 3) == 8  # It turned from 5 short to 3 long: 5 + 3.
    assert holds(100, -3) == 3
    assert holds(101, 0) == 0


def test_fundings_are_found_by_their_time() -> None:
    marks = Marks([SYMBOL])
    for due_ms in (30, 40, 50):
        marks.fold_funding(event(FundingFixed, due_ms=due_ms))
    marks.preload(SYMBOL, [event(FundingFixed, seq=0, due_ms=due_ms) for due_ms in (10, 20)])

    def due(limit: int, start_ms: int | None = None, end_ms: int | None = None) -> list[int]:
        return [found.due_ms for found in marks.fundings(SYMBOL, limit, start_ms, end_ms)]

    assert due(10) == [10, 20, 30, 40, 50]
    assert due(2) == [40, 50]
    assert due(2, start_ms=20) == [20, 30]
    assert due(10, start_ms=20, end_ms=40) == [20, 30, 40]
    assert due(2, end_ms=40) == [30, 40]


def test_the_next_funding_is_known_also_where_the_mark_stands() -> None:
    marks = Marks([SYMBOL])
    marks.fold_mark(event(Marked, next_funding_ms=1_000))
    marks.fold_funding(event(FundingFixed, due_ms=1_000, interval_ms=500))
    marked = marks.mark(SYMBOL)
    assert marked is not None
    assert marked.next_funding_ms == 1_500


def test_accounts_are_counted_by_the_side_they_hold() -> None:
    marks = Marks([SYMBOL])
    for account_id, lots in ((100, 5), (101, -2), (102, 3), (102, 0), (101, 4)):
        marks.restore_position(account_id, SYMBOL, lots)
    assert marks.holders(SYMBOL) == (2, 0)  # 100, and 101 who turned; 102 has left.


def test_the_top_traders_are_the_fifth_that_holds_the_most() -> None:
    marks = Marks([SYMBOL, SPOT.symbol])
    for account_id, lots in ((100, 5), (101, -2), (102, 3), (103, -1), (104, 1), (105, -1)):
        marks.restore_position(account_id, SYMBOL, lots)
    # Two of six.
    assert marks.top_traders(SYMBOL) == (2, 0, 5 + 3, 0)
    marks.fold_position(event(PositionChanged, account_id=101, lots=-4))
    assert marks.top_traders(SYMBOL) == (1, 1, 5, 4)
    assert marks.top_traders(SPOT.symbol) == (0, 0, 0, 0)
