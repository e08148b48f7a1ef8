"""Tests of what the venue takes over of spot margin: sold, bought back, funded, or lost (M10)."""

from __future__ import annotations

from exchange.events import FundCovered, LiquidationEnded, LoanWrittenOff
from risk.account import MARGIN, Account
from risk.ledger import LIQUIDATION, MARGIN_INSURANCE, POOL
from tests.risk.stories import ETH, NO_FEES, borrow, spent, trader
from tests.story import Story, of, small_venue, units


def _story(fund: str = "1000") -> Story:
    venue = small_venue(fees=NO_FEES, first_charge="next_hour", margin_insurance_minor=units(fund))
    return Story(venue)


def _house(story: Story) -> Account:
    return story.engine.risk.accounts[LIQUIDATION]


def _fund(story: Story, asset: str = "USDT") -> int:
    return story.engine.risk.ledger.house(MARGIN_INSURANCE, asset).minor


def _nothing_left(story: Story, asset: str, loan: str) -> int:
    """A wallet that owes a loan and has a tenth of a USDT, too little for a lot of ETH."""
    account = story.account("nothing left", margin_BTC="10")
    borrow(story, account, MARGIN, asset, loan)
    spent(story, account, MARGIN, asset, loan)
    spent(story, account, MARGIN, "BTC", "10")
    story.deposit(account, MARGIN, "USDT", "0.1")
    return account


def test_m10_7_a_debt_in_a_coin_is_bought_with_the_funds_quote() -> None:
    """0.1 USDT stand against 0.2 ETH: the house owes 0.2, and the fund gives what they may cost,
    0.2 x 2,500 x 1.03 - 0.1 = 514.9; 500 buy them, and 15 come back."""
    story = _story()
    account = _nothing_left(story, "ETH", "0.2")
    events = story.wait(5_000)
    (ended,) = of(events, LiquidationEnded)
    assert (ended.account_id, ended.result) == (account, "bankrupt")
    assert not story.person(account).loans
    events = story.wait(10_000)
    (cover,) = of(story.events, FundCovered)
    assert cover.paid_minor == units("514.9")
    story.sell(trader(story), ETH, "1", "2500")
    story.wait(10_000)
    assert not _house(story).loans
    assert _fund(story) == units("1000") - units("514.9") + units("15")
    assert not of(story.events, LoanWrittenOff)


def test_m10_7_without_a_fund_the_pool_bears_the_loan_and_its_interest() -> None:
    story = _story("0")
    _nothing_left(story, "ETH", "0.2")
    story.wait(20_000)
    (lost,) = of(story.events, LoanWrittenOff)
    assert (lost.asset, lost.principal_minor) == ("ETH", units("0.2"))
    assert story.engine.risk.bad_debt == {"ETH": units("0.2")}
    assert not story.engine.risk.interest_due["ETH"]
    # I2: what the pool has left is its capital less that.
    risk = story.engine.risk
    left = risk.ledger.house(POOL, "ETH").minor
    assert left == risk.assets["ETH"].pool_capital_minor - units("0.2")


def test_t13_a_debt_of_less_than_a_lot_is_bought_as_a_whole_one() -> None:
    """Of 0.00005 ETH a lot is the double: the fund gives 0.2575 less 0.1, a lot is bought for
    0.25, and the half that is too much goes to the fund."""
    story = _story()
    _nothing_left(story, "ETH", "0.00005")
    story.wait(10_000)
    story.sell(trader(story), ETH, "1", "2500")
    story.wait(15_000)
    assert not _house(story).loans
    assert not of(story.events, LoanWrittenOff)
    assert _fund(story, "ETH") == units("0.00005")
