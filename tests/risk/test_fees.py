"""Tests of fees: taken from what is received, rounded up."""

from typing import Any

import pytest

from risk.fees import fee_minor
from risk.parameters import FeeSchedule
from tests.vectors import exact, vectors


@pytest.mark.parametrize("vector", vectors("risk_sums", ["order_execution"]))
def test_a_buyer_pays_the_fee_in_base_fill_by_fill(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"]["instrument"], vector["expected"]
    rate = exact(told["taker_fee_rate"], 12)
    bought = [exact(quantity) for _, quantity in expected["trades"]]
    fee = sum(fee_minor(quantity, rate) for quantity in bought)
    order = expected["orders"]["t"]
    assert fee == exact(order["fee"])
    assert sum(bought) - fee == exact(order["net_received"])


@pytest.mark.parametrize("vector", vectors("risk_sums", ["sellable_after_fee"]))
def test_a_fee_in_base_leaves_dust_below_a_lot(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    bought, lot = exact(told["quantity"]), exact(told["lot_size"])
    held = bought - fee_minor(bought, exact(told["fee_rate"], 12))
    assert held == exact(expected["held"])
    assert held // lot * lot == exact(expected["max_sellable"])
    assert held % lot == exact(expected["dust"])


def test_the_smallest_fill_still_pays_a_unit() -> None:
    assert fee_minor(1, exact("0.001", 12)) == 1
    assert fee_minor(0, exact("0.001", 12)) == 0


def test_the_default_fees_are_a_tenth_of_a_percent_on_spot() -> None:
    schedule = FeeSchedule()
    assert schedule.spot_maker_e12 == schedule.spot_taker_e12 == exact("0.001", 12)
    assert schedule.perp_maker_e12 == exact("0.0002", 12)
    assert schedule.perp_taker_e12 == exact("0.0005", 12)
