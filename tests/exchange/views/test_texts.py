"""Rates, interest and values written out."""

from __future__ import annotations

from exchange.views.texts import interest_text, rate_text, value_text


def test_rates_and_interest_keep_every_place() -> None:
    assert rate_text(100_000_000) == "0.0001"
    assert rate_text(-1) == "-0.000000000001"
    assert interest_text(1) == "0.000000000000000001"


def test_a_value_is_shown_to_eight_places_half_even() -> None:
    assert value_text(10**16) == "1"
    assert value_text(5 * 10**7) == "0"  # Half a unit of 10^-8, and 0 is even.
    assert value_text(15 * 10**7) == "0.00000002"
    assert value_text(-(10**16) - 10**8) == "-1.00000001"
