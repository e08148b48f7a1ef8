"""Tests of a grid point: samples, index, mark, then what falls due, in that order."""

from __future__ import annotations

from exchange.commands import Borrow
from exchange.events import (
    FundingCharged,
    FundingFixed,
    InterestCharged,
    InterestFixed,
    LiquidationStarted,
    Marked,
)
from risk.ledger import FUNDING, ROUNDING
from tests.story import Story, of, units

PERP = "BTC-USDT-PERP"
HOUR = 3_600_000


def _positions(story: Story) -> tuple[int, int]:
    long, short = story.account(perp_USDT="10000"), story.account(perp_USDT="10000")
    story.sell(short, PERP, "0.333", "50000")
    story.buy(long, PERP, "0.333", "50000")
    return long, short


def test_funding_and_interest_fall_due_one_by_one_at_their_hours() -> None:
    story = Story()
    _positions(story)
    borrower = story.account(margin_USDT="1000")
    story.ok(Borrow, account_id=borrower, wallet="margin", asset="USDT", amount_minor=units("100"))
    events = story.wait(24 * HOUR)
    start = story.venue.start_ms
    hours = [(each.due_ms - start) // HOUR for each in of(events, InterestFixed)]
    assert hours == list(range(1, 25))
    eights = [
        (each.due_ms - start) // HOUR for each in of(events, FundingFixed) if each.symbol == PERP
    ]
    assert eights == [8, 16, 24]
    assert len(of(events, InterestCharged)) == 24
    assert len([each for each in of(events, FundingCharged) if each.symbol == PERP]) == 6


def test_i4_v65_funding_sums_to_zero_with_what_rounding_keeps() -> None:
    """0.333 x 50,000 x 0.01 % is 1.665 exactly; at an odd mark a unit goes to rounding."""
    story = Story()
    _positions(story)
    story.index("BTC", "43217.89123457")
    events = story.wait(8 * HOUR)
    flows = [each.flow_minor for each in of(events, FundingCharged)]
    ledger = story.engine.risk.ledger
    kept = ledger.house(ROUNDING, "USDT").minor
    assert sum(flows) + kept == 0
    assert 0 <= kept < len(flows)
    transit = [key for key in ledger._pockets if key[0] == FUNDING]
    assert not transit  # Nothing is left on the way.


def test_a6_v81_everybody_pays_before_anybody_is_judged() -> None:
    """The long is a few cents above maintenance; its funding takes it below at the boundary, and
    the short's is booked before the liquidation begins."""
    story = Story()
    long, short = story.account(perp_USDT="180"), story.account(perp_USDT="10000")
    story.sell(short, PERP, "0.3", "50000", leverage=125)
    story.buy(long, PERP, "0.3", "50000", leverage=125)
    # 180 less the fee of 7.5 is 172.5. At 49,625 the loss is 0.3 x 375 = 112.5: 60 is left, and
    # maintenance is 0.3 x 49,625 x 0.4 % = 59.55. Funding takes 0.3 x 49,625 x 0.01 % = 1.49.
    story.index("BTC", "49625")
    assert not of(story.events, LiquidationStarted)
    events = story.wait(8 * HOUR)
    names = [type(each).__name__ for each in events]
    assert "LiquidationStarted" in names
    last_charge = max(i for i, each in enumerate(events) if isinstance(each, FundingCharged))
    assert names.index("LiquidationStarted") > last_charge
    started = of(events, LiquidationStarted)[0]
    assert started.account_id == long


def test_a_grid_without_news_tells_nothing_of_the_index() -> None:
    story = Story()
    events = story.wait(10_000)
    assert {type(each).__name__ for each in events} <= {"Marked", "Answered"}


def test_the_mark_drifts_with_the_funding_that_is_still_ahead() -> None:
    """P1 = index x (1 + last rate x time left / interval): with a last rate of 0.01 % it falls
    toward the index as the next funding comes near."""
    story = Story()
    story.wait(8 * HOUR)
    events = story.wait(60_000)
    marks = [each.mark_e8 for each in of(events, Marked) if each.symbol == PERP]
    assert marks == sorted(marks, reverse=True)
