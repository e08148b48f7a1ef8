"""Tests of how long nothing changes: each thing that can change ends the stretch before it."""

from __future__ import annotations

import pytest

from risk.parameters import HOUR_MS
from risk.quiet import fold, quiet_until
from risk.state import RiskState
from tests.risk.stories import BTC, BTC_PERP
from tests.story import START_MS, Story, units

SECOND = 1_000


@pytest.fixture
def story() -> Story:
    """Both sides of a book for 151 seconds: the basis window is full of one sample."""
    story = Story()
    maker = story.account(perp_USDT="900000")
    story.buy(maker, BTC_PERP, "1", "49990")
    story.sell(maker, BTC_PERP, "1", "50010")
    story.wait(151 * SECOND)
    assert story.engine.risk.marks[BTC_PERP].basis.count == 30
    return story


def until(story: Story, latest_ms: int = START_MS + HOUR_MS) -> int:
    engine = story.engine
    return quiet_until(engine.risk, engine.books, engine.last_trade, latest_ms)


def last_before(state: RiskState, moment_ms: int) -> int:
    return moment_ms - state.venue.grid_ms


def test_it_lasts_to_the_hour_and_no_further_than_is_asked(story: Story) -> None:
    risk = story.engine.risk
    assert until(story, START_MS + 2 * HOUR_MS) == last_before(risk, START_MS + HOUR_MS)
    assert until(story, story.now_ms + 7 * SECOND) == story.now_ms + 7 * SECOND
    assert until(story, story.now_ms) == story.now_ms
    assert until(story, story.now_ms - SECOND) == story.now_ms


def test_p10_it_ends_before_a_funding(story: Story) -> None:
    risk = story.engine.risk
    risk.marks[BTC_PERP].next_funding_ms = START_MS + 600 * SECOND
    assert until(story) == START_MS + 599 * SECOND


def test_p6_it_ends_where_a_feed_grows_stale(story: Story) -> None:
    risk = story.engine.risk
    fresh_ms = story.now_ms + 20 * SECOND
    risk.indexes[BTC].print(story.venue.feeds[0], units("50000"), fresh_ms)
    assert until(story) == fresh_ms + story.venue.stale_ms


def test_p7_while_the_basis_fills_it_ends_before_the_next_sample(story: Story) -> None:
    risk = story.engine.risk
    risk.marks[BTC_PERP].basis.clear()
    assert story.now_ms == START_MS + 152 * SECOND
    assert until(story) == START_MS + 154 * SECOND


def test_p13_while_the_house_holds_something_it_ends_before_the_next_sample(story: Story) -> None:
    risk = story.engine.risk
    risk.pocket(risk.accounts[6], "margin", "BTC").minor = 1
    assert until(story) == START_MS + 154 * SECOND


def test_p8_a_stretch_folds_its_samples_as_if_taken_one_by_one(story: Story) -> None:
    risk, books = story.engine.risk, story.engine.books
    perp, count = risk.marks[BTC_PERP], risk.marks[BTC_PERP].premium.count
    fold(risk, books, START_MS + 3_000 * SECOND)
    assert risk.time_ms == START_MS + 3_000 * SECOND
    folded = perp.state()
    assert perp.premium.count == 600  # One each five seconds.
    perp.premium.restore((0, 0))
    for _ in range(600):
        perp.sample(books[BTC_PERP])
    assert folded == perp.state()
    assert count == 30
