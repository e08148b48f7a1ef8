"""Tests of the ranks that owners are told: exact among few holders, near enough among many."""

from __future__ import annotations

import pytest

from exchange.views import ranks
from exchange.views.ranks import Ranks
from matching.types import Side
from risk.adl import adl_rank
from tests.risk.stories import BTC_PERP, NO_FEES, rich
from tests.story import Story, small_venue


def _longs(count: int) -> tuple[Story, list[int]]:
    """So many accounts long of 0.01 at 50,000 on ever less money: each has more leverage."""
    story = Story(small_venue(fees=NO_FEES))
    other = rich(story)
    made = [story.account(perp_USDT=str(1000 - 50 * number)) for number in range(count)]
    for each in made:
        story.place(other, Side.SELL, BTC_PERP, "0.01", "50000")
        story.place(each, Side.BUY, BTC_PERP, "0.01", "50000")
    story.index("BTC", "50500")
    return story, made


def test_p14_among_few_the_rank_is_exact() -> None:
    story, made = _longs(5)
    told = Ranks(story.engine.risk)
    # All have the same profit: who has most leverage goes first.
    assert [told.rank(story.person(each), BTC_PERP) for each in made] == [1, 2, 3, 4, 5]
    story.deposit(made[-1], "perp", "USDT", "100000")
    assert [told.rank(story.person(each), BTC_PERP) for each in made] == [2, 3, 4, 5, 1]


def test_p14_among_many_a_sample_of_the_side_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "EXACT_MAX", 4)
    story, made = _longs(10)
    told = Ranks(story.engine.risk)
    found = [told.rank(story.person(each), BTC_PERP) for each in made]
    assert found == [adl_rank(story.engine.risk, story.person(each), BTC_PERP) for each in made]
    monkeypatch.setattr(ranks, "SAMPLE_MAX", 5)
    sparse = Ranks(story.engine.risk)
    few = [sparse.rank(story.person(each), BTC_PERP) for each in made]
    # Every second one is looked at: those between stand within one fifth of their exact place.
    assert few == sorted(few)
    assert all(abs(one - other) <= 1 for one, other in zip(few, found, strict=True))


def test_a_sample_stands_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "EXACT_MAX", 0)
    story, made = _longs(5)
    told = Ranks(story.engine.risk)
    poorest = story.person(made[-1])
    assert told.rank(poorest, BTC_PERP) == 5
    story.deposit(poorest.id, "perp", "USDT", "100000")
    # With its own leverage gone it would be the last; the others are looked at again in a second.
    assert told.rank(poorest, BTC_PERP) == 1
    story.wait(1_000)
    assert told.rank(poorest, BTC_PERP) == 1
    assert told.rank(story.person(made[-2]), BTC_PERP) == 5
