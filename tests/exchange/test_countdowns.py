"""Tests of countdowns: one for an account and symbol, and the earliest first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.countdowns import Countdown, Countdowns

ALL = ""


def test_the_earliest_comes_first_and_is_due_at_its_moment() -> None:
    late, soon = Countdown(3_000, 100, ALL), Countdown(2_000, 101, "BTC-USDT")
    countdowns = Countdowns([late, soon])
    assert countdowns.next_ms == 2_000
    assert countdowns.due(1_999, 10) == []
    assert countdowns.due(2_000, 10) == [soon]
    assert countdowns.due(3_000, 10) == [soon, late]
    assert countdowns.due(3_000, 1) == [soon]


def test_one_that_is_set_anew_takes_the_place_of_the_one_before() -> None:
    countdowns = Countdowns([Countdown(2_000, 100, ALL)])
    countdowns.set(Countdown(5_000, 100, ALL))
    assert countdowns.due(4_999, 10) == []
    assert countdowns.of(100) == {ALL: 5_000}


def test_that_of_a_symbol_and_that_of_all_stand_side_by_side() -> None:
    countdowns = Countdowns([Countdown(2_000, 100, ALL), Countdown(2_000, 100, "BTC-USDT")])
    countdowns.set(Countdown(0, 100, ALL))
    assert countdowns.of(100) == {"BTC-USDT": 2_000}
    assert countdowns.of(101) == {}


def test_one_ends_only_at_the_moment_it_was_set_to() -> None:
    first, second = Countdown(2_000, 100, ALL), Countdown(5_000, 100, ALL)
    countdowns = Countdowns([first])
    countdowns.set(second)
    assert not countdowns.end(first)
    assert countdowns.end(second)
    assert not countdowns.end(second)
    assert (countdowns.next_ms, countdowns.state()) == (0, [])


def test_an_account_that_is_disarmed_has_none_and_the_others_keep_theirs() -> None:
    other = Countdown(4_000, 101, ALL)
    countdowns = Countdowns([Countdown(2_000, 100, ALL), Countdown(3_000, 100, "BTC-USDT"), other])
    countdowns.disarm(100)
    countdowns.disarm(102)
    assert (countdowns.of(100), countdowns.state()) == ({}, [tuple(other)])


@given(
    st.lists(
        st.builds(
            Countdown, st.integers(0, 5), st.integers(100, 102), st.sampled_from([ALL, "BTC-USDT"])
        )
    )
)
def test_they_are_what_a_plain_table_says_and_survive_a_restart(each: list[Countdown]) -> None:
    plain: dict[tuple[int, str], int] = {}
    countdowns = Countdowns()
    for one in each:
        countdowns.set(one)
        plain.pop((one.account_id, one.symbol), None)
        if one.at_ms:
            plain[one.account_id, one.symbol] = one.at_ms
    left = sorted(Countdown(at_ms, *whose) for whose, at_ms in plain.items())
    again = Countdowns(Countdown(*state) for state in countdowns.state())
    for found in (countdowns, again):
        assert found.due(5, 100) == left
        assert found.next_ms == min(plain.values(), default=0)
        for account_id in (100, 101, 102):
            of_account = {s: at_ms for (a, s), at_ms in plain.items() if a == account_id}
            assert found.of(account_id) == of_account
