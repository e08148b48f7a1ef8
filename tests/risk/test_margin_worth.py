"""Tests of what margin wallets are worth, how much may be borrowed or taken out, and bands."""

from __future__ import annotations

import msgspec
import pytest

from exchange.commands import Borrow, FeedPrices, SetMarginLeverage, SetSymbolState, Transfer
from exchange.events import MarginCalled
from matching.reasons import Reason
from risk.account import MARGIN, PERP
from risk.ledger import PostingReason
from risk.margin_worth import (
    margin_worth,
    max_borrow,
    max_transfer_out,
    wallet_assets,
)
from tests.risk.stories import (
    ISOLATED_BTC,
    borrow,
    leverage_and_initial,
    owe_interest,
    trader,
)
from tests.story import Story, of, refusal, small_venue, units


@pytest.fixture
def story() -> Story:
    return Story()


def test_m3_haircuts_are_in_collateral_and_not_in_the_level(story: Story) -> None:
    """1 BTC at 50,000 counts 0.98: 49,000 of collateral, 50,000 of assets."""
    account = story.account(margin_BTC="1", margin_USDT="100")
    worth = margin_worth(story.engine.risk, story.person(account), MARGIN)
    assert worth.assets_e28 == 50_100 * 10**28
    assert worth.collateral_e28 == 49_100 * 10**28
    assert worth.debts_e28 == 0


def test_m5_isolated_margin_takes_no_haircut(story: Story) -> None:
    account = story.account(**{f"{ISOLATED_BTC}_BTC": "1"})
    worth = margin_worth(story.engine.risk, story.person(account), ISOLATED_BTC)
    assert worth.collateral_e28 == worth.assets_e28 == 50_000 * 10**28


def test_v24_a_cross_wallet_as_it_is_told(story: Story) -> None:
    """1 BTC at 40,000 and 10 ETH at 2,000 against 50,012.5: 60,000 / 50,012.5 = 1.19970007; at
    5x that is above the call level of 1.16 and below the 1.25 a new loan needs."""
    account = story.account(margin_BTC="1", margin_ETH="10")
    story.ok(SetMarginLeverage, account_id=account, leverage=5)
    borrow(story, account, MARGIN, "USDT", "50000")
    risk, person = story.engine.risk, story.person(account)
    # What was borrowed is spent, and 25 hours of interest have passed.
    lent, spent = (risk.pocket(person, wallet, "USDT") for wallet in (MARGIN, "spot"))
    risk.ledger.post(lent, spent, units("50000"), PostingReason.TRANSFER)
    owe_interest(story, account, MARGIN, "USDT", "12.5")
    story.index("ETH", "2000")
    assert not of(story.index("BTC", "40000"), MarginCalled)
    worth = margin_worth(risk, person, MARGIN)
    assert worth.assets_e28 == 60_000 * 10**28
    assert worth.debts_e28 == 500_125 * 10**27
    assert max_borrow(risk, person, MARGIN, "USDT") == 0
    assert refusal(story.sell(account, "ETH-USDT", "1", "2000", wallet=MARGIN)) is None


def test_m4_levels_follow_the_leverage_or_the_pair(story: Story) -> None:
    account = story.account()
    assert leverage_and_initial(story, account, MARGIN) == (3, 15 * 10**11)
    story.ok(SetMarginLeverage, account_id=account, leverage=5)
    assert leverage_and_initial(story, account, MARGIN) == (5, 125 * 10**10)
    assert leverage_and_initial(story, account, ISOLATED_BTC) == (10, 111 * 10**10)


def test_m5_v21_the_largest_loan_depends_on_what_the_loan_becomes(story: Story) -> None:
    """CV 950 (after all it owns), IRR 1.5: 950 / (1.5 - 1) = 1,900 USDT, or of BTC, which counts
    0.98, 950 / 0.52 = 1,826.92307692 worth: 0.03653846 BTC."""
    account = story.account(margin_USDT="950")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, MARGIN, "USDT") == units("1900")
    assert max_borrow(risk, person, MARGIN, "BTC") == units("0.03653846")


def test_t25_a_loan_of_an_asset_held_already_counts_as_the_top_of_it(story: Story) -> None:
    """300 BTC are worth 15,000,000: 10,000,000 count 0.98 and 5,000,000 count 0.88, together
    14,200,000. More BTC would count 0.88: 14,200,000 / (1.5 - 0.88) / 50,000 = 458.06451612,
    not 14,200,000 / (1.5 - 0.98) / 50,000 = 546.15384615."""
    plenty = [
        msgspec.structs.replace(each, borrow_limit_minor=each.pool_capital_minor)
        for each in small_venue().assets
    ]
    story = Story(small_venue(assets=tuple(plenty)))
    account = story.account(margin_BTC="300")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, MARGIN, "BTC") == units("458.06451612")
    events = story.do(
        Borrow, account_id=account, wallet=MARGIN, asset="BTC", amount_minor=units("458.06451613")
    )
    assert refusal(events) is Reason.COLLATERAL_TOO_LOW


def test_m5_tier_limit_account_limit_and_pool_bound_a_loan(story: Story) -> None:
    account = story.account(**{f"{ISOLATED_BTC}_USDT": "1000000", "margin_USDT": "1000000000"})
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, ISOLATED_BTC, "USDT") == units("2000000")
    assert max_borrow(risk, person, ISOLATED_BTC, "BTC") == units("40")
    assert max_borrow(risk, person, MARGIN, "ETH") == risk.assets["ETH"].borrow_limit_minor
    borrow(story, account, ISOLATED_BTC, "USDT", "50000")
    # An hour of interest is owed: (1,050,000 - 1.5 x 50,000.5) / (1.5 - 1) = 1,949,998.5.
    assert max_borrow(risk, person, ISOLATED_BTC, "USDT") == units("1949998.5")


def test_an_asset_without_an_index_is_not_lent_and_counts_nothing() -> None:
    """Nobody has priced ETH yet: no loan of it, no collateral by it."""
    story = Story()
    index = story.engine.risk.indexes["ETH-USDT"]
    index.index_e8 = None
    account = story.account(margin_USDT="1000", margin_ETH="10")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, MARGIN, "ETH") == 0
    events = story.do(Borrow, account_id=account, wallet=MARGIN, asset="ETH", amount_minor=1)
    assert refusal(events) is Reason.COLLATERAL_TOO_LOW
    assert margin_worth(risk, person, MARGIN).assets_e28 == 1_000 * 10**28


def test_a_debt_without_a_price_is_a_bug(story: Story) -> None:
    account = story.account(margin_USDT="10000")
    borrow(story, account, MARGIN, "ETH", "1")
    story.engine.risk.indexes["ETH-USDT"].index_e8 = None
    with pytest.raises(AssertionError):
        margin_worth(story.engine.risk, story.person(account), MARGIN)


def test_no_loan_is_taken_in_wallets_that_do_not_owe(story: Story) -> None:
    account = story.account(spot_USDT="1000", perp_USDT="1000")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, "spot", "USDT") == 0
    assert max_borrow(risk, person, PERP, "USDT") == 0
    assert max_borrow(risk, person, "perp:BTC", "BTC") == 0


def test_m4_what_leaves_keeps_collateral_at_twice_the_debt(story: Story) -> None:
    """1 BTC counts 49,000 and 10,000 USDT as they are, against 10,000.1: 20,000.2 must stay.
    All the USDT may go, or of BTC what leaves 10,000.2 / 0.98 = 10,204.28571429 of value."""
    account = story.account(margin_BTC="1")
    borrow(story, account, MARGIN, "USDT", "10000")
    risk, person = story.engine.risk, story.person(account)
    assert max_transfer_out(risk, person, MARGIN, "USDT") == units("10000")
    kept = units("1") - max_transfer_out(risk, person, MARGIN, "BTC")
    # 10,204.28571428571... / 50,000 = 0.2040857142857..., up to a unit.
    assert kept == units("0.20408572")
    assert max_transfer_out(risk, person, "spot", "USDT") == 0


def test_wallet_assets_are_those_it_holds_something_of(story: Story) -> None:
    account = story.account(margin_USDT="5", margin_BTC="1", spot_ETH="3")
    assert wallet_assets(story.person(account), MARGIN) == [
        ("BTC", units("1")),
        ("USDT", units("5")),
    ]
    story.ok(
        Transfer,
        account_id=account,
        source=MARGIN,
        target="spot",
        asset="BTC",
        amount_minor=units("1"),
    )
    assert wallet_assets(story.person(account), MARGIN) == [("USDT", units("5"))]


# -- T27: prices that stand --------------------------------------------------------------------


def test_t27_collateral_whose_index_is_frozen_carries_nothing_new(story: Story) -> None:
    """1 BTC and 1,000 USDT: with BTC 49,000 + 1,000 carry loans, without a fresh price only the
    1,000 do, and BTC itself is neither lent nor given away while something is owed. The level
    stays as it was, for nobody is liquidated by a price that stands."""
    account = story.account(margin_BTC="1", margin_USDT="1000")
    borrow(story, account, MARGIN, "USDT", "1000")
    risk, person = story.engine.risk, story.person(account)
    feed = story.venue.feeds[0]
    story.ok(FeedPrices, feed=feed, prices_e8={"BTC": units("50000")}, stale_ms=10_000)
    story.wait(1_000)
    fresh = margin_worth(risk, person, MARGIN)
    assert fresh.collateral_e28 == 51_000 * 10**28
    story.wait(11_000)
    worth = margin_worth(risk, person, MARGIN)
    assert (worth.assets_e28, worth.collateral_e28) == (fresh.assets_e28, 2_000 * 10**28)
    # (2,000 - 1.5 x 1,000.01) / 0.5 = 999.97.
    assert max_borrow(risk, person, MARGIN, "USDT") == units("999.97")
    assert max_borrow(risk, person, MARGIN, "BTC") == 0
    assert max_transfer_out(risk, person, MARGIN, "BTC") == 0
    assert max_transfer_out(risk, person, MARGIN, "USDT") == 0


def test_t27_a_halted_book_says_nothing_of_the_price() -> None:
    """The book weighs more than the feed, so its mid of 51,000 is the index; once it is halted
    the orders on it are as old as the halt, and the feed's 50,000 is."""
    story = Story(small_venue(book_weight=3))
    other = trader(story)
    story.buy(other, "BTC-USDT", "1", "50900")
    story.sell(other, "BTC-USDT", "1", "51100")
    story.wait(1_000)
    assert story.engine.risk.price_e8("BTC") == units("51000")
    story.ok(SetSymbolState, symbol="BTC-USDT", state="halt")
    story.wait(1_000)
    assert story.engine.risk.price_e8("BTC") == units("50000")
    story.ok(SetSymbolState, symbol="BTC-USDT", state="trading")
    story.wait(1_000)
    assert story.engine.risk.price_e8("BTC") == units("51000")
