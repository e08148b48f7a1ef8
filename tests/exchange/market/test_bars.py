"""Bars: whatever is cut adds up again, and stays within what it was cut from."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exchange.market.bars import (
    LOTS_PER_MINUTE_MIN,
    TRADES_PER_MINUTE,
    Bar,
    join,
    margin_at,
    shares,
    split,
    trades_of,
)
from exchange.market.draws import Draws, halves

LEVEL_PARTS = (12, 2, 4, 3, 5)  # A day in two-hour bars, those in hours, quarters, fives, minutes.
LEVEL_MINUTES = (1_440, 120, 60, 15, 5, 1)


@st.composite
def bars(draw: st.DrawFn, level: int | None = None) -> Bar:
    """A bar of some level whose average keeps that level's margin."""
    level = draw(st.integers(0, 4)) if level is None else level
    low = draw(st.integers(1, 10_000_000))
    spread = draw(st.integers(0, max(1, low // 4)) | st.integers(0, 3))
    opened = draw(st.integers(low, low + spread))
    closed = draw(st.integers(low, low + spread))
    minutes = LEVEL_MINUTES[level]
    lots = minutes * draw(st.integers(LOTS_PER_MINUTE_MIN, 10_000_000))
    room = margin_at(level) * spread
    bottom = -(-lots * (100 * low + room) // 100)
    top = lots * (100 * (low + spread) - room) // 100
    units = draw(st.integers(bottom, max(bottom, top)))
    return Bar(0, opened, low + spread, low, closed, lots, units, minutes * TRADES_PER_MINUTE)


def level_of(bar: Bar) -> int:
    return LEVEL_MINUTES.index(bar.trades // TRADES_PER_MINUTE)


def cut(bar: Bar, seed: int) -> list[Bar]:
    level = level_of(bar)
    parts = LEVEL_PARTS[level]
    ms = LEVEL_MINUTES[level + 1] * 60_000
    return split(bar, ms, parts, level + 1, halves(seed, "cut", 0, 4 * parts))


@given(bars(), st.integers(0, 1_000))
def test_the_parts_of_a_bar_add_up_to_it(bar: Bar, seed: int) -> None:
    parts = cut(bar, seed)
    assert join(parts, bar.open_ms) == bar
    assert all(left.close == right.open for left, right in pairwise(parts))
    for part in parts:
        assert part.low <= min(part.open, part.close)
        assert part.high >= max(part.open, part.close)
        assert part.lots * part.low <= part.units <= part.lots * part.high


@given(bars(0), st.integers(0, 1_000))
def test_a_day_is_cut_down_to_its_trades(bar: Bar, seed: int) -> None:
    whole = bar
    for level in range(5):
        # The part that is busiest, then the one that is quietest: both must be cuttable.
        pick = max if level % 2 else min
        parts = cut(bar, seed)
        assert join(parts, bar.open_ms) == bar
        bar = pick(parts, key=lambda part: part.lots)
    trades = trades_of(bar, 11, Draws(seed, "trades", 0))
    assert [trade.trade_id for trade in trades] == list(range(11, 17))
    assert sum(trade.lots for trade in trades) == bar.lots
    assert sum(trade.lots * trade.price_ticks for trade in trades) == bar.units
    assert min(trade.lots for trade in trades) > 0
    prices = [trade.price_ticks for trade in trades]
    assert (prices[0], max(prices), min(prices), prices[-1]) == (
        bar.open,
        bar.high,
        bar.low,
        bar.close,
    )
    times = [trade.time_ms for trade in trades]
    assert times == sorted(times)
    assert all(bar.open_ms <= time_ms < bar.open_ms + 60_000 for time_ms in times)
    assert whole.low <= bar.low <= bar.high <= whole.high


@given(st.integers(0, 10_000), st.lists(st.integers(0, 1_000), min_size=1, max_size=9))
def test_shares_sum_to_the_whole(total: int, weights: list[int]) -> None:
    weights[0] += 1
    parts = shares(total + 5 * len(weights), weights, 5)
    assert sum(parts) == total + 5 * len(weights)
    assert min(parts) >= 5


def test_shares_follow_the_weights() -> None:
    assert shares(100, [1, 3]) == [25, 75]
    assert shares(10, [1, 1, 1]) == [3, 3, 4]
