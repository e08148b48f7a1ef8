"""Quiet stretches passed at once: the state and the events are those of every point by itself."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.commands import FeedPrices
from exchange.events import AnyEvent, Marked
from matching.types import Side, TimeInForce
from risk.parameters import HOUR_MS
from tests.risk.stories import with_perp
from tests.story import Story, of, small_venue, units

PERP = "BTC-USDT-PERP"
DAY_MS = 24 * HOUR_MS


class Waiting(Story):
    """A story with no bound on its work; quiet stretches are passed at once, or point by point."""

    def __init__(self, at_once: bool, **changes: Any) -> None:
        self.at_once = at_once
        self.points = 0
        super().__init__(with_perp(small_venue(**changes), PERP, interval_ms=2 * HOUR_MS))

    def _apply(self, kind: type, /, **fields: Any) -> list[AnyEvent]:
        begin = self.engine._begin_grid_point

        def counted() -> None:
            self.points += 1
            begin()

        with (
            patch("exchange.engine.WORK_PER_COMMAND_MAX", 10**9),
            patch.object(self.engine, "_begin_grid_point", counted),
        ):
            if self.at_once:
                return super()._apply(kind, **fields)
            with patch("exchange.engine.pass_quiet", lambda engine: None):
                return super()._apply(kind, **fields)


happenings = st.lists(
    st.tuples(
        st.sampled_from(["quote", "trade", "dated", "price", "feed", "nothing", "thin"]),
        st.integers(-40, 40),
        st.sampled_from([999, 1_000, 4_000, 61_000, 300_000, HOUR_MS, 3 * HOUR_MS]),
    ),
    min_size=1,
    max_size=5,
)


def lived(story: Waiting, path: list[tuple[str, int, int]]) -> None:
    maker = story.account("maker", perp_USDT="9000000", spot_USDT="9000000", spot_BTC="90")
    other = story.account("other", perp_USDT="9000", spot_USDT="90000")
    for what, parts, ms in path:
        price = 50_000 + 5 * parts
        if what == "quote":
            for symbol in ("BTC-USDT", PERP):
                story.buy(maker, symbol, "0.5", str(price - 20))
                story.sell(maker, symbol, "0.5", str(price + 20))
        elif what == "thin":
            story.buy(maker, PERP, "0.01", str(price - 300))
        elif what == "trade":
            story.place(other, Side.BUY, PERP, "0.1", str(price + 30))
        elif what == "dated":
            story.place(
                maker,
                Side.BUY,
                PERP,
                "0.1",
                str(price - 100),
                tif=TimeInForce.GTD,
                expire_ms=story.now_ms + 1_000 * (parts + 45),
            )
        elif what == "price":
            story.index("BTC", str(price))
        elif what == "feed":
            fresh_ms = max(0, parts) * 1_000 + 10_000
            prices = {"BTC": units(str(price))}
            story.do(FeedPrices, feed="reference", prices_e8=prices, stale_ms=fresh_ms)
        story.wait(ms)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(happenings)
def test_every_point_by_itself_leaves_the_same_state_and_tells_the_same(
    path: list[tuple[str, int, int]],
) -> None:
    folded, plain = Waiting(True, book_weight=1), Waiting(False, book_weight=1)
    lived(folded, path)
    lived(plain, path)
    assert folded.engine.digest() == plain.engine.digest()
    assert folded.events == plain.events
    assert folded.points <= plain.points


def test_a_day_of_quiet_is_a_few_points_an_hour() -> None:
    """86,400 points; with a book on both sides the basis window fills in 150 seconds."""
    story = Waiting(True)
    lived(story, [("quote", 0, DAY_MS)])
    assert story.points < 400


def drifting(at_once: bool) -> tuple[Waiting, list[int]]:
    """A last trade and a bid above the index, nobody asks: the mark is P1, which falls to it."""
    story = Waiting(at_once)
    maker = story.account("maker", perp_USDT="9000000")
    other = story.account("other", perp_USDT="9000")
    story.sell(maker, PERP, "0.1", "50020")
    story.buy(other, PERP, "0.1", "50020")
    story.buy(maker, PERP, "0.1", "50010")
    story.wait(2 * HOUR_MS)
    marks = [each.mark_e8 for each in of(story.wait(60_000), Marked) if each.symbol == PERP]
    return story, marks


def test_p7_a_mark_that_follows_the_funding_ahead_is_told_at_every_point() -> None:
    """The rate is 0.01 % in eight hours, a quarter of it in two: 1.25 on 50,000 in 7,200 s."""
    (folded, marks), (plain, theirs) = drifting(True), drifting(False)
    assert marks == theirs == sorted(set(marks), reverse=True)
    assert len(marks) == 60
    assert folded.engine.digest() == plain.engine.digest()


def test_a_day_of_downtime_is_worked_off_in_a_few_slices() -> None:
    """One Tick leads a day ahead; with the venue's own bound on work it took 338 slices."""
    story = Story(small_venue(book_weight=1))
    maker = story.account("maker", perp_USDT="900000", spot_USDT="900000", spot_BTC="9")
    for symbol in ("BTC-USDT", PERP):
        story.buy(maker, symbol, "0.5", "49990")
        story.sell(maker, symbol, "0.5", "50010")
    before = story.engine.seq
    story.wait(DAY_MS)
    assert story.engine.seq - before < 10
