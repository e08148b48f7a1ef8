"""Ladders: lines that depend on the price alone, and orders that move only when they must."""

import pytest

from exchange.market.agents.ladder import (
    COARSE,
    COARSER,
    FINE,
    LINES,
    Band,
    Ladder,
    Place,
    bands_for,
)
from exchange.market.agents.quoting import QUOTING
from exchange.market.sight import E8
from matching.types import Side
from tests.exchange.market.stage import small_venue

CENTRE = 5_000_000


def ladder() -> Ladder:
    return Ladder(1, small_venue().instruments[0], QUOTING["BTC"], 50_000 * E8, E8)


@pytest.mark.parametrize("bands", [FINE, COARSER, COARSE])
@pytest.mark.parametrize("side", list(Side))
def test_lines_lie_on_their_side_nearest_first(side: Side, bands: tuple[Band, ...]) -> None:
    away = -1 if side is Side.BUY else 1
    far = [away * (ticks - CENTRE) for ticks in ladder().lines(side, CENTRE, 2, bands)]
    assert len(far) == LINES
    assert far == sorted(far)
    # Three quarters of a gap at least; 750 ticks are 0.015 % of 50,000.
    assert far[0] >= 750 * bands[0].gaps * 3 // 4
    # The farthest lies a tenth away, well within what a venue admits.
    assert 400_000 < far[-1] < 600_000


@pytest.mark.parametrize("bands", [FINE, COARSER, COARSE])
def test_depth_within_one_percent_is_alike_at_every_step(bands: tuple[Band, ...]) -> None:
    lines = ladder().lines(Side.BUY, CENTRE, 2, bands)
    near = sum(ticks * lots for ticks, lots in lines.items() if CENTRE - ticks <= CENTRE // 100)
    # Ticks of 0.01 and lots of 0.00001: ten million units are one USDT.
    assert 300_000 < near / 10_000_000 < 600_000


def test_longer_steps_have_wider_bands() -> None:
    assert [bands_for(step_ms) for step_ms in (1_000, 15_000, 60_000)] == [FINE, COARSER, COARSE]


def test_a_place_measures_away_from_the_market() -> None:
    bid = Place(Side.BUY, 100, 2, FINE, None, 10**9)
    ask = Place(Side.SELL, 100, 2, FINE, None, 0)
    assert (bid.far(90), bid.far(105)) == (10, -5)
    assert (ask.far(90), ask.far(105)) == (-10, 5)


def test_no_line_lies_where_the_venue_admits_no_order() -> None:
    # The gap stays in ticks, so after a fall lines reach far: asks end below five times the price.
    lines = ladder().lines(Side.SELL, 100_000, 2)
    assert max(lines) <= 5 * 100_000
    assert len(lines) < LINES
    assert min(ladder().lines(Side.BUY, 100_000, 2)) >= 100_000 // 5
