"""How far the month is: a line that renews itself on a terminal, milestones everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TextIO

from clients.january.tape import utc

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
CLEARED: Final = "\r\x1b[K"


class Progress:
    """Tells on a stream where the market's time is between two moments, and when it will be over.

    `now_s` is the clock by which it reckons; it begins to run with the first `at`.
    """

    def __init__(
        self,
        stream: TextIO,
        begin_ms: int,
        end_ms: int,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._begin_ms, self._end_ms = begin_ms, end_ms
        self._now_s = now_s
        self._started: tuple[int, float] | None = None
        self._drawn = False

    def at(self, now_ms: int) -> None:
        """The market's time has come so far; drawn where somebody looks."""
        if self._started is None:
            self._started = now_ms, self._now_s()
        if not self._stream.isatty():
            return
        done = (now_ms - self._begin_ms) / (self._end_ms - self._begin_ms)
        line = f"{utc(now_ms)}  {100 * max(0.0, done):5.1f} %  {self._left(now_ms)}"
        print(CLEARED + line.rstrip(), end="", file=self._stream, flush=True)
        self._drawn = True

    def _left(self, now_ms: int) -> str:
        assert self._started is not None
        from_ms, from_s = self._started
        if now_ms <= from_ms:
            return ""
        left_s = (self._now_s() - from_s) * (self._end_ms - now_ms) / (now_ms - from_ms)
        return f"{duration(left_s)} left" if now_ms < self._end_ms else ""

    def say(self, text: str) -> None:
        """Something worth a line of its own."""
        self.clear()
        print(f"january: {text}", file=self._stream, flush=True)

    def clear(self) -> None:
        """Take the line away, so that others may write."""
        if self._drawn:
            print(CLEARED, end="", file=self._stream, flush=True)
            self._drawn = False


def duration(seconds: float) -> str:
    """A stretch of time to two places: "3 min 20 s"."""
    whole = round(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min {whole % MINUTE_S} s"
    return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S} min"
