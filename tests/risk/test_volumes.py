"""Tests of thirty days of volume: which days count, and that few are kept."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.parameters import DAY_MS
from risk.volumes import FeeDay, Volumes, day_of


def test_s10_the_thirty_days_before_count_and_the_day_itself_does_not() -> None:
    volumes = Volumes()
    for day, minor in ((99, 1), (100, 10), (129, 100)):
        volumes.add("spot", day, minor)
    assert volumes.before("spot", 129) == 11  # Days 99 to 128.
    volumes.add("spot", 130, 1000)
    assert volumes.before("spot", 130) == 110  # Days 100 to 129.
    assert volumes.before("spot", 131) == 1100  # Days 101 to 130.
    assert volumes.before("spot", 160) == 1000  # Days 130 to 159.
    assert volumes.before("spot", 161) == 0


def test_s10_spot_and_perpetual_volumes_are_counted_apart() -> None:
    volumes = Volumes()
    volumes.add("perp", 7, 5)
    assert volumes.before("perp", 8) == 5
    assert volumes.before("spot", 8) == 0


def test_a_day_begins_at_midnight_utc() -> None:
    assert day_of(DAY_MS - 1) == 0
    assert day_of(DAY_MS) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 100)), max_size=80))
def test_no_more_than_thirty_one_days_are_kept(steps: list[tuple[int, int]]) -> None:
    volumes, all_days, day = Volumes(), dict[int, int](), 1_000
    for later, minor in steps:
        day += later
        volumes.add("spot", day, minor)
        all_days[day] = all_days.get(day, 0) + minor
        assert volumes.before("spot", day) == sum(
            traded for each, traded in all_days.items() if day - 30 <= each < day
        )
    kept = volumes.state()[0][0]
    assert len(kept) <= 31


def test_what_was_forgotten_does_not_matter_any_more() -> None:
    volumes = Volumes()
    assert not volumes.matter
    volumes.add("spot", 5, 1)
    volumes.forget(35)
    assert volumes.matter
    volumes.forget(36)
    assert not volumes.matter
    volumes.told["spot"] = 1
    assert volumes.matter  # Its owner is still to be told of the fall.


def test_volumes_come_back_from_a_snapshot() -> None:
    volumes, restored = Volumes(), Volumes()
    volumes.add("spot", 5, 10)
    volumes.add("perp", 6, 20)
    volumes.told["perp"] = 2
    restored.restore(volumes.state())
    assert restored.state() == volumes.state()
    assert restored.before("perp", 7) == 20


def test_the_look_at_everybody_goes_on_where_it_stood_after_a_restart() -> None:
    days = FeeDay(5)
    days.traders.update((101, 103))
    days.due = 6
    days.begin(6)
    assert days.next_account() == 101
    restored = FeeDay(0)
    restored.traders.update(days.traders)
    restored.restore(days.state())
    assert (restored.day, restored.due, restored.looking) == (6, 6, True)
    assert [restored.next_account(), restored.next_account()] == [103, None]
    assert not restored.looking


def test_a_day_that_is_over_gets_no_more_volume() -> None:
    volumes = Volumes()
    volumes.add("spot", 5, 1)
    assert volumes.before("spot", 6) == 1
    volumes.add("spot", 6, 1)
    with pytest.raises(AssertionError, match="that day is over"):
        volumes.add("spot", 5, 1)


def test_volumes_beyond_64_bits_are_the_same_after_a_restart() -> None:
    volumes, copy = Volumes(), Volumes()
    for _ in range(3):
        volumes.add("perp", 7, 2**62)
    copy.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(volumes.state())))
    assert copy.before("perp", 8) == volumes.before("perp", 8) == 3 * 2**62
    assert copy.state() == volumes.state()
