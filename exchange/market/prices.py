"""Where prices come from: standing still, or walking by a seed through calm, trend and panic.

A source of prices keeps nothing. The next print of an asset follows from the print that stands in
the engine and from draws of (seed, asset, step), so a restart continues as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import sqrt
from typing import Final, NamedTuple, Protocol

from exchange.market.draws import Stroke, stroke
from exchange.market.regimes import MAJOR_COMMON, character, regime_at

SECOND_MS: Final = 1_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
STALE_MS: Final = 10_000  # How long a print of the walk stands (P6), unless its steps are long.
FOR_EVER_MS: Final = 1_000 * 366 * DAY_MS  # Fixed prices never grow stale.

MARKET: Final = "market"  # The name of what all assets share.
MARKET_JUMPS_PER_DAY: Final = 2.0
JUMP_S: Final = 3_600  # A jump is measured in deviations of so many seconds.
FALLS: Final = 0.54  # Of the jumps, so many go down.
PULL_PER_S: Final = 1.5e-8  # A price far from its start is drawn back: a tenth of it in 80 days.


class Print(NamedTuple):
    """What a feed says at one moment: prices in 10^-8 of the quote, and how long they stand."""

    prices_e8: dict[str, int]
    stale_ms: int


class PriceSource(Protocol):
    """A source of outside prices, by base asset; it remembers nothing between its steps."""

    def next_due_ms(self, after_ms: int) -> int:
        """The first moment after `after_ms` at which it may print."""
        ...

    def prints(self, now_ms: int, standing_e8: Mapping[str, int]) -> list[Print]:
        """What is printed at a due moment, given the prints that stand."""
        ...

    def moved(self, asset: str, now_ms: int, span_ms: int) -> float:
        """By what share an asset's price moved over the last `span_ms`."""
        ...


def next_on_grid(after_ms: int, step_ms: int) -> int:
    """The first multiple of the step after a moment."""
    return (after_ms // step_ms + 1) * step_ms


class FixedPrices:
    """Prices that stay where an administrator puts them; the start prices are printed once."""

    def __init__(self, start_prices_e8: Mapping[str, int]) -> None:
        self._start_e8 = dict(start_prices_e8)

    def next_due_ms(self, after_ms: int) -> int:
        """Every second it looks whether a price is missing."""
        return next_on_grid(after_ms, SECOND_MS)

    def prints(self, now_ms: int, standing_e8: Mapping[str, int]) -> list[Print]:
        """The start price of every asset that never had one."""
        missing = {a: p for a, p in self._start_e8.items() if a not in standing_e8}
        return [Print(missing, FOR_EVER_MS)] if missing else []

    def moved(self, asset: str, now_ms: int, span_ms: int) -> float:
        """Nothing moves."""
        return 0.0


class WalkPrices:
    """Seeded random walks with a common factor, regimes by the hour, and jumps.

    Majors print at every step, smaller assets every few, on the grid of `step_ms`.
    """

    def __init__(
        self, seed: int, start_prices_e8: Mapping[str, int], step_ms: int = SECOND_MS
    ) -> None:
        assert step_ms > 0
        self.step_ms = step_ms
        self.stale_ms = max(STALE_MS, 2 * step_ms + STALE_MS // 2)
        self._seed = seed
        self.start_e8 = dict(start_prices_e8)
        self._steps = {
            asset: max(1, character(asset).pause_s * SECOND_MS // step_ms)
            for asset in start_prices_e8
        }
        # A draw is a pure function of its step; only the work is remembered, never the result.
        self._market = lru_cache(maxsize=1_024)(self._market_stroke)
        self._drawn = lru_cache(maxsize=16_384)(self._return)

    def next_due_ms(self, after_ms: int) -> int:
        """The next step of the grid."""
        return next_on_grid(after_ms, self.step_ms)

    def prints(self, now_ms: int, standing_e8: Mapping[str, int]) -> list[Print]:
        """The prints of one step; an asset that has none yet prints its start price."""
        step = now_ms // self.step_ms
        prices: dict[str, int] = {}
        for asset, start_e8 in self.start_e8.items():
            last_e8 = standing_e8.get(asset)
            if last_e8 is None:
                prices[asset] = start_e8
            elif self.is_turn(asset, step):
                prices[asset] = self.next_e8(asset, last_e8, self._drawn(asset, step))
        return [Print(prices, self.stale_ms)] if prices else []

    def is_turn(self, asset: str, step: int) -> bool:
        """Whether the asset prints at this step; those of one pace do not all print at once."""
        return (step + sum(asset.encode())) % self._steps[asset] == 0

    def steps_between(self, asset: str) -> int:
        """How many steps lie between two prints of an asset."""
        return self._steps[asset]

    def next_e8(self, asset: str, last_e8: int, moved: float) -> int:
        """The print after `last_e8` if the price moves by that share."""
        seconds = self._steps[asset] * self.step_ms / SECOND_MS
        pull = PULL_PER_S * seconds * (1 - last_e8 / self.start_e8[asset])
        return max(1, round(last_e8 * (1 + moved + pull)))

    def moved(self, asset: str, now_ms: int, span_ms: int) -> float:
        """The returns that were drawn over the span, compounded."""
        last = now_ms // self.step_ms
        factor = 1.0
        for step in range(last - span_ms // self.step_ms + 1, last + 1):
            if self.is_turn(asset, step):
                factor *= 1 + self._drawn(asset, step)
        return factor - 1

    def market_return(self, asset: str, step: int) -> float:
        """The part of a return that all assets share, each in its measure."""
        walk = character(asset)
        market = sum(self._market(step - back) for back in range(self._steps[asset]))
        return market * walk.common * walk.sigma_e6 / 1e6

    def own_return(self, asset: str, step: int) -> float:
        """The part of a return that no other asset shares: its noise and its own jumps."""
        steps = self._steps[asset]
        walk = character(asset)
        whose = MARKET if walk.common >= MAJOR_COMMON else asset
        regime = regime_at(self._seed, whose, step * self.step_ms // HOUR_MS)
        drawn = stroke(self._seed, asset, step)
        scale = walk.sigma_e6 / 1e6 * regime.liveliness * sqrt(steps * self.step_ms / SECOND_MS)
        alone = sqrt(1 - walk.common * walk.common)
        per_step = walk.jumps_per_day * regime.jumpiness * steps * self.step_ms / DAY_MS
        jump = _jump(drawn, per_step) * walk.sigma_e6 / 1e6 * sqrt(JUMP_S)
        return scale * alone * drawn.normal + jump

    def _return(self, asset: str, step: int) -> float:
        """An asset's whole return since its last print: the market's part, and its own."""
        return self.market_return(asset, step) + self.own_return(asset, step)

    def _market_stroke(self, step: int) -> float:
        """The market's return of one step, in deviations of one second of any asset."""
        regime = regime_at(self._seed, MARKET, step * self.step_ms // HOUR_MS)
        drawn = stroke(self._seed, MARKET, step)
        seconds = self.step_ms / SECOND_MS
        per_step = MARKET_JUMPS_PER_DAY * regime.jumpiness * self.step_ms / DAY_MS
        walked = regime.liveliness * (drawn.normal * sqrt(seconds) + regime.lean * seconds)
        return walked + _jump(drawn, per_step) * sqrt(JUMP_S)


def _jump(drawn: Stroke, per_step: float) -> float:
    """How far a jump goes, in deviations of an hour; mostly there is none."""
    if drawn.first >= per_step:
        return 0.0
    size = 0.6 + 1.6 * drawn.second
    return -size if drawn.third < FALLS else size
