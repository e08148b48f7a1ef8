"""Tests of the mark price, its basis samples, and the order price band."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.mark import (
    BasisWindow,
    contract_price_e8,
    funding_price_e8,
    mark_price_e8,
    order_bounds_e8,
)
from risk.money import E12
from tests.vectors import exact, vectors

HOUR_MS = 3_600_000
FIVE_PERCENT = E12 // 20


@pytest.mark.parametrize("vector", vectors(["mark_price"], on="function"))
def test_the_mark_is_the_median_of_three(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    index = exact(told["index_price"])
    first = funding_price_e8(
        index,
        exact(told["last_funding_rate"], 12),
        int(told["hours_to_funding"]) * HOUR_MS,
        int(told["interval_hours"]) * HOUR_MS,
    )
    window = BasisWindow(told["basis_samples"])
    away = exact(told["basis_average"])
    for sample in range(told["basis_samples"]):  # Samples of 11.5 and 13.5 average 12.5.
        shift = exact("1") * (-1) ** sample
        window.add(index + away + shift - 5, index + away + shift + 5, index)
    second = window.price_e8(index)
    assert first == exact(expected["price_1"])
    assert second == exact(expected["price_2"])
    mark = mark_price_e8(index, first, second, exact(told["contract_price"]), FIVE_PERCENT)
    assert mark == exact(expected["mark_price"])


def test_the_mark_stays_within_its_band_of_the_index() -> None:
    # 5 % of 1000 is 50.
    assert mark_price_e8(1_000, 1_200, 1_300, 1_400, FIVE_PERCENT) == 1_050
    assert mark_price_e8(1_000, 700, 800, 2_000, FIVE_PERCENT) == 950


def test_the_band_is_rounded_toward_the_index() -> None:
    # 5 % of 999 is 49.95: from 949.05 to 1048.95.
    assert mark_price_e8(999, 1, 1, 1, FIVE_PERCENT) == 950
    assert mark_price_e8(999, 9_999, 9_999, 9_999, FIVE_PERCENT) == 1_048
    # 2 % of 999 is 19.98: 979.02 and 1018.98; then 5 % once the premium is 100 either way.
    assert order_bounds_e8(999, 0, E12 // 50, FIVE_PERCENT) == (1_018, 980)
    assert order_bounds_e8(999, 100, E12 // 50, FIVE_PERCENT) == (1_048, 999)
    assert order_bounds_e8(999, -100, E12 // 50, FIVE_PERCENT) == (999, 950)


def test_parts_of_the_mark_go_to_the_nearest() -> None:
    # 10 x (1 + 1 % x 4 / 8) = 10.05 and 190 x the same = 190.95.
    assert funding_price_e8(10, E12 // 100, 4, 8) == 10
    assert funding_price_e8(190, E12 // 100, 4, 8) == 191
    # A half goes to the even one: (10 + 11) / 2 and (11 + 12) / 2.
    assert contract_price_e8(10, 11, None) == 10
    assert contract_price_e8(11, 12, None) == 12


def test_a_contract_without_a_price_counts_as_the_index() -> None:
    assert mark_price_e8(1_000, 1_010, 1_020, None, FIVE_PERCENT) == 1_010
    assert mark_price_e8(1_000, 990, 1_020, None, FIVE_PERCENT) == 1_000


def test_the_funding_price_comes_home_at_the_boundary() -> None:
    assert funding_price_e8(1_000_000, E12 // 100, 0, 8) == 1_000_000
    assert funding_price_e8(1_000_000, E12 // 100, 8, 8) == 1_010_000


def test_the_contracts_price_is_the_last_trade_held_between_bid_and_ask() -> None:
    assert contract_price_e8(100, 102, 101) == 101
    assert contract_price_e8(100, 102, 90) == 100
    assert contract_price_e8(100, 102, 110) == 102


def test_a_missing_side_or_trade_leaves_what_the_others_allow() -> None:
    assert contract_price_e8(100, None, 90) == 100
    assert contract_price_e8(None, 102, 90) == 90
    assert contract_price_e8(None, None, 90) == 90
    assert contract_price_e8(100, 102, None) == 101
    assert contract_price_e8(100, None, None) is None


def test_without_samples_the_basis_price_is_the_index() -> None:
    window = BasisWindow(3)
    assert window.price_e8(1_000) == 1_000
    window.add(1_010, 1_020, 1_000)
    assert window.price_e8(1_000) == 1_015
    window.clear()
    assert window.price_e8(1_000) == 1_000
    assert window.count == 0


@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(1, 9)), max_size=20))
def test_the_window_averages_its_last_samples(told: list[tuple[int, int]]) -> None:
    window, plain = BasisWindow(5), []
    for basis, times in told:
        window.add(1_000 + basis, 1_000 + basis, 1_000, times)
        plain += [basis] * times
        window.check()
    last = plain[-5:]
    assert window.count == len(last)
    assert abs(window.mean_e8() * len(last) - sum(last)) * 2 <= len(last)
    again = BasisWindow(5)
    again.restore(window.state())
    assert again.mean_e8() == window.mean_e8()
    assert again.state() == window.state()


def test_a_long_quiet_stretch_costs_no_more_than_the_window() -> None:
    window = BasisWindow(4)
    window.add(1_002, 1_004, 1_000, times=10**15)
    assert window.state() == [6, 6, 6, 6]


@pytest.mark.parametrize("vector", vectors(["price_band"], on="function"))
def test_only_the_aggressive_direction_is_bounded(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    bounds = order_bounds_e8(
        exact(told["index_price"]),
        exact(told["average_premium"]),
        exact(told["y"], 12),
        exact(told["z"], 12),
    )
    assert bounds == (exact(expected["max_buy"]), exact(expected["min_sell"]))
