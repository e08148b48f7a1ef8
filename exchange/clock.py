"""Clocks: exchange time in milliseconds, real, scaled, stepped or followed; it never runs back."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

NowNs = Callable[[], int]
"""A source of nanoseconds: monotonic, or of the wall."""

LEAD_MS: Final = 1_000
"""How far a scaled clock may run ahead of finished work, unless told otherwise."""

ACHIEVED_WINDOW_NS: Final = 5_000_000_000
SAMPLE_EVERY_NS: Final = 100_000_000

NS_PER_MS: Final = 1_000_000


class Clock(Protocol):
    """Exchange time and wall time, as the sequencer and the doors ask for them."""

    @property
    def speed(self) -> float | None:
        """Exchange seconds a wall second, at most; None where time only moves when stepped."""

    def now_ms(self) -> int:
        """Exchange time, epoch milliseconds; never less than an earlier answer."""

    def wall_ms(self) -> int:
        """Wall time, epoch milliseconds, whatever exchange time does."""

    def hold(self, to_ms: int) -> None:
        """Learn that all work due up to `to_ms` of exchange time is done."""

    def achieved_speed(self) -> float:
        """Exchange seconds a wall second, as measured of late."""


def wall_ms() -> int:
    """The machine's wall time, epoch milliseconds."""
    return time.time_ns() // NS_PER_MS


class SystemClock:
    """Exchange time is wall time; where the wall is set back, exchange time waits for it.

    `start_ms` is the last stamp given before a restart: time goes on from there or from the
    wall, whichever is later. Real time waits for no work, so `hold` only measures `behind_ms`.
    """

    def __init__(self, start_ms: int = 0, *, wall_ns: NowNs = time.time_ns) -> None:
        self._wall_ns = wall_ns
        self._now_ms = start_ms
        self._done_ms = start_ms

    @property
    def speed(self) -> float:
        """Always 1."""
        return 1.0

    def now_ms(self) -> int:
        """Wall time, or the last answer where the wall was set back."""
        self._now_ms = max(self._now_ms, self._wall_ns() // NS_PER_MS)
        return self._now_ms

    def wall_ms(self) -> int:
        """Wall time, epoch milliseconds; it may be set back."""
        return self._wall_ns() // NS_PER_MS

    def hold(self, to_ms: int) -> None:
        """Note how far work has come, for `behind_ms`."""
        self._done_ms = max(self._done_ms, to_ms)

    def behind_ms(self) -> int:
        """How far finished work lags behind the time."""
        return max(0, self.now_ms() - self._done_ms)

    def achieved_speed(self) -> float:
        """Always 1."""
        return 1.0


class SteppedClock:
    """Exchange time stands until somebody steps it: for tests, lessons and lock-step runs."""

    def __init__(self, start_ms: int, *, wall_ns: NowNs = time.time_ns) -> None:
        self._wall_ns = wall_ns
        self._now_ms = start_ms
        self._done_ms = start_ms

    @property
    def speed(self) -> None:
        """None: it has no speed of its own."""
        return None

    def now_ms(self) -> int:
        """Where the last step left it."""
        return self._now_ms

    def wall_ms(self) -> int:
        """Wall time, epoch milliseconds."""
        return self._wall_ns() // NS_PER_MS

    def step(self, ms: int) -> int:
        """Move on by `ms` and answer the new time; a negative step is a ValueError."""
        if ms < 0:
            raise ValueError(f"exchange time never runs back, so it cannot step by {ms} ms")
        self._now_ms += ms
        return self._now_ms

    def hold(self, to_ms: int) -> None:
        """Note how far work has come, for `behind_ms`."""
        self._done_ms = max(self._done_ms, to_ms)

    def behind_ms(self) -> int:
        """How far finished work lags behind the last step."""
        return max(0, self._now_ms - self._done_ms)

    def achieved_speed(self) -> float:
        """Always 0: between two steps nothing moves."""
        return 0.0


class ScaledClock:
    """Exchange time at a multiple of monotonic time, never far ahead of finished work.

    It starts at `start_ms` and runs `speed` times as fast as the monotonic source, but at most
    to `lead_ms` beyond the time last given to `hold`: the speed is a ceiling, and time lost to
    slow work is not caught up. With a speed of `math.inf` it is as fast as the work: each
    `hold` moves it on by what the lead allows. `step` owes it a stretch of time, which it runs
    through as fast as `hold` permits, paused or not.
    """

    def __init__(
        self,
        speed: float,
        start_ms: int,
        *,
        lead_ms: int = LEAD_MS,
        monotonic_ns: NowNs = time.monotonic_ns,
        wall_ns: NowNs = time.time_ns,
    ) -> None:
        assert lead_ms >= 1, "with no lead the clock could never pass finished work"
        self._speed = checked_speed(speed)
        self._lead_ms = lead_ms
        self._monotonic_ns = monotonic_ns
        self._wall_ns = wall_ns
        self._paused = False
        # Now is anchor_ms plus what the speed made of the time since anchor_ns.
        self._anchor_ms = start_ms
        self._anchor_ns = monotonic_ns()
        self._last_ms = start_ms
        self._owed_to_ms = start_ms
        self._done_ms = start_ms
        self._samples = deque([(self._anchor_ns, start_ms)])

    @property
    def speed(self) -> float:
        """The ceiling in force: 0 while paused, `math.inf` for as fast as the work allows."""
        return 0.0 if self._paused else self._speed

    @property
    def paused(self) -> bool:
        """Is time standing until `resume`?"""
        return self._paused

    def now_ms(self) -> int:
        """Exchange time; it stands at the lead while work is behind."""
        return self._observe(self._monotonic_ns())

    def wall_ms(self) -> int:
        """Wall time, epoch milliseconds."""
        return self._wall_ns() // NS_PER_MS

    def hold(self, to_ms: int) -> None:
        """Work due up to `to_ms` is done: time may run to `to_ms` plus the lead, not further."""
        # Time that passed at the old ceiling is lost: look before the ceiling is lifted.
        self._observe(self._monotonic_ns())
        self._done_ms = max(self._done_ms, to_ms)

    def behind_ms(self) -> int:
        """How far finished work lags behind the time."""
        return max(0, self.now_ms() - self._done_ms)

    def set_speed(self, speed: float) -> None:
        """Run at another speed from now on; a ValueError unless it is above 0."""
        speed = checked_speed(speed)
        self._anchor()
        self._speed = speed

    def pause(self) -> None:
        """Stand still until `resume`."""
        self._anchor()
        self._paused = True

    def resume(self) -> None:
        """Run on from where the pause found it."""
        self._anchor()
        self._paused = False

    def step(self, ms: int) -> int:
        """Owe `ms` more of time; answers the time they lead to. Negative is a ValueError."""
        if ms < 0:
            raise ValueError(f"exchange time never runs back, so it cannot step by {ms} ms")
        now_ms = self.now_ms()
        self._owed_to_ms = max(now_ms, self._owed_to_ms) + ms
        self.now_ms()
        return self._owed_to_ms

    def achieved_speed(self) -> float:
        """Exchange time over wall time in the last 5 s; the speed set where nothing passed yet."""
        now_ns = self._monotonic_ns()
        now_ms = self._observe(now_ns)
        then_ns, then_ms = self._samples[0]
        if now_ns == then_ns:
            return self.speed
        return (now_ms - then_ms) * NS_PER_MS / (now_ns - then_ns)

    def _observe(self, now_ns: int) -> int:
        ceiling_ms = max(self._done_ms + self._lead_ms, self._last_ms)
        run_to_ms = self._run_to_ms(now_ns, ceiling_ms)
        now_ms = min(max(run_to_ms, self._owed_to_ms), ceiling_ms)
        if now_ms != run_to_ms:
            # Held, or stepped: the speed goes on from here, and nothing is caught up.
            self._anchor_ms, self._anchor_ns = now_ms, now_ns
        self._last_ms = now_ms
        _sample(self._samples, now_ns, now_ms)
        return now_ms

    def _run_to_ms(self, now_ns: int, ceiling_ms: int) -> int:
        """Where the speed alone would have brought it."""
        if self._paused:
            return self._last_ms
        if self._speed == math.inf:
            return ceiling_ms
        return self._anchor_ms + int((now_ns - self._anchor_ns) * self._speed / NS_PER_MS)

    def _anchor(self) -> None:
        now_ns = self._monotonic_ns()
        self._anchor_ms = self._observe(now_ns)
        self._anchor_ns = now_ns


class FollowingClock:
    """Exchange time as another process gives it: the newest stamp that was heard of.

    `newest_ms` answers that stamp; `hold` is to be called with each, and measures the speed.
    """

    def __init__(
        self,
        newest_ms: Callable[[], int],
        *,
        monotonic_ns: NowNs = time.monotonic_ns,
        wall_ns: NowNs = time.time_ns,
    ) -> None:
        self._newest_ms = newest_ms
        self._monotonic_ns = monotonic_ns
        self._wall_ns = wall_ns
        self._samples = deque([(monotonic_ns(), newest_ms())])

    @property
    def speed(self) -> float:
        """As it was measured: what the ceiling is, only the other process knows."""
        return round(self.achieved_speed(), 1)

    def now_ms(self) -> int:
        """The newest stamp."""
        return self._newest_ms()

    def wall_ms(self) -> int:
        """Wall time, epoch milliseconds."""
        return self._wall_ns() // NS_PER_MS

    def hold(self, to_ms: int) -> None:
        """A stamp was heard."""
        _sample(self._samples, self._monotonic_ns(), to_ms)

    def achieved_speed(self) -> float:
        """Exchange time over wall time in the last 5 s; 0 where nothing was heard."""
        now_ns = self._monotonic_ns()
        _sample(self._samples, now_ns, self._newest_ms())
        then_ns, then_ms = self._samples[0]
        if now_ns == then_ns:
            return 0.0
        return (self._newest_ms() - then_ms) * NS_PER_MS / (now_ns - then_ns)


def _sample(samples: deque[tuple[int, int]], now_ns: int, now_ms: int) -> None:
    """Note where time is, now and then, for as long as a speed is measured over."""
    if now_ns - samples[-1][0] >= SAMPLE_EVERY_NS:
        samples.append((now_ns, now_ms))
    # Keep one sample at or before the window's start, so that it spans the window.
    while len(samples) > 1 and samples[1][0] <= now_ns - ACHIEVED_WINDOW_NS:
        samples.popleft()


def checked_speed(speed: float) -> float:
    """The speed itself, or a ValueError where no clock could run at it."""
    if not speed > 0:
        raise ValueError(f"a speed is above 0 (or inf for as fast as it goes), not {speed}")
    return speed
