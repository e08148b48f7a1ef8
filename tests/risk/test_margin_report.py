"""Tests of a margin wallet as its owner sees it, with the sums by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from exchange.commands import Borrow, Repay, SetMarginLeverage, Transfer
from exchange.events import LiquidationStarted
from matching.reasons import Reason
from matching.types import Side
from risk.ledger import WORLD, PostingReason
from risk.margin_liquidation import margin_breached
from risk.margin_report import MarginReport, margin_prices_e8, margin_report
from risk.margin_worth import margin_worth, max_borrow, max_transfer_out
from risk.perp_report import perp_report, position_report
from tests.risk.ending import falls_exactly_at, free_story
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    ISOLATED_BTC,
    NO_FEES,
    borrow,
    levered,
    owe_interest,
    position,
    trader,
)
from tests.story import Story, of, refusal, small_venue, units


def test_v22_an_isolated_long_is_liquidated_at_the_price_it_is_shown() -> None:
    """1,000 and a loan of 9,000 hold 0.2 BTC; an hour at 0.001 % makes it 9,000.09. Ten times
    leverage falls at 1.05: 1.05 x 9,000.09 / 0.2 = 47,250.4725."""
    story = free_story()
    one = levered(story, "1000", "9000", "0.2", "50000")
    told = margin_report(story.engine.risk, story.person(one), ISOLATED_BTC)
    assert (told.leverage, told.liquidation_e12) == (10, 105 * 10**10)
    assert (told.assets_e16, told.debt_e16) == (10_000 * 10**16, 900_009 * 10**14)
    assert told.level_e12 == told.collateral_level_e12 == 10**12 * 10_000 * 100 // 900_009
    assert told.liquidation_price_e8 == units("47250.4725")
    assert falls_exactly_at(story, Fraction("47250.4725"), falling=True)


def test_v23_an_isolated_short_is_liquidated_at_the_price_it_is_shown() -> None:
    """1,000 of its own and 0.05 BTC sold at 50,000 are 3,500; an hour at 0.0003 % on 0.05 makes
    it 0.05000015 owed, and 3,500 / (1.05 x 0.05000015) is 66,666.4666..."""
    story = free_story()
    one = story.account(**{f"{ISOLATED_BTC}_USDT": "1000"})
    borrow(story, one, ISOLATED_BTC, "BTC", "0.05")
    story.buy(trader(story), BTC, "0.05", "50000")
    assert refusal(story.sell(one, BTC, "0.05", "50000", wallet=ISOLATED_BTC)) is None
    told = margin_report(story.engine.risk, story.person(one), ISOLATED_BTC)
    exact = Fraction(3_500) / (Fraction("1.05") * Fraction("0.05000015"))
    assert told.liquidation_price_e8 == round(exact * 10**8)
    assert falls_exactly_at(story, exact, falling=False)


def test_a_margin_wallet_without_a_debt_has_no_level_and_no_price() -> None:
    story = free_story()
    one = story.account(**{f"{ISOLATED_BTC}_USDT": "10", "margin_BTC": "1"})
    for wallet, assets, collateral in ((ISOLATED_BTC, 10, 10), ("margin", 50_000, 49_000)):
        told = margin_report(story.engine.risk, story.person(one), wallet)
        assert (told.assets_e16, told.debt_e16) == (assets * 10**16, 0)
        assert told.collateral_e16 == collateral * 10**16  # 98 % of BTC counts on cross margin.
        assert told.level_e12 is told.collateral_level_e12 is told.liquidation_price_e8 is None


E12 = 10**12


@pytest.fixture
def story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def e16(text: str) -> int:
    """Decimal text as 10^-16 of the quote."""
    return units(text) * 10**8


def margin(story: Story, account: int, wallet: str = "margin") -> MarginReport:
    return margin_report(story.engine.risk, story.person(account), wallet)


def test_m3_m4_v24_a_cross_margin_wallet(story: Story) -> None:
    """1 BTC at 40,000 and 10 ETH at 2,000; owed 50,000 and 12.5: 60,000 / 50,012.5; a call at 5x
    comes at 1.16. Haircuts of 0.98 and 0.97 leave 39,200 + 19,400 of collateral."""
    story.index("BTC", "40000")
    story.index("ETH", "2000")
    account = story.account(margin_BTC="1", margin_ETH="10", margin_USDT="100000")
    story.ok(SetMarginLeverage, account_id=account, leverage=5)
    borrow(story, account, "margin", "USDT", "50000")
    person = story.person(account)
    owe_interest(story, account, "margin", "USDT", "12.5")
    pocket = person.pockets["margin", "USDT"]
    pocket.minor = 0
    found = margin(story, account)
    assert (found.assets_e16, found.debt_e16) == (e16("60000"), e16("50012.5"))
    assert found.level_e12 == 1_199_700_074_981  # 1.19970007498...
    assert found.collateral_e16 == e16("58600")
    assert found.collateral_level_e12 == 58_600 * E12 * 10 // 500_125
    assert (found.call_e12, found.liquidation_e12, found.leverage) == (
        116 * E12 // 100,
        110 * E12 // 100,
        5,
    )
    assert found.liquidation_price_e8 is None  # Of one asset there is none: there are two.
    # 1.1 x 50,012.5 = 55,013.75: 35,013.75 of BTC beside the ETH, 15,013.75 of ETH beside the BTC.
    assert found.liquidation_prices_e8 == {"BTC": units("35013.75"), "ETH": units("1501.375")}
    # 1.16 x 50,012.5 = 58,014.5.
    assert found.call_prices_e8 == {"BTC": units("38014.5"), "ETH": units("1801.45")}


def test_m11_a_cross_wallet_long_of_one_asset_and_short_of_another_has_a_price_of_each(
    story: Story,
) -> None:
    """2 BTC and 2,500 USDT against 20 ETH, at 3x: 1.1 x 50,000 = 55,000 of assets, so BTC falls
    at 26,250; 102,500 / 1.1 / 20 = 4,659.0909... is where ETH rises to. Nothing more is asked
    of the scan: there and not a unit before does it take the wallet."""
    story = Story(small_venue(fees=NO_FEES, first_charge="next_hour"))
    account = story.account(margin_BTC="2")
    borrow(story, account, "margin", "ETH", "20")
    story.buy(trader(story), "ETH-USDT", "1", "2500")
    story.sell(account, "ETH-USDT", "1", "2500", wallet="margin")
    person = story.person(account)
    story.engine.risk.ledger.post(
        story.engine.risk.pocket(person, "margin", "ETH"),
        story.engine.risk.ledger.house(WORLD, "ETH"),
        units("19"),
        PostingReason.RESET,
    )
    risk = story.engine.risk
    assert margin_prices_e8(risk, person, "margin", 11 * E12 // 10) == {
        "BTC": units("26250"),
        "ETH": units("4659.09090909"),
    }
    assert not of(story.index("ETH", "4659.09090909"), LiquidationStarted)
    assert of(story.index("ETH", "4659.09090910"), LiquidationStarted)


def test_m3_without_a_debt_there_is_no_level(story: Story) -> None:
    account = story.account(margin_USDT="1000")
    found = margin(story, account)
    assert (found.assets_e16, found.debt_e16) == (e16("1000"), 0)
    assert (found.level_e12, found.collateral_level_e12) == (None, None)


def test_m11_v22_a_long_on_isolated_margin(story: Story) -> None:
    """Own 1,000, borrowed 9,000 and an hour of 0.09 on it, 0.2 BTC: 1.05 x 9,000.09 / 0.2."""
    account = story.account()
    story.deposit(account, ISOLATED_BTC, "USDT", "1000")
    borrow(story, account, ISOLATED_BTC, "USDT", "9000")
    story.sell(story.account(spot_BTC="1"), BTC, "0.2", "50000")
    story.buy(account, BTC, "0.2", "50000", wallet=ISOLATED_BTC)
    found = margin(story, account, ISOLATED_BTC)
    assert found.leverage == 10
    assert found.liquidation_price_e8 == units("47250.4725")
    owe_interest(story, account, ISOLATED_BTC, "USDT", "0")
    assert margin(story, account, ISOLATED_BTC).liquidation_price_e8 == units("47250")


def test_m11_a_wallet_that_no_price_can_take_has_no_liquidation_price(story: Story) -> None:
    """It owes 100 and has 10,000 of the same: BTC could be worth nothing."""
    account = story.account()
    story.deposit(account, ISOLATED_BTC, "USDT", "10000")
    assert margin(story, account, ISOLATED_BTC).liquidation_price_e8 is None
    borrow(story, account, ISOLATED_BTC, "USDT", "100")
    assert margin(story, account, ISOLATED_BTC).liquidation_price_e8 is None


@pytest.mark.parametrize("short", [False, True])
def test_i14_the_liquidation_price_of_a_wallet_is_where_the_scan_takes_it(
    story: Story, short: bool
) -> None:
    account = story.account()
    story.deposit(account, ISOLATED_BTC, "USDT", "1000")
    trader = story.account(spot_BTC="1", spot_USDT="100000")
    if short:
        borrow(story, account, ISOLATED_BTC, "BTC", "0.1")
        story.buy(trader, BTC, "0.1", "50000")
        story.sell(account, BTC, "0.1", "50000", wallet=ISOLATED_BTC)
    else:
        borrow(story, account, ISOLATED_BTC, "USDT", "4000")
        story.sell(trader, BTC, "0.1", "50000")
        story.buy(account, BTC, "0.1", "50000", wallet=ISOLATED_BTC)
    price = margin(story, account, ISOLATED_BTC).liquidation_price_e8
    assert price is not None
    risk, person = story.engine.risk, story.person(account)
    fallen = {}
    for away in (-1, 1):
        risk.indexes[BTC].index_e8 = price + away
        worth = margin_worth(risk, person, ISOLATED_BTC)
        fallen[away] = margin_breached(risk, person, ISOLATED_BTC, worth)
    assert fallen == {-1: not short, 1: short}


def test_m5_v21_as_much_may_be_borrowed_and_taken_out_as_is_said(story: Story) -> None:
    """1,000 at 3x: (1,000 - 0) / (1.5 - 1) = 2,000; owing 500 and their 0.005, all above
    2 x 500.005 of the 1,500 may go: 499.99."""
    account = story.account(margin_USDT="1000")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, "margin", "USDT") == units("2000")
    borrow(story, account, "margin", "USDT", "500")
    most = max_transfer_out(risk, person, "margin", "USDT")
    assert most == units("499.99")
    wish = {"account_id": account, "source": "margin", "target": "spot", "asset": "USDT"}
    refused = story.do(Transfer, amount_minor=most + 1, **wish)
    assert refusal(refused) is Reason.TRANSFER_WOULD_BREACH_MARGIN
    story.ok(Transfer, amount_minor=most, **wish)
    story.ok(Repay, account_id=account, wallet="margin", asset="USDT")


def test_reports_change_nothing(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="4000")
    story.deposit(account, ISOLATED_BTC, "USDT", "1000")
    story.ok(Borrow, account_id=account, wallet=ISOLATED_BTC, asset="USDT", amount_minor=1)
    before = story.engine.digest()
    risk, person = story.engine.risk, story.person(account)
    for wallet in ("margin", ISOLATED_BTC, "isolated:ETH-USDT"):
        margin_report(risk, person, wallet)
    perp_report(risk, person)
    position_report(risk, person, BTC_PERP)
    assert story.engine.digest() == before
