"""A sequencer as the configuration wants it: its clock, its market, and whom it tells."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Final

from exchange.clock import LEAD_MS, Clock, ScaledClock, SteppedClock, SystemClock, wall_ms
from exchange.config import Config
from exchange.engine import Engine
from exchange.house import House
from exchange.market.market import market, opening_prices
from exchange.market.tape import Tape
from exchange.opening import OpeningPrices
from exchange.sequencer import Keeper, Sequencer, Source

LEAD_WALL_MS: Final = 50  # How late the loop may wake without slowing fast time down.
SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000

log = logging.getLogger(__name__)


def sequencer_of(
    config: Config,
    engine: Engine,
    keeper: Keeper,
    house: House,
    tapes: Mapping[str, Tape],
    *,
    is_new: bool,
) -> Sequencer:
    """The sequencer that goes on where the engine stands, with the market's sources.

    A venue that `is_new` gets its opening prices first.
    """
    venue = engine.venue
    clock = clock_of(config, engine.time_ms)

    def sources(from_ms: int) -> list[Source]:
        return market(
            venue,
            from_ms,
            tapes=tapes,
            agents=config.market.agents,
            agent_step_ms=config.market.agent_step_ms,
        )

    first = [OpeningPrices(venue, opening_prices(venue, tapes))] if is_new else []
    sequencer = Sequencer(
        engine,
        keeper,
        clock,
        [*first, *sources(clock.now_ms())],
        grid_ms=venue.grid_ms,
        resume=sources,
    )
    sequencer.listeners += [*house.listeners, house.metrics.on_group]
    sequencer.on_timing = house.metrics.on_timing
    return sequencer


def clock_of(config: Config, last_ms: int) -> Clock:
    """The clock that goes on from the last stamp; the real one jumps to now."""
    if config.speed == "max":
        return ScaledClock(math.inf, last_ms)
    if not config.speed:
        return SteppedClock(last_ms)
    ahead_ms = last_ms - wall_ms()
    if config.speed == 1 and config.market.prices != "tape" and ahead_ms < MINUTE_MS:
        return SystemClock(last_ms)
    if config.speed == 1 and config.market.prices != "tape":
        log.warning("exchange time goes on from %d s ahead of the wall", ahead_ms // SECOND_MS)
    lead_ms = max(LEAD_MS, int(config.speed * LEAD_WALL_MS))
    return ScaledClock(config.speed, last_ms, lead_ms=lead_ms)
