"""Tests of what an order on spot must hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.events import LoanChanged
from matching.reasons import Reason
from matching.types import OrderType
from risk.account import MARGIN
from risk.engine import new_risk_engine
from risk.money import charged
from risk.parameters import FeeSchedule
from risk.reserve_spot import affordable
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    HOUR,
    ISOLATED_BTC,
    NO_FEES,
    rich,
    trader,
)
from tests.story import Story, flat_fees, of, refusal, small_venue, standing, units


@pytest.fixture
def story() -> Story:
    return Story()


def _locked(story: Story, account: int, wallet: str, asset: str) -> int:
    return story.person(account).pockets[wallet, asset].locked


def test_s11_a_market_buy_holds_the_cost_of_walking_the_book(story: Story) -> None:
    """0.01 at 50,000 and 0.01 at 50,100 cost 1,001: with a unit less it is refused."""
    other = trader(story)
    story.sell(other, BTC, "0.01", "50000")
    story.sell(other, BTC, "0.01", "50100")
    account = story.account(spot_USDT="1000.99999999")
    assert refusal(story.buy(account, BTC, "0.02")) is Reason.INSUFFICIENT_BALANCE
    story.deposit(account, "spot", "USDT", "0.00000001")
    assert refusal(story.buy(account, BTC, "0.02")) is None
    assert story.person(account).minor("spot", "USDT") == 0


def test_s11_a_market_buy_by_amount_holds_the_amount(story: Story) -> None:
    account = story.account(spot_USDT="100")
    events = story.buy(account, BTC, type=OrderType.MARKET, quote_minor=units("100.01"))
    assert refusal(events) is Reason.INSUFFICIENT_BALANCE
    story.sell(trader(story), BTC, "1", "50000")
    events = story.buy(account, BTC, type=OrderType.MARKET, quote_minor=units("100"))
    assert refusal(events) is None
    assert story.person(account).minor("spot", "USDT") == 0


def test_s11_a_market_sale_by_amount_holds_the_lots_it_would_sell(story: Story) -> None:
    """100 USDT at 50,000 are 0.002 BTC, at 0.001 in the wallet too many."""
    story.buy(trader(story), BTC, "1", "50000")
    account = story.account(spot_BTC="0.001")
    events = story.sell(account, BTC, type=OrderType.MARKET, quote_minor=units("100"))
    assert refusal(events) is Reason.INSUFFICIENT_BALANCE
    events = story.sell(account, BTC, type=OrderType.MARKET, quote_minor=units("50"))
    assert refusal(events) is None
    assert story.person(account).minor("spot", "BTC") == 0


def test_s10_with_fees_in_quote_a_buy_holds_its_fee_as_well() -> None:
    """0.1 at 50,000 and 0.1 % of it: 5,005."""
    story = Story(small_venue(fees=FeeSchedule(asset="quote")))
    account = story.account(spot_USDT="5004.99999999")
    assert refusal(story.buy(account, BTC, "0.1", "50000")) is Reason.INSUFFICIENT_BALANCE
    story.deposit(account, "spot", "USDT", "0.00000001")
    assert refusal(story.buy(account, BTC, "0.1", "50000")) is None
    assert _locked(story, account, "spot", "USDT") == units("5005")


@pytest.mark.parametrize("free", ["0", "0.00000001", "1", "5005", "123.45678901"])
def test_what_is_affordable_leaves_room_for_its_fee(free: str) -> None:
    """The largest cost whose fee of 0.1 %, rounded up, still fits; never below nothing."""
    story = Story(small_venue(fees=FeeSchedule(asset="quote")))
    cost = affordable(story.engine.risk, units(free))
    fee = -(-cost // 1_000)
    assert cost >= 0
    assert cost + fee <= units(free)
    assert units(free) - cost - fee <= 2


def test_m6_a_margin_buy_borrows_exactly_what_is_missing(story: Story) -> None:
    """Need 2,500, free 1,000: 1,500, less what another order holds already."""
    account = story.account(margin_USDT="1000")
    story.buy(account, BTC, "0.01", "40000", wallet=MARGIN)
    assert _locked(story, account, MARGIN, "USDT") == units("400")
    events = story.buy(account, BTC, "0.05", "50000", wallet=MARGIN, side_effect=1)
    (loan,) = of(events, LoanChanged)
    assert loan.borrowed_minor == units("1900")
    assert _locked(story, account, MARGIN, "USDT") == units("2900")


def test_m6_a_short_sale_borrows_the_coins_it_lacks(story: Story) -> None:
    account = story.account(margin_USDT="10000", margin_BTC="0.01")
    events = story.sell(account, BTC, "0.05", "50000", wallet=MARGIN, side_effect=1)
    (loan,) = of(events, LoanChanged)
    assert (loan.asset, loan.borrowed_minor) == ("BTC", units("0.04"))


def test_m6_without_the_side_effect_nothing_is_borrowed(story: Story) -> None:
    account = story.account(margin_USDT="1000")
    for side_effect in (0, 2):
        events = story.buy(account, BTC, "0.05", "50000", wallet=MARGIN, side_effect=side_effect)
        assert refusal(events) is Reason.INSUFFICIENT_BALANCE
    assert not story.person(account).loans


def test_m6_a_loan_that_is_refused_refuses_the_order(story: Story) -> None:
    """3x on 1,000 borrows 2,000 at most: an order of 3,000.5 needs 0.5 more."""
    account = story.account(margin_USDT="1000")
    events = story.buy(account, BTC, "0.06001", "50000", wallet=MARGIN, side_effect=1)
    assert refusal(events) is Reason.COLLATERAL_TOO_LOW
    assert refusal(story.buy(account, BTC, "0.06", "50000", wallet=MARGIN, side_effect=1)) is None


@pytest.mark.parametrize(
    ("symbol", "fields", "reason"),
    [
        (BTC, {"wallet": "perp"}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC, {"reduce_only": True}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC, {"side_effect": 1}, Reason.SIDE_EFFECT_NOT_ALLOWED),
        (BTC, {"wallet": "isolated:ETH-USDT"}, Reason.ASSET_NOT_IN_WALLET),
        (BTC, {"wallet": "isolated:XYZ"}, Reason.UNKNOWN_WALLET),
        (BTC, {"wallet": "cellar"}, Reason.UNKNOWN_WALLET),
        (BTC_PERP, {"wallet": "spot"}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC_PERP, {"wallet": MARGIN}, Reason.COMBINATION_NOT_ALLOWED),
    ],
)
def test_an_order_trades_from_a_wallet_that_fits_it(
    story: Story, symbol: str, fields: dict[str, Any], reason: Reason
) -> None:
    account = story.account(spot_USDT="1000", perp_USDT="1000")
    assert refusal(story.buy(account, symbol, "0.01", "50000", **fields)) is reason


def test_m7_the_hour_at_borrowing_is_charged_even_if_the_order_never_fills(story: Story) -> None:
    account = story.account(**{f"{ISOLATED_BTC}_USDT": "1000"})
    story.buy(account, BTC, "0.04", "50000", wallet=ISOLATED_BTC, side_effect=1)
    loan = story.person(account).loans[ISOLATED_BTC, "USDT"]
    assert loan.interest_e18 == 10**16  # 1,000 x 0.001 %.
    story.wait(HOUR)
    assert loan.interest_e18 == 2 * 10**16


@pytest.mark.parametrize(
    ("money", "refused"), [("101", None), ("100.99999999", Reason.INSUFFICIENT_BALANCE)]
)
def test_s11_a_market_buy_must_have_what_walking_the_book_costs(
    money: str, refused: Reason | None
) -> None:
    """0.001 at 50,000 and 0.001 at 51,000 are 50 + 51."""
    story = Story(small_venue(fees=NO_FEES))
    one = story.account(spot_USDT=money)
    for price in ("50000", "51000"):
        story.sell(trader(story), BTC, "0.001", price)
    before = standing(story.engine)
    assert refusal(story.buy(one, BTC, "0.002")) is refused
    if refused:
        assert standing(story.engine) == before
    else:
        assert story.person(one).minor("spot", "BTC") == units("0.002")


@pytest.mark.parametrize(
    ("symbol", "more", "reason"),
    [
        (BTC, {"wallet": "perp"}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC, {"reduce_only": True}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC, {"side_effect": 1}, Reason.SIDE_EFFECT_NOT_ALLOWED),
        (BTC, {"wallet": "isolated:ETH-USDT"}, Reason.ASSET_NOT_IN_WALLET),
        (BTC_PERP, {"wallet": "spot"}, Reason.COMBINATION_NOT_ALLOWED),
    ],
)
def test_an_order_trades_from_a_wallet_that_can_pay_for_it(
    symbol: str, more: dict[str, Any], reason: Reason
) -> None:
    story = Story()
    one = rich(story)
    assert refusal(story.buy(one, symbol, "0.001", "50000", **more)) is reason


@given(st.integers(0, 10**18), st.sampled_from([0, 1, 333_333_333, 10**9, 10**11]))
def test_what_is_affordable_is_paid_with_its_fee_and_two_units_more_are_not(
    free_minor: int, rate_e12: int
) -> None:
    risk = new_risk_engine(small_venue(fees=flat_fees(0, rate_e12, 0, 0, "quote")))
    cost = affordable(risk, free_minor)
    assert cost + charged(cost, rate_e12) <= free_minor
    more = cost + 2
    assert more + charged(more, rate_e12) > free_minor
