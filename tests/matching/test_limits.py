"""Tests of the core's bounds: that they keep the promises other code leans on."""

import pytest

from exchange.build import running
from matching import limits
from matching.book import Book
from matching.types import Order, OrderType, Side


def test_the_largest_product_of_price_and_quantity_is_a_c_integer() -> None:
    # 10^9 ticks x 4 * 10^9 lots = 4 * 10^18, and 2^62 = 4.61 * 10^18.
    assert limits.UNITS_MAX == 4 * 10**18
    assert limits.UNITS_MAX < limits.C_INTEGER_BOUND == 2**62


def test_one_order_can_step_past_all_resting_orders_of_its_own_account() -> None:
    assert limits.ORDERS_PER_ACCOUNT_SYMBOL_MAX < limits.FILLS_PER_COMMAND_MAX


def test_ids_survive_a_reader_that_keeps_numbers_as_doubles() -> None:
    assert int(float(limits.ID_MAX)) == limits.ID_MAX
    assert int(float(limits.ID_MAX + 2)) != limits.ID_MAX + 2


def test_every_bound_is_a_positive_integer() -> None:
    bounds = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert len(bounds) > 10
    assert all(isinstance(value, int) and value > 0 for value in bounds.values()), bounds


def resting(order_id: int, lots: int, price_ticks: int = 1) -> Order:
    return Order(order_id, order_id, "X", Side.SELL, OrderType.LIMIT, price_ticks, lots)


def test_the_largest_order_there_can_be_fills_to_the_last_unit() -> None:
    book = Book()
    maker = resting(1, limits.LOTS_MAX, limits.PRICE_TICKS_MAX)
    taker = Order(2, 2, "X", Side.BUY, OrderType.LIMIT, limits.PRICE_TICKS_MAX, limits.LOTS_MAX)
    book.place(maker)
    book.place(taker)
    assert maker.filled_units == taker.filled_units == 4 * 10**18
    assert not book.orders


def test_a_sum_past_the_bound_is_caught_or_right_but_never_wrapped() -> None:
    # No door lets such orders in. Two of them make 2^63 lots, one more than a C integer holds.
    book = Book()
    book.place(resting(1, 2**62))
    if running() == "compiled":
        with pytest.raises(OverflowError):
            book.place(resting(2, 2**62))
    else:
        book.place(resting(2, 2**62))
        assert book.levels(Side.SELL, 1) == [(1, 2**63)]


def test_a_product_past_the_bound_is_caught_or_right_but_never_wrapped() -> None:
    # 4 * 10^9 ticks x 4 * 10^9 lots = 1.6 * 10^19, and 2^63 = 9.2 * 10^18.
    book = Book()
    maker = resting(1, 4 * 10**9, 4 * 10**9)
    book.place(maker)
    taker = Order(2, 2, "X", Side.BUY, OrderType.LIMIT, 4 * 10**9, 4 * 10**9)
    if running() == "compiled":
        with pytest.raises(OverflowError):
            book.place(taker)
    else:
        book.place(taker)
        assert maker.filled_units == 16 * 10**18


def test_a_number_too_long_for_c_is_no_quantity_of_an_order() -> None:
    if running() == "compiled":
        with pytest.raises(OverflowError):
            resting(1, 2**63)
    else:
        assert resting(1, 2**63).lots == 2**63
