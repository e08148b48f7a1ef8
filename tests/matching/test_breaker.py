"""Tests of the circuit breaker: what it measures from, and when it trips."""

import pytest

from matching.breaker import SLOT_MS, WINDOW_SLOTS, Breaker

MINUTE = 60_000


def test_s13_a_move_of_its_size_within_five_minutes_trips_either_way() -> None:
    for price, trips in ((1_099, False), (1_100, True), (901, False), (900, True)):
        breaker = Breaker(move_bps=1_000)
        assert not breaker.trips(0, 1_000)
        assert breaker.trips(MINUTE, price) is trips


def test_s13_a_new_book_measures_from_its_first_price() -> None:
    breaker = Breaker(move_bps=1_000)
    assert [breaker.trips(0, price) for price in (1_000, 1_050, 1_090, 1_100)] == [
        False,
        False,
        False,
        True,
    ]


def test_s13_a_slow_move_does_not_trip() -> None:
    breaker = Breaker(move_bps=1_000)
    # 1 % a minute is 5 % in five minutes.
    assert not any(breaker.trips(n * MINUTE, 1_000 + 10 * n) for n in range(60))


def test_s13_the_reference_is_the_last_price_five_minutes_ago() -> None:
    breaker = Breaker(move_bps=1_000)
    breaker.trips(0, 2_000)
    breaker.trips(5_000, 1_000)  # The last of its ten seconds.
    assert not breaker.trips(5 * MINUTE, 1_050)
    assert breaker.trips(5 * MINUTE + 1, 1_100)  # Against 1,000.


def test_of_a_silent_book_the_last_price_stays_the_reference() -> None:
    breaker = Breaker(move_bps=1_000)
    breaker.trips(0, 1_000)
    assert breaker.trips(24 * 60 * MINUTE, 1_100)


def test_behind_an_auction_its_price_is_the_reference() -> None:
    breaker = Breaker(move_bps=1_000)
    breaker.trips(0, 1_000)
    assert breaker.trips(1, 1_200)
    breaker.begin(MINUTE, 1_200)
    assert not breaker.trips(MINUTE + 1, 1_210)


@pytest.mark.parametrize("trades", [10, 1_000, 10_000])
def test_what_it_keeps_is_bounded(trades: int) -> None:
    breaker = Breaker(move_bps=9_999)
    for number in range(trades):
        breaker.trips(number * SLOT_MS // 2, 1_000)
    assert len(breaker.state()) <= WINDOW_SLOTS + 2


def test_it_is_the_same_after_it_was_kept() -> None:
    breaker = Breaker(move_bps=1_000)
    for minute, price in ((0, 1_000), (2, 1_050), (4, 1_020)):
        breaker.trips(minute * MINUTE, price)
    again = Breaker(1_000, breaker.state())
    assert again.state() == breaker.state()
    assert again.trips(4 * MINUTE, 1_100)
