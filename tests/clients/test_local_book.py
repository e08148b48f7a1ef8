"""Tests of the book that a client keeps."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.local_book import LocalBook, OutOfStep
from exchange.wire import BookDiffSay, BookSay


def book_of(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> LocalBook:
    book = LocalBook("BTC-USDT")
    book.apply(BookSay("BTC-USDT", 7, bids, asks))
    return book


def test_a_snapshot_is_read_best_first() -> None:
    book = book_of([("99", "2"), ("100", "1")], [("102", "4"), ("101", "3")])
    assert book.bids() == [(Decimal(100), Decimal(1)), (Decimal(99), Decimal(2))]
    assert book.asks(1) == [(Decimal(101), Decimal(3))]
    assert book.best_bid == (Decimal(100), Decimal(1))
    assert book.best_ask == (Decimal(101), Decimal(3))
    assert book.mid == Decimal("100.5")  # (100 + 101) / 2


def test_a_difference_changes_adds_and_removes_levels() -> None:
    book = book_of([("100", "1"), ("99", "2")], [("101", "3")])
    book.apply(BookDiffSay("BTC-USDT", 8, 9, [("100", "0"), ("98.5", "7")], [("101", "1")]))
    assert book.bids() == [(Decimal(99), Decimal(2)), (Decimal("98.5"), Decimal(7))]
    assert book.asks() == [(Decimal(101), Decimal(1))]
    assert book.last_id == 9


@pytest.mark.parametrize("first_id", [7, 9])
def test_a_difference_out_of_step_empties_the_book(first_id: int) -> None:
    book = book_of([("100", "1")], [("101", "3")])
    with pytest.raises(OutOfStep):
        book.apply(BookDiffSay("BTC-USDT", first_id, 10, [("100", "5")], []))
    assert not book.ready
    assert book.best_bid is None


def test_a_difference_before_any_snapshot_is_out_of_step() -> None:
    with pytest.raises(OutOfStep):
        LocalBook("BTC-USDT").apply(BookDiffSay("BTC-USDT", 1, 1, [], []))


def test_a_fresh_snapshot_forgets_the_old_levels() -> None:
    book = book_of([("100", "1")], [("101", "3")])
    book.apply(BookSay("BTC-USDT", 50, [("90", "1")], []))
    assert book.bids() == [(Decimal(90), Decimal(1))]
    assert book.best_ask is None
    assert book.mid is None


def test_its_own_snapshot_makes_the_same_book() -> None:
    book = book_of([("100.5", "1"), ("99", "2")], [("101", "3")])
    twin = LocalBook("BTC-USDT")
    twin.apply(book.snapshot())
    assert (twin.bids(), twin.asks(), twin.last_id) == (book.bids(), book.asks(), book.last_id)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9), st.integers(0, 3))))
def test_differences_fold_as_a_plain_dictionary_does(changes) -> None:
    book = book_of([], [])
    plain: tuple[dict, dict] = ({}, {})
    for number, (is_bid, step, qty) in enumerate(changes, start=8):
        price = 10 - step if is_bid else 10 + step  # Bids below ten, asks above: never crossed.
        plain[not is_bid][price] = qty
        level = [(str(price), str(qty))]
        diff = (level, []) if is_bid else ([], level)
        book.apply(BookDiffSay("BTC-USDT", number, number, *diff))
        book.check()
    bids = sorted(((p, q) for p, q in plain[0].items() if q), reverse=True)
    assert book.bids() == bids
    assert book.asks() == sorted((p, q) for p, q in plain[1].items() if q)
