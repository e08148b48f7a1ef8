"""Tests of who holds what: both sides of every perpetual, kept as positions come and go."""

from __future__ import annotations

import pytest

from matching.types import Side
from risk.account import Account
from risk.holders import FIRST, Holders
from risk.ledger import INSURANCE
from risk.position import Position
from tests.risk.stories import BTC_PERP, position, rich
from tests.story import Story, again


def _holder(number: int, lots: int, leg: str = BTC_PERP) -> Account:
    account = Account(number, "user", "")
    account.positions[leg] = Position(leg, lots, lots)
    return account


def test_holders_of_a_side_come_in_order_of_account_and_leg() -> None:
    holders = Holders()
    for number, lots in ((103, 5), (101, 2), (102, -7)):
        holders.note(_holder(number, lots), BTC_PERP)
    holders.note(_holder(102, 3, f"{BTC_PERP}/LONG"), f"{BTC_PERP}/LONG")
    longs = [(101, BTC_PERP), (102, f"{BTC_PERP}/LONG"), (103, BTC_PERP)]
    assert holders.of(BTC_PERP, is_long=True) == longs
    assert holders.of(BTC_PERP, is_long=False) == [(102, BTC_PERP)]
    place, walked = holders.after(BTC_PERP, True, FIRST), []
    while place is not None:
        walked.append(place)
        place = holders.after(BTC_PERP, True, place)
    assert walked == longs
    assert holders.after("ETH-USDT-PERP", True, FIRST) is None


def test_who_flips_changes_sides_and_who_closes_leaves() -> None:
    holders = Holders()
    account = _holder(101, 5)
    holders.note(account, BTC_PERP)
    account.positions[BTC_PERP].lots = -1
    holders.note(account, BTC_PERP)
    assert holders.of(BTC_PERP, True) == []
    assert holders.of(BTC_PERP, False) == [(101, BTC_PERP)]
    del account.positions[BTC_PERP]
    holders.note(account, BTC_PERP)
    holders.check({101: account})
    assert holders.of(BTC_PERP, False) == []


def test_the_house_has_no_place() -> None:
    holders = Holders()
    holders.note(_holder(INSURANCE, 5), BTC_PERP)
    assert holders.of(BTC_PERP, True) == []


def test_check_finds_who_was_not_noted() -> None:
    holders = Holders()
    with pytest.raises(AssertionError):
        holders.check({101: _holder(101, 1)})


def test_they_are_known_again_after_a_restart() -> None:
    story = Story()
    account = position(story, Side.BUY, "0.1", "50000", money="1000")
    other = rich(story)
    story.sell(other, BTC_PERP, "0.1", "50000")
    story.buy(account, BTC_PERP, "0.1", "50000")
    engine = again(story.engine)
    engine.check()
    for is_long in (True, False):
        known = story.engine.risk.holders.of(BTC_PERP, is_long)
        assert engine.risk.holders.of(BTC_PERP, is_long) == known != []


def test_a_sample_is_spread_evenly_over_a_side() -> None:
    holders = Holders()
    for number in range(101, 111):
        holders.note(_holder(number, 1), BTC_PERP)
    assert holders.count(BTC_PERP, is_long=True) == 10
    assert holders.sample(BTC_PERP, is_long=True, most=10) == holders.of(BTC_PERP, is_long=True)
    few = holders.sample(BTC_PERP, is_long=True, most=4)  # Of ten every third.
    assert [number for number, _ in few] == [101, 104, 107, 110]
    assert holders.sample(BTC_PERP, is_long=False, most=4) == []
    assert holders.count(BTC_PERP, is_long=False) == 0
