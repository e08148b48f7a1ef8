"""Tests of the whole-number sums."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.money import (
    E12,
    at_least,
    at_most,
    ceil_div,
    charged,
    half_even_div,
    interest_minor_ceil,
    kept,
    minor_half_even,
)

integers = st.integers(-(10**40), 10**40)
divisors = st.integers(1, 10**20)


@given(integers | st.integers(2**63 - 2, 2**63 + 2) | st.integers(-(2**63) - 2, 2 - 2**63))
def test_a_kept_amount_comes_back_whatever_its_size(amount: int) -> None:
    back = msgspec.msgpack.decode(msgspec.msgpack.encode(kept(amount)))
    assert int(back) == amount
    assert isinstance(back, int) is (-(2**63) <= amount < 2**63)


@given(integers, divisors)
def test_half_even_is_what_exact_fractions_round_to(amount: int, divisor: int) -> None:
    assert half_even_div(amount, divisor) == round(Fraction(amount, divisor))


@pytest.mark.parametrize(
    ("amount", "divisor", "quotient"), [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (6, 4, 2)]
)
def test_a_half_goes_to_the_even_neighbour(amount: int, divisor: int, quotient: int) -> None:
    assert half_even_div(amount, divisor) == quotient


@given(integers, divisors)
def test_a_ceiling_is_the_least_integer_not_below_the_quotient(amount: int, divisor: int) -> None:
    high = ceil_div(amount, divisor)
    assert (high - 1) * divisor < amount <= high * divisor


def test_a_charge_rounds_up() -> None:
    # 101 x 0.1 % = 0.101 minor units.
    assert charged(101, E12 // 1_000) == 1
    assert charged(1_000, E12 // 1_000) == 1


@given(st.integers(0, 10**30), st.integers(0, E12))
def test_a_charge_is_less_than_a_unit_too_much(amount: int, rate_e12: int) -> None:
    exact = Fraction(amount * rate_e12, E12)
    assert exact <= charged(amount, rate_e12) < exact + 1


def test_a_value_becomes_money_by_a_named_rounding() -> None:
    # 3 x 10^-8 at a price of 0.50000000 is 1.5 x 10^-8.
    value = 3 * 50_000_000
    assert minor_half_even(value) == 2
    assert minor_half_even(-value) == -2


def test_interest_is_paid_to_the_next_unit() -> None:
    assert interest_minor_ceil(0) == 0
    assert interest_minor_ceil(1) == 1
    assert interest_minor_ceil(10**10) == 1


def test_levels_are_compared_crosswise() -> None:
    # 10^30 + 1 over 10^30 is above 1 by less than any quotient of 12 places can tell.
    barely = 10**30 + 1
    assert not at_most(barely, 10**30, E12)
    assert at_most(10**30, 10**30, E12)
    assert at_least(10**30, 10**30, E12)
    assert not at_least(10**30 - 1, 10**30, E12)


def test_without_a_debt_every_level_is_passed() -> None:
    assert at_least(0, 0, 5 * E12)
    assert not at_most(0, 0, 5 * E12)
