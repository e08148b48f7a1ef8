"""The design's vectors of spot margin (V16-V30), run through the engine."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from exchange.commands import Borrow, Repay, SetMarginLeverage, Transfer
from exchange.events import InterestCharged, LiquidationStarted, LoanChanged, MarginCalled
from matching.reasons import Reason
from risk.account import MARGIN
from risk.ledger import ROUNDING
from risk.margin_report import margin_report
from risk.margin_worth import max_borrow
from risk.parameters import HOUR_MS, CollateralTier, Venue
from tests.risk.stories import (
    BTC,
    ISOLATED_BTC,
    NO_FEES,
    borrow,
    owe_interest,
    spent,
    with_asset,
    with_spot,
)
from tests.story import Story, of, refusal, small_venue, units
from tests.vectors import agrees, exact, vectors

E8, E12, E16, E18 = 10**8, 10**12, 10**16, 10**18


def _hourly(**changes: Any) -> Venue:
    """A venue that looks at prices once an hour, for stories of a month."""
    return small_venue(grid_ms=HOUR_MS, sample_ms=HOUR_MS, **changes)


def told_text(minor: int) -> str:
    """Minor units as decimal text."""
    return f"{minor // E8}.{minor % E8:08d}"


# -- M7: interest ------------------------------------------------------------------------------


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000


@pytest.mark.parametrize(
    "vector",
    vectors(["interest_schedule"], on="engine")
    + vectors(["interest_schedule"], on="engine", default=False),
)
def test_m7_interest_falls_due_when_the_venue_says(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    borrowed_ms = _moment(told["borrowed_at"])
    story = Story(
        small_venue(start_ms=borrowed_ms - 60_000, first_charge=told["first_charge"].lower())
    )
    account = story.account(margin_USDT="1000")
    story.wait(borrowed_ms - story.now_ms)
    borrow(story, account, MARGIN, "USDT", told.get("principal", "1000"))
    story.wait(_moment(told["until"]) - story.now_ms)
    story.ok(Repay, account_id=account, wallet=MARGIN, asset="USDT")
    charges = of(story.events, InterestCharged)
    assert [each.due_ms for each in charges] == [_moment(at) for at in expected["accrued_at"]]
    assert len(charges) == expected["accruals"]
    if "interest" in expected:
        assert {each.rate_e12 for each in charges} == {exact(told["hourly_rate"], 12)}
        assert charges[-1].interest_e18 == exact(expected["interest"], 18)


@pytest.mark.parametrize(
    "vector",
    vectors(["interest_accrual"], on="engine")
    + vectors(["interest_accrual"], on="engine", default=False),
)
def test_m7_interest_is_kept_long_and_rounded_up_once_it_is_paid(vector: dict[str, Any]) -> None:
    """The first charge comes with the loan, the others at the hours after it."""
    told, expected = vector["inputs"], vector["expected"]
    venue = with_asset(_hourly(), "USDT", hourly_rate_e12=exact(told["hourly_rate"], 12))
    story = Story(msgspec.structs.replace(venue, compound=told["compound"]))
    account = story.account(margin_USDT="10000")
    borrow(story, account, MARGIN, "USDT", told["principal"])
    story.wait((told["accruals"] - 1) * HOUR_MS)
    loan = story.person(account).loans[MARGIN, "USDT"]
    assert agrees(Fraction(loan.interest_e18, E18), expected["accrued"])
    if "charged" in expected:
        assert exact(expected["accrued"], 18) == loan.interest_e18
        (repaid,) = of(
            story.ok(Repay, account_id=account, wallet=MARGIN, asset="USDT"), LoanChanged
        )
        assert repaid.repaid_interest_minor == exact(expected["charged"])
        risk = story.engine.risk
        kept = risk.ledger.house(ROUNDING, "USDT").minor * 10**10 + risk.rounded_e18["USDT"]
        assert kept == exact(expected["rounding_account"], 18)


# -- M8: repayment -----------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["debt_repayment"], on="engine"))
def test_m8_interest_is_repaid_first_and_never_more_than_is_owed(vector: dict[str, Any]) -> None:
    told = vector["inputs"]
    story = Story()
    account = story.account(margin_USDT="3000")
    borrow(story, account, MARGIN, "USDT", told["principal"])
    owe_interest(story, account, MARGIN, "USDT", told["interest"])
    loan = story.person(account).loans[MARGIN, "USDT"]
    for step in told["steps"]:
        before = story.person(account).minor(MARGIN, "USDT")
        events = story.ok(
            Repay,
            account_id=account,
            wallet=MARGIN,
            asset="USDT",
            amount_minor=exact(step["amount"]),
        )
        (paid,) = of(events, LoanChanged)
        expect = step["expect"]
        assert paid.repaid_interest_minor == exact(expect["interest_paid"])
        assert paid.repaid_principal_minor == exact(expect["principal_paid"])
        taken = before - story.person(account).minor(MARGIN, "USDT")
        assert taken == paid.repaid_interest_minor + paid.repaid_principal_minor
        owes = (loan.interest_e18, loan.principal_minor)
        assert owes == (exact(expect["interest"], 18), exact(expect["principal"]))
    assert not story.person(account).loans


# -- M3, M4: levels ----------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["margin_level"], on="engine"))
def test_m3_the_level_is_assets_over_debts(vector: dict[str, Any]) -> None:
    """What the vector owes is borrowed against other money, which is then taken away."""
    told, expected = vector["inputs"], vector["expected"]
    whole = (CollateralTier(None, E12),)  # The vectors take no haircut.
    venue = with_asset(small_venue(first_charge="next_hour"), "BTC", collateral=whole)
    story = Story(with_asset(venue, "ETH", collateral=whole))
    account = story.account(margin_USDT="2000000")
    if "leverage" in told:
        story.ok(SetMarginLeverage, account_id=account, leverage=int(told["leverage"]))
    for held in told["assets"]:
        story.index(held["asset"], held["price"])
        story.deposit(account, MARGIN, held["asset"], held["quantity"])
    (debt,) = told["debts"]
    borrow(story, account, MARGIN, "USDT", debt["principal"])
    owe_interest(story, account, MARGIN, "USDT", debt["interest"])
    risk, person = story.engine.risk, story.person(account)
    spent(story, account, MARGIN, "USDT", told_text(person.minor(MARGIN, "USDT")))
    calls = of(story.wait(1_000), MarginCalled)
    found = margin_report(risk, person, MARGIN)
    assert found.assets_e16 == exact(expected["total_assets"], 16)
    assert found.debt_e16 == exact(expected["total_debt"], 16)
    assert agrees(Fraction(found.assets_e16, found.debt_e16), expected["margin_level"])
    if "borrow" in expected:
        assert (max_borrow(risk, person, MARGIN, "USDT") > 0) is expected["borrow"]
        assert bool(calls) is expected["margin_call"]
        sold = story.sell(account, BTC, "0.1", "45000", wallet=MARGIN)
        assert (refusal(sold) is None) is expected["trade"]


@pytest.mark.parametrize("vector", vectors(["margin_threshold"], on="engine"))
def test_m4_a_level_exactly_at_its_bound_is_on_the_bad_side(vector: dict[str, Any]) -> None:
    """100 are borrowed. Kept in USDT they make the collateral level with what is deposited beside
    them; or a coin does whose price brings the margin level there. One unit more is safe."""
    told, (expected,) = vector["inputs"], vector["expected"].items()
    level = told.get("collateral_margin_level") or told["margin_level"]
    for more, bad in ((0, True), (1, False)):
        story = Story(small_venue(first_charge="next_hour"))
        account = story.account(margin_USDT="10000")
        story.ok(SetMarginLeverage, account_id=account, leverage=int(told["leverage"]))
        borrow(story, account, MARGIN, "USDT", "100")
        own = exact(level) * 100 - units("100") + more
        if "margin_level" in told:
            story.deposit(account, MARGIN, "ETH", "1")
            spent(story, account, MARGIN, "USDT", "10000")
            events = story.index("ETH", told_text(own))
        else:
            spent(story, account, MARGIN, "USDT", told_text(units("10000") - own))
            events = []
        assert _did(story, account, expected[0], events) is (expected[1] is bad)


def _did(story: Story, account: int, what: str, events: list[Any]) -> bool:
    """Whether it may transfer or borrow a unit; whether it was called or liquidated."""
    if what == "margin_call":
        return bool(of(events, MarginCalled))
    if what == "liquidation":
        return bool(of(events, LiquidationStarted))
    wish: dict[str, Any] = {"account_id": account, "asset": "USDT", "amount_minor": 1}
    if what == "borrow":
        done = story.do(Borrow, wallet=MARGIN, **wish)
        assert refusal(done) in (None, Reason.COLLATERAL_TOO_LOW)
    else:
        done = story.do(Transfer, source=MARGIN, target="spot", **wish)
        assert refusal(done) in (None, Reason.TRANSFER_WOULD_BREACH_MARGIN)
    return refusal(done) is None


# -- M5: how much ------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["max_borrow"], on="engine"))
def test_m5_as_much_may_be_borrowed_as_brings_the_level_to_its_bound(
    vector: dict[str, Any],
) -> None:
    """The loan is of ETH at 1 USDT each, which counts by the vector's ratio."""
    told, expected = vector["inputs"], vector["expected"]
    ratio = (CollateralTier(None, exact(told["loan_collateral_ratio"], 12)),)
    venue = with_asset(
        small_venue(first_charge="next_hour"),
        "ETH",
        collateral=ratio,
        pool_capital_minor=units("1000000"),
        borrow_limit_minor=units("1000000"),
    )
    story = Story(venue)
    story.index("ETH", "1")
    owed = exact(told["debt"])
    account = story.account()
    leverage = {exact("1.5", 12): 3, exact("1.25", 12): 5}[exact(told["initial_risk_ratio"], 12)]
    story.ok(SetMarginLeverage, account_id=account, leverage=leverage)
    own = exact(told["collateral_value"]) - owed
    story.deposit(account, MARGIN, "USDT", told_text(own))
    if owed:
        borrow(story, account, MARGIN, "USDT", told["debt"])
    most = max_borrow(story.engine.risk, story.person(account), MARGIN, "ETH")
    assert most == exact(expected.get("max_borrow_floored", expected["max_borrow"]))
    wish = {"account_id": account, "wallet": MARGIN, "asset": "ETH"}
    refused = story.do(Borrow, amount_minor=most + 1, **wish)
    assert refusal(refused) is Reason.COLLATERAL_TOO_LOW
    story.ok(Borrow, amount_minor=most, **wish)


# -- M11: where it ends ------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["isolated_margin_liquidation_price"], on="engine"))
def test_m11_an_isolated_wallet_falls_at_its_price_and_not_a_unit_before(
    vector: dict[str, Any],
) -> None:
    told, expected = vector["inputs"], vector["expected"]
    first = "borrow" if told["accruals"] else "next_hour"
    venue = _hourly(fees=NO_FEES, first_charge=first)
    tiers = [
        tier
        for spot in venue.spots
        for tier in spot.isolated
        if spot.symbol == BTC and tier.liquidation_e12 == exact(told["liquidation_ratio"], 12)
    ]
    story = Story(with_spot(venue, BTC, isolated=tuple(tiers)))
    story.index("BTC", "50000")  # Its first grid point is an hour away.
    account = story.account(**{f"{ISOLATED_BTC}_USDT": "100000"})
    for asset, name in (("BTC", "base"), ("USDT", "quote")):
        if exact(told[f"debt_{name}"]):
            borrow(story, account, ISOLATED_BTC, asset, told[f"debt_{name}"])
    person = story.person(account)
    for asset, name in (("BTC", "base"), ("USDT", "quote")):
        spent(story, account, ISOLATED_BTC, asset, told_text(person.minor(ISOLATED_BTC, asset)))
        if exact(told[f"free_{name}"]):
            story.deposit(account, ISOLATED_BTC, asset, told[f"free_{name}"])
    story.wait(max(0, told["accruals"] - 1) * HOUR_MS)
    interest_e18 = sum(loan.interest_e18 for loan in person.loans.values())
    assert interest_e18 == exact(expected["interest"], 18)
    price_e8 = margin_report(story.engine.risk, person, ISOLATED_BTC).liquidation_price_e8
    assert price_e8 is not None
    assert agrees(Fraction(price_e8, E8), expected["liquidation_price"])
    toward = -1 if told["side"] == "LONG" else 1
    before, there = (price_e8 - toward, price_e8 + (toward if price_e8 % 100 else 0))
    for price, falls in ((before, False), (there, True)):
        events = story.index("BTC", told_text(price))
        assert bool(of(events, LiquidationStarted)) is falls
