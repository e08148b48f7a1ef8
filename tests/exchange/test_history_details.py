"""Fields of events as JSON: they come back as they were, however large."""

from __future__ import annotations

import pytest

from exchange.events import AnyEvent, FundingFixed
from exchange.history_details import FUNDING_DETAIL, detail_of, detailed


def funding(average_e12: int) -> AnyEvent:
    return FundingFixed(1, 2, "BTC-USDT-PERP", 3, 4, 5, average_e12, 6, 7, 8, 9, 10)


@pytest.mark.parametrize("average_e12", [0, -(2**63), 2**63 - 1, 10**30, -(10**30)])
def test_numbers_of_any_size_come_back(average_e12: int) -> None:
    text = detail_of(funding(average_e12), FUNDING_DETAIL)
    assert " " not in text
    assert detailed(text, FUNDING_DETAIL) == {
        "average_e12": average_e12,
        "samples": 6,
        "interest_e12": 7,
        "clamp_e12": 8,
        "cap_e12": 9,
        "interval_ms": 10,
    }


def test_a_row_of_an_older_version_has_fewer_fields_or_none() -> None:
    assert detailed("", FUNDING_DETAIL) == {}
    assert detailed("[1,2]", FUNDING_DETAIL) == {"average_e12": 1, "samples": 2}
