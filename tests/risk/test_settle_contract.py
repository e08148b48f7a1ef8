"""Tests of what a fill on a perpetual does to position, margin, fees and holds."""

from __future__ import annotations

from itertools import pairwise

import pytest

from exchange.commands import AdjustPositionMargin, SetMarginMode
from exchange.events import AnyEvent, Filled
from matching.types import Side
from risk.account import PERP
from risk.ledger import INSURANCE
from tests.risk.stories import (
    BTC_PERP,
    MAKERS_FREE,
    NO_FEES,
    margin_of,
    position,
    rich,
)
from tests.story import Story, flat_fees, of, refusal, small_venue, units


def _free_story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def _fills(events: list[AnyEvent], account: int) -> list[Filled]:
    return [fill for fill in of(events, Filled) if fill.account_id == account]


def _wallet(story: Story, account: int, wallet: str = PERP, asset: str = "USDT") -> int:
    return story.person(account).minor(wallet, asset)


def test_p4_a_resting_order_gives_back_its_share_of_the_fee_as_it_fills() -> None:
    """0.4 at 50,000 keep back 10 of taker fee; 0.1 of it filled leaves 7.5, all of it nothing."""
    story = Story()
    one = story.account(perp_USDT="9000")
    story.buy(one, BTC_PERP, "0.4", "50000")
    assert story.person(one).open_perp[BTC_PERP].held_minor == units("10")
    story.sell(rich(story), BTC_PERP, "0.1", "50000")
    sums = story.person(one).open_perp[BTC_PERP]
    assert (sums.buy_lots, sums.held_minor) == (300, units("7.5"))
    story.sell(rich(story), BTC_PERP, "0.3", "50000")
    assert not story.person(one).open_perp


def test_s10_a_contract_fee_is_on_the_notional_in_quote_rounded_up() -> None:
    """0.001 at 50,000.1 is 5,000,010,000 units; a 3,000th part and a little less of it is
    1,666,669.998..., charged 1,666,670."""
    story = Story(small_venue(fees=flat_fees(perp_taker_e12=333_333_333)))
    one = story.account(perp_USDT="100")
    story.sell(rich(story), BTC_PERP, "0.001", "50000.1")
    (mine,) = _fills(story.buy(one, BTC_PERP, "0.001", "50000.1"), one)
    assert (mine.fee_asset, mine.fee_minor) == ("USDT", 1_666_670)
    assert _wallet(story, one) == units("100") - 1_666_670


def test_v78_a_flip_realises_on_what_it_closes_and_opens_the_rest() -> None:
    """B is long 1 for 90 and sells 3 at 100.1 to A: 10.1 realised; A 3 for 300.3, B -2 for -200.2.
    Wallet less cost of both is -90 before and after."""
    story = _free_story()
    story.index("BTC", "90")
    b = position(story, Side.BUY, "1", "90", money="1000")
    story.index("BTC", "100")
    a = story.account(perp_USDT="1000")
    story.buy(a, BTC_PERP, "3", "100.1")
    (sold,) = _fills(story.sell(b, BTC_PERP, "3", "100.1"), b)
    held = [story.person(each).positions[BTC_PERP] for each in (a, b)]
    assert [(each.lots, each.cost_minor) for each in held] == [
        (3_000, units("300.3")),
        (-2_000, units("-200.2")),
    ]
    assert sold.realised_minor == units("10.1")
    wallets = _wallet(story, a) + _wallet(story, b) - units("2000")
    assert wallets - sum(each.cost_minor for each in held) == units("-90")


def test_v79_costs_released_pro_rata_sum_to_the_whole() -> None:
    """33.3 + 33.3 + 33.4 = 100 for 3; closing one at a time releases 33.33333333, then half of
    66.66666667 to even, 33.33333334, then 33.33333333."""
    story = _free_story()
    story.index("BTC", "33.3")
    one = story.account(perp_USDT="1000")
    for price in ("33.3", "33.3", "33.4"):
        story.sell(rich(story), BTC_PERP, "1", price)
        story.buy(one, BTC_PERP, "1", price)
    costs = [story.person(one).positions[BTC_PERP].cost_minor]
    for _ in range(3):
        story.buy(rich(story), BTC_PERP, "1", "33.3")
        story.sell(one, BTC_PERP, "1", "33.3")
        held = story.person(one).positions.get(BTC_PERP)
        costs.append(held.cost_minor if held else 0)
    released = [before - after for before, after in pairwise(costs)]
    assert released == [3_333_333_333, 3_333_333_334, 3_333_333_333]
    assert _wallet(story, one) == units("1000") + units("99.9") - units("100")


def test_v43_a_flip_through_zero_moves_its_margin() -> None:
    """Long 1 at 50,000 and 10x has 5,000. Sold 3 at 51,000: 1,000 realised and 5,000 released;
    short 2 needs 10,200, which is 4,200 more than those two leave."""
    story = _free_story()
    one = position(story, Side.BUY, "1", "50000", money="10100", leverage=10, isolated=True)
    assert (margin_of(story.person(one)), _wallet(story, one)) == (units("5000"), units("5100"))
    story.index("BTC", "51000")
    story.buy(rich(story), BTC_PERP, "3", "51000")
    (fill,) = _fills(story.sell(one, BTC_PERP, "3", "51000"), one)
    held = story.person(one).positions[BTC_PERP]
    assert fill.realised_minor == units("1000")
    assert (held.lots, held.cost_minor) == (-2_000, units("-102000"))
    assert margin_of(story.person(one)) == units("10200")
    assert _wallet(story, one) == units("900")  # 5,100 - 4,200.


@pytest.mark.parametrize(
    ("leverage", "price", "margin", "released"),
    [
        (10, "51000", "7500", "3000"),  # A quarter of 10,000, and 500 won.
        (10, "49000", "7500", "2000"),  # A quarter of it less 500 lost.
        (100, "49400", "700", "0"),  # 300 lost are more than the quarter of 1,000.
    ],
)
def test_p4_a_partial_close_releases_its_share_with_what_it_made(
    leverage: int, price: str, margin: str, released: str
) -> None:
    """Long 2 at 50,000, of which 0.5 is sold."""
    story = _free_story()
    one = position(story, Side.BUY, "2", "50000", money="20000", leverage=leverage, isolated=True)
    before = _wallet(story, one)
    story.buy(rich(story), BTC_PERP, "0.5", price)
    assert refusal(story.sell(one, BTC_PERP, "0.5", price)) is None
    assert margin_of(story.person(one)) == units(margin)
    assert _wallet(story, one) - before == units(released)


def test_a5_the_margin_of_what_is_closed_is_rounded_half_even() -> None:
    """0.003 at 50,000 and 125x have 1.2 of margin, 1.20000002 with what is added. A third of it
    is 40,000,000.67 units: 40,000,001; half of the other 80,000,001 is 40,000,000.5: the even
    40,000,000; then all the rest."""
    story = _free_story()
    one = position(story, Side.BUY, "0.003", "50000", money="10", leverage=125, isolated=True)
    story.ok(AdjustPositionMargin, account_id=one, symbol=BTC_PERP, amount_minor=2)
    story.buy(rich(story), BTC_PERP, "1", "50000")
    left = []
    for _ in range(3):
        assert refusal(story.sell(one, BTC_PERP, "0.001")) is None
        left.append(margin_of(story.person(one)))
    assert left == [80_000_001, 40_000_001, 0]


def test_s10_an_isolated_position_pays_for_closing_and_the_wallet_for_opening() -> None:
    """Taken 1 at 50,000: a fee of 25 from the wallet of 6,000 beside 5,000 of margin. Sold
    0.5: 12.5 come out of the 2,500 that are released."""
    story = Story(small_venue(fees=MAKERS_FREE))
    one = story.account(perp_USDT="6000")
    story.ok(SetMarginMode, account_id=one, symbol=BTC_PERP, isolated=True)
    story.sell(rich(story), BTC_PERP, "1", "50000")
    story.buy(one, BTC_PERP, "1", "50000")
    assert (margin_of(story.person(one)), _wallet(story, one)) == (units("5000"), units("975"))
    story.buy(rich(story), BTC_PERP, "0.5", "50000")
    story.sell(one, BTC_PERP, "0.5", "50000")
    assert margin_of(story.person(one)) == units("2500")
    assert _wallet(story, one) == units("3462.5")


def test_p13_8_an_isolated_loss_beyond_its_margin_is_the_funds_and_no_more() -> None:
    """Long 1 at 50,000 and 100x has 500; sold at 49,400 it loses 600: the fund pays 100."""
    story = _free_story()
    one = position(story, Side.BUY, "1", "50000", money="1700", leverage=100, isolated=True)
    fund = _wallet(story, INSURANCE)
    story.buy(rich(story), BTC_PERP, "1", "49400")
    story.sell(one, BTC_PERP, "1", "49400")
    assert _wallet(story, one) == units("1200")
    assert margin_of(story.person(one)) == 0
    assert _wallet(story, INSURANCE) - fund == units("-100")
