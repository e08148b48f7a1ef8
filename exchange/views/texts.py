"""Rates, interest and values as decimal text: the units of the risk engine, written out."""

from __future__ import annotations

from typing import Final

from matching.instrument import amount_text
from risk.money import minor_half_even

RATE_PLACES: Final = 12
INTEREST_PLACES: Final = 18


def rate_text(rate_e12: int) -> str:
    """A rate or ratio of 10^-12 as decimal text."""
    return amount_text(rate_e12, RATE_PLACES)


def interest_text(interest_e18: int) -> str:
    """Interest of 10^-18 as decimal text, to its last place."""
    return amount_text(interest_e18, INTEREST_PLACES)


def value_text(value_e16: int) -> str:
    """A value of 10^-16 quote as decimal text, rounded half-even to 8 places for display."""
    return amount_text(minor_half_even(value_e16))
