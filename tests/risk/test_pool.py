"""Tests of lending pools: what they lend, and the rate of an hour by what is lent."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.commands import Borrow, Repay
from exchange.events import InterestCharged, InterestFixed
from matching.reasons import Reason
from risk.account import MARGIN
from risk.loans import pool_rate_e12
from risk.margin_worth import max_borrow
from risk.parameters import HOUR_MS, RateCurve
from risk.pool import inventory_minor, lent_minor, pool_minor
from tests.risk.stories import borrow, with_asset
from tests.story import START_MS, Story, again, of, refusal, small_venue, units

E12 = 10**12
# 0.001 % an hour, 0.004 % more up to 80 % lent, 0.1 % more up to all of it.
USDT = small_venue().assets[0]
CURVE = RateCurve(10_000_000, 8 * E12 // 10, 40_000_000, E12 // 1_000)


@pytest.fixture
def story() -> Story:
    """A pool of 100 ETH that one account may empty."""
    return Story(
        with_asset(
            small_venue(),
            "ETH",
            pool_capital_minor=units("100"),
            borrow_limit_minor=units("100"),
            curve=CURVE,
        )
    )


def test_m2_the_pool_lends_what_it_has_and_again_what_came_back(story: Story) -> None:
    one = story.account("one", margin_USDT="500000")
    other = story.account("other", margin_USDT="500000")
    borrow(story, one, MARGIN, "ETH", "90")
    risk = story.engine.risk
    assert (inventory_minor(risk, "ETH"), lent_minor(risk, "ETH")) == (units("10"), units("90"))
    assert max_borrow(risk, story.person(other), MARGIN, "ETH") == units("10")
    wish = {"account_id": other, "wallet": MARGIN, "asset": "ETH"}
    refused = story.do(Borrow, amount_minor=units("10") + 1, **wish)
    assert refusal(refused) is Reason.INSUFFICIENT_INVENTORY
    story.ok(Borrow, amount_minor=units("10"), **wish)
    assert inventory_minor(risk, "ETH") == 0
    story.ok(Repay, account_id=one, wallet=MARGIN, asset="ETH", amount_minor=units("5"))
    # The interest of an hour at the lowest rate, 90 x 0.001 %, is the pool's from now on.
    assert pool_minor(risk, "ETH") == units("100.0009")
    assert inventory_minor(risk, "ETH") == units("5")
    story.ok(Borrow, amount_minor=units("5"), **wish)


@pytest.mark.parametrize(
    ("lent", "rate_e12"),
    [
        ("0", 10_000_000),
        ("40", 10_000_000 + 20_000_000),  # Half of the slope at half of the kink,
        ("80", 10_000_000 + 40_000_000),  # all of it there,
        ("90", 10_000_000 + 40_000_000 + 500_000_000),  # half of the steep part half-way on,
        ("100", 10_000_000 + 40_000_000 + 1_000_000_000),  # and all of it with the last unit.
    ],
)
def test_m7_the_rate_rises_with_what_is_lent(story: Story, lent: str, rate_e12: int) -> None:
    account = story.account(margin_USDT="1000000")
    if units(lent):
        borrow(story, account, MARGIN, "ETH", lent)
        story.person(account).loans[MARGIN, "ETH"].interest_e18 = 0
        story.engine.risk.interest_due["ETH"] = 0
    (fixed,) = of(story.wait(START_MS + HOUR_MS - story.now_ms), InterestFixed)
    assert fixed.rates_e12["ETH"] == story.engine.risk.rates_e12["ETH"] == rate_e12


def test_m7_a_rate_is_fixed_for_its_hour(story: Story) -> None:
    """Borrowed within the first hour at the rate of an unused pool; from the top of the next one
    at the rate of what is lent then; and who borrows after it pays that too."""
    account = story.account(margin_USDT="1000000")
    borrow(story, account, MARGIN, "ETH", "80")
    borrow(story, account, MARGIN, "ETH", "10")
    story.wait(START_MS + HOUR_MS - story.now_ms)
    borrow(story, account, MARGIN, "ETH", "1")
    rates = [each.rate_e12 for each in of(story.events, InterestCharged)]
    assert rates == [10_000_000, 10_000_000, 550_000_000, 550_000_000]


def test_an_asset_without_a_curve_costs_the_same_whatever_is_lent(story: Story) -> None:
    account = story.account(margin_ETH="100")
    borrow(story, account, MARGIN, "USDT", "50000")
    (fixed,) = of(story.wait(START_MS + HOUR_MS - story.now_ms), InterestFixed)
    assert fixed.rates_e12["USDT"] == story.engine.risk.assets["USDT"].hourly_rate_e12


def test_the_rates_of_the_hour_survive_a_restart(story: Story) -> None:
    account = story.account(margin_USDT="1000000")
    borrow(story, account, MARGIN, "ETH", "100")
    story.wait(START_MS + HOUR_MS - story.now_ms)
    restored = again(story.engine).risk
    assert restored.rates_e12 == story.engine.risk.rates_e12
    assert restored.interest_due == story.engine.risk.interest_due


def test_i2_what_the_borrowers_owe_is_what_the_pool_has_to_receive(story: Story) -> None:
    """90 ETH: 0.0009 with the loan, and 0.05 % + 0.005 % of 90 at the hour, 0.0495."""
    account = story.account(margin_USDT="1000000")
    borrow(story, account, MARGIN, "ETH", "90")
    story.wait(START_MS + HOUR_MS - story.now_ms)
    due = story.engine.risk.interest_due
    assert due["ETH"] == (units("0.0009") + units("0.0495")) * 10**10
    story.ok(Repay, account_id=account, wallet=MARGIN, asset="ETH", amount_minor=units("0.05"))
    assert due["ETH"] == units("0.0004") * 10**10
    story.deposit(account, MARGIN, "ETH", "1")
    story.ok(Repay, account_id=account, wallet=MARGIN, asset="ETH")
    assert due["ETH"] == 0


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_curve_is_continuous_and_never_falls(lent: int, pool: int) -> None:
    lent = min(lent, pool)
    asset = msgspec.structs.replace(USDT, curve=CURVE)
    here, next_ = (pool_rate_e12(asset, each, pool) for each in (lent, min(lent + 1, pool)))
    assert here <= next_
    steepest = max(CURVE.slope_e12 * E12 // CURVE.kink_e12, 5 * CURVE.steep_e12)
    assert next_ - here <= steepest // pool + 2
