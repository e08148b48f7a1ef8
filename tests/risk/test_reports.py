"""Tests of what an owner is shown: the figures, and that a liquidation comes where it is told."""

from __future__ import annotations

from fractions import Fraction

import pytest

from exchange.events import LiquidationStarted
from matching.types import Side
from risk.reports import margin_report, perp_report, position_report
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    ISOLATED_BTC,
    MAKERS_FREE,
    NO_FEES,
    borrow,
    levered,
    position,
    report,
    trader,
)
from tests.story import Story, of, refusal, small_venue, units


def _story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def _falls_at(story: Story, price_e8: int) -> bool:
    """Whether somebody is liquidated once BTC is at a price."""
    return bool(
        of(story.index("BTC", f"{price_e8 // 10**8}.{price_e8 % 10**8:08d}"), LiquidationStarted)
    )


def _falls_exactly_at(story: Story, price: Fraction, *, falling: bool) -> bool:
    """Not at the last price before an exact one, but at the first that has reached it."""
    below = price.numerator * 10**8 // price.denominator
    above = -(-price.numerator * 10**8 // price.denominator)
    if falling:
        return not _falls_at(story, below + 1) and _falls_at(story, below)
    return not _falls_at(story, above - 1) and _falls_at(story, above)


# -- spot margin -------------------------------------------------------------------------------


def test_v22_an_isolated_long_is_liquidated_at_the_price_it_is_shown() -> None:
    """1,000 and a loan of 9,000 hold 0.2 BTC; an hour at 0.001 % makes it 9,000.09. Ten times
    leverage falls at 1.05: 1.05 x 9,000.09 / 0.2 = 47,250.4725."""
    story = _story()
    one = levered(story, "1000", "9000", "0.2", "50000")
    told = margin_report(story.engine.risk, story.person(one), ISOLATED_BTC)
    assert (told.leverage, told.liquidation_e12) == (10, 105 * 10**10)
    assert (told.assets_e16, told.debt_e16) == (10_000 * 10**16, 900_009 * 10**14)
    assert told.level_e12 == told.collateral_level_e12 == 10**12 * 10_000 * 100 // 900_009
    assert told.liquidation_price_e8 == units("47250.4725")
    assert _falls_exactly_at(story, Fraction("47250.4725"), falling=True)


def test_v23_an_isolated_short_is_liquidated_at_the_price_it_is_shown() -> None:
    """1,000 of its own and 0.05 BTC sold at 50,000 are 3,500; an hour at 0.0003 % on 0.05 makes
    it 0.05000015 owed, and 3,500 / (1.05 x 0.05000015) is 66,666.4666..."""
    story = _story()
    one = story.account(**{f"{ISOLATED_BTC}_USDT": "1000"})
    borrow(story, one, ISOLATED_BTC, "BTC", "0.05")
    story.buy(trader(story), BTC, "0.05", "50000")
    assert refusal(story.sell(one, BTC, "0.05", "50000", wallet=ISOLATED_BTC)) is None
    told = margin_report(story.engine.risk, story.person(one), ISOLATED_BTC)
    exact = Fraction(3_500) / (Fraction("1.05") * Fraction("0.05000015"))
    assert told.liquidation_price_e8 == round(exact * 10**8)
    assert _falls_exactly_at(story, exact, falling=False)


def test_a_margin_wallet_without_a_debt_has_no_level_and_no_price() -> None:
    story = _story()
    one = story.account(**{f"{ISOLATED_BTC}_USDT": "10", "margin_BTC": "1"})
    for wallet, assets, collateral in ((ISOLATED_BTC, 10, 10), ("margin", 50_000, 49_000)):
        told = margin_report(story.engine.risk, story.person(one), wallet)
        assert (told.assets_e16, told.debt_e16) == (assets * 10**16, 0)
        assert told.collateral_e16 == collateral * 10**16  # 98 % of BTC counts on cross margin.
        assert told.level_e12 is told.collateral_level_e12 is told.liquidation_price_e8 is None


# -- perpetuals --------------------------------------------------------------------------------


def test_v52_an_isolated_short_is_liquidated_at_the_price_it_is_shown() -> None:
    """Short 3 at 60,000 and 30x: 6,000 + 180,000 - 3 P = 0.5 % of 3 P - 50, so
    P = 186,050 / 3.015 = 61,708.12603648..."""
    story = _story()
    story.index("BTC", "60000")
    one = position(story, Side.SELL, "3", "60000", money="9000", leverage=30, isolated=True)
    told = report(story, one)
    assert told.margin_minor == units("6000")
    assert told.liquidation_e8 == units("61708.12603648")
    assert _falls_exactly_at(story, Fraction(186_050_000, 3_015), falling=False)


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
    story = _story()
    one = position(story, side, "1", "50000", money="3000")
    told = report(story, one)
    assert told.margin_minor == 0
    assert told.liquidation_e8 == round(price * 10**8)
    assert _falls_exactly_at(story, price, falling=side is Side.BUY)


def test_p11_on_the_cross_wallet_another_position_counts() -> None:
    """Long 1 BTC and 20 ETH with 5,000; at 2,450 ETH has lost 1,000 and needs 0.4 % of 49,000,
    196. So 4,000 + P - 50,000 = 0.4 % of P + 196."""
    story = _story()
    one = position(story, Side.BUY, "1", "50000", money="5000", leverage=50)
    symbol = "ETH-USDT-PERP"
    assert refusal(story.buy(one, symbol, "20", "2500", leverage=50)) is None
    other = story.account(perp_USDT="90000")
    story.sell(other, symbol, "20", "2500")
    story.index("ETH", "2450")
    price = Fraction(46_196_000, 996)
    assert report(story, one).liquidation_e8 == round(price * 10**8)
    assert _falls_exactly_at(story, price, falling=True)


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
    story = _story()
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
