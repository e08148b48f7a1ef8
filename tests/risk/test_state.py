"""Tests of the state all of risk shares: prices, deposits, and who is exposed."""

from __future__ import annotations

from exchange.commands import Borrow, Repay
from risk.ledger import INSURANCE, LIQUIDATION, WORLD
from risk.money import E12
from tests.story import Story, units


def test_the_quote_is_worth_one_of_itself_and_others_their_index() -> None:
    story = Story()
    risk = story.engine.risk
    assert risk.price_e8("USDT") == 10**8
    assert risk.price_e8("BTC") == units("50000")
    assert risk.price_e8("DOGE") is None  # It is not traded on the small venue.


def test_a_deposit_comes_from_the_world() -> None:
    story = Story()
    before = story.engine.risk.ledger.house(WORLD, "USDT").minor
    account = story.account(spot_USDT="12.5")
    assert story.person(account).minor("spot", "USDT") == units("12.5")
    assert before - story.engine.risk.ledger.house(WORLD, "USDT").minor == units("12.5")


def test_who_owes_or_holds_a_position_is_exposed_and_nobody_else() -> None:
    story = Story()
    risk = story.engine.risk
    borrower = story.account(margin_USDT="1000")
    long, short = story.account(perp_USDT="1000"), story.account(perp_USDT="1000")
    assert not risk.instants.exposed
    story.ok(Borrow, account_id=borrower, wallet="margin", asset="USDT", amount_minor=units("100"))
    story.sell(short, "BTC-USDT-PERP", "0.01", "50000")
    story.buy(long, "BTC-USDT-PERP", "0.01", "50000")
    assert list(risk.instants.exposed) == [borrower, long, short]
    story.ok(Repay, account_id=borrower, wallet="margin", asset="USDT")
    story.buy(short, "BTC-USDT-PERP", "0.01", "50000")
    story.sell(long, "BTC-USDT-PERP", "0.01", "50000")
    assert not risk.instants.exposed


def test_v26_parts_of_a_unit_are_collected_until_they_make_one() -> None:
    """Three times 0.4 of a unit: one whole unit moves to rounding, 0.2 stays with the pool."""
    story = Story()
    risk = story.engine.risk
    for _ in range(3):
        risk.collect_excess("USDT", 4 * 10**9)
    assert risk.rounded_e18["USDT"] == 2 * 10**9
    assert risk.ledger.house_totals()["USDT"]["rounding"] == 1
    assert risk.interest_paid["USDT"] == -1


def test_the_house_has_two_accounts_that_may_hold_positions() -> None:
    story = Story()
    assert {INSURANCE, LIQUIDATION} <= story.engine.risk.accounts.keys()
    assert E12 == 10**12
