"""Tests of conversion: what a multi-asset wallet owes is paid with its other assets (P18)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.commands import FeedPrices, ResetAccount, SetSymbolState
from exchange.events import (
    CollateralConverted,
    FundCovered,
    LedgerPosted,
    LiquidationEnded,
    LiquidationStarted,
)
from matching.types import Side
from risk.account import PERP, SPOT
from risk.conversion import conversion_fee_e12, convert
from risk.ledger import CONVERSION, INSURANCE
from risk.multi_asset import wallet_e28
from risk.parameters import Venue
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    NO_FEES,
    rich,
    spent,
    trader,
    with_asset,
    with_perp,
)
from tests.risk.test_multi_asset import fund_minor, hold_position, multi, owing
from tests.story import Story, again, of, small_venue, units


@pytest.fixture
def story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def house_minor(story: Story, asset: str) -> int:
    return story.engine.risk.accounts[CONVERSION].minor(SPOT, asset)


# -- the threshold -----------------------------------------------------------------------------


def test_p18_a_debt_above_the_threshold_is_paid_with_just_enough_at_the_same_grid_point(
    story: Story,
) -> None:
    """11,000 owed; BTC of ratio 0.95 are taken at 50,000 x (1 - 0.05 / 2) = 48,750.

    11,000 / 48,750 = 0.225641025..., rounded up: 0.22564103 pay 11,000.00021250.
    """
    account = owing(story, "11000", BTC="1")
    (told,) = of(story.wait(1_000), CollateralConverted)
    assert (told.asset, told.amount_minor, told.price_e8) == (
        "BTC",
        units("0.22564103"),
        units("50000"),
    )
    assert (told.ratio_e12, told.fee_e12) == (950_000_000_000, 25_000_000_000)
    assert (told.paid_asset, told.paid_minor) == ("USDT", units("11000.0002125"))
    assert (told.wallet, told.balance_minor, told.cause) == (PERP, 21_250, "threshold")
    person = story.person(account)
    assert person.minor(PERP, "USDT") == 21_250
    assert person.minor(PERP, "BTC") == units("0.77435897")
    assert house_minor(story, "BTC") == units("0.22564103")
    assert house_minor(story, "USDT") == -units("11000.0002125")
    posted = [each for each in of(story.events, LedgerPosted) if each.reason == "conversion"]
    assert [(each.asset, each.change_minor) for each in posted] == [
        ("BTC", -units("0.22564103")),
        ("USDT", units("11000.0002125")),
    ]


def test_p18_a_debt_at_the_threshold_stands(story: Story) -> None:
    account = owing(story, "10000", BTC="1")
    assert not of(story.wait(1_000), CollateralConverted)
    spent(story, account, PERP, "USDT", "0.00000001")
    assert of(story.wait(1_000), CollateralConverted)


def test_p18_the_asset_that_counts_for_most_goes_first_and_the_next_pays_the_rest() -> None:
    """0.1 BTC at 48,750 pay 4,875; the other 7,125 take ETH of ratio 0.9 at 2,500 x 0.95 = 2,375:
    3 of them exactly."""
    venue = with_asset(small_venue(fees=NO_FEES), "ETH", perp_ratio_e12=900_000_000_000)
    story = Story(venue)
    account = owing(story, "12000", ETH="10", BTC="0.1")
    told = of(story.wait(1_000), CollateralConverted)
    assert [(each.asset, each.amount_minor, each.paid_minor) for each in told] == [
        ("BTC", units("0.1"), units("4875")),
        ("ETH", units("3"), units("7125")),
    ]
    assert story.person(account).minor(PERP, "USDT") == 0


def test_p18_what_the_venue_lets_stand_is_a_parameter() -> None:
    story = Story(small_venue(fees=NO_FEES, convert_above_minor=0, convert_share_e12=0))
    owing(story, "500", BTC="1")
    (told,) = of(story.wait(1_000), CollateralConverted)
    assert (told.amount_minor, told.fee_e12) == (units("0.01"), 0)  # 500 / 50,000, whole.


def test_p18_interest_alone_takes_a_debt_beyond_the_threshold(story: Story) -> None:
    """The bands of the position allow for it, and still it is looked at."""
    account = owing(story, "9999.95", BTC="100")
    hold_position(story, account, Side.BUY, "1", "50000")
    story.wait(1_000)
    events = story.wait(3_600_000)  # 0.001 % of it is 0.09999950.
    (told,) = of(events, CollateralConverted)
    assert told.balance_minor >= 0


def test_t27_a_frozen_collateral_is_not_converted(story: Story) -> None:
    prices = {"BTC": units("50000")}
    story.do(FeedPrices, feed="reference", prices_e8=prices, stale_ms=0)
    story.wait(60_000)
    account = owing(story, "11000", BTC="1")
    assert not of(story.wait(1_000), CollateralConverted)
    assert (account, PERP) in story.engine.risk.waiting
    story.do(FeedPrices, feed="reference", prices_e8=prices, stale_ms=10**12)
    story.wait(1_000)
    assert of(story.events, CollateralConverted)


@given(st.integers(1, 10**14), st.integers(1, 10**10), st.integers(1, 10**12), st.booleans())
def test_p18_a_conversion_leaves_the_wallet_worth_no_less(
    owed: int, btc: int, eth: int, whole: bool
) -> None:
    """Less than a unit for each asset is lost to rounding."""
    venue = small_venue(convert_share_e12=10**12 if whole else 500_000_000_000)
    story = Story(venue)
    risk, person = story.engine.risk, story.person(multi(story))
    for asset, minor in (("USDT", -owed), ("BTC", btc), ("ETH", eth)):
        risk.pocket(person, PERP, asset).minor = minor
    before = wallet_e28(risk, person)
    convert(risk, person, "threshold")
    assert wallet_e28(risk, person) > before - 2 * 10**20
    left = [person.minor(PERP, asset) for asset in ("BTC", "ETH")]
    assert all(minor >= 0 for minor in left)
    # Just enough: no debt is left while there is something, and no more than a unit was too much.
    assert person.minor(PERP, "USDT") >= 0 or not any(left)
    assert person.minor(PERP, "USDT") <= 50_000


# -- liquidation and reset ---------------------------------------------------------------------


def crash_venue(fund: str = "1000000") -> Venue:
    """Without a liquidation fee, so that the sums stay short."""
    venue = small_venue(fees=NO_FEES, insurance_minor=units(fund))
    return with_perp(venue, BTC_PERP, liquidation_fee_e12=0)


def fallen(story: Story, *, eth: str, to: str, bid: str) -> int:
    """A long of 1 from 50,000, carried by ETH alone, sold at a bid as the index falls."""
    account = multi(story, ETH=eth)
    hold_position(story, account, Side.BUY, "1", "50000")
    story.buy(rich(story), BTC_PERP, "1", bid)
    story.index("BTC", to)
    story.wait(1_000)
    return account


def test_p13_a_closed_position_is_paid_for_with_collateral_and_the_rest_stays() -> None:
    """2 ETH count 4,750. At 45,400 the balance is 150, below 0.4 % of 45,400, 181.60.

    Sold at 45,400 it owes 4,600; ETH are taken at 2,437.5: 4,600 / 2,437.5 = 1.88717949 (up).
    """
    story = Story(crash_venue())
    before = fund_minor(story)
    account = fallen(story, eth="2", to="45400", bid="45400")
    person = story.person(account)
    (told,) = of(story.events, CollateralConverted)
    assert (told.asset, told.amount_minor, told.cause) == (
        "ETH",
        units("1.88717949"),
        "liquidation",
    )
    (ended,) = of(story.events, LiquidationEnded)
    assert (ended.result, ended.covered_minor) == ("closed", 0)
    assert not person.positions
    assert person.minor(PERP, "ETH") == units("0.11282051")
    assert 0 <= person.minor(PERP, "USDT") <= 2_500
    assert fund_minor(story) == before


def test_p13_8_the_fund_pays_exactly_what_all_collateral_does_not() -> None:
    """2 ETH pay 4,875. A gap to 44,000 takes the position to the fund at the bankruptcy price of
    50,000 - 4,750 = 45,250, so nothing is missing; an ether of 2,000 instead leaves 3,900 for a
    debt of 6,000 that was owed before."""
    story = Story(crash_venue())
    account = owing(story, "6000", ETH="3")
    before = fund_minor(story)
    story.index("ETH", "2000")  # 3 x 2,000 x 0.95 = 5,700: less than is owed.
    story.wait(1_000)
    person = story.person(account)
    (told,) = of(story.events, CollateralConverted)
    # 3 x 2,000 x 0.975 = 5,850, so 150 are missing.
    assert (told.amount_minor, told.paid_minor) == (units("3"), units("5850"))
    (covered,) = of(story.events, FundCovered)
    assert (covered.asset, covered.paid_minor) == ("USDT", units("150"))
    (ended,) = of(story.events, LiquidationEnded)
    assert (ended.result, ended.covered_minor) == ("bankrupt", units("150"))
    assert (person.minor(PERP, "USDT"), person.minor(PERP, "ETH")) == (0, 0)
    assert before - fund_minor(story) == units("150")


def test_p13_what_the_fund_takes_over_ends_with_no_debt_either() -> None:
    """No bid at all: the fund takes the long at 45,250, the price at which 2 ETH count nothing
    more. It owes 4,750, which 1.94871795 ETH at 2,437.5 pay."""
    story = Story(crash_venue())
    account = multi(story, ETH="2")
    hold_position(story, account, Side.BUY, "1", "50000")
    story.index("BTC", "45300")
    story.wait(1_000)
    person = story.person(account)
    assert of(story.events, LiquidationStarted)
    assert not person.positions
    assert story.engine.risk.accounts[INSURANCE].lots(BTC_PERP) == 1_000
    assert person.minor(PERP, "USDT") >= 0
    assert person.minor(PERP, "ETH") == units("2") - units("1.94871795")


def test_a_reset_pays_with_coins_before_the_fund_is_asked(story: Story) -> None:
    account = owing(story, "500", BTC="1")
    before = fund_minor(story)
    (told,) = of(story.ok(ResetAccount, account_id=account), CollateralConverted)
    assert (told.cause, told.paid_minor) == ("reset", units("500.000475"))
    assert fund_minor(story) == before
    person = story.person(account)
    assert not any(pocket.minor for (wallet, _), pocket in person.pockets.items() if wallet == PERP)


# -- the house ---------------------------------------------------------------------------------


def test_p18_the_house_sells_in_slices_and_what_it_made_is_the_funds() -> None:
    """1.03 BTC are taken at 48,750, 50,212.50 in all, and sold at 49,800 within 0.5 %: a slice of
    50,000 of the index, 1 BTC, then 0.03: 51,294. The fund gains 1,081.50."""
    story = Story(small_venue(fees=NO_FEES))
    before = fund_minor(story)
    account = owing(story, "50212.5", BTC="10")
    story.wait(1_000)
    assert house_minor(story, "BTC") == units("1.03")
    story.wait(5_000)
    assert house_minor(story, "BTC") == units("1.03")  # There is nobody to sell to.
    story.buy(trader(story), BTC, "5", "49800")
    story.wait(5_000)
    assert house_minor(story, "BTC") == units("0.03")
    assert again(story.engine).digest() == story.engine.digest()
    story.wait(5_000)
    assert house_minor(story, "BTC") == 0
    story.wait(5_000)
    assert house_minor(story, "USDT") == 0
    assert fund_minor(story) - before == units("1081.5")
    assert story.person(account).minor(PERP, "USDT") == 0


def test_p18_the_house_sells_nothing_below_its_band_nor_on_a_halted_book(story: Story) -> None:
    owing(story, "11000", BTC="1")
    story.buy(trader(story), BTC, "1", "49749")  # 50,000 x 0.995 = 49,750.
    story.wait(10_000)
    held = house_minor(story, "BTC")
    assert held == units("0.22564103")
    story.buy(trader(story), BTC, "1", "50000")
    story.ok(SetSymbolState, symbol=BTC, state="halt")
    story.wait(10_000)
    assert house_minor(story, "BTC") == held


def test_p18_a_loss_of_the_house_is_the_funds() -> None:
    """Without a fee 0.22 BTC are taken at 50,000 and sold at 49,800: 44 are lost."""
    story = Story(small_venue(fees=NO_FEES, convert_share_e12=0))
    before = fund_minor(story)
    owing(story, "11000", BTC="1")
    story.buy(trader(story), BTC, "1", "49800")
    story.wait(15_000)
    assert (house_minor(story, "BTC"), house_minor(story, "USDT")) == (0, 0)
    assert before - fund_minor(story) == units("44")


def test_p18_the_fee_is_a_share_of_the_haircut(story: Story) -> None:
    risk = story.engine.risk
    assert conversion_fee_e12(risk, "BTC") == 25_000_000_000  # (1 - 0.95) / 2
    assert conversion_fee_e12(risk, "USDT") == 0
    whole = msgspec.structs.replace(risk.venue, convert_share_e12=10**12)
    assert conversion_fee_e12(Story(whole).engine.risk, "BTC") == 50_000_000_000
