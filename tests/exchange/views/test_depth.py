"""Books folded from their changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.events import DepthChanged
from exchange.views.depth import Bbo, Depth
from tests.exchange.events_by_hand import event

SYMBOL = "BTC-USDT"
Changes = list[tuple[list[tuple[int, int]], list[tuple[int, int]]]]


def changed(number: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> DepthChanged:
    change = event(DepthChanged, first_id=number, last_id=number, bids=bids, asks=asks)
    assert isinstance(change, DepthChanged)
    return change


def test_the_best_prices_come_first_on_both_sides() -> None:
    depth = Depth([SYMBOL])
    depth.fold(changed(1, [(99, 1), (100, 2), (98, 3)], [(103, 1), (101, 4)]))
    assert depth.snapshot(SYMBOL, 2) == (1, [(100, 2), (99, 1)], [(101, 4), (103, 1)])
    assert depth.bbo(SYMBOL) == Bbo(100, 2, 101, 4)


def test_a_level_without_lots_is_gone() -> None:
    depth = Depth([SYMBOL])
    depth.fold(changed(1, [(99, 1), (100, 2)], []))
    depth.fold(changed(2, [(100, 0), (97, 0)], []))  # Nobody ever saw 97.
    assert depth.snapshot(SYMBOL, 9) == (2, [(99, 1)], [])
    assert depth.bbo(SYMBOL) == Bbo(99, 1, 0, 0)


def test_a_change_that_does_not_follow_the_last_one_is_a_bug() -> None:
    depth = Depth([SYMBOL])
    with pytest.raises(AssertionError):
        depth.fold(changed(2, [], []))


def test_a_restored_book_goes_on_from_its_number() -> None:
    depth = Depth([SYMBOL])
    depth.restore(SYMBOL, 41, [(99, 1)], [(101, 1)])
    depth.fold(changed(42, [], [(101, 0)]))
    assert depth.snapshot(SYMBOL, 5) == (42, [(99, 1)], [])
    assert depth.last_id(SYMBOL) == 42


levels = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 4)), max_size=4)


@given(st.lists(st.tuples(levels, levels), max_size=30))
def test_the_book_is_what_its_changes_say(changes: Changes) -> None:
    depth = Depth([SYMBOL])
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for number, (changed_bids, changed_asks) in enumerate(changes, 1):
        depth.fold(changed(number, changed_bids, changed_asks))
        bids.update(changed_bids)
        asks.update(changed_asks)
    _, got_bids, got_asks = depth.snapshot(SYMBOL, 100)
    assert got_bids == sorted(((t, n) for t, n in bids.items() if n), reverse=True)
    assert got_asks == sorted((t, n) for t, n in asks.items() if n)
