"""Tests of double entry: nothing is made or lost, whatever is posted."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.invariants import InvariantBroken
from risk.ledger import FEES, FIRST_ACCOUNT, WORLD, Ledger, PostingReason

ALICE, BOB = FIRST_ACCOUNT, FIRST_ACCOUNT + 1


def test_i1_every_posting_leaves_the_sum_of_an_asset_at_zero() -> None:
    ledger = Ledger()
    alice = ledger.pocket(ALICE, "spot", "USDT")
    ledger.post(ledger.house(WORLD, "USDT"), alice, 500, PostingReason.DEPOSIT)
    ledger.post(alice, ledger.pocket(BOB, "spot", "USDT"), 200, PostingReason.TRADE, 7)
    ledger.check()
    assert alice.minor == 300
    assert ledger.house_totals()["USDT"] == {"world": -500}
    assert ledger.house_minor(WORLD, "USDT") == -500
    assert ledger.house_minor(WORLD, "BTC") == 0


def test_both_owners_are_told_their_side_and_the_house_is_not() -> None:
    ledger = Ledger()
    alice = ledger.pocket(ALICE, "spot", "USDT")
    ledger.post(ledger.house(WORLD, "USDT"), alice, 500, PostingReason.DEPOSIT)
    ledger.post(alice, ledger.pocket(BOB, "spot", "USDT"), 200, PostingReason.TRADE, 7)
    told = [(owner, change, balance) for owner, _, _, change, balance, _, _ in ledger.postings]
    assert told == [(ALICE, 500, 500), (ALICE, -200, 300), (BOB, 200, 200)]


def test_money_made_from_nothing_is_found() -> None:
    ledger = Ledger()
    ledger.pocket(ALICE, "spot", "USDT").minor = 1
    with pytest.raises(InvariantBroken, match=r"I1 .* USDT: the pockets add up to 1 units"):
        ledger.check()


def test_i5_more_than_there_is_cannot_be_locked() -> None:
    ledger = Ledger()
    alice = ledger.pocket(ALICE, "spot", "USDT")
    ledger.post(ledger.house(WORLD, "USDT"), alice, 10, PostingReason.DEPOSIT)
    ledger.lock(alice, 10)
    assert alice.free == 0
    with pytest.raises(AssertionError):
        ledger.lock(alice, 1)


@pytest.mark.parametrize("locked", [-1, 11])
def test_i5_a_hold_beyond_its_balance_is_found(locked: int) -> None:
    ledger = Ledger()
    alice = ledger.pocket(ALICE, "spot", "USDT")
    ledger.post(ledger.house(WORLD, "USDT"), alice, 10, PostingReason.DEPOSIT)
    alice.locked = locked
    with pytest.raises(InvariantBroken, match="I5"):
        ledger.check()


def test_the_pockets_of_the_house_are_known_apart() -> None:
    ledger = Ledger()
    ledger.post(
        ledger.house(WORLD, "USDT"), ledger.pocket(ALICE, "spot", "USDT"), 5, PostingReason.DEPOSIT
    )
    world = ledger.house(WORLD, "USDT")
    assert ledger.house_pockets(WORLD) == [world]
    ledger.drop_empty(world)  # It holds something: it stays.
    assert ledger.house_pockets(WORLD) == [world]
    empty = ledger.house(FEES, "USDT")
    ledger.drop_empty(empty)
    assert ledger.house_pockets(FEES) == []
    ledger.pocket(ALICE, "spot", "USDT").owner = WORLD
    with pytest.raises(InvariantBroken, match="I1"):
        ledger.check()


def test_assets_do_not_turn_into_each_other() -> None:
    ledger = Ledger()
    with pytest.raises(AssertionError):
        ledger.post(
            ledger.pocket(ALICE, "spot", "BTC"),
            ledger.pocket(ALICE, "spot", "USDT"),
            1,
            PostingReason.TRADE,
        )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-50, 50)), max_size=40))
def test_a_restored_ledger_is_the_ledger(moves: list[tuple[int, int, int]]) -> None:
    ledger = Ledger()
    pockets = [ledger.pocket(ALICE + n, "perp", "USDT") for n in range(4)]
    for source, target, minor in moves:
        ledger.post(pockets[source], pockets[target], minor, PostingReason.TRANSFER)
        ledger.check()
    copy = Ledger()
    copy.restore(ledger.state())
    copy.check()
    assert copy.state() == ledger.state()


def test_a_world_that_gave_more_than_64_bits_hold_is_restored() -> None:
    """460,000 accounts of 200,000 each: 9.2 x 10^18 units, and a few more."""
    ledger = Ledger()
    given = 2**63 // 3
    for number in range(4):
        pocket = ledger.pocket(FIRST_ACCOUNT + number, "spot", "USDT")
        ledger.post(ledger.house(WORLD, "USDT"), pocket, given, PostingReason.DEPOSIT)
    assert ledger.house_minor(WORLD, "USDT") < -(2**63)
    copy = Ledger()
    copy.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(ledger.state())))
    copy.check()
    assert copy.house_minor(WORLD, "USDT") == -4 * given
    assert copy.state() == ledger.state()
