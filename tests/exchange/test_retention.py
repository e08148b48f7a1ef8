"""Private events kept for those who come back."""

from __future__ import annotations

from exchange.events import BalanceChanged, OrderChanged
from exchange.retention import Retention
from tests.exchange.events_by_hand import event


def kept(retention: Retention, account_id: int, numbers: range) -> None:
    for number in numbers:
        retention.keep(event(OrderChanged, account_id=account_id, n=number))


def after(retention: Retention, account_id: int, last: int, now: int) -> list[int] | None:
    found = retention.after(account_id, last, now)
    return None if found is None else [each.n for each in found]


def test_what_was_missed_is_all_that_follows() -> None:
    retention = Retention(10, 100)
    kept(retention, 100, range(1, 6))
    assert after(retention, 100, 2, 5) == [3, 4, 5]
    assert after(retention, 100, 0, 5) == [1, 2, 3, 4, 5]
    assert after(retention, 100, 5, 5) == []


def test_what_is_no_longer_kept_is_not_half_told() -> None:
    retention = Retention(3, 100)
    kept(retention, 100, range(1, 6))  # 3, 4 and 5 are kept.
    assert after(retention, 100, 2, 5) == [3, 4, 5]
    assert after(retention, 100, 1, 5) is None
    assert len(retention) == 3


def test_a_number_from_the_future_is_unknown() -> None:
    retention = Retention(3, 100)
    kept(retention, 100, range(1, 3))
    assert after(retention, 100, 7, 2) is None


def test_an_account_nothing_is_kept_of_has_missed_nothing_or_too_much() -> None:
    retention = Retention(3, 100)
    assert after(retention, 100, 4, 4) == []
    assert after(retention, 100, 3, 4) is None


def test_a_ring_that_ends_too_early_is_of_no_use() -> None:
    # Events were numbered that never came by here, as after a restart.
    retention = Retention(9, 100)
    kept(retention, 100, range(1, 4))
    assert after(retention, 100, 2, 6) is None


def test_a_hole_in_the_numbers_starts_the_ring_anew() -> None:
    retention = Retention(9, 100)
    kept(retention, 100, range(1, 4))
    kept(retention, 100, range(6, 8))
    assert len(retention) == 2
    assert after(retention, 100, 5, 7) == [6, 7]
    assert after(retention, 100, 3, 7) is None


def test_the_account_longest_idle_makes_room() -> None:
    retention = Retention(4, 10)
    kept(retention, 100, range(1, 5))
    kept(retention, 101, range(1, 5))
    kept(retention, 100, range(5, 6))  # Account 101 is now the idle one.
    kept(retention, 102, range(1, 4))  # 4 + 4 + 3 are more than 10.
    assert after(retention, 101, 3, 4) is None
    assert after(retention, 100, 1, 5) == [2, 3, 4, 5]
    assert after(retention, 102, 0, 3) == [1, 2, 3]
    assert len(retention) == 7


def test_the_last_event_held_is_of_the_channels_asked_for() -> None:
    retention = Retention(9, 100)
    kept(retention, 100, range(1, 3))
    retention.keep(event(BalanceChanged, n=3))
    assert retention.last_held(100, {"orders"}, 3) == 2
    assert retention.last_held(100, {"orders", "balances"}, 3) == 3
    assert retention.last_held(100, {"fills"}, 3) == 3  # None is known: all is as of now.
    assert retention.last_held(101, {"fills"}, 8) == 8
