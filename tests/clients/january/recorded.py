"""Tapes written for tests: one-minute candles along a path of prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path


def write_tape(path: Path, first: str, minutes: int, price_at: Callable[[datetime], float]) -> Path:
    """A CSV of one-minute candles from a moment on (UTC), each closing on its path."""
    rows = ["timestamp,open,high,low,close,volume"]
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    opened = price_at(start)
    for number in range(minutes):
        moment = start + timedelta(minutes=number)
        closed = price_at(moment)
        high, low = max(opened, closed) + 3, min(opened, closed) - 3
        rows.append(f"{moment:%Y-%m-%d %H:%M:%S},{opened:.1f},{high:.1f},{low:.1f},{closed:.1f},9")
        opened = closed
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def flat(moment: datetime) -> float:
    """A price that hardly moves: 50,000, and 40 below or above it by the minute."""
    return 50_000 + 20 * (moment.minute * 7 % 5 - 2)


def ms_of(text: str) -> int:
    """A moment in UTC, in epoch milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)
