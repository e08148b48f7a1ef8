"""Tests of the tables of lists: what befalls one leg, and what that does to the others (S5)."""

from __future__ import annotations

from itertools import product

import pytest

from matching.lists import LEGS, LegStatus, ListKind, ListStatus, Step, list_status, next_step

PENDING, OPEN, MOVED, FILLED, ENDED, REJECTED, PART_FILLED = LegStatus


@pytest.mark.parametrize("fate", [MOVED, FILLED, ENDED, REJECTED, PART_FILLED])
def test_s5_whatever_befalls_one_leg_of_an_oco_ends_the_other(fate: LegStatus) -> None:
    assert next_step(ListKind.OCO, [fate, OPEN]) == (Step.EXPIRE, [1])
    assert next_step(ListKind.OCO, [OPEN, fate]) == (Step.EXPIRE, [0])
    assert next_step(ListKind.OTOCO, [FILLED, OPEN, fate]) == (Step.EXPIRE, [1])


def test_s5_what_waits_is_placed_only_when_the_working_order_is_filled_whole() -> None:
    for working in (OPEN, MOVED):
        assert next_step(ListKind.OTO, [working, PENDING]) is None
    assert next_step(ListKind.OTO, [FILLED, PENDING]) == (Step.PLACE, [1])
    assert next_step(ListKind.OTOCO, [FILLED, PENDING, PENDING]) == (Step.PLACE, [1, 2])
    assert next_step(ListKind.OTOCO, [ENDED, PENDING, PENDING]) == (Step.EXPIRE, [1, 2])


def test_t21_the_exits_of_a_bracket_guard_a_part_too() -> None:
    parted = [PART_FILLED, PENDING, PENDING]
    assert next_step(ListKind.OTOCO, parted) == (Step.EXPIRE, [1, 2])
    assert next_step(ListKind.OTOCO, parted, bracket=True) == (Step.PLACE, [1, 2])
    unfilled = [ENDED, PENDING, PENDING]
    assert next_step(ListKind.OTOCO, unfilled, bracket=True) == (Step.EXPIRE, [1, 2])


@pytest.mark.parametrize("bracket", [False, True])
@pytest.mark.parametrize("kind", ListKind)
def test_whatever_the_legs_do_the_steps_of_a_list_end(kind: ListKind, bracket: bool) -> None:
    """A step leads to a status; two steps at most, and none is left for a list that is over."""
    for legs in product(LegStatus, repeat=LEGS[kind]):
        now, count = list(legs), 0
        while (found := next_step(kind, now, bracket)) is not None:
            step, places = found
            for place in places:
                now[place] = OPEN if step is Step.PLACE else ENDED
            count += 1
            assert count <= 2
        if list_status(now) is not ListStatus.EXECUTING:
            assert next_step(kind, now, bracket) is None


def test_a_list_is_rejected_where_a_leg_was() -> None:
    assert list_status([FILLED, REJECTED, REJECTED]) is ListStatus.REJECTED
    assert list_status([FILLED, ENDED]) is ListStatus.DONE
    assert list_status([ENDED, MOVED]) is ListStatus.EXECUTING
