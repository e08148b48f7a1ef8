"""Tests of the names of the invariants and of what is raised where one is broken."""

from __future__ import annotations

import pytest

from matching.invariants import INVARIANTS, InvariantBroken, hold, naming


def test_there_are_fourteen() -> None:
    assert list(INVARIANTS) == [f"I{number}" for number in range(1, 15)]


def test_a_broken_invariant_names_itself_whom_it_befell_and_the_numbers() -> None:
    with pytest.raises(
        InvariantBroken, match=r"I3 \(of every contract .*\): BTC: \(1, 2\)"
    ) as said:
        hold("I3", False, "BTC", (1, 2))
    assert (said.value.invariant, said.value.subject) == ("I3", "BTC")
    assert said.value.says == "BTC: (1, 2)"
    hold("I3", True, "BTC", (2, 2))


def test_an_assertion_gets_the_name_of_the_invariant_it_is_part_of() -> None:
    with pytest.raises(InvariantBroken, match="I6") as said, naming("I6", "BTC-USDT"):
        raise AssertionError("crossed")
    assert said.value.says == "BTC-USDT: crossed"


def test_a_name_that_was_given_further_in_is_kept() -> None:
    with pytest.raises(InvariantBroken, match="I7"), naming("I6", "BTC-USDT"):
        hold("I7", False, 12)


def test_only_what_is_an_invariant_can_be_broken() -> None:
    with pytest.raises(AssertionError, match="I15"):
        hold("I15", False, "nothing")
