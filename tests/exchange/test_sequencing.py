"""The clock that a configuration asks for, and the market that goes on where an engine stands."""

from __future__ import annotations

import math
from typing import Any

import pytest

from exchange.clock import ScaledClock, SteppedClock, SystemClock, wall_ms
from exchange.config import Config, Market
from exchange.engine import Engine
from exchange.house import House
from exchange.sequencing import clock_of, sequencer_of
from tests.exchange.sequencing import RecordingJournal
from tests.story import START_MS, small_venue


@pytest.mark.parametrize(
    ("speed", "prices", "ahead_ms", "kind", "ceiling"),
    [
        (1.0, "walk", -1_000, SystemClock, 1.0),
        # After days at sixty times the speed it cannot wait for the wall.
        (1.0, "walk", 86_400_000, ScaledClock, 1.0),
        (1.0, "tape", -86_400_000, ScaledClock, 1.0),
        (60.0, "walk", -1_000, ScaledClock, 60.0),
        ("max", "walk", -1_000, ScaledClock, math.inf),
        (0.0, "walk", -1_000, SteppedClock, None),
    ],
)
def test_the_clock_fits_the_speed(
    speed: Any, prices: Any, ahead_ms: int, kind: type, ceiling: float | None
) -> None:
    given = Config(speed=speed, market=Market(prices=prices, tape="x"))
    last_ms = wall_ms() + ahead_ms
    clock = clock_of(given, last_ms)
    assert type(clock) is kind
    assert clock.speed == ceiling
    if kind is SystemClock:
        assert clock.now_ms() > last_ms
    elif kind is SteppedClock:
        assert clock.now_ms() == last_ms
    else:
        assert last_ms <= clock.now_ms() <= last_ms + 60_000


@pytest.mark.parametrize("is_new", [True, False])
def test_only_a_new_venue_is_given_its_opening_prices(is_new: bool) -> None:
    engine = Engine(small_venue())
    given = Config(speed=0, market=Market(prices="fixed", agents=False))
    sequencer = sequencer_of(
        given, engine, RecordingJournal([]), House(engine, None), {}, is_new=is_new
    )
    due = [source.next_due_ms() for source in sequencer.sources]
    assert (START_MS in due) is is_new
