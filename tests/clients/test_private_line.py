"""Tests of the order of private events."""

from hypothesis import given
from hypothesis import strategies as st

from clients.private_line import PrivateLine


def line_at(seq: int) -> PrivateLine[str]:
    line: PrivateLine[str] = PrivateLine()
    line.last_seq = seq
    return line


def test_an_event_that_follows_is_delivered_at_once() -> None:
    line = line_at(5)
    assert list(line.take(7, 5, "seven")) == ["seven"]  # Six was of a channel not held.
    assert line.last_seq == 7


def test_a_repeated_event_is_delivered_once() -> None:
    line = line_at(5)
    assert list(line.take(6, 5, "six")) == ["six"]
    assert list(line.take(6, 5, "six")) == []


def test_an_event_beyond_a_gap_waits_until_the_gap_is_filled() -> None:
    line = line_at(5)
    assert list(line.take(8, 7, "eight")) == []
    assert line.catching_up
    assert list(line.take(6, 5, "six")) == []
    assert list(line.take(7, 6, "seven")) == []
    assert list(line.caught_up()) == ["six", "seven", "eight"]
    assert not line.catching_up


def test_what_came_before_the_missed_events_is_sorted_behind_them() -> None:
    line = line_at(5)
    line.begin()
    assert list(line.take(9, 0, "live")) == []
    assert list(line.take(6, 5, "missed")) == []
    assert list(line.take(9, 6, "live")) == []  # And again, among the missed.
    assert list(line.caught_up()) == ["missed", "live"]


def test_what_lies_in_a_snapshot_is_not_delivered() -> None:
    line: PrivateLine[str] = PrivateLine()
    line.begin()
    assert list(line.take(3, 2, "old")) == []
    assert list(line.take(5, 3, "new")) == []
    assert list(line.caught_up(4)) == ["new"]
    assert line.last_seq == 5


def test_after_a_break_what_was_kept_is_forgotten() -> None:
    line = line_at(5)
    list(line.take(8, 7, "eight"))
    line.broke()
    assert not line.catching_up
    line.begin()
    assert list(line.caught_up()) == []
    assert line.last_seq == 5


@given(st.lists(st.integers(1, 20)), st.sets(st.integers(1, 20)))
def test_every_event_comes_once_and_in_order_however_they_are_sent(early, missed) -> None:
    # Live events arrive in any order and number; then the missed ones; then it has caught up.
    line = line_at(0)
    line.begin()
    for seq in [*early, *sorted(missed)]:
        assert list(line.take(seq, 0, str(seq))) == []
    everything = sorted({*early, *missed})
    assert list(line.caught_up()) == [str(seq) for seq in everything]
