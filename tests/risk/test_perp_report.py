"""Tests of perpetuals as their owner sees them, with the sums by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from exchange.commands import AdjustPositionMargin
from matching.types import Side
from risk.margin_report import MarginReport, margin_report
from risk.perp_report import perp_report, position_report
from risk.scopes import breached
from tests.risk.ending import falls_exactly_at, free_story
from tests.risk.stories import (
    BTC_PERP,
    ETH_PERP,
    MAKERS_FREE,
    NO_FEES,
    position,
    report,
    rich,
)
from tests.story import Story, flat_fees, refusal, small_venue, units


def test_v52_an_isolated_short_is_liquidated_at_the_price_it_is_shown() -> None:
    """Short 3 at 60,000 and 30x: 6,000 + 180,000 - 3 P = 0.5 % of 3 P - 50, so
    P = 186,050 / 3.015 = 61,708.12603648..."""
    story = free_story()
    story.index("BTC", "60000")
    one = position(story, Side.SELL, "3", "60000", money="9000", leverage=30, isolated=True)
    told = report(story, one)
    assert told.margin_minor == units("6000")
    assert told.liquidation_e8 == units("61708.12603648")
    assert falls_exactly_at(story, Fraction(186_050_000, 3_015), falling=False)


@pytest.mark.parametrize(
    ("side", "price"),
    [
        # 3,000 + P - 50,000 = 0.4 % of P.
        (Side.BUY, Fraction(47_000_000, 996)),
        # 3,000 + 50,000 - P = 0.5 % of P - 50, above 50,000 of notional.
        (Side.SELL, Fraction(53_050_000, 1_005)),
    ],
)
def test_p11_a_cross_position_is_liquidated_at_the_price_it_is_shown(
    side: Side, price: Fraction
) -> None:
    """1 at 50,000 with 3,000 behind it."""
    story = free_story()
    one = position(story, side, "1", "50000", money="3000")
    told = report(story, one)
    assert told.margin_minor == 0
    assert told.liquidation_e8 == round(price * 10**8)
    assert falls_exactly_at(story, price, falling=side is Side.BUY)


def test_p11_on_the_cross_wallet_another_position_counts() -> None:
    """Long 1 BTC and 20 ETH with 5,000; at 2,450 ETH has lost 1,000 and needs 0.4 % of 49,000,
    196. So 4,000 + P - 50,000 = 0.4 % of P + 196."""
    story = free_story()
    one = position(story, Side.BUY, "1", "50000", money="5000", leverage=50)
    symbol = "ETH-USDT-PERP"
    assert refusal(story.buy(one, symbol, "20", "2500", leverage=50)) is None
    other = story.account(perp_USDT="90000")
    story.sell(other, symbol, "20", "2500")
    story.index("ETH", "2450")
    price = Fraction(46_196_000, 996)
    assert report(story, one).liquidation_e8 == round(price * 10**8)
    assert falls_exactly_at(story, price, falling=True)


def test_v46_a_position_is_told_with_its_entry_and_where_it_would_be_bankrupt() -> None:
    """1 at 50,000 and 10x at a mark of 49,000; bankrupt at 45,000 / (1 - 0.05 %) = 45,022.51...,
    for a sale up to 45,022.6."""
    story = Story(small_venue(fees=MAKERS_FREE))
    one = position(story, Side.BUY, "1", "50000", money="9000", leverage=10, isolated=True)
    story.index("BTC", "49000")
    told = report(story, one)
    assert (told.mark_e8, told.entry_e8) == (units("49000"), units("50000"))
    assert told.unrealised_e16 == -1_000 * 10**16
    assert (told.notional_e16, told.initial_e16) == (49_000 * 10**16, 4_900 * 10**16)
    assert told.maintenance_e16 == 196 * 10**16  # 0.4 %
    assert told.bankruptcy_ticks == 450_226


def test_a_position_that_is_paid_for_has_no_liquidation_price() -> None:
    """1 at 50,000 with 60,000: even at nothing 10,000 are left."""
    story = free_story()
    one = position(story, Side.BUY, "1", "50000", money="60000")
    told = position_report(story.engine.risk, story.person(one), BTC_PERP)
    assert told.liquidation_e8 is told.bankruptcy_ticks is None


def test_p5_the_wallet_of_perpetuals_is_told_part_by_part() -> None:
    """6,000 and long 1 at 50,000 on 10x; at 52,000 it is 8,000, 5,200 are needed, and a sale of
    2.01 at 52,000 needs 52 (52,520 less 52,000 at 10x) and 52.26 of taker fee. So
    8,000 - 5,200 - 52 - 52.26 are available, and 2,000 less may leave."""
    story = Story(small_venue(fees=MAKERS_FREE))
    one = position(story, Side.BUY, "1", "50000", money="6000", leverage=10)
    story.index("BTC", "52000")
    assert refusal(story.sell(one, BTC_PERP, "2.01", "52000")) is None
    told = perp_report(story.engine.risk, story.person(one))
    assert told.wallet_minor == units("6000")
    assert told.unrealised_e16 == 2_000 * 10**16
    assert told.margin_balance_e16 == 8_000 * 10**16
    assert told.initial_e16 == 5_200 * 10**16
    assert told.order_margin_e16 == 10_426 * 10**14
    assert told.maintenance_e16 == 210 * 10**16  # 0.5 % of 52,000 less 50.
    assert told.available_minor == units("2695.74")
    assert told.withdrawable_minor == units("695.74")


E12 = 10**12


@pytest.fixture
def story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def e16(text: str) -> int:
    """Decimal text as 10^-16 of the quote."""
    return units(text) * 10**8


def margin(story: Story, account: int, wallet: str = "margin") -> MarginReport:
    return margin_report(story.engine.risk, story.person(account), wallet)


def test_p5_a_cross_wallet_of_perpetuals(story: Story) -> None:
    """Long 1 at 50,000 and 20x in a wallet of 4,000; at 51,000 profit is 1,000, margin 51,000 / 20
    = 2,550, maintenance 51,000 x 0.5 % - 50 = 205. A buy of 0.1 at 49,000 adds 4,900 / 20 = 245.
    Available: 5,000 - 2,795. Withdrawable: 4,000 - 2,795, for profit may not leave."""
    account = position(story, Side.BUY, "1", "50000", money="4000")
    story.index("BTC", "51000")
    story.buy(account, BTC_PERP, "0.1", "49000")
    found = perp_report(story.engine.risk, story.person(account))
    assert found._asdict() == {
        "wallet_minor": units("4000"),
        "unrealised_e16": e16("1000"),
        "margin_balance_e16": e16("5000"),
        "initial_e16": e16("2550"),
        "order_margin_e16": e16("245"),
        "maintenance_e16": e16("205"),
        "available_minor": units("2205"),
        "withdrawable_minor": units("1205"),
    }


def test_p5_a_loss_lowers_what_may_leave_too(story: Story) -> None:
    """At 49,000 the balance is 3,000 and the margin 2,450."""
    account = position(story, Side.BUY, "1", "50000", money="4000")
    story.index("BTC", "49000")
    found = perp_report(story.engine.risk, story.person(account))
    assert found.available_minor == found.withdrawable_minor == units("550")


def test_an_isolated_position_is_no_part_of_the_cross_wallet(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="4000", isolated=True)
    story.index("BTC", "49000")
    found = perp_report(story.engine.risk, story.person(account))
    assert (found.wallet_minor, found.unrealised_e16) == (units("1500"), 0)
    assert (found.initial_e16, found.maintenance_e16) == (0, 0)
    assert found.available_minor == units("1500")


def test_a_position_at_its_mark() -> None:
    """Short 2 at 50,000 and 20x, mark 49,000: notional 98,000, profit 2,000, initial 4,900,
    maintenance 98,000 x 0.5 % - 50 = 440, no margin of its own."""
    story = Story(small_venue(fees=NO_FEES))
    account = position(story, Side.SELL, "2", "50000", money="6000")
    story.index("BTC", "49000")
    found = report(story, account)
    assert found[:7] == (
        units("49000"),
        units("50000"),
        e16("98000"),
        e16("2000"),
        e16("4900"),
        0,
        e16("440"),
    )


def test_p11_t4_v51_the_bracket_of_the_liquidation_price_counts_not_that_of_the_entry() -> None:
    """Isolated long 12.5 at 50,000 and 20x: margin 31,250; bracket 2 at 47,734.67336683."""
    story = Story(small_venue(fees=NO_FEES))
    account = position(story, Side.BUY, "12.5", "50000", money="40000", isolated=True)
    found = report(story, account)
    assert found.margin_minor == units("31250")
    assert found.liquidation_e8 == units("47734.67336683")


def test_p11_v52_an_isolated_short() -> None:
    """3 at 60,000 and 30x: margin 6,000, bracket 2."""
    story = Story(small_venue(fees=NO_FEES))
    story.index("BTC", "60000")
    account = position(story, Side.SELL, "3", "60000", money="7000", leverage=30, isolated=True)
    assert report(story, account).liquidation_e8 == units("61708.12603648")


@pytest.mark.parametrize(("side", "ticks"), [(Side.BUY, 196_118), (Side.SELL, 203_877)])
def test_p12_v47_the_bankruptcy_price_has_the_fee_to_close_in_it_and_rounds_to_the_safe_side(
    side: Side, ticks: int
) -> None:
    """Taker 0.06 %, 1 at 20,000 with 400: long 19,600 / 0.9994 = 19,611.76..., up to 19,611.8;
    short 20,400 / 1.0006 = 20,387.767..., down to 20,387.7."""
    fees = flat_fees(0, perp_maker_e12=0, perp_taker_e12=6 * E12 // 10_000)
    story = Story(small_venue(fees=fees))
    story.index("BTC", "20000")
    account = position(story, side, "1", "20000", money="430", leverage=50, isolated=True)
    assert report(story, account).margin_minor == units("400")
    assert report(story, account).bankruptcy_ticks == ticks


def test_p11_a_position_backed_by_more_than_any_price_takes_has_neither_price() -> None:
    """A cross long of 0.01 in a wallet of 10,000: at zero 9,500 would be left."""
    story = Story(small_venue(fees=NO_FEES))
    account = position(story, Side.BUY, "0.01", "50000", money="10000")
    found = report(story, account)
    assert (found.liquidation_e8, found.bankruptcy_ticks) == (None, None)


def _alone(story: Story, account: int) -> None:
    pass


def _beside_another(story: Story, account: int) -> None:
    story.sell(rich(story), ETH_PERP, "20", "2500")
    story.buy(account, ETH_PERP, "20", "2500")


def _beside_an_isolated_one(story: Story, account: int) -> None:
    story.person(account).own_setting(ETH_PERP).isolated = True
    _beside_another(story, account)


def _after_a_move(story: Story, account: int) -> None:
    story.index("BTC", "50500")


def _with_an_order(story: Story, account: int) -> None:
    story.buy(account, BTC_PERP, "0.1", "40000")


def _with_more_margin(story: Story, account: int) -> None:
    story.ok(AdjustPositionMargin, account_id=account, symbol=BTC_PERP, amount_minor=units("777"))


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("isolated", "more"),
    [
        (False, _alone),
        (False, _beside_another),
        (False, _beside_an_isolated_one),
        (False, _after_a_move),
        (False, _with_an_order),
        (True, _alone),
        (True, _beside_another),
        (True, _with_more_margin),
    ],
)
def test_i14_the_liquidation_price_of_a_position_is_where_the_scan_takes_it(
    side: Side, isolated: bool, more: Any
) -> None:
    story = Story()
    account = position(story, side, "1.5", "50000", money="20000", isolated=isolated)
    more(story, account)
    risk, person = story.engine.risk, story.person(account)
    price = position_report(risk, person, BTC_PERP).liquidation_e8
    assert price is not None
    fallen = {}
    for away in (-1, 1):
        risk.marks[BTC_PERP].mark_e8 = price + away
        fallen[away] = breached(risk, person, risk.pocket_wallet(person, BTC_PERP))
    assert fallen == {-1: side is Side.BUY, 1: side is Side.SELL}
