"""Tests of ratios: compared crosswise, as exact as the fractions they stand for."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from risk.ratio import Ratio

PARTS = st.tuples(st.integers(-(10**40), 10**40), st.integers(1, 10**40))


@given(one=PARTS, two=PARTS)
def test_ratios_compare_as_fractions_do(one: tuple[int, int], two: tuple[int, int]) -> None:
    mine, its = Ratio(*one), Ratio(*two)
    assert (mine < its) is (Fraction(*one) < Fraction(*two))
    assert (mine == its) is (Fraction(*one) == Fraction(*two))
    assert (mine >= its) is (Fraction(*one) >= Fraction(*two))
    assert (-mine < -its) is (Fraction(*one) > Fraction(*two))


def test_equal_ratios_of_other_parts_are_equal() -> None:
    assert Ratio(2, 4) == Ratio(1, 2)
    assert Ratio(1, 2) != Ratio(1, 3)
    assert Ratio(1, 2) != 1


def test_what_is_shown_is_rounded_down() -> None:
    assert Ratio(2, 3).floor_e12 == 666_666_666_666
    assert Ratio(-2, 3).floor_e12 == -666_666_666_667


def test_it_goes_through_a_snapshot_as_text() -> None:
    assert Ratio(-(10**30), 7).state() == ("-1" + "0" * 30, "7")
