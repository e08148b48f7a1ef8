"""The circuit breaker of one instrument: whether the last price moved too far too fast (S13).

The reference is the last price as it stood five minutes ago, to ten seconds; of a book that traded
for the first time since then, its first price. Prices are kept by slots of ten seconds, the newest
of each, so that there are never more than the window has slots and two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

SLOT_MS: Final = 10_000
WINDOW_SLOTS: Final = 30  # Five minutes.
BPS_ONE: Final = 10_000


class Breaker:
    """Told of each trade's price, it says whether the move since the reference is too large."""

    __slots__ = ("_last", "_move_bps")

    def __init__(self, move_bps: int, last: Iterable[tuple[int, int]] = ()) -> None:
        assert move_bps > 0
        self._move_bps = move_bps
        self._last: deque[tuple[int, int]] = deque(last)  # (slot, the last ticks in it)

    def trips(self, time_ms: int, price_ticks: int) -> bool:
        """Note a trade; whether its price lies `move_bps` or more from the reference."""
        slot, last = time_ms // SLOT_MS, self._last
        while len(last) > 1 and last[1][0] <= slot - WINDOW_SLOTS:
            last.popleft()
        reference = last[0][1] if last else price_ticks
        if len(last) > 1 and last[-1][0] == slot:  # The first of all stays until it is too old.
            last.pop()
        last.append((slot, price_ticks))
        return abs(price_ticks - reference) * BPS_ONE >= reference * self._move_bps

    def begin(self, time_ms: int, price_ticks: int) -> None:
        """Behind an auction its price is the reference: what led to it does not trip again."""
        self._last.clear()
        self._last.append((time_ms // SLOT_MS, price_ticks))

    def state(self) -> list[tuple[int, int]]:
        """The prices it keeps, oldest first."""
        return list(self._last)
