"""Candles cut into shorter ones, and into trades, that agree with them to the last lot.

A bar's four prices, its lots and its units (ticks x lots) are cut so that the parts chain, reach
the whole's high and low, never go beyond them, and sum to its lots and units exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final, NamedTuple

from exchange.market.draws import Draws
from matching.types import Side

TRADES_PER_MINUTE: Final = 6
LOTS_PER_MINUTE_MIN: Final = 2_000  # Fewer could not be cut so that everything agrees.
MINUTE_MS: Final = 60_000
HALF: Final = 65_536  # Chance comes in halves of a word, 16 bits each,
HALVES_PER_PART: Final = 4  # so many a part: a step, two wicks, and a volume.

# A bar's average price stays so many hundredths of its range away from its high and its low. The
# bound falls from level to level, so that a bar's parts can always be made to average to it.
MARGIN_TOP: Final = 30
MARGIN_STEP: Final = 4


class Bar(NamedTuple):
    """A candle: prices in ticks, lots, and units (ticks x lots) that changed hands."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int
    units: int
    trades: int

    # Nobody took from a made-up bar; of its trades half are drawn as a buyer's.

    @property
    def taker_lots(self) -> int:
        """The lots that buying takers took."""
        return self.lots // 2

    @property
    def taker_units(self) -> int:
        """And what they came to."""
        return self.units * self.taker_lots // self.lots if self.lots else 0


class PastTrade(NamedTuple):
    """A trade from before the first moment."""

    trade_id: int
    time_ms: int
    price_ticks: int
    lots: int
    taker_side: Side


def margin_at(level: int) -> int:
    """How far from the ends of its range a bar's average stays at a level, in hundredths."""
    return MARGIN_TOP - MARGIN_STEP * level


def shares(total: int, weights: Sequence[int], least: int = 0) -> list[int]:
    """A whole number cut in proportion to weights, each part at least `least`, summing exactly.

    `total` must cover `least` for every part; the weights are not negative and not all zero.
    """
    free = total - least * len(weights)
    assert free >= 0
    whole = sum(weights)
    parts = []
    given = passed = 0
    for weight in weights:
        passed += weight
        upto = free * passed // whole
        parts.append(least + upto - given)
        given = upto
    return parts


def split(bar: Bar, ms: int, parts: int, level: int, chance: Sequence[int]) -> list[Bar]:
    """The bar as so many bars of `ms` each; they lie at `level`.

    `chance` holds four numbers below 65536 for each part.
    """
    path = _path(bar, parts, chance)
    highs, lows = _extremes(bar, path, chance)
    trades = bar.trades // parts
    spread = bar.high - bar.low + 1
    weights = [
        (HALF // 3 + chance[HALVES_PER_PART * at + 3]) * (spread + 4 * (high - low)) // spread
        for at, (high, low) in enumerate(zip(highs, lows, strict=True))
    ]
    lots = shares(bar.lots, weights, bar.lots // (2 * parts))
    units = _units(bar, lots, highs, lows, margin_at(level))
    return [
        Bar(
            bar.open_ms + at * ms,
            path[at],
            highs[at],
            lows[at],
            path[at + 1],
            lots[at],
            units[at],
            trades,
        )
        for at in range(parts)
    ]


def join(bars: Sequence[Bar], open_ms: int) -> Bar:
    """Neighbouring bars as one."""
    return Bar(
        open_ms,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.lots for bar in bars),
        sum(bar.units for bar in bars),
        sum(bar.trades for bar in bars),
    )


def _path(bar: Bar, parts: int, chance: Sequence[int]) -> list[int]:
    """The prices at which the parts begin, and the last one's close: a walk tied at both ends."""
    centre = HALF / 2
    sums = [0.0]
    for at in range(parts):
        sums.append(sums[-1] + chance[HALVES_PER_PART * at] - centre)
    # A uniform step has a deviation of 0.29; of a range, a tied walk of that scale fills most.
    scale = 2.2 * (bar.high - bar.low) / (HALF * sqrt(parts))
    path = [bar.open]
    for at in range(1, parts):
        tied = sums[at] - sums[parts] * at / parts
        price = round(bar.open + (bar.close - bar.open) * at / parts + scale * tied)
        path.append(min(max(price, bar.low), bar.high))
    path.append(bar.close)
    return path


def _extremes(bar: Bar, path: Sequence[int], chance: Sequence[int]) -> tuple[list[int], list[int]]:
    """Highs and lows of the parts; the highest part reaches the bar's high, the lowest its low."""
    parts = len(path) - 1
    wick = 0.35 * (bar.high - bar.low) / (HALF * sqrt(parts))
    highs, lows = [], []
    for at in range(parts):
        up = round(wick * chance[HALVES_PER_PART * at + 1])
        down = round(wick * chance[HALVES_PER_PART * at + 2])
        highs.append(min(max(path[at], path[at + 1]) + up, bar.high))
        lows.append(max(min(path[at], path[at + 1]) - down, bar.low))
    highs[highs.index(max(highs))] = bar.high
    lows[lows.index(min(lows))] = bar.low
    return highs, lows


def _units(
    bar: Bar, lots: Sequence[int], highs: list[int], lows: list[int], margin: int
) -> list[int]:
    """The units of each part: within its margins, and together exactly the bar's.

    Where the ranges of the parts do not allow it, they are widened (in place) towards the bar's;
    parts as wide as the bar itself always can, for their margin is the smaller one.
    """
    while True:
        if sum(_bottoms(lots, highs, lows, margin)) > bar.units:
            lows[:] = [(low + bar.low) // 2 for low in lows]
        elif sum(_tops(lots, highs, lows, margin)) < bar.units:
            highs[:] = [-(-(high + bar.high) // 2) for high in highs]
        else:
            break
    bottoms = _bottoms(lots, highs, lows, margin)
    free = bar.units - sum(bottoms)
    if not free:
        return bottoms
    tops = _tops(lots, highs, lows, margin)
    rooms = [top - bottom for top, bottom in zip(tops, bottoms, strict=True)]
    return [low + more for low, more in zip(bottoms, shares(free, rooms), strict=True)]


def _bottoms(
    lots: Sequence[int], highs: Sequence[int], lows: Sequence[int], margin: int
) -> list[int]:
    """The fewest units that each part may have."""
    return [
        -(-lot * (100 * low + margin * (high - low)) // 100)
        for lot, high, low in zip(lots, highs, lows, strict=True)
    ]


def _tops(lots: Sequence[int], highs: Sequence[int], lows: Sequence[int], margin: int) -> list[int]:
    """The most units that each part may have."""
    return [
        lot * (100 * high - margin * (high - low)) // 100
        for lot, high, low in zip(lots, highs, lows, strict=True)
    ]


def trades_of(bar: Bar, first_id: int, draws: Draws) -> list[PastTrade]:
    """The six trades of a one-minute bar: its open, both extremes, its close, and two between.

    Their prices, lots and units are those of the bar.
    """
    assert bar.trades == TRADES_PER_MINUTE
    prices, lots = _priced(bar, draws)
    slots = MINUTE_MS // TRADES_PER_MINUTE
    return [
        PastTrade(
            first_id + at,
            bar.open_ms + at * slots + draws.below(slots),
            price,
            lot,
            Side.BUY if draws.chance(0.5) else Side.SELL,
        )
        for at, (price, lot) in enumerate(zip(prices, lots, strict=True))
    ]


def _priced(bar: Bar, draws: Draws) -> tuple[list[int], list[int]]:
    """Prices and lots in order of time. One lot at a price of its own makes the units exact."""
    spread = bar.high - bar.low
    between = bar.low + draws.below(spread + 1)
    small = max(1, bar.lots // 60)
    opened, passed, closed = (1 + draws.below(small) for _ in range(3))
    fixed = bar.open * opened + between * passed + bar.close * closed
    rest = bar.lots - opened - passed - closed - 1
    # So many of the rest at the high that what is missing is a price between low and high.
    high_lots = rest // 2
    last = bar.low
    if spread:
        high_lots, over = divmod(bar.units - fixed - bar.low * (rest + 1), spread)
        last = bar.low + over
    low_lots = rest - high_lots
    assert high_lots > 0 < low_lots, bar
    if bar.close > bar.open:
        prices = [bar.open, bar.low, between, bar.high, last, bar.close]
        return prices, [opened, low_lots, passed, high_lots, 1, closed]
    prices = [bar.open, bar.high, between, bar.low, last, bar.close]
    return prices, [opened, high_lots, passed, low_lots, 1, closed]
