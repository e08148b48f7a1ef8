"""Tests of depth: a snapshot and the differences after it tell the whole book."""

from matching.depth import Depth, DepthDifference, DepthSnapshot, fold
from tests.matching.stories import BUY, SELL, book_of, limit


def test_a_difference_numbers_each_changed_level_without_a_gap() -> None:
    book = book_of(limit(1, BUY, 99, 5), limit(2, SELL, 101, 2))
    depth = Depth(book)
    assert depth.difference() == DepthDifference(1, 2, [(99, 5)], [(101, 2)])
    book.place(limit(3, BUY, 98, 1))
    assert depth.difference() == DepthDifference(3, 3, [(98, 1)], [])
    book.place(limit(4, SELL, 98, 9))  # Takes both bids, and rests with 9 - 5 - 1 = 3.
    assert depth.difference() == DepthDifference(4, 6, [(99, 0), (98, 0)], [(98, 3)])


def test_where_nothing_changed_there_is_no_difference() -> None:
    depth = Depth(book_of(limit(1, BUY, 99, 5)))
    assert depth.difference() is not None
    assert depth.difference() is None
    assert depth.last_id == 1


def test_numbering_goes_on_where_a_kept_book_left_off() -> None:
    depth = Depth(book_of(limit(1, BUY, 99, 5)), last_id=41)
    difference = depth.difference()
    assert difference is not None
    assert (difference.first_id, difference.last_id) == (42, 42)


def test_a_snapshot_shows_the_best_levels_of_both_sides() -> None:
    book = book_of(limit(1, BUY, 99, 5), limit(2, BUY, 98, 1), limit(3, SELL, 101, 2))
    depth = Depth(book)
    depth.difference()
    assert depth.snapshot(1) == DepthSnapshot(3, [(99, 5)], [(101, 2)])
    assert depth.snapshot(9).bids == [(99, 5), (98, 1)]


def test_a_snapshot_taken_between_differences_folds_to_the_same_depth() -> None:
    book = book_of(limit(1, BUY, 99, 5))
    depth = Depth(book)
    depth.difference()
    book.place(limit(2, BUY, 98, 1))
    snapshot = depth.snapshot(9)
    bids = dict(snapshot.bids)
    difference = depth.difference()
    assert difference is not None
    assert difference.first_id == snapshot.last_id + 1
    fold(bids, difference.bids)
    assert bids == {99: 5, 98: 1}


def test_folding_replaces_totals_and_forgets_levels_that_are_gone() -> None:
    side = {100: 5, 99: 1}
    fold(side, [(100, 2), (99, 0), (98, 7), (97, 0)])
    assert side == {100: 2, 98: 7}
