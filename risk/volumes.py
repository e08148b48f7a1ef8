# cython: overflowcheck=True
"""What an account traded on each of the last thirty days, by which its fee tier is told."""

from __future__ import annotations

from typing import Any, Final

from sortedcontainers import SortedSet

from risk.money import kept
from risk.parameters import DAY_MS, FeeKind, FeeTier

VOLUME_DAYS: Final = 30
KINDS: Final[tuple[FeeKind, FeeKind]] = ("spot", "perp")


def day_of(time_ms: int) -> int:
    """The number of a day, in UTC."""
    return time_ms // DAY_MS


class Volumes:
    """Quote volume by day, of spot and of perpetual trades apart; at most 31 days of each.

    `told` are the tiers its owner was last told of, `terms` those of a day as they were worked out.
    """

    __slots__ = ("_before", "_days", "terms", "told")

    def __init__(self) -> None:
        self._days: dict[FeeKind, dict[int, int]] = {"spot": {}, "perp": {}}
        self._before: dict[FeeKind, tuple[int, int]] = {}  # kind: (day, sum of the days before it)
        self.terms: dict[FeeKind, tuple[int, FeeTier]] = {}  # kind: (day, its tier)
        self.told: dict[FeeKind, int] = {"spot": 0, "perp": 0}

    def add(self, kind: FeeKind, day: int, minor: int) -> bool:
        """Count a trade; whether it is the first of its kind that day. Days that no later tier
        depends on are then forgotten."""
        days = self._days[kind]
        assert kind not in self._before or day >= self._before[kind][0], "that day is over"
        if day in days:
            days[day] += minor
            return False
        self.forget(day)
        days[day] = minor
        return True

    def before(self, kind: FeeKind, day: int) -> int:
        """The volume of the thirty days before a day: that day's own never changes it."""
        days = self._days[kind]
        if not days:
            return 0
        known = self._before.get(kind)
        if known is None or known[0] != day:
            total = sum(minor for each, minor in days.items() if day - VOLUME_DAYS <= each < day)
            known = self._before[kind] = (day, total)
        return known[1]

    def forget(self, day: int) -> None:
        """Drop the days more than thirty before this one."""
        for days in self._days.values():
            for old in [each for each in days if each < day - VOLUME_DAYS]:
                del days[old]

    @property
    def matter(self) -> bool:
        """Whether a tier may have to be told at the next day's start."""
        return any(self._days.values()) or any(self.told.values())

    def state(self) -> list[Any]:
        """For a snapshot: days and the tier told, of spot and of perpetual trades."""
        return [
            (
                [(day, kept(minor)) for day, minor in sorted(self._days[kind].items())],
                self.told[kind],
            )
            for kind in KINDS
        ]

    def restore(self, state: list[Any]) -> None:
        """Take back what `state` gave."""
        for kind, (days, told) in zip(KINDS, state, strict=True):
            self._days[kind] = {day: int(minor) for day, minor in days}
            self.told[kind] = told


class FeeDay:
    """The day whose tiers hold, and how far the look at everybody's tier has come."""

    __slots__ = ("_cursor", "day", "due", "looking", "traders")

    def __init__(self, day: int) -> None:
        self.day = day
        self.due = day  # The day of the last grid point; it begins once that has done its work.
        self.traders: SortedSet[int] = SortedSet()  # Accounts whose volumes matter.
        self.looking = False
        self._cursor = 0  # The look has passed the accounts up to this id.

    def begin(self, day: int) -> None:
        """Another day: its tiers hold at once, and everybody is looked at from the first on."""
        assert day > self.day
        self.day = day
        self.looking = True
        self._cursor = 0

    def next_account(self) -> int | None:
        """The next account to look at; None when the look is over."""
        place = self.traders.bisect_right(self._cursor)
        if place >= len(self.traders):
            self.looking = False
            return None
        self._cursor = self.traders[place]
        return self._cursor

    def state(self) -> tuple[int, int, bool, int]:
        """For a snapshot; who trades follows from the accounts."""
        return (self.day, self.due, self.looking, self._cursor)

    def restore(self, state: tuple[int, int, bool, int]) -> None:
        """Take back what `state` gave."""
        self.day, self.due, self.looking, self._cursor = state
