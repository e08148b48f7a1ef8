"""Tests of the crowd: its copies stand as if they had traded, and every invariant holds."""

from __future__ import annotations

from collections import Counter

import pytest

from exchange.bench.crowd import CROSS, ISOLATED, PAIRS, PRICES_E8, Crowd
from exchange.commands import Tick
from risk.ledger import FIRST_ACCOUNT


@pytest.mark.parametrize("loans", [False, True])
def test_a_crowd_keeps_every_invariant_before_and_after_its_hour(loans: bool) -> None:
    crowd = Crowd(300, near=4, loans=loans)
    crowd.engine.check()
    crowd.second(PRICES_E8)
    crowd.time_ms += 120_000
    crowd.do(Tick)
    crowd.finish()
    crowd.engine.check()
    people = [each for each in crowd.engine.risk.accounts.values() if each.id >= FIRST_ACCOUNT]
    if loans:
        owed = {loan.interest_e18 > 0 for each in people for loan in each.loans.values()}
        assert owed == {True}
    assert all(bool(each.loans) is loans for each in people)


def test_half_of_the_positions_are_cross_and_half_isolated() -> None:
    crowd = Crowd(400)
    people = [each for each in crowd.engine.risk.accounts.values() if each.id >= FIRST_ACCOUNT]
    assert len(people) == crowd.accounts == 200
    held = Counter(
        (symbol, each.is_isolated(symbol)) for each in people for symbol in each.positions
    )
    assert held == {(CROSS, False): 200, (ISOLATED, True): 200}
    assert crowd.positions == 400


def test_every_copy_left_its_bands_so_a_scan_has_nothing_to_do() -> None:
    crowd = Crowd(400)
    bands, due, touched = crowd.engine.risk.watch.state()[:3]
    assert not due
    assert not touched
    scopes = Counter(scope for _, scope, *_ in bands)
    assert scopes == {"perp": 200, f"perp/{ISOLATED}": 200}
    bounds = {tuple(map(tuple, each)) for _, _, each, *_ in bands}
    assert len(bounds) >= 10  # Five sizes, with a leverage each, on two sides.


def test_a_crowd_cannot_be_smaller_than_those_who_traded() -> None:
    assert Crowd(1).accounts == 2 * PAIRS
