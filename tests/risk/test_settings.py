"""Tests of what an account may choose: leverage, margin mode, margin of isolated positions."""

from __future__ import annotations

import pytest

from exchange.commands import (
    AdjustPositionMargin,
    CancelAll,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
)
from exchange.events import SettingChanged
from matching.reasons import Reason
from matching.types import Side
from risk.account import PERP
from risk.settings import supposed_leverage
from tests.risk.stories import BTC_PERP, NO_FEES, borrow, margin_of, position, rich
from tests.story import Story, of, refusal, small_venue, standing, units


@pytest.fixture
def story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def _isolated(story: Story, money: str, leverage: int = 10) -> int:
    """Long 1 at 50,000 on isolated margin."""
    return position(story, Side.BUY, "1", "50000", money=money, leverage=leverage, isolated=True)


def _lever(story: Story, account: int, leverage: int, symbol: str = BTC_PERP) -> Reason | None:
    return refusal(story.do(SetLeverage, account_id=account, symbol=symbol, leverage=leverage))


def _adjust(story: Story, account: int, amount: str) -> Reason | None:
    return refusal(
        story.do(
            AdjustPositionMargin,
            account_id=account,
            symbol=BTC_PERP,
            amount_minor=units(amount),
        )
    )


def _mode(story: Story, account: int, *, isolated: bool) -> Reason | None:
    return refusal(story.do(SetMarginMode, account_id=account, symbol=BTC_PERP, isolated=isolated))


def _balances(story: Story, account: int) -> tuple[int, int]:
    """(margin of the position, the free wallet)"""
    person = story.person(account)
    return margin_of(person), person.minor(PERP, "USDT")


# -- leverage ----------------------------------------------------------------------------------


def test_v77_a_higher_leverage_releases_margin_and_a_lower_one_needs_more(story: Story) -> None:
    """5,000 at 10x; 20x needs 2,500. With 1,000 free, 5x would need 5,000 more."""
    one = _isolated(story, "6000")
    before = standing(story.engine)
    assert _lever(story, one, 5) is Reason.INSUFFICIENT_MARGIN
    assert standing(story.engine) == before
    assert _lever(story, one, 20) is None
    assert _balances(story, one) == (units("2500"), units("3500"))


def test_p17_a_lower_leverage_needs_the_difference_to_the_unit(story: Story) -> None:
    """50,000 / 5 less 50,000 / 10 is 5,000."""
    poor, able = _isolated(story, "9999.99999999"), _isolated(story, "10000")
    assert _lever(story, poor, 5) is Reason.INSUFFICIENT_MARGIN
    assert _lever(story, able, 5) is None
    assert _balances(story, able) == (units("10000"), 0)


@pytest.mark.parametrize(
    ("price", "kept"),
    [
        # 50,000 / 125 = 400 is more than 200 lost and 0.4 % of 49,800, 199.2.
        ("49800", "400"),
        # 2,000 lost and 0.4 % of 48,000, 192, are more than 400.
        ("48000", "2192"),
    ],
)
def test_p17_a_raise_leaves_what_maintenance_and_the_open_loss_need(
    story: Story, price: str, kept: str
) -> None:
    one = _isolated(story, "6000")
    story.index("BTC", price)
    assert _lever(story, one, 125) is None
    assert _balances(story, one) == (units(kept), units("6000") - units(kept))


def test_p17_a_cross_position_needs_its_larger_margin_to_be_there(story: Story) -> None:
    """Long 1 at 50,000: 8x needs 6,250."""
    for money, refused in (("6249.99999999", Reason.INSUFFICIENT_MARGIN), ("6250", None)):
        one = position(story, Side.BUY, "1", "50000", money=money, leverage=10)
        assert _lever(story, one, 8) is refused
        assert story.person(one).setting(BTC_PERP).leverage == (10 if refused else 8)


def test_p17_resting_orders_need_the_larger_margin_too(story: Story) -> None:
    """0.5 at 50,000: 2,500 at 10x, 5,000 at 5x."""
    for money, refused in (("4999.99999999", Reason.INSUFFICIENT_MARGIN), ("5000", None)):
        one = story.account(perp_USDT=money)
        assert refusal(story.buy(one, BTC_PERP, "0.5", "50000")) is None
        assert _lever(story, one, 5) is refused


def test_p17_an_isolated_position_and_its_orders_need_it_together(story: Story) -> None:
    """From 10x to 8x: 6,250 - 5,000 for the position and 6,125 - 4,900 for the order."""
    one = _isolated(story, "12374.99999999")
    assert refusal(story.buy(one, BTC_PERP, "1", "49000")) is None
    before = standing(story.engine)
    assert _lever(story, one, 8) is Reason.INSUFFICIENT_MARGIN
    assert standing(story.engine) == before
    story.deposit(one, PERP, "USDT", "0.00000001")
    assert _lever(story, one, 8) is None
    assert _balances(story, one) == (units("6250"), units("6125"))


def test_p3_no_leverage_whose_cap_the_position_and_its_orders_exceed(story: Story) -> None:
    """125x carries 50,000, 100x 600,000: 1 held and 0.2 ordered are 60,000."""
    one = position(story, Side.BUY, "1", "50000", money="90000", leverage=10)
    story.buy(one, BTC_PERP, "0.2", "49000")
    assert _lever(story, one, 125) is Reason.BRACKET_EXCEEDED
    assert _lever(story, one, 101) is Reason.BRACKET_EXCEEDED
    assert _lever(story, one, 100) is None
    story.do(CancelAll, account_id=one)
    assert _lever(story, one, 125) is None


def test_a_leverage_lies_in_the_range_of_a_perpetual(story: Story) -> None:
    one = rich(story)
    assert _lever(story, one, 0) is Reason.LEVERAGE_OUT_OF_RANGE
    assert _lever(story, one, 126) is Reason.LEVERAGE_OUT_OF_RANGE
    assert _lever(story, one, 5, "BTC-USDT") is Reason.UNKNOWN_SYMBOL
    assert _lever(story, one, 1) is None
    assert _lever(story, one, 125) is None


def test_a_setting_is_told_once_and_not_again_where_nothing_changes(story: Story) -> None:
    one = rich(story)
    for expected in ([(BTC_PERP, "leverage", "7")], []):
        events = story.ok(SetLeverage, account_id=one, symbol=BTC_PERP, leverage=7)
        told = [(each.symbol, each.name, each.value) for each in of(events, SettingChanged)]
        assert told == expected


def test_a_supposed_leverage_shows_what_would_be_and_leaves_nothing(story: Story) -> None:
    one = _isolated(story, "6000")
    person = story.person(one)
    before = standing(story.engine)
    with supposed_leverage(story.engine.risk, person, BTC_PERP, 20) as reason:
        assert reason is None
        assert person.setting(BTC_PERP).leverage == 20
        assert _balances(story, one) == (units("2500"), units("3500"))
    assert standing(story.engine) == before
    with supposed_leverage(story.engine.risk, person, BTC_PERP, 5) as reason:
        assert reason is Reason.INSUFFICIENT_MARGIN
        assert person.setting(BTC_PERP).leverage == 10
    assert standing(story.engine) == before


# -- margin mode -------------------------------------------------------------------------------


def test_p2_the_margin_mode_stays_while_there_is_an_order_or_a_position(story: Story) -> None:
    one = story.account(perp_USDT="9000")
    story.buy(one, BTC_PERP, "0.1", "50000")
    assert _mode(story, one, isolated=True) is Reason.ORDERS_OPEN
    story.sell(rich(story), BTC_PERP, "0.1", "50000")
    assert _mode(story, one, isolated=True) is Reason.POSITION_OPEN
    assert _mode(story, one, isolated=False) is None  # As it is already.
    story.buy(rich(story), BTC_PERP, "0.1", "50000")
    story.sell(one, BTC_PERP, "0.1", "50000")
    assert _mode(story, one, isolated=True) is None
    assert story.person(one).is_isolated(BTC_PERP)


# -- the margin of a position ------------------------------------------------------------------


def test_p17_margin_is_added_from_what_is_free_and_no_more(story: Story) -> None:
    one = _isolated(story, "6000")
    assert _adjust(story, one, "1000.00000001") is Reason.INSUFFICIENT_MARGIN
    assert _adjust(story, one, "1000") is None
    assert _balances(story, one) == (units("6000"), 0)


@pytest.mark.parametrize(
    ("price", "removable"),
    [
        ("50000", "1000"),  # 6,000 less 5,000 of initial margin.
        ("49600", "640"),  # 6,000 less 400 lost and 4,960.
        ("50500", "950"),  # 6,000, what was won not counted, less 5,050.
    ],
)
def test_p17_only_margin_above_the_requirement_can_be_taken_out(
    story: Story, price: str, removable: str
) -> None:
    one = _isolated(story, "6000")
    assert _adjust(story, one, "1000") is None
    story.index("BTC", price)
    over = f"-{(units(removable) + 1) / 10**8:.8f}"
    assert _adjust(story, one, over) is Reason.MARGIN_NOT_REMOVABLE
    assert _adjust(story, one, f"-{removable}") is None
    assert _balances(story, one) == (units("6000") - units(removable), units(removable))


def test_p17_only_an_isolated_position_has_margin_of_its_own(story: Story) -> None:
    cross = position(story, Side.BUY, "1", "50000", money="9000", leverage=10)
    assert _adjust(story, cross, "1") is Reason.POSITION_NOT_ISOLATED
    assert _adjust(story, rich(story), "1") is Reason.NO_POSITION


# -- cross margin of spot ----------------------------------------------------------------------


@pytest.mark.parametrize(("loan", "refused"), [("3000", None), ("3500", Reason.COLLATERAL_TOO_LOW)])
def test_m4_a_cross_leverage_is_not_chosen_under_its_call_level(
    story: Story, loan: str, refused: Reason | None
) -> None:
    """1,000 of its own at 5x; 3x calls at 1.3. 4,000 / 3,000.03 is 1.333, 4,500 / 3,500.035
    is 1.286."""
    one = story.account(margin_USDT="1000")
    story.ok(SetMarginLeverage, account_id=one, leverage=5)
    borrow(story, one, "margin", "USDT", loan)
    assert refusal(story.do(SetMarginLeverage, account_id=one, leverage=3)) is refused
    assert story.person(one).margin_leverage == (5 if refused else 3)


def test_m4_cross_margin_has_two_leverages(story: Story) -> None:
    one = rich(story)
    for leverage in (0, 1, 4, 10):
        asked = story.do(SetMarginLeverage, account_id=one, leverage=leverage)
        assert refusal(asked) is Reason.LEVERAGE_OUT_OF_RANGE
    assert story.person(one).margin_leverage == 3
