"""The average price of an instrument's trades in the last minutes, weighted by quantity.

Filters measure by it where there is no index yet (S9). Trades are kept by slots of ten seconds, so
that there are never more than the window has slots and one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

SLOT_MS: Final = 10_000
WINDOW_SLOTS: Final = 30  # Five minutes.


class Average:
    """Told of each trade, it says what a lot came to on average within the window."""

    __slots__ = ("_slots",)

    def __init__(self, slots: Iterable[tuple[int, int, int]] = ()) -> None:
        self._slots: deque[tuple[int, int, int]] = deque(slots)  # Slot, ticks x lots, lots.

    def note(self, time_ms: int, price_ticks: int, lots: int) -> None:
        """A trade happened; time never runs back."""
        slot, kept = time_ms // SLOT_MS, self._slots
        while kept and kept[0][0] <= slot - WINDOW_SLOTS:
            kept.popleft()
        units = price_ticks * lots
        if kept and kept[-1][0] == slot:
            _, units_before, lots_before = kept.pop()
            units, lots = units + units_before, lots + lots_before
        kept.append((slot, units, lots))

    def price_e8(self, time_ms: int, tick_e8: int) -> int | None:
        """The average as it stands, rounded down; None without a trade in the window."""
        first = time_ms // SLOT_MS - WINDOW_SLOTS
        within = [(units, lots) for slot, units, lots in self._slots if slot > first]
        if not within:
            return None
        return sum(units for units, _ in within) * tick_e8 // sum(lots for _, lots in within)

    def state(self) -> list[tuple[int, int, int]]:
        """What it keeps, oldest first."""
        return list(self._slots)
