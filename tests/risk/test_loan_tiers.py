"""Tests of the levels that apply to a margin wallet, and of how loans move it to another tier."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.commands import Borrow, Repay, SetMarginLeverage, Transfer
from exchange.events import LiquidationStarted, MarginCalled
from matching.reasons import Reason
from risk.account import MARGIN
from risk.loan_tiers import TRANSFER_E12, isolated_levels, levels, pair_tiers, tier_of
from risk.margin_worth import max_borrow
from risk.parameters import IsolatedTier
from tests.risk.stories import BTC, ISOLATED_BTC, borrow, leverage_and_initial, spent, with_spot
from tests.story import Story, of, refusal, small_venue, units

E12 = 10**12
NEWS = (MarginCalled, LiquidationStarted)


@pytest.fixture
def story() -> Story:
    return Story(small_venue(first_charge="next_hour"))


def _isolated(story: Story, own: str, asset: str = "USDT") -> int:
    return story.account(**{f"{ISOLATED_BTC}_{asset}": own})


def test_m4_the_larger_debt_against_its_limit_decides_the_tier() -> None:
    """Tier by tier the limits are 7.2, 14.4 ... BTC and 90,000, 180,000 ... USDT."""
    tiers = pair_tiers(Story().engine.risk, ISOLATED_BTC)
    for base, quote, leverage in (
        ("0", "90000", 10),
        ("0", "90000.00000001", 8),
        ("7.2", "90000", 10),
        ("7.20000001", "0", 8),
        ("7.2", "180000.00000001", 5),
        ("14.5", "1", 5),
        ("0", "500000.5", 3),
        ("0", "2000001", 3),
    ):
        assert tier_of(tiers, units(base), units(quote)).leverage == leverage


def test_m4_all_levels_are_those_of_the_present_tier(story: Story) -> None:
    account = _isolated(story, "100000")
    risk, person = story.engine.risk, story.person(account)
    assert levels(risk, person, ISOLATED_BTC).leverage == 10
    borrow(story, account, ISOLATED_BTC, "USDT", "90000.00000001")
    found = levels(risk, person, ISOLATED_BTC)
    assert found.leverage == 8
    assert (found.initial_e12, found.call_e12, found.liquidation_e12) == (
        1143 * E12 // 1000,
        111 * E12 // 100,
        107 * E12 // 100,
    )
    assert (found.restored_e12, found.transfer_e12) == (found.initial_e12, TRANSFER_E12)
    story.ok(Repay, account_id=account, wallet=ISOLATED_BTC, asset="USDT", amount_minor=1)
    assert levels(risk, person, ISOLATED_BTC).leverage == 10


def test_m4_the_scan_calls_and_liquidates_by_the_present_tier(story: Story) -> None:
    """100,000 owed is the second tier: called at 1.11 and liquidated at 1.07, where the first
    would be at 1.09 and 1.05. 2 BTC are 111,000 at 55,500 and 107,000 at 53,500."""
    account = _isolated(story, "2", "BTC")
    story.index("BTC", "70000")
    borrow(story, account, ISOLATED_BTC, "USDT", "100000")
    spent(story, account, ISOLATED_BTC, "USDT", "100000")
    told = [
        [type(each) for each in story.index("BTC", price) if isinstance(each, NEWS)]
        for price in ("55500.01", "55500", "53500.01", "53500")
    ]
    assert told == [[], [MarginCalled], [], [LiquidationStarted]]


def test_m4_m5_a_loan_goes_as_far_as_the_tier_it_leads_to_allows(story: Story) -> None:
    """Of 10,000 the first tier allows 10,000 / 0.11 = 90,909.09, its limit 90,000; the second
    10,000 / 0.143 = 69,930.07, which the first carries already. So 90,000. Of 20,000 the second
    allows 139,860.13986013, the third 80,000: the loan stops within the second."""
    for own, most in (("10000", "90000"), ("20000", "139860.13986013")):
        account = _isolated(story, own)
        risk, person = story.engine.risk, story.person(account)
        assert max_borrow(risk, person, ISOLATED_BTC, "USDT") == units(most)
        wish = {"account_id": account, "wallet": ISOLATED_BTC, "asset": "USDT"}
        refused = story.do(Borrow, amount_minor=units(most) + 1, **wish)
        assert refusal(refused) is Reason.COLLATERAL_TOO_LOW
        story.ok(Borrow, amount_minor=units(most), **wish)


def test_m4_beyond_the_last_tier_there_is_no_loan(story: Story) -> None:
    account = _isolated(story, "5000000")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, ISOLATED_BTC, "USDT") == units("2000000")
    borrow(story, account, ISOLATED_BTC, "USDT", "2000000")
    assert max_borrow(risk, person, ISOLATED_BTC, "USDT") == 0
    # The other asset has a limit of its own, and the last tier's initial level.
    assert max_borrow(risk, person, ISOLATED_BTC, "BTC") > 0


TIERS = (
    IsolatedTier(10, 111, 109, 105, 50, 100),
    IsolatedTier(5, 125, 118, 115, 90, 200),
    IsolatedTier(3, 150, 135, 118, 300, 900),
)


@given(st.integers(1, 5_000), st.integers(0, 400))
def test_m5_no_larger_loan_of_any_tier_would_be_allowed(own: int, other: int) -> None:
    """Every amount is tried: what is allowed is the largest that meets the level of its own tier,
    and every smaller one is allowed as well. Levels are in percent."""
    tiers = tuple(
        IsolatedTier(
            tier.leverage,
            tier.initial_e12 * E12 // 100,
            tier.call_e12 * E12 // 100,
            tier.liquidation_e12 * E12 // 100,
            tier.base_limit_minor * 10**8,
            tier.quote_limit_minor * 10**8,
        )
        for tier in TIERS
    )
    story = Story(with_spot(small_venue(first_charge="next_hour"), BTC, isolated=tiers))
    story.index("BTC", "1")
    account = story.account(**{f"{ISOLATED_BTC}_USDT": str(own)})
    if (
        other
        and other
        <= max_borrow(story.engine.risk, story.person(account), ISOLATED_BTC, "BTC") // 10**8
    ):
        borrow(story, account, ISOLATED_BTC, "BTC", str(other))
    else:
        other = 0
    most = max_borrow(story.engine.risk, story.person(account), ISOLATED_BTC, "USDT")

    def allowed(loan: int) -> bool:
        fitting = [
            tier
            for tier in TIERS
            if other <= tier.base_limit_minor and loan <= tier.quote_limit_minor
        ]
        if not fitting:
            return False
        return 100 * (own + other + loan) >= fitting[0].initial_e12 * (other + loan)

    found = [loan for loan in range(1_000) if allowed(loan)]
    assert found == list(range(most // 10**8 + 1))


def test_m4_cross_levels_follow_the_leverage(story: Story) -> None:
    account = story.account()
    assert leverage_and_initial(story, account, MARGIN) == (3, 15 * 10**11)
    story.ok(SetMarginLeverage, account_id=account, leverage=5)
    assert leverage_and_initial(story, account, MARGIN) == (5, 125 * 10**10)


def test_m5_what_leaves_an_isolated_wallet_keeps_twice_the_debt(story: Story) -> None:
    """10,000 of its own and 5,000 borrowed: all above 10,000 may go, though 1.11 is enough to
    borrow more."""
    account = _isolated(story, "10000")
    borrow(story, account, ISOLATED_BTC, "USDT", "5000")
    wish = {"account_id": account, "source": ISOLATED_BTC, "target": "spot", "asset": "USDT"}
    refused = story.do(Transfer, amount_minor=units("5000") + 1, **wish)
    assert refusal(refused) is Reason.TRANSFER_WOULD_BREACH_MARGIN
    story.ok(Transfer, amount_minor=units("5000"), **wish)


def test_a_liquidation_stops_at_the_initial_level_of_its_tier() -> None:
    tier = pair_tiers(Story().engine.risk, ISOLATED_BTC)[2]
    assert isolated_levels(tier).restored_e12 == tier.initial_e12 == 125 * E12 // 100
    assert not of(Story().events, LiquidationStarted)
