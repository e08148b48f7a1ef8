"""Tests of the insurance fund: what it may take over, and what it can pay (P13.7, P13.8)."""

from __future__ import annotations

from typing import Any

import pytest

from matching.types import Side
from risk.insurance import capacity_lots, cover, fund_pocket, means_minor, surplus_to_fund
from risk.ledger import INSURANCE, SOCIALIZED_LOSS, WORLD, PostingReason
from risk.liquidation import take_over
from tests.risk.stories import BTC_PERP, ETH_PERP, NO_FEES, rich
from tests.story import Story, small_venue, units
from tests.vectors import exact, vectors


def fund_venue(money: str, **changes: Any) -> Story:
    """A venue without fees whose fund has so much."""
    return Story(small_venue(insurance_minor=units(money), fees=NO_FEES, **changes))


def give(story: Story, symbol: str, side: Side, qty: str, price: str) -> None:
    """The fund takes a position over from somebody at a price."""
    account = rich(story)
    story.place(account, side, symbol, qty, price)
    story.place(rich(story), side.opposite, symbol, qty, price)
    risk = story.engine.risk
    person, house = story.person(account), risk.accounts[INSURANCE]
    ticks = risk.instruments[symbol].ticks(price)
    assert isinstance(ticks, int)
    take_over(risk, person, house, symbol, person.lots(symbol), ticks)


@pytest.mark.parametrize("vector", vectors(["fund_capacity"], on="engine"))
def test_v80_what_it_takes_must_not_exceed_what_it_has(vector: Any) -> None:
    given, expected = vector["inputs"], vector["expected"]
    story = fund_venue(given["fund_balance"])
    contract = story.engine.risk.contracts[BTC_PERP]
    ticks = exact(given["bankruptcy_price"]) // contract.tick_e8
    lots = capacity_lots(story.engine.risk, contract, 1, ticks)
    assert lots * contract.lot_minor == exact(expected["fund_takes"])
    left = exact(given["remainder"]) - lots * contract.lot_minor
    assert left == exact(expected["adl_quantity"])


def test_p13_7_what_it_holds_already_counts_at_the_same_price_and_others_at_their_marks() -> None:
    """100,000; long 0.5 BTC is 25,000 at 50,000, and 10 ETH at 2,500 are 25,000."""
    story = fund_venue("100000")
    risk = story.engine.risk
    give(story, BTC_PERP, Side.BUY, "0.5", "50000")
    give(story, ETH_PERP, Side.SELL, "10", "2500")
    contract = risk.contracts[BTC_PERP]
    assert capacity_lots(risk, contract, 1, 500_000) == 1_000
    # On the other side its 0.5 go first, then up to 1.5 the other way.
    assert capacity_lots(risk, contract, -1, 500_000) == 2_000


def test_p13_7_losses_that_are_open_are_not_there_to_answer_with() -> None:
    """Long 1 BTC at 50,000 of 60,000: at 45,000 there are 55,000, at 55,000 no more than 60,000.

    What makes its position smaller it may take, however little it has.
    """
    story = fund_venue("60000")
    risk = story.engine.risk
    contract = risk.contracts[BTC_PERP]
    give(story, BTC_PERP, Side.BUY, "1", "50000")
    story.index("BTC", "45000")
    assert means_minor(risk, contract) == units("55000")
    # 55,000 at 45,000 are 1.222..., of which it has 1.
    assert capacity_lots(risk, contract, 1, 450_000) == 222
    story.index("BTC", "55000")
    assert means_minor(risk, contract) == units("60000")
    empty = fund_venue("0")
    give(empty, BTC_PERP, Side.BUY, "1", "50000")
    contract = empty.engine.risk.contracts[BTC_PERP]
    assert capacity_lots(empty.engine.risk, contract, 1, 500_000) == 0
    assert capacity_lots(empty.engine.risk, contract, -1, 500_000) == 1_000


@pytest.mark.parametrize(
    ("has", "socialized", "paid", "of_all"),
    [("100", False, "30", "0"), ("10", False, "10", "0"), ("10", True, "30", "20")],
)
def test_p13_8_it_pays_exactly_the_gap_and_never_more_than_it_has(
    has: str, socialized: bool, paid: str, of_all: str
) -> None:
    story = fund_venue(has, socialized_loss=socialized)
    risk = story.engine.risk
    contract = risk.contracts[BTC_PERP]
    pocket = risk.pocket(story.person(story.account()), "perp", "USDT")
    risk.ledger.post(pocket, risk.ledger.house(WORLD, "USDT"), units("30"), PostingReason.RESET)
    assert cover(risk, contract, pocket) == units(paid)
    assert pocket.minor == units(paid) - units("30")
    assert fund_pocket(risk, contract).minor == max(0, units(has) - units("30"))
    assert risk.accounts[SOCIALIZED_LOSS].minor("perp", "USDT") == -units(of_all)


def test_v72_a_surplus_is_the_users_unless_the_venue_keeps_it() -> None:
    for surplus, kept in (("user", "0"), ("fund", "7")):
        story = fund_venue("100", surplus=surplus)
        risk = story.engine.risk
        contract = risk.contracts[BTC_PERP]
        pocket = risk.pocket(story.person(story.account(perp_USDT="7")), "perp", "USDT")
        assert surplus_to_fund(risk, contract, pocket) == units(kept)
        assert fund_pocket(risk, contract).minor == units("100") + units(kept)
