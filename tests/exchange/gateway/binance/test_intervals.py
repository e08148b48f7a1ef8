"""Where candles of each interval begin and end, and that days become longer ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchange.gateway.binance import intervals
from exchange.views.candles import Candle
from exchange.wire import INTERVALS_MS
from risk.parameters import DAY_MS


def ms(day: tuple[int, int, int]) -> int:
    return int(datetime(*day, tzinfo=UTC).timestamp()) * 1_000


@pytest.mark.parametrize(
    ("interval", "opens", "next_opens"),
    [
        # 2024-02-14 was a Wednesday, and day 19,767 = 3 x 6,589 of the epoch.
        ("1w", (2024, 2, 12), (2024, 2, 19)),
        ("1M", (2024, 2, 1), (2024, 3, 1)),
        ("3d", (2024, 2, 14), (2024, 2, 17)),
    ],
)
def test_weeks_begin_on_mondays_and_months_on_their_first(
    interval: str, opens: tuple[int, int, int], next_opens: tuple[int, int, int]
) -> None:
    slot = intervals.slot_of(interval, ms((2024, 2, 14)))
    assert intervals.slot_ms(interval, slot) == ms(opens)
    assert intervals.slot_ms(interval, slot + 1) == ms(next_opens)
    assert intervals.close_ms(interval, ms(opens)) == ms(next_opens) - 1
    assert intervals.open_ms(interval, ms((2024, 2, 14))) == ms(opens)


@pytest.mark.parametrize(("interval", "length_ms"), [("1s", 1_000), *INTERVALS_MS.items()])
def test_shorter_candles_stand_on_the_grid_of_the_epoch(interval: str, length_ms: int) -> None:
    opens_ms = intervals.open_ms(interval, 5 * length_ms + length_ms - 1)
    assert opens_ms == 5 * length_ms
    assert intervals.close_ms(interval, opens_ms) == 6 * length_ms - 1


def test_seconds_are_of_spot_alone_and_other_words_of_nothing() -> None:
    assert intervals.has_candles("1s", "spot")
    assert not intervals.has_candles("1s", "um")
    assert all(intervals.has_candles(each, "cm") for each in ("1m", "1d", "3d", "1w", "1M"))
    assert not intervals.has_candles("7m", "spot")


def test_days_are_folded_into_the_candle_they_lie_in() -> None:
    days = [
        Candle(ms((2024, 2, 10)) + at * DAY_MS, 10 + at, 20 + at, 5 - at, 12 + at, 3, 30, 2)
        for at in range(4)
    ]
    folded: list[Candle] = []
    # Saturday and Sunday end a week, which Monday and Tuesday do not belong to.
    intervals.fold_days("1w", days[:3], folded)
    intervals.fold_days("1w", days[3:], folded)
    assert [candle.open_ms for candle in folded] == [ms((2024, 2, 5)), ms((2024, 2, 12))]
    first, second = folded
    assert (first.open, first.high, first.low, first.close) == (10, 21, 4, 13)
    assert (second.open, second.high, second.low, second.close) == (12, 23, 2, 15)
    assert (first.lots, first.units, first.trades) == (6, 60, 4)
    assert days[0].lots == 3  # What was folded is left as it was.
