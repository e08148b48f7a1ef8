"""The invariants by their names (MECHANICS section 4), and what is raised where one is broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

INVARIANTS: Final[dict[str, str]] = {
    "I1": "of every asset, all that is owned is what came in",
    "I2": "pool cash and loans are its capital, the interest received, less bad debt; "
    "interest owed is interest receivable",
    "I3": "of every contract the sizes sum to zero, and the costs to all profit realised",
    "I4": "funding sums to zero but for less than a unit a position; interest likewise",
    "I5": "what is held lies within the balance and is what the open orders need",
    "I6": "a book is not crossed, its levels are sorted and sum up, its queues are in order",
    "I7": "an order is what was executed, is open, was prevented and was closed",
    "I8": "reduce-only orders never exceed their position; a leg never changes its side",
    "I9": "behind a scan nobody outside a liquidation is in breach; no cash wallet is below zero",
    "I10": "a fund changes by fees, surplus and covers alone, event by event",
    "I11": "brackets are continuous and rise",
    "I12": "a trigger fires at most once, and a drain of triggers ends",
    "I13": "the same commands leave the same state; time and numbers never run back",
    "I14": "scaled, mirrored and split orders come to the same",
}


class InvariantBroken(AssertionError):
    """A fault of the exchange: `invariant` is its id, `subject` whom or what it befell.

    It is raised, not asserted, so that the interpreter's -O cannot remove it.
    """

    def __init__(self, invariant: str, subject: object, says: object = "") -> None:
        assert invariant in INVARIANTS, invariant
        self.invariant = invariant
        self.subject = str(subject)
        self.says = f"{subject}: {says}" if says != "" else str(subject)
        super().__init__(f"{invariant} ({INVARIANTS[invariant]}): {self.says}")


def hold(invariant: str, holds: bool, subject: object, says: object = "", *numbers: object) -> None:
    """Raise InvariantBroken where an invariant does not hold; `says` has a {} for each number.

    Only then is anything made text: most checks are of what is well.
    """
    if not holds:
        raise InvariantBroken(invariant, subject, str(says).format(*numbers) if numbers else says)


@contextmanager
def naming(invariant: str, subject: object) -> Iterator[None]:
    """Assertions that fail inside are broken invariants of that name."""
    try:
        yield
    except InvariantBroken:
        raise
    except AssertionError as failure:
        raise InvariantBroken(invariant, subject, failure) from failure
