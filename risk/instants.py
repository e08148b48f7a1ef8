# cython: overflowcheck=True
"""Funding and interest instants: fixed at once, settled by each account before anything else.

At an instant T the venue stores what is due (a rate and a mark per perpetual, a rate per asset)
and nothing more, however many accounts there are. An account settles its pending instants, oldest
first, before anything reads or changes it; a sweep visits the others in bounded slices. As nothing
about an account can change before it has settled, this equals settling everybody at T.
"""

from __future__ import annotations

from typing import Any

from sortedcontainers import SortedSet


class Instant:
    """What fell due at one moment."""

    __slots__ = ("due_ms", "funding", "interest", "number", "paid")

    def __init__(self, number: int, due_ms: int) -> None:
        self.number = number
        self.due_ms = due_ms
        self.funding: dict[str, tuple[int, int]] = {}  # symbol: (rate_e12, mark_e8)
        self.interest: dict[str, int] = {}  # asset: rate_e12
        self.paid: dict[str, int] = {}  # symbol: how many positions have settled so far


class Instants:
    """Instants that somebody may still have to settle, and how far the sweep is.

    Instants are numbered from 1; an account that settled up to number n has `settled == n`.
    """

    __slots__ = ("_cursor", "_target", "exposed", "last", "pending")

    def __init__(self) -> None:
        self.pending: list[Instant] = []
        self.last = 0  # The number of the newest instant.
        self.exposed: SortedSet[int] = SortedSet()  # Accounts with a position or a loan.
        self._target = 0  # The sweep brings everybody up to this instant.
        self._cursor = 0  # It has passed the accounts up to this id.

    def open(self, due_ms: int) -> Instant:
        """A new instant, the newest."""
        self.last += 1
        instant = Instant(self.last, due_ms)
        self.pending.append(instant)
        return instant

    def since(self, settled: int) -> list[Instant]:
        """The instants an account still has to settle, oldest first."""
        if not self.pending:
            return []
        first = self.pending[0].number
        return self.pending[max(0, settled + 1 - first) :]

    @property
    def unsettled(self) -> bool:
        """Whether the sweep still has accounts to visit."""
        return bool(self.pending)

    def next_account(self) -> int | None:
        """The next account to settle; None when everybody reached the sweep's target."""
        if not self._target:
            self._target = self.last
            self._cursor = 0
        place = self.exposed.bisect_right(self._cursor)
        if place >= len(self.exposed):
            return None
        self._cursor = self.exposed[place]
        return self._cursor

    def finish(self) -> list[Instant]:
        """The sweep passed everybody: the instants that nobody has to settle any more."""
        done = [instant for instant in self.pending if instant.number <= self._target]
        self.pending = [instant for instant in self.pending if instant.number > self._target]
        self._target = 0
        return done

    def state(self) -> dict[str, Any]:
        """For a snapshot; who is exposed follows from the accounts."""
        return {
            "pending": [
                (instant.number, instant.due_ms, instant.funding, instant.interest, instant.paid)
                for instant in self.pending
            ],
            "last": self.last,
            "target": self._target,
            "cursor": self._cursor,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        for number, due_ms, funding, interest, paid in state["pending"]:
            instant = Instant(number, due_ms)
            instant.funding = {key: (value[0], value[1]) for key, value in funding.items()}
            instant.interest, instant.paid = dict(interest), dict(paid)
            self.pending.append(instant)
        self.last = state["last"]
        self._target = state["target"]
        self._cursor = state["cursor"]
