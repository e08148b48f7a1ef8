"""Tests of starting over: all is handed back, nothing is owed, the gift is given anew."""

from __future__ import annotations

import pytest

from exchange.commands import (
    CancelOrder,
    ResetAccount,
    SetMarginLeverage,
    SetMarginMode,
    SetSymbolState,
)
from exchange.events import OrderChanged
from matching.reasons import Reason
from matching.types import Status
from risk.account import PERP
from risk.ledger import INSURANCE, LIQUIDATION, POOL
from risk.parameters import Grant
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    ETH_PERP,
    ISOLATED_BTC,
    NO_FEES,
    borrow,
    rich,
    trader,
)
from tests.story import Story, again, answer, of, refusal, small_venue, standing, units

GIFT = (Grant("spot", "USDT", units("1000")), Grant(PERP, "USDT", units("2000")))


@pytest.fixture
def story() -> Story:
    return Story(small_venue(fees=NO_FEES, deposits=GIFT))


def _pockets(story: Story, account: int) -> dict[tuple[str, str], tuple[int, int]]:
    """(total, held) of every pocket that is not empty."""
    return {
        key: (pocket.minor, pocket.locked)
        for key, pocket in story.person(account).pockets.items()
        if pocket.minor or pocket.locked
    }


GIVEN = {("spot", "USDT"): (units("1000"), 0), (PERP, "USDT"): (units("2000"), 0)}


def _fill(story: Story, account: int, symbol: str, qty: str, price: str, **more: str | int) -> None:
    """The account buys it all, as a maker."""
    assert refusal(story.buy(account, symbol, qty, price, **more)) is None
    other = rich(story) if symbol.endswith("PERP") else trader(story)
    assert refusal(story.sell(other, symbol, qty, price)) is None


def _busy(story: Story) -> int:
    """Orders on spot, margin and perpetuals, positions cross and isolated, and three debts."""
    one = story.account(
        spot_USDT="9000", perp_USDT="9000", margin_BTC="0.1", **{f"{ISOLATED_BTC}_USDT": "1000"}
    )
    story.ok(SetMarginMode, account_id=one, symbol=BTC_PERP, isolated=True)
    story.ok(SetMarginLeverage, account_id=one, leverage=5)
    _fill(story, one, BTC_PERP, "0.5", "50000")
    _fill(story, one, ETH_PERP, "10", "2500")
    borrow(story, one, "margin", "USDT", "3000")
    borrow(story, one, "margin", "ETH", "1")
    borrow(story, one, ISOLATED_BTC, "USDT", "5000")
    _fill(story, one, BTC, "0.12", "50000", wallet=ISOLATED_BTC)  # All of the 6,000.
    story.buy(one, BTC, "0.01", "49000")
    story.buy(one, BTC, "0.01", "49000", wallet="margin")
    story.buy(one, ETH_PERP, "1", "2400")
    story.sell(one, BTC_PERP, "0.1", "51000", reduce_only=True)
    assert len(story.person(one).orders) == 4
    return one


def test_nothing_is_left_of_an_account_but_its_gift(story: Story) -> None:
    one = _busy(story)
    events = story.ok(ResetAccount, account_id=one)
    person = story.person(one)
    assert person.epoch == 2
    left = (person.orders, person.positions, person.loans, person.open_perp)
    assert not any((*left, person.settings, person.reducing, person.order_loans))
    assert person.margin_leverage == 3
    assert _pockets(story, one) == GIVEN
    ended = of(events, OrderChanged)
    assert len(ended) == 4
    assert {(each.status, each.reason) for each in ended} == {
        (Status.CANCELLED, Reason.ACCOUNT_RESET)
    }


def test_positions_go_to_the_house_at_the_mark(story: Story) -> None:
    """At 48,000 and 2,400 the house has 0.5 BTC for 24,000 and 10 ETH for 24,000."""
    one = _busy(story)
    story.index("BTC", "48000")
    story.index("ETH", "2400")
    story.ok(ResetAccount, account_id=one)
    house = story.person(LIQUIDATION)
    assert {symbol: (held.lots, held.cost_minor) for symbol, held in house.positions.items()} == {
        BTC_PERP: (500, units("24000")),
        ETH_PERP: (10_000, units("24000")),
    }


def test_the_house_sells_what_it_took_over_and_the_fund_answers_for_it(story: Story) -> None:
    """0.5 BTC taken over at 50,000 and sold at 49,900 lose 50."""
    one = story.account(perp_USDT="9000")
    _fill(story, one, BTC_PERP, "0.5", "50000")
    story.ok(ResetAccount, account_id=one)
    fund = story.person(INSURANCE).minor(PERP, "USDT")
    story.buy(rich(story), BTC_PERP, "0.5", "49900")
    story.wait(10_000)
    assert not story.person(LIQUIDATION).positions
    assert story.person(INSURANCE).minor(PERP, "USDT") - fund == units("-50")


def test_what_an_account_lost_beyond_its_money_is_the_funds() -> None:
    """Long 1 at 50,000 with 1,000: at 48,600 it lacks 400, while the book stands still and no
    liquidation can begin."""
    story = Story(small_venue(fees=NO_FEES))
    one = story.account(perp_USDT="1000")
    _fill(story, one, BTC_PERP, "1", "50000", leverage=50)
    story.ok(SetSymbolState, symbol=BTC_PERP, state="halt")
    story.index("BTC", "48600")
    fund = story.person(INSURANCE).minor(PERP, "USDT")
    story.ok(ResetAccount, account_id=one)
    assert _pockets(story, one) == {}
    assert story.person(INSURANCE).minor(PERP, "USDT") - fund == units("-400")


def test_debts_are_repaid_to_the_pool_to_the_last_unit(story: Story) -> None:
    """A loan that is spent is lent by the world: the pool has all it had, and the interest."""
    one = story.account(**{f"{ISOLATED_BTC}_USDT": "1000"})
    risk = story.engine.risk
    capital = risk.assets["USDT"].pool_capital_minor
    borrow(story, one, ISOLATED_BTC, "USDT", "5000")
    _fill(story, one, BTC, "0.12", "50000", wallet=ISOLATED_BTC)
    assert story.person(one).minor(ISOLATED_BTC, "USDT") == 0
    story.ok(ResetAccount, account_id=one)
    # 5,000 for an hour at 0.001 %: 0.05.
    assert risk.interest_paid["USDT"] == units("0.05")
    assert not risk.bad_debt
    assert risk.ledger.house(POOL, "USDT").minor == capital + units("0.05")


def test_an_account_lives_on_after_it_was_reset_and_can_be_reset_again(story: Story) -> None:
    one = _busy(story)
    story.ok(ResetAccount, account_id=one)
    order = answer(story.buy(one, BTC, "0.01", "49000")).result_id
    assert refusal(story.do(CancelOrder, account_id=one, order_id=order)) is None
    _fill(story, one, BTC_PERP, "0.1", "50000")
    assert not story.person(one).is_isolated(BTC_PERP)
    story.ok(ResetAccount, account_id=one)
    assert story.person(one).epoch == 3
    assert _pockets(story, one) == GIVEN


def test_a_reset_account_is_the_same_after_a_restart(story: Story) -> None:
    story.ok(ResetAccount, account_id=_busy(story))
    assert standing(again(story.engine)) == standing(story.engine)
