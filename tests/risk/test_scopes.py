"""Tests of margin scopes: what stands on which money, and when that is not enough (P11, P12)."""

from __future__ import annotations

import pytest

from matching.types import Side
from risk.ledger import PostingReason
from risk.scopes import (
    bankruptcy_of,
    breached,
    is_cross,
    perp_state,
    scope_leg,
    scope_legs,
    scope_of,
)
from tests.risk.stories import BTC_PERP, NO_FEES, position
from tests.story import Story, flat_fees, small_venue, units


@pytest.fixture
def story() -> Story:
    return Story(small_venue(fees=NO_FEES))


@pytest.mark.parametrize("isolated", [False, True])
def test_a_position_stands_on_its_own_margin_or_on_the_cross_wallet(
    story: Story, isolated: bool
) -> None:
    risk = story.engine.risk
    account = position(story, Side.BUY, "1", "50000", money="2500", isolated=isolated)
    person = story.person(account)
    scope = f"perp/{BTC_PERP}" if isolated else "perp"
    assert scope_of(risk, person, BTC_PERP) == scope
    assert is_cross(scope) is not isolated
    assert scope_leg(scope) == (BTC_PERP if isolated else "")
    assert scope_legs(risk, person, scope) == [BTC_PERP]
    assert scope_legs(risk, person, "perp" if isolated else f"perp/{BTC_PERP}") == (
        [] if isolated else [BTC_PERP]
    )
    # 2,500 at the entry; 0.4 % of 50,000.
    assert perp_state(risk, person, scope) == (2_500 * 10**16, 200 * 10**28)


@pytest.mark.parametrize(
    ("side", "fee_e12", "ticks"),
    [
        (Side.BUY, 0, 475_000),  # V46's form: 50,000 - 2,500.
        (Side.SELL, 0, 525_000),
        # V47's form: 47,500 / 0.9994 = 47,528.517..., up; 52,500 / 1.0006 = 52,468.518..., down.
        (Side.BUY, 600_000_000, 475_286),
        (Side.SELL, 600_000_000, 524_685),
    ],
)
def test_v46_v47_the_bankruptcy_price_is_on_the_safe_side_of_the_tick(
    side: Side, fee_e12: int, ticks: int
) -> None:
    fees = flat_fees(perp_maker_e12=0, perp_taker_e12=fee_e12)
    story = Story(small_venue(fees=fees))
    account = position(story, side, "1", "50000", money="3000", isolated=True)
    person = story.person(account)
    scope = f"perp/{BTC_PERP}"
    assert bankruptcy_of(story.engine.risk, person, scope, BTC_PERP) == ticks


def test_p11_a_scope_without_positions_is_in_breach_only_below_zero(story: Story) -> None:
    risk = story.engine.risk
    person = story.person(story.account(perp_USDT="1"))
    for scope in ("perp", f"perp/{BTC_PERP}"):
        assert not breached(risk, person, scope)
        pocket = risk.pocket(person, scope, "USDT")
        other = risk.ledger.house(1, "USDT")
        risk.ledger.post(pocket, other, pocket.minor + units("0.5"), PostingReason.RESET)
        assert breached(risk, person, scope)
        assert perp_state(risk, person, scope)[0] == -(5 * 10**15)
