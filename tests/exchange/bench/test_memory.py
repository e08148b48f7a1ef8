"""Tests of the weighing: a count of things weighs about as much apiece as another count."""

from __future__ import annotations

from exchange.bench.memory import measured


def test_each_weighs_more_than_its_bare_fields_and_less_than_a_page_of_them() -> None:
    weight = measured(accounts=4_000, orders=4_000)
    assert weight.keys() == {"bytes_per_idle_account", "bytes_per_resting_order"}
    assert 200 < weight["bytes_per_idle_account"] < 50_000
    assert 200 < weight["bytes_per_resting_order"] < 20_000
