"""What every benchmark tells of the machine and the process it ran in."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

CALIBRATION_STEPS: Final = 1_000_000
_MODULUS: Final = 1_000_003


def calibration_per_s(steps: int = CALIBRATION_STEPS) -> float:
    """Steps a second of a fixed loop in plain Python, the best of three runs.

    Rates of different machines compare only after division by it.
    """
    best_s = min(_calibration_run_s(steps) for _ in range(3))
    return steps / best_s


def _calibration_run_s(steps: int) -> float:
    started = time.perf_counter()
    total = 0
    for step in range(steps):
        total = (total * 31 + step) % _MODULUS
    return time.perf_counter() - started


def peak_rss_mb() -> float:
    """The most memory the process has held, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    per_mib = 1024 * 1024 if sys.platform == "darwin" else 1024  # Bytes there, KiB elsewhere.
    return peak / per_mib


def resident_mb() -> float:
    """The memory the process holds now, in MiB; where nobody tells, the most it has held."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return peak_rss_mb()
    return pages * resource.getpagesize() / 2**20


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep the garbage collector out of a long batch; what is alive before is not walked again."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def show_progress(word: str, done: int, total: int) -> None:
    """One line that overwrites itself, for a person who waits at a terminal."""
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{word}: {done * 100 // total} % of {total}   ", end=end, file=sys.stderr)
