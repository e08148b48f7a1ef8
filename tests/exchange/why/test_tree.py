"""Tests of building trees: names are kept once, and what was told stands as it was told."""

from __future__ import annotations

import pytest

from exchange.why.tree import Tree
from tests.exchange.why.retracing import retrace


def tree() -> Tree:
    made = Tree("fill", "BTC-USDT:1", seq=7, time_ms=9, rule="S1")
    made.number("price", 5_000_000, 2, "USDT", "the book")
    made.number("qty", 5, 1, "BTC", "the order")
    return made


def test_steps_are_reckoned_from_inputs_and_from_each_other() -> None:
    made = tree()
    made.step("notional", "Price times quantity", "price * qty", "USDT")
    made.step("half", "The half of it", "notional / 2", "USDT")
    assert made.threshold("enough", "More than a thousand", "half > 1000")
    said = made.say("It is half.")
    assert [step.value for step in said.steps] == ["25000", "12500"]
    assert said.steps[0].filled == "50000 * 0.5"
    assert (said.kind, said.id, said.seq, said.ts, said.rule) == ("fill", "BTC-USDT:1", 7, 9, "S1")
    assert retrace(said) == 3


def test_a_told_number_stands_as_the_core_recorded_it() -> None:
    made = tree()
    made.step("notional", "Price times quantity", "price * qty", "USDT", (26_000, 0))
    assert made["notional"] == "26000"
    with pytest.raises(AssertionError):
        retrace(made.say("A lie."))


def test_a_name_stands_for_one_number() -> None:
    made = tree()
    with pytest.raises(AssertionError, match="qty"):
        made.number("qty", 1, 0, "BTC", "again")


def test_reckoning_aside_leaves_no_trace() -> None:
    made = tree()
    assert made.reckon("price * 2") == 100_000
    assert made.say("Nothing.").steps == []
