"""Tests that the page of an order's states is drawn from the tables, and that these are sound."""

from __future__ import annotations

from matching.lists import LegStatus
from matching.types import NEXT, OPEN_STATUSES, Happening, Status
from tests.order_states import (
    BEGINNINGS,
    HAPPENINGS,
    LEGS,
    MEANINGS,
    PAGE,
    changes,
    diagram,
    leg_diagram,
    legs_of,
    legs_table,
    page,
    states_table,
)


def test_the_page_is_drawn_from_the_present_tables() -> None:
    text = PAGE.read_text("utf-8")
    assert page(text) == text, "run `python -m tests.order_states`"


def test_every_state_and_every_happening_is_told() -> None:
    assert set(MEANINGS) == set(Status)
    assert set(HAPPENINGS) == set(Happening) == set(NEXT)
    assert set(LEGS) == set(LegStatus)


def test_every_step_of_the_table_is_an_arrow_and_no_other() -> None:
    arrows = [line for line in diagram().splitlines() if "-->" in line]
    ends = [status for status in Status if status not in OPEN_STATUSES]
    assert len(arrows) == sum(len(table) for table in NEXT.values()) + len(BEGINNINGS) + len(ends)
    assert "    pending_trigger --> new: its trigger is reached" in arrows


def test_i7_the_life_of_an_order_goes_one_way() -> None:
    """Nothing leaves a state that is over, every state can be reached, and none comes back."""
    after: dict[Status, set[Status]] = {status: set() for status in Status}
    for before, _, then in changes():
        after[before].add(then)
    assert {status for status in Status if after[status]} == OPEN_STATUSES
    reached: set[Status] = set(BEGINNINGS)
    while more := {then for status in reached for then in after[status]} - reached:
        reached |= more
    assert reached == set(Status)
    order = [Status.PENDING_TRIGGER, Status.NEW, Status.PARTIALLY_FILLED]
    for place, status in enumerate(order):
        assert not after[status] & set(order[:place])


def test_s5_a_leg_stands_where_its_order_does() -> None:
    assert legs_of(Status.PENDING_TRIGGER) == [LegStatus.OPEN]
    assert legs_of(Status.NEW) == [LegStatus.OPEN, LegStatus.MOVED]  # Woken by its trigger.
    assert legs_of(Status.CANCELLED) == [LegStatus.ENDED, LegStatus.PART_FILLED]
    found = {leg for status in Status for leg in legs_of(status)}
    assert found == set(LegStatus) - {LegStatus.PENDING}


def test_a_table_has_a_row_for_each_state() -> None:
    assert len(states_table().splitlines()) == 2 + len(Status)
    assert len(legs_table().splitlines()) == 2 + len(LegStatus)
    assert all(leg.name.lower() in leg_diagram() for leg in LegStatus)
