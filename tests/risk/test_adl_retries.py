"""Tests of P14 where nobody can take a position: how seldom everybody is ranked again."""

from __future__ import annotations

import pytest

import risk.adl
from exchange.events import Deleveraged
from risk.adl import RETRY_GRID_POINTS
from tests.risk.stories import BTC_PERP, ETH_PERP, rich
from tests.risk.test_adl import fall, poor_venue, victim
from tests.story import Story, again, of

SHORTS = 10


class Counted:
    """How many holdings were looked at since it was last asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._count = 0
        plain = risk.adl.spare_lots

        def counted(*given: object) -> int:
            self._count += 1
            return plain(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(risk.adl, "spare_lots", counted)

    def take(self) -> int:
        found, self._count = self._count, 0
        return found


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


def _stuck(story: Story, victims: int = 1) -> list[int]:
    """Ten shorts of 0.1 on 300, each long 2 ETH, who can give up 0.048 at 47,500 when the prices
    are 46,000 and 2,200, and then no more: the rest of the victims' longs waits."""
    gone = rich(story)
    longs = [victim(story, f"{1 / victims:.1f}", gone) for _ in range(victims)]
    for _ in range(SHORTS):
        short = story.account("short", perp_USDT="300")
        story.sell(short, BTC_PERP, "0.1", "50000", leverage=100)
        story.buy(gone, BTC_PERP, "0.1", "50000")
        story.buy(short, ETH_PERP, "2", "2500", leverage=100)
        story.sell(gone, ETH_PERP, "2", "2500")
    events = fall(story, "46000", "2200")
    assert sum(each.lots for each in of(events, Deleveraged)) == SHORTS * 48
    assert all(story.person(each).liquidating for each in longs[-1:])
    return longs


def test_p14_nobody_is_ranked_again_until_ten_grid_points_have_passed(count: Counted) -> None:
    story = Story(poor_venue())
    (long,) = _stuck(story)
    count.take()
    for _ in range(RETRY_GRID_POINTS - 1):
        story.wait(1_000)
        assert count.take() == 0
    story.wait(1_000)
    assert count.take() == SHORTS
    story.wait(1_000)
    assert count.take() == 0
    assert story.person(long).liquidating[f"perp/{BTC_PERP}"].round == RETRY_GRID_POINTS + 2


def test_p14_all_that_wait_for_a_side_share_one_search(count: Counted) -> None:
    """Five victims of 0.2: three wait, one of them in part; each would rank ten shorts."""
    story = Story(poor_venue())
    longs = _stuck(story, victims=5)
    waiting = [each for each in longs if story.person(each).liquidating]
    assert len(waiting) == 3
    count.take()
    story.wait(RETRY_GRID_POINTS * 1_000)
    assert count.take() == SHORTS


@pytest.mark.parametrize(("price", "is_tried"), [("45955", False), ("45954", True)])
def test_p14_a_mark_that_moved_by_a_thousandth_is_tried_at_once(
    count: Counted, price: str, is_tried: bool
) -> None:
    """A thousandth of 46,000 is 46."""
    story = Story(poor_venue())
    _stuck(story)
    count.take()
    fall(story, price, "2200")
    assert (count.take() >= SHORTS) is is_tried


def test_p14_who_could_not_is_found_as_soon_as_they_are_looked_at_again() -> None:
    story = Story(poor_venue())
    (long,) = _stuck(story)
    assert story.person(long).lots(BTC_PERP) == 1_000 - SHORTS * 48
    fall(story, "46000", "2500")
    told = of(story.wait(RETRY_GRID_POINTS * 1_000), Deleveraged)
    assert sum(each.lots for each in told) == SHORTS * 52
    assert not story.person(long).liquidating
    assert not story.engine.risk.in_vain


def test_i13_a_restart_while_nobody_is_sought_changes_nothing() -> None:
    story = Story(poor_venue())
    _stuck(story)
    twin = again(story.engine)
    assert twin.risk.in_vain == story.engine.risk.in_vain != {}
    lived = [story.wait(1_000) for _ in range(12)]
    digest = story.engine.digest()
    story.engine, story.now_ms = twin, story.now_ms - 12_000
    assert [story.wait(1_000) for _ in range(12)] == lived
    assert twin.digest() == digest
