"""Tests of the invariants of money: each fails on a planted fault, and says which it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from matching.invariants import InvariantBroken
from matching.types import Side
from risk.account import Loan
from risk.grid import fall_due
from risk.invariants import (
    BALANCE,
    COST,
    INTEREST,
    LONG,
    LOTS,
    PRINCIPAL,
    Sums,
    check_in_transit,
    part_of,
    whole_sums,
)
from risk.ledger import FEES, FUNDING, MARGIN_INSURANCE, POOL, PostingReason
from tests.exchange.eventful import eventful
from tests.risk.stories import BTC_PERP, HOUR, position, rich
from tests.story import START_MS, Story, units


@pytest.fixture
def story() -> Story:
    """Orders, loans, positions and interest of three people, well in order."""
    story = Story()
    eventful(story)
    story.engine.risk.check()
    return story


def pair(story: Story) -> tuple[int, int]:
    """A long and a short of 0.1, both with money enough."""
    one = position(story, Side.BUY, "0.1", "50000", money="90000")
    return one, one + 1


def test_a_part_is_what_an_account_adds_to_the_sums() -> None:
    story = Story()
    one, two = pair(story)
    part = part_of(story.person(one))
    assert part[LOTS, BTC_PERP] == part[LONG, BTC_PERP] > 0
    assert part[COST, BTC_PERP] == units("5000")
    assert part_of(story.person(two))[LOTS, BTC_PERP] == -part[LOTS, BTC_PERP]
    assert (LONG, BTC_PERP) not in part_of(story.person(two))
    assert part[BALANCE, "USDT"] == sum(
        pocket.minor for (_, asset), pocket in story.person(one).pockets.items() if asset == "USDT"
    )


def test_sums_take_parts_in_and_out(story: Story) -> None:
    risk = story.engine.risk
    sums = whole_sums(risk)
    assert sums.get(PRINCIPAL, "USDT") > 0
    assert sums.get(INTEREST, "USDT") == risk.interest_due["USDT"]
    assert BTC_PERP in sums.names(LOTS)
    for account in risk.accounts.values():
        sums.add(part_of(account), -1)
    assert not any(sums.get(PRINCIPAL, asset) for asset in sums.names(PRINCIPAL))
    assert Sums().get(LOTS, BTC_PERP) == 0


# -- what is planted ---------------------------------------------------------------------------


def _money_from_nowhere(story: Story) -> None:
    story.engine.risk.ledger.house(FEES, "USDT").minor += 1


def _a_pool_that_lent_what_nobody_owes(story: Story) -> None:
    ledger = story.engine.risk.ledger
    ledger.post(ledger.house(POOL, "USDT"), ledger.house(FEES, "USDT"), 1, PostingReason.FEE)


def _interest_that_is_not_receivable(story: Story) -> None:
    story.engine.risk.interest_due["USDT"] += 1


def _a_debt_below_zero(story: Story) -> None:
    risk = story.engine.risk
    for owner, minor in ((100, -1), (101, 1)):
        loan = risk.accounts[owner].loans["margin", "ETH"] = Loan(99, "margin", "ETH")
        loan.principal_minor = minor
        risk.note_exposure(risk.accounts[owner])


def _a_position_without_its_other_side(story: Story) -> None:
    story.engine.risk.accounts[100].positions[BTC_PERP].lots += 1


def _a_cost_that_nobody_realised(story: Story) -> None:
    story.engine.risk.accounts[100].positions[BTC_PERP].cost_minor += 1


def _funding_that_went_astray(story: Story) -> None:
    ledger = story.engine.risk.ledger
    lost = ledger.house(FUNDING, "USDT", f"{BTC_PERP}@1")
    ledger.post(ledger.house(FEES, "USDT"), lost, 1, PostingReason.FUNDING)


def _a_unit_of_interest_left_over(story: Story) -> None:
    story.engine.risk.rounded_e18["USDT"] = 10**10


def _somebody_whom_no_instant_reaches(story: Story) -> None:
    story.engine.risk.instants.exposed.discard(100)


def _somebody_who_settled_the_future(story: Story) -> None:
    story.person(100).settled += 1


def _a_hold_without_an_order(story: Story) -> None:
    story.engine.risk.accounts[100].pockets["spot", "USDT"].locked += 1


def _an_order_that_holds_too_little(story: Story) -> None:
    account = story.person(100)
    order = next(each for each in account.orders.values() if each.wallet == "spot")
    order.hold_minor -= 1


def _a_sum_of_orders_that_is_off(story: Story) -> None:
    one = rich(story)
    story.buy(one, BTC_PERP, "0.1", "40000")
    story.person(one).open_perp[BTC_PERP].buy_lots += 1


def _a_reducing_order_of_nothing(story: Story) -> None:
    one, _ = pair(story)
    story.place(one, Side.SELL, BTC_PERP, "0.1", "60000", reduce_only=True)
    next(iter(story.person(one).reducing[BTC_PERP].values())).open_lots += 1


def _a_cash_wallet_below_zero(story: Story) -> None:
    ledger, risk = story.engine.risk.ledger, story.engine.risk
    pocket = risk.pocket(risk.accounts[100], "margin", "ETH")
    pocket.minor -= 5
    ledger.house(FEES, "ETH").minor += 5


def _a_fund_that_paid_for_nothing(story: Story) -> None:
    ledger = story.engine.risk.ledger
    fund = ledger.house(MARGIN_INSURANCE, "USDT")
    ledger.post(fund, ledger.house(FEES, "USDT"), 1, PostingReason.FEE)


def _lots_that_nobody_was_to_take(story: Story) -> None:
    story.engine.risk.tallies.take(BTC_PERP, 1)


@pytest.mark.parametrize(
    ("plant", "invariant"),
    [
        (_money_from_nowhere, "I1"),
        (_a_pool_that_lent_what_nobody_owes, "I2"),
        (_interest_that_is_not_receivable, "I2"),
        (_a_debt_below_zero, "I2"),
        (_a_position_without_its_other_side, "I3"),
        (_a_cost_that_nobody_realised, "I3"),
        (_funding_that_went_astray, "I4"),
        (_a_unit_of_interest_left_over, "I4"),
        (_somebody_whom_no_instant_reaches, "I4"),
        (_somebody_who_settled_the_future, "I4"),
        (_a_hold_without_an_order, "I5"),
        (_an_order_that_holds_too_little, "I5"),
        (_a_sum_of_orders_that_is_off, "I5"),
        (_a_reducing_order_of_nothing, "I8"),
        (_a_cash_wallet_below_zero, "I9"),
        (_a_fund_that_paid_for_nothing, "I10"),
        (_lots_that_nobody_was_to_take, "I10"),
    ],
)
def test_what_is_planted_is_found_and_named(
    story: Story, plant: Callable[[Story], None], invariant: str
) -> None:
    plant(story)
    with pytest.raises(InvariantBroken) as found:
        story.engine.risk.check()
    assert found.value.invariant == invariant, found.value


def test_i9_whom_the_scan_overlooked_is_found() -> None:
    """A short of 0.1 on 600 USDT; the mark is moved, and nobody tells the watch."""
    story = Story()
    short = position(story, Side.SELL, "0.1", "50000", money="600")
    story.wait(1_000)  # It was looked at, and is safe.
    risk = story.engine.risk
    risk.marks[BTC_PERP].mark_e8 = units("56000")  # Behind the watch's back.
    with pytest.raises(InvariantBroken, match=rf"I9 .* {short}: perp is in breach"):
        risk.check()
    risk.watch.touch(short, "perp")  # Who is about to be looked at is not overlooked.
    risk.check()


def test_i4_while_some_have_not_settled_what_is_in_transit_is_theirs() -> None:
    story = Story()
    one, two = pair(story)
    risk = story.engine.risk
    risk.marks[BTC_PERP].last_rate_e12 = 0
    fall_due(risk, START_MS + 8 * HOUR)
    (instant,) = risk.instants.pending
    assert instant.funding[BTC_PERP][0] != 0
    check_in_transit(risk)
    risk.settle(story.person(one))
    check_in_transit(risk)
    assert instant.paid == {BTC_PERP: 1}
    transit = risk.ledger.house(FUNDING, "USDT", f"{BTC_PERP}@{instant.number}")
    assert transit.minor != 0
    transit.minor += 2  # Of two positions, rounding leaves less than two units.
    with pytest.raises(InvariantBroken, match="I4"):
        check_in_transit(risk)
    transit.minor -= 2
    risk.settle(story.person(two))
    check_in_transit(risk)
    assert instant.paid == {BTC_PERP: 2}
