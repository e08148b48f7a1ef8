"""Countdowns to a moment at which an account's orders are cancelled: the dead-man switch.

An account sets one anew as long as all is well. The moments are of the wall: the engine keeps
them, so that they outlive a restart as its orders do, and the door tells it when one has come.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from sortedcontainers import SortedList


class Countdown(NamedTuple):
    """All orders of an account, or those on one symbol, are cancelled at a moment of the wall."""

    at_ms: int
    account_id: int
    symbol: str  # Empty: on every symbol.


class Countdowns:
    """Every countdown that is set: one at most for an account and symbol, and one for all."""

    def __init__(self, countdowns: Iterable[Countdown] = ()) -> None:
        self._by_account: dict[int, dict[str, int]] = {}
        self._by_time: SortedList[Countdown] = SortedList()
        for each in countdowns:
            self.set(each)

    def set(self, countdown: Countdown) -> None:
        """Begin one, in the place of the one there was; a moment of 0 only ends that.

        O(log countdowns).
        """
        at_ms, account_id, symbol = countdown
        of_account = self._by_account.setdefault(account_id, {})
        before_ms = of_account.pop(symbol, 0)
        if before_ms:
            self._by_time.remove(countdown._replace(at_ms=before_ms))
        if at_ms:
            of_account[symbol] = at_ms
            self._by_time.add(countdown)
        elif not of_account:
            del self._by_account[account_id]

    def end(self, countdown: Countdown) -> bool:
        """End it because it ran out; False where it was set anew meanwhile, or ended."""
        if self.of(countdown.account_id).get(countdown.symbol) != countdown.at_ms:
            return False
        self.set(countdown._replace(at_ms=0))
        return True

    def disarm(self, account_id: int) -> None:
        """End every countdown of an account; it is as if it had never set one."""
        for symbol in list(self.of(account_id)):
            self.set(Countdown(0, account_id, symbol))

    def of(self, account_id: int) -> dict[str, int]:
        """The moments of an account's countdowns, by symbol; "" is the one of all symbols."""
        return self._by_account.get(account_id, {})

    @property
    def next_ms(self) -> int:
        """The earliest moment; 0 without any."""
        return self._by_time[0].at_ms if self._by_time else 0

    def due(self, now_ms: int, limit: int) -> list[Countdown]:
        """Those whose moment has come, earliest first; nothing is changed."""
        return list(islice(self._by_time.irange(maximum=Countdown(now_ms + 1, 0, "")), limit))

    def state(self) -> list[tuple[int, int, str]]:
        """All of them in the order of their moments, as plain values."""
        return [(each.at_ms, each.account_id, each.symbol) for each in self._by_time]
