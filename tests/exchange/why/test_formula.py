"""Tests of formulas: exact, rounded where they say so, and written out with the numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest

from exchange.why.formula import decimal_text, filled, reckoned


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("a + b * 2", Fraction(24, 10)),
        ("ceil(b / 3, 2)", Fraction(24, 100)),  # 0.7 / 3 = 0.2333...
        ("floor(b / 3, 2)", Fraction(23, 100)),
        ("floor(-b / 3, 2)", Fraction(-24, 100)),
        ("half_even(b / 2, 1)", Fraction(4, 10)),  # 0.35 is half way: to the even one.
        ("max(-a, min(a, b))", Fraction(7, 10)),
        ("abs(-a)", Fraction(1)),
        ("a < b", False),
        ("b <= a", True),
    ],
)
def test_a_formula_is_reckoned_exactly(formula: str, value: Fraction | bool) -> None:
    assert reckoned(formula, {"a": Fraction(1), "b": Fraction(7, 10)}) == value


def test_numbers_are_put_in_and_negative_ones_stand_in_brackets() -> None:
    texts = {"a": "-1", "a_b": "2.5"}
    assert filled("max(a, a_b - 3) <= a", texts) == "max((-1), 2.5 - 3) <= (-1)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(5, 2), "2.5"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(3), "3"),
        (Fraction(1, 10**28), "0." + "0" * 27 + "1"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_a_number_is_written_to_its_last_place(value: Fraction | bool, text: str) -> None:
    assert decimal_text(value) == text


def test_a_number_without_a_last_place_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="no last place"):
        decimal_text(Fraction(1, 3))


@pytest.mark.parametrize("formula", ["a ** 2", "a.b", "[a]", "'x'", "a < b < c"])
def test_what_is_no_formula_is_a_bug(formula: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        reckoned(formula, dict.fromkeys("abc", Fraction(1)))
