"""Tests of what the house does with positions it took over (P13.7)."""

from __future__ import annotations

import pytest

from exchange.commands import ResetAccount, SetSymbolState
from exchange.events import FundingFixed
from matching.types import Side
from risk.account import PERP
from risk.ledger import INSURANCE, LIQUIDATION
from tests.risk.stories import BTC_PERP, NO_FEES, position, rich
from tests.risk.test_insurance import fund_venue, give
from tests.story import Story, of, small_venue, units

EIGHT_HOURS = 8 * 3_600_000


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "49750"), (Side.SELL, "50250")])
def test_slices_of_50_000_go_to_the_book_within_half_a_percent_of_the_mark(
    side: Side, price: str
) -> None:
    """2 at 50,000: 1 every five seconds, where there is somebody within 250 of the mark."""
    story = fund_venue("1000000")
    give(story, BTC_PERP, side, "2", "50000")
    house = story.engine.risk.accounts[INSURANCE]
    story.wait(5_000)
    assert abs(house.lots(BTC_PERP)) == 2_000
    story.place(rich(story), side, BTC_PERP, "5", price)
    story.wait(5_000)
    assert abs(house.lots(BTC_PERP)) == 1_000
    story.wait(5_000)
    assert BTC_PERP not in house.positions
    assert house.minor(PERP, "USDT") == units("1000000") - 2 * units("250")


def test_nothing_is_sold_on_a_halted_book() -> None:
    story = fund_venue("1000000")
    give(story, BTC_PERP, Side.BUY, "1", "50000")
    story.buy(rich(story), BTC_PERP, "5", "49900")
    story.ok(SetSymbolState, symbol=BTC_PERP, state="halt")
    story.wait(10_000)
    assert story.engine.risk.accounts[INSURANCE].lots(BTC_PERP) == 1_000


def test_t8_the_funds_positions_pay_funding_like_any_other() -> None:
    """1 at a mark of 50,000 pays the rate fixed at the boundary; the sum is zero by `check`."""
    story = fund_venue("1000000")
    give(story, BTC_PERP, Side.BUY, "1", "50000")
    house = story.engine.risk.accounts[INSURANCE]
    before = house.minor(PERP, "USDT")
    (fixed,) = [
        each for each in of(story.wait(EIGHT_HOURS), FundingFixed) if each.symbol == BTC_PERP
    ]
    story.wait(1_000)
    assert fixed.rate_e12 != 0
    assert house.minor(PERP, "USDT") - before == -fixed.mark_e8 * fixed.rate_e12 // 10**12


def test_a_loss_of_the_liquidation_account_is_the_funds_as_far_as_it_has_the_means() -> None:
    """A reset hands over 1 at 50,000; it is sold at 49,800. The fund has 150 of the 200."""
    story = Story(small_venue(insurance_minor=units("150"), fees=NO_FEES))
    account = position(story, Side.BUY, "1", "50000", money="5000")
    story.ok(ResetAccount, account_id=account)
    risk = story.engine.risk
    assert risk.accounts[LIQUIDATION].lots(BTC_PERP) == 1_000
    story.buy(rich(story), BTC_PERP, "5", "49800")
    story.wait(10_000)
    assert risk.accounts[INSURANCE].minor(PERP, "USDT") == 0
    assert risk.accounts[LIQUIDATION].minor(PERP, "USDT") == -units("50")
