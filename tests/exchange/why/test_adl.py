"""Tests of the trees of deleveragings: the score that ranked, and what the closing made."""

from __future__ import annotations

import msgspec
import pytest

from exchange.events import Deleveraged
from exchange.why.adl import adl_tree
from tests.exchange.why.retracing import numbers_of, retrace
from tests.risk.stories import BTC_PERP, rich
from tests.risk.test_adl import poor_venue, victim
from tests.story import Story, of


@pytest.fixture
def told() -> tuple[Story, list[Deleveraged]]:
    """A long of 1 goes bankrupt against shorts of 0.4 on 4,000 and of the rest on plenty."""
    story = Story(poor_venue())
    second = story.account("second", perp_USDT="4000")
    gone = rich(story)
    victim(story, "1", gone)
    story.sell(second, BTC_PERP, "0.4", "50000")
    story.buy(gone, BTC_PERP, "0.4", "50000")
    return story, of(story.index("BTC", "46000"), Deleveraged)


def test_p14_every_rank_tells_its_score_and_its_profit(
    told: tuple[Story, list[Deleveraged]],
) -> None:
    story, events = told
    assert len(events) == 2
    for event in events:
        tree = adl_tree(event, story.engine.instruments[BTC_PERP])
        assert retrace(tree) == 7
        assert (tree.kind, tree.id, tree.rule) == ("adl", str(event.n), "P14")
    numbers = numbers_of(adl_tree(events[0], story.engine.instruments[BTC_PERP]))
    # 0.08 x 18,400 / 5,600, and 0.4 x (50,000 - 47,500).
    assert (numbers["rank"], numbers["score"]) == ("1", "0.262857142857")
    assert numbers["realised"] == "1000"


def test_p14_a_score_from_before_the_account_changed_stands_as_it_was(
    told: tuple[Story, list[Deleveraged]],
) -> None:
    story, events = told
    event = msgspec.structs.replace(events[0], equity_e16=events[0].equity_e16 * 2)
    tree = adl_tree(event, story.engine.instruments[BTC_PERP])
    assert retrace(tree) == 6
    assert numbers_of(tree)["score"] == "0.262857142857"


def test_v71_a_losing_position_is_ranked_by_its_loss_over_leverage(
    told: tuple[Story, list[Deleveraged]],
) -> None:
    """Short 0.1 from 45,000 at 46,000 on 1,000: -100 / 4,500 x 1,000 / 4,600."""
    story, events = told
    score = -(100 * 1_000 * 10**12 // (4_500 * 4_600)) - 1
    event = msgspec.structs.replace(
        events[0],
        lots=100,
        lots_before=-100,
        cost_before_minor=-4_500 * 10**8,
        equity_e16=1_000 * 10**16,
        score_e12=score,
        realised_minor=-250 * 10**8,  # 4,500 less 0.1 x 47,500.
    )
    tree = adl_tree(event, story.engine.instruments[BTC_PERP])
    assert retrace(tree) == 7
    assert numbers_of(tree)["realised"] == "-250"
