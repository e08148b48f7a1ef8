"""Tests of numbers on their way to the wire."""

from decimal import Decimal

import pytest

from clients.amounts import maybe_text, text_of


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("0.10"), "0.10"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1E+3"), "1000"),
        (12, "12"),
        ("0.5", "0.5"),
        ("nonsense", "nonsense"),  # For the exchange to judge.
    ],
)
def test_a_number_becomes_plain_text(number, text) -> None:
    assert text_of(number) == text


@pytest.mark.parametrize("number", [0.1, True, None])
def test_what_is_no_exact_number_is_a_type_error(number) -> None:
    with pytest.raises(TypeError, match="Decimal, int or str"):
        text_of(number)


def test_a_decimal_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        text_of(Decimal("NaN"))


def test_no_number_stays_none() -> None:
    assert maybe_text(None) is None
    assert maybe_text(3) == "3"
