"""Where a price ends somebody, found on the engine by moving the index there."""

from __future__ import annotations

from fractions import Fraction

from exchange.events import LiquidationStarted
from tests.risk.stories import (
    NO_FEES,
)
from tests.story import Story, of, small_venue


def free_story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def falls_at(story: Story, price_e8: int) -> bool:
    """Whether somebody is liquidated once BTC is at a price."""
    return bool(
        of(story.index("BTC", f"{price_e8 // 10**8}.{price_e8 % 10**8:08d}"), LiquidationStarted)
    )


def falls_exactly_at(story: Story, price: Fraction, *, falling: bool) -> bool:
    """Not at the last price before an exact one, but at the first that has reached it."""
    below = price.numerator * 10**8 // price.denominator
    above = -(-price.numerator * 10**8 // price.denominator)
    if falling:
        return not falls_at(story, below + 1) and falls_at(story, below)
    return not falls_at(story, above - 1) and falls_at(story, above)
