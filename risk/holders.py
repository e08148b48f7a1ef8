# cython: overflowcheck=True
"""Who holds what: the legs of customers on each perpetual by side, kept as positions change."""

from __future__ import annotations

from typing import Final

from sortedcontainers import SortedList

from risk.account import Account
from risk.ledger import FIRST_ACCOUNT

Holding = tuple[int, str]  # (account id, leg)
FIRST: Final[Holding] = (0, "")  # Before every holding.


class Holders:
    """Longs and shorts of every perpetual, in order of account and leg; the house has no place."""

    __slots__ = ("_noted", "_sides")

    def __init__(self) -> None:
        self._sides: dict[tuple[str, bool], SortedList[Holding]] = {}
        self._noted: dict[Holding, tuple[str, bool]] = {}

    def note(self, account: Account, leg: str) -> None:
        """A position changed. O(log holders)."""
        if account.id < FIRST_ACCOUNT:
            return
        held = account.positions.get(leg)
        holding = (account.id, leg)
        before = self._noted.get(holding)
        if before is not None:
            if held is not None and before[1] is (held.lots > 0):
                return
            self._sides[before].remove(holding)
            del self._noted[holding]
        if held is not None:
            side = (held.symbol, held.lots > 0)
            holdings = self._sides.get(side)
            if holdings is None:
                holdings = self._sides[side] = SortedList()
            holdings.add(holding)
            self._noted[holding] = side

    def after(self, symbol: str, is_long: bool, holding: Holding) -> Holding | None:
        """The next holding of a side behind one; None behind the last. O(log holders)."""
        holdings = self._sides.get((symbol, is_long))
        if holdings is None:
            return None
        place = holdings.bisect_right(holding)
        return holdings[place] if place < len(holdings) else None

    def of(self, symbol: str, is_long: bool) -> list[Holding]:
        """Everybody on a side, in order. O(holders)."""
        return list(self._sides.get((symbol, is_long), ()))

    def count(self, symbol: str, is_long: bool) -> int:
        """How many hold a side."""
        return len(self._sides.get((symbol, is_long), ()))

    def sample(self, symbol: str, is_long: bool, most: int) -> list[Holding]:
        """At most so many of a side, evenly spread over all. O(most x log holders)."""
        holdings = self._sides.get((symbol, is_long))
        if holdings is None:
            return []
        step = -(-len(holdings) // most) or 1
        return [holdings[place] for place in range(0, len(holdings), step)]

    def check(self, accounts: dict[int, Account]) -> None:
        """Assert that this is who holds what."""
        held = {
            (account.id, leg): (position.symbol, position.lots > 0)
            for account in accounts.values()
            if account.id >= FIRST_ACCOUNT
            for leg, position in account.positions.items()
        }
        assert held == self._noted, (held, self._noted)
        for side, holdings in self._sides.items():
            assert all(self._noted[each] == side for each in holdings), side
        assert sum(map(len, self._sides.values())) == len(held)
