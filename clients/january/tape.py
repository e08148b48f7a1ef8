"""The tape as its reader sees it: which moments it covers, and the bar a moment lies in."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

MINUTE_MS: Final = 60_000

# Times are told apart by their size: seconds, milliseconds or microseconds since 1970.
MILLISECONDS_FROM: Final = 10**11
MICROSECONDS_FROM: Final = 10**14

TIME_NAMES: Final = ("timestamp", "open_time", "time", "datetime", "date")
PRICE_NAMES: Final = ("open", "high", "low", "close")
DUMP_COLUMNS: Final = 12  # Of the public dumps of candles, which may come without a header.
PRICES_TO: Final = 5


class TapeError(ValueError):
    """A file that is no tape of candles; the text says why, in one line."""


class Bar(NamedTuple):
    """One candle: when it opens, and its prices as the file writes them."""

    open_ms: int
    open: str
    high: str
    low: str
    close: str


class Tape:
    """A CSV of candles, oldest first; TapeError if it is none.

    Read are columns by the names of a header, or the public dumps of candles without one; times
    are ISO text (UTC unless it says else) or digits since 1970.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        first: Bar | None = None
        last = before = None
        for bar in self._bars():
            first = first or bar
            before, last = last, bar
        if first is None or last is None:
            raise TapeError(f"{path} holds no candles")
        self.first_ms = first.open_ms
        pace_ms = last.open_ms - before.open_ms if before else MINUTE_MS
        self.end_ms = last.open_ms + pace_ms

    def covers(self, begin_ms: int, end_ms: int) -> bool:
        """Whether there are prices from one moment to the other."""
        return self.first_ms <= begin_ms < end_ms <= self.end_ms

    def bar_at(self, moment_ms: int) -> Bar | None:
        """The bar a moment lies in: the last that opens no later; None before the first."""
        found = None
        for bar in self._bars():
            if bar.open_ms > moment_ms:
                break
            found = bar
        return found

    def _bars(self) -> Iterator[Bar]:
        try:
            with self.path.open(encoding="utf-8", newline="") as lines:
                yield from _bars_of(csv.reader(lines))
        except OSError as error:
            raise TapeError(f"{self.path}: {error.strerror}") from None
        except (ValueError, csv.Error) as error:
            raise TapeError(f"{self.path}: {error}") from None


def _bars_of(rows: Iterator[list[str]]) -> Iterator[Bar]:
    columns: Sequence[int] | None = None
    for number, row in enumerate(rows, start=1):
        if not row:
            continue
        if columns is None:
            columns = _columns(row)
            if not row[0][:1].isdigit():
                continue
        try:
            opened, *prices = (row[column].strip() for column in columns)
            yield Bar(time_ms(opened), *prices)
        except (ValueError, IndexError):
            raise ValueError(f"line {number} is no candle") from None


def _columns(row: list[str]) -> Sequence[int]:
    """Where the time and the four prices stand, by the first row."""
    if row[0][:1].isdigit():
        if len(row) == DUMP_COLUMNS:
            return range(PRICES_TO)
        raise ValueError(f"{len(row)} columns and no header: that is no known dump of candles")
    names = [name.strip().lower().replace(" ", "_") for name in row]
    time = next((name for name in TIME_NAMES if name in names), None)
    if time is None or not all(name in names for name in PRICE_NAMES):
        raise ValueError("its columns are not those of candles (a time, open, high, low, close)")
    return [names.index(name) for name in (time, *PRICE_NAMES)]


def time_ms(text: str) -> int:
    """A moment in epoch milliseconds: ISO text (UTC unless it says else), or digits since 1970."""
    if text.isascii() and text.isdigit():
        count = int(text)
        if count >= MICROSECONDS_FROM:
            return count // 1_000
        return count if count >= MILLISECONDS_FROM else count * 1_000
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000)


def utc(ms: int) -> str:
    """A moment as people write it, in UTC; milliseconds only where there are any."""
    moment = datetime.fromtimestamp(ms // 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{moment}.{ms % 1_000:03}" if ms % 1_000 else moment
