"""A file of recorded candles or trades, checked row by row and read by time, not whole."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from matching.instrument import minor
from matching.reasons import Reason

CHECKED_WHOLE_BYTES_MAX: Final = 64 * 1024 * 1024  # A larger file is checked as it is reached.
SCANNED_BYTES: Final = 32 * 1024  # What a search by halves leaves to be read line by line.
MINUTE_MS: Final = 60_000
LINE_BYTES_MAX: Final = 4_096

# Times are told apart by their size: seconds, milliseconds or microseconds since 1970.
MILLISECONDS_FROM: Final = 10**11
MICROSECONDS_FROM: Final = 10**14

TIME_NAMES: Final = ("timestamp", "open_time", "transact_time", "time", "datetime", "date")
BAR_NAMES: Final = ("open", "high", "low", "close")
QUOTE_VOLUME_NAMES: Final = ("quote_volume", "quote_asset_volume", "volume_quote", "volume")
KLINE_COLUMNS: Final = 12
TRADE_COLUMNS: Final = (7, 8)


class TapeError(ValueError):
    """A file that cannot be played: which one, where in it, and why."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}" if line else f"{path}: {reason}")
        self.line = line
        self.reason = reason


class Row(NamedTuple):
    """One candle, or one trade (whose four prices are one); prices in 10^-8 of the quote."""

    time_ms: int
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int
    quote_minor: int  # What changed hands, in 10^-8 of the quote; 0 where the file is silent.


class Layout(NamedTuple):
    """Which column holds what; a trade's price stands for all four."""

    is_bars: bool
    width: int
    time: int
    prices: tuple[int, int, int, int]
    quote: int  # -1: the file does not tell.


class TapeFile:
    """Candles or trades in order of time.

    Read are: a header and columns named `timestamp, open, high, low, close, volume` (volume in the
    quote) or `timestamp, price`; and the public dumps of candles (12 columns), of aggregated and
    of single trades (7 or 8), with or without a header. TapeError names a row that is wrong.
    Several threads may read at once.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self._file: BinaryIO = self.path.open("rb")
        except OSError as error:
            raise TapeError(self.path, 0, error.strerror or "it cannot be opened") from error
        self._reading = threading.Lock()  # The one file has one place.
        self._size = self.path.stat().st_size
        self._start, self.layout = self._read_layout()
        self.first, self.row_ms = self._read_pace()
        self.last = self._read_last()
        if self._size <= CHECKED_WHOLE_BYTES_MAX:
            for _ in self.rows(self.first.time_ms):
                pass

    @property
    def is_bars(self) -> bool:
        """Whether its rows are candles; trades otherwise."""
        return self.layout.is_bars

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def rows(self, from_ms: int) -> Iterator[Row]:
        """The rows from the last one at or before a moment (or the first) to the end."""
        offset = self._offset_before(from_ms)
        before: Row | None = None
        for place, line in self._lines(offset):
            row = self._row(place, line)
            if before is not None:
                self._check_order(place, before, row)
                if row.time_ms > from_ms:
                    yield before
            before = row
        if before is not None:
            yield before

    def _offset_before(self, from_ms: int) -> int:
        """The place of some row not after a moment, found by halving the file."""
        low, high = self._start, self._size
        while high - low > SCANNED_BYTES:
            middle = (low + high) // 2
            place, line = next(self._lines(middle, is_inside=True), (high, b""))
            if line and self._row(place, line).time_ms < from_ms:
                low = place
            else:
                high = middle
        return low

    def _lines(self, offset: int, is_inside: bool = False) -> Iterator[tuple[int, bytes]]:
        """Lines and where they start; from inside a line, the next one is the first."""
        if is_inside:
            with self._reading:
                self._file.seek(offset)
                offset += len(self._file.readline(LINE_BYTES_MAX))
        while True:
            with self._reading:
                # Others may have moved the one file's place since the last line was taken.
                self._file.seek(offset)
                lines = self._file.readlines(SCANNED_BYTES)
            if not lines:
                return
            for line in lines:
                if line.strip():
                    yield offset, line
                offset += len(line)

    def _row(self, place: int, line: bytes) -> Row:
        """A line read and checked; TapeError says what is wrong with it."""
        layout = self.layout
        fields = _fields(line)
        if len(fields) != layout.width:
            raise self._wrong(place, f"{len(fields)} columns instead of {layout.width}")
        try:
            time_ms = read_time(fields[layout.time])
            prices = [read_price(fields[column]) for column in layout.prices]
            quote_minor = _read_volume(fields[layout.quote]) if layout.quote >= 0 else 0
        except ValueError as error:
            raise self._wrong(place, str(error)) from None
        row = Row(time_ms, prices[0], prices[1], prices[2], prices[3], quote_minor)
        if row.high_e8 < max(row.open_e8, row.close_e8, row.low_e8):
            raise self._wrong(place, "the high lies below another of its prices")
        if row.low_e8 > min(row.open_e8, row.close_e8):
            raise self._wrong(place, "the low lies above another of its prices")
        return row

    def _check_order(self, place: int, before: Row, row: Row) -> None:
        if row.time_ms < before.time_ms:
            raise self._wrong(place, "its time lies before that of the row above")
        if self.is_bars and row.time_ms == before.time_ms:
            raise self._wrong(place, "it has the time of the row above")

    def _wrong(self, place: int, reason: str) -> TapeError:
        """The error for a row, with its line counted: that is only worth it now."""
        line, left = 1, place
        with self._reading:
            self._file.seek(0)
            while left:
                chunk = self._file.read(min(left, 1 << 20))
                line += chunk.count(b"\n")
                left -= len(chunk)
        return TapeError(self.path, line, reason)

    def _read_layout(self) -> tuple[int, Layout]:
        """Where the rows begin, and what their columns are."""
        self._file.seek(0)
        first = self._file.readline(LINE_BYTES_MAX)
        if not first.strip():
            raise TapeError(self.path, 0, "it is empty")
        if first.startswith(b"PK"):
            raise TapeError(self.path, 0, "it is an archive, unpack it first")
        names = _fields(first)
        if not names[0] or names[0][0].isdigit():
            return 0, self._layout_by_width(names)
        layout = _layout_by_names([name.lower().replace(" ", "_") for name in names])
        if layout is None:
            reason = "its columns are neither those of candles nor of trades"
            raise TapeError(self.path, 1, reason)
        return len(first), layout

    def _layout_by_width(self, fields: list[str]) -> Layout:
        """The layout of a public dump without a header."""
        width = len(fields)
        if width == KLINE_COLUMNS:
            return Layout(True, width, 0, (1, 2, 3, 4), 7)
        if width in TRADE_COLUMNS:
            # Single trades tell the buyer's role where aggregated ones have their time.
            time = 5 if fields[5].isdigit() else 4
            return Layout(False, width, time, (1, 1, 1, 1), -1)
        raise TapeError(self.path, 1, f"{width} columns and no header: that is no known dump")

    def _read_pace(self) -> tuple[Row, int]:
        """The first row, and the time from it to the second (candles: their interval)."""
        lines = self._lines(self._start)
        first, second = next(lines, None), next(lines, None)
        if first is None:
            raise TapeError(self.path, 0, "it has a header and no rows")
        first_row = self._row(*first)
        if second is None:
            return first_row, MINUTE_MS
        second_row = self._row(*second)
        self._check_order(second[0], first_row, second_row)
        return first_row, second_row.time_ms - first_row.time_ms

    def _read_last(self) -> Row:
        """The last row."""
        offset = max(self._start, self._size - SCANNED_BYTES)
        lines = deque(self._lines(offset, is_inside=offset > self._start), maxlen=1)
        return self._row(*lines[0]) if lines else self.first


def read_time(text: str) -> int:
    """A moment in epoch milliseconds: digits since 1970, or ISO text (UTC unless it says else)."""
    if text.isdigit() and text.isascii():
        count = int(text)
        if count >= MICROSECONDS_FROM:
            return count // 1_000
        return count if count >= MILLISECONDS_FROM else count * 1_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def read_price(text: str) -> int:
    """A price above zero, in 10^-8."""
    price_e8 = minor(text)
    if isinstance(price_e8, Reason):
        raise ValueError(f"{text!r} is no price: {price_e8.value}")
    if price_e8 <= 0:
        raise ValueError(f"{text!r} is no price: it must be greater than zero")
    return price_e8


def _read_volume(text: str) -> int:
    """A volume in 10^-8; digits beyond are dropped, for no money depends on them."""
    whole, _, fraction = text.partition(".")
    volume = minor(f"{whole}.{fraction[:8]}" if fraction else whole)
    if isinstance(volume, Reason):
        raise ValueError(f"{text!r} is no volume")
    return volume


def _fields(line: bytes) -> list[str]:
    return [field.strip().strip('"') for field in line.decode("utf-8", "replace").split(",")]


def _layout_by_names(names: list[str]) -> Layout | None:
    """The layout that a header describes, None if it is none of ours."""
    find: Callable[[str], int] = names.index
    time = next((find(name) for name in TIME_NAMES if name in names), -1)
    if time < 0:
        return None
    if all(name in names for name in BAR_NAMES):
        opened, high, low, closed = (find(name) for name in BAR_NAMES)
        quote = next((find(name) for name in QUOTE_VOLUME_NAMES if name in names), -1)
        return Layout(True, len(names), time, (opened, high, low, closed), quote)
    if "price" in names:
        price = find("price")
        return Layout(False, len(names), time, (price, price, price, price), -1)
    return None
