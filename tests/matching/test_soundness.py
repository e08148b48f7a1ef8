"""Tests of a book's soundness: whatever is out of order is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from matching.book import Book
from matching.types import Order
from tests.matching.stories import BUY, GTD, SELL, book_of, limit


def a_book() -> Book:
    return book_of(
        limit(1, BUY, 99, 6, iceberg_lots=2),
        limit(2, BUY, 99, 3),
        limit(3, SELL, 101, 4, tif=GTD, expire_ms=50),
    )


def test_a_book_in_order_is_sound() -> None:
    a_book().check()


def less_open(book: Book, order: Order) -> None:
    order.open_lots -= 1


def more_hidden(book: Book, order: Order) -> None:
    order.hidden_lots += 1


def all_hidden(book: Book, order: Order) -> None:
    assert order.level is not None
    order.level.hidden_lots += order.open_lots - order.hidden_lots
    order.hidden_lots = order.open_lots


def shows_too_much(book: Book, order: Order) -> None:
    order.iceberg_lots = 1


def no_iceberg(book: Book, order: Order) -> None:
    order.iceberg_lots = 0


def out_of_turn(book: Book, order: Order) -> None:
    order.rank = 9


def a_wrong_date(book: Book, order: Order) -> None:
    book.next_expiry_ms = 49


def forgotten(book: Book, order: Order) -> None:
    del book.orders[order.order_id]


@pytest.mark.parametrize(
    "spoil",
    [
        *(less_open, more_hidden, all_hidden, shows_too_much),
        *(no_iceberg, out_of_turn, a_wrong_date, forgotten),
    ],
)
def test_i6_what_is_out_of_order_is_found(spoil: Callable[[Book, Order], None]) -> None:
    book = a_book()
    spoil(book, book.orders[1])
    with pytest.raises(AssertionError):
        book.check()
