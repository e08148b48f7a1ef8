"""Tests of the index price: whose prices count, and their weighted median."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.index import (
    Constituent,
    book_price_e8,
    index_price_e8,
    weighted_median_e8,
)
from tests.vectors import exact, vectors


@pytest.mark.parametrize("vector", vectors(["index_price"], on="function"))
def test_the_index_is_the_weighted_median(vector: dict[str, Any]) -> None:
    told = [(exact(price), int(weight)) for price, weight in vector["inputs"]["constituents"]]
    expected = exact(vector["expected"]["index_price"])
    assert weighted_median_e8(told) == expected
    assert weighted_median_e8(told[::-1]) == expected


prices = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 4)), min_size=1, max_size=8)


@given(prices)
def test_a_weighted_median_is_the_median_of_prices_repeated(told: list[tuple[int, int]]) -> None:
    repeated = sorted(2 * price for price, weight in told for _ in range(weight))
    middle = len(repeated) // 2
    if len(repeated) % 2:
        twice = repeated[middle]
    else:
        twice = (repeated[middle - 1] + repeated[middle]) // 2
    assert abs(2 * weighted_median_e8(told) - twice) <= 1  # A half is rounded.


def test_one_wild_source_does_not_move_the_index() -> None:
    steady = [Constituent(100, 1, 0), Constituent(101, 1, 0), Constituent(9_999, 1, 0)]
    assert index_price_e8(steady, now_ms=0, stale_ms=10) == 101


def test_a_source_older_than_the_bound_leaves_the_index() -> None:
    told = [Constituent(100, 3, 0), Constituent(200, 1, 5)]
    assert index_price_e8(told, now_ms=10, stale_ms=10) == 100
    assert index_price_e8(told, now_ms=11, stale_ms=10) == 200
    assert index_price_e8(told, now_ms=16, stale_ms=10) is None


def test_a_source_without_weight_or_price_does_not_count() -> None:
    told = [Constituent(100, 0, 0), Constituent(0, 5, 0), Constituent(70, 1, 0)]
    assert index_price_e8(told, now_ms=0, stale_ms=10) == 70


def test_a_book_gives_its_mid_and_a_one_sided_one_nothing() -> None:
    # (10000 + 10001) x 0.01 / 2 = 100.005.
    assert book_price_e8(10_000, 10_001, exact("0.01")) == exact("100.005")
    assert book_price_e8(None, 10_001, 1) is None
    assert book_price_e8(10_000, None, 1) is None


def test_a_mean_of_two_goes_to_the_nearest_even() -> None:
    # (10 + 11) / 2 = 10.5 and (11 + 12) / 2 = 11.5.
    assert weighted_median_e8([(10, 1), (11, 1)]) == 10
    assert weighted_median_e8([(11, 1), (12, 1)]) == 12
    assert book_price_e8(10, 11, 1) == 10
    assert book_price_e8(11, 12, 1) == 12
