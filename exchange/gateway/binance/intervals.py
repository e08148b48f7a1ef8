"""Intervals of candles: those of the exchange, a shorter one, and longer ones made of days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from exchange.gateway.binance.symbols import Product
from exchange.views.candles import Candle
from exchange.wire import INTERVALS_MS
from risk.parameters import DAY_MS

SECOND_MS: Final = 1_000
SECOND: Final = "1s"
LENGTHS_MS: Final = {SECOND: SECOND_MS, **INTERVALS_MS}
MONTHS: Final = 12
EPOCH_YEAR: Final = 1970

# Intervals folded from days: their length in days, and the day of the epoch one of them begins
# with (weeks begin on Mondays, and 1970-01-05 was one). Months have no length.
FOLDED: Final = {"3d": (3, 0), "1w": (7, 4), "1M": (0, 0)}


def has_candles(interval: str, product: Product) -> bool:
    """Whether there are candles of an interval; those of a second are of spot alone."""
    if interval == SECOND:
        return product == "spot"
    return interval in INTERVALS_MS or interval in FOLDED


def slot_of(interval: str, time_ms: int) -> int:
    """The number of the folded candle that a moment lies in."""
    days, first = FOLDED[interval]
    if days:
        return (time_ms // DAY_MS - first) // days
    moment = datetime.fromtimestamp(time_ms // SECOND_MS, UTC)
    return (moment.year - EPOCH_YEAR) * MONTHS + moment.month - 1


def slot_ms(interval: str, slot: int) -> int:
    """When the folded candle of that number opens."""
    days, first = FOLDED[interval]
    if days:
        return (slot * days + first) * DAY_MS
    years, months = divmod(slot, MONTHS)
    return int(datetime(EPOCH_YEAR + years, months + 1, 1, tzinfo=UTC).timestamp()) * SECOND_MS


def open_ms(interval: str, time_ms: int) -> int:
    """When the candle opens that a moment lies in."""
    if interval in FOLDED:
        return slot_ms(interval, slot_of(interval, time_ms))
    return time_ms - time_ms % LENGTHS_MS[interval]


def close_ms(interval: str, opens_ms: int) -> int:
    """The last moment of the candle that opens then."""
    if interval in FOLDED:
        return slot_ms(interval, slot_of(interval, opens_ms) + 1) - 1
    return opens_ms + LENGTHS_MS[interval] - 1


def fold_days(interval: str, days: Iterable[Candle], folded: list[Candle]) -> None:
    """Fold days, oldest first, into the last of the candles or into new ones behind it."""
    for day in days:
        opens_ms = open_ms(interval, day.open_ms)
        if folded and folded[-1].open_ms == opens_ms:
            folded[-1].add(day)
        else:
            folded.append(msgspec.structs.replace(day, open_ms=opens_ms))
