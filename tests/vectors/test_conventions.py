"""Tests of other venues' conventions: the design's figures of what this venue does otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.vectors import agrees, vectors
from tests.vectors.conventions import (
    damped_funding_rate,
    entry_value_inverse_liquidation_price,
    entry_value_liquidation_price,
    fee_counting_liquidation_price,
    margin_multiple_funding_cap,
)

SIDES = {"LONG": 1, "SHORT": -1}
LINEAR = ["linear_isolated_liquidation_price"]
INVERSE = ["inverse_isolated_liquidation_price"]


def told(vector: dict[str, Any], *names: str) -> list[Decimal]:
    """Inputs by name; those of the bracket too."""
    inputs = vector["inputs"] | vector["inputs"].get("bracket", {})
    return [Decimal(inputs[name]) for name in names]


@pytest.mark.parametrize("vector", vectors(LINEAR, on="convention", default=False, ids=["V45a"]))
def test_v45_maintenance_fixed_at_the_entry(vector: dict[str, Any]) -> None:
    numbers = told(vector, "quantity", "entry_price", "margin", "mmr")
    price = entry_value_liquidation_price(SIDES[vector["inputs"]["side"]], *numbers)
    assert agrees(price, vector["expected"]["liquidation_price"])


@pytest.mark.parametrize("vector", vectors(LINEAR, on="convention", default=False, ids=["V49"]))
def test_v49_the_fee_to_close_within_the_maintenance(vector: dict[str, Any]) -> None:
    assert vector["inputs"]["quantity"] == "1"
    numbers = told(vector, "entry_price", "margin", "mmr", "close_fee_rate")
    price = fee_counting_liquidation_price(SIDES[vector["inputs"]["side"]], *numbers)
    assert agrees(price, vector["expected"]["liquidation_price"])


@pytest.mark.parametrize("vector", vectors(INVERSE, on="convention", default=False))
def test_v57_inverse_maintenance_fixed_at_the_entry(vector: dict[str, Any]) -> None:
    numbers = told(vector, "quantity", "entry_price", "margin", "mmr")
    price = entry_value_inverse_liquidation_price(SIDES[vector["inputs"]["side"]], *numbers)
    assert agrees(price, vector["expected"]["liquidation_price"])


@pytest.mark.parametrize("vector", vectors(["funding_cap"], on="convention", default=False))
def test_v67_a_cap_by_margins(vector: dict[str, Any]) -> None:
    cap = margin_multiple_funding_cap(*told(vector, "multiplier", "imf", "mmf"))
    assert agrees(cap, vector["expected"]["cap"])


@pytest.mark.parametrize("vector", vectors(["funding_damper"], on="convention", default=False))
def test_v68_a_damper(vector: dict[str, Any]) -> None:
    rate = damped_funding_rate(*told(vector, "premium", "damper"))
    assert agrees(rate, vector["expected"]["rate"])
