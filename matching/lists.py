"""Order lists (S5): what befalls one leg, and what that does to the others, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final


class ListKind(IntEnum):
    """How the legs of a list hang together; the number of each kind's legs is `LEGS`."""

    OCO = 0  # A limit (or take-profit) and a stop: one cancels the other.
    OTO = 1  # A working order, and one that is placed once that is filled.
    OTOCO = 2  # A working order, and an OCO that is placed once that is filled.


class LegStatus(IntEnum):
    """Where a leg stands, as far as the other legs care."""

    PENDING = 0  # It waits for the working order: no order yet, and nothing is held for it.
    OPEN = 1
    MOVED = 2  # Open still, but partly executed, or woken by its trigger.
    FILLED = 3
    ENDED = 4  # Cancelled or expired before it was filled.
    REJECTED = 5  # Its turn came, and it could not be placed.
    PART_FILLED = 6  # Cancelled or expired after a part of it was filled.


class ListStatus(IntEnum):
    """Whether anything more may come of a list."""

    EXECUTING = 0
    DONE = 1
    REJECTED = 2  # A leg that waited could not be placed.


class Step(IntEnum):
    """What is to be done to legs."""

    PLACE = 0
    EXPIRE = 1


LEGS: Final = {ListKind.OCO: 2, ListKind.OTO: 2, ListKind.OTOCO: 3}

# What becomes of the legs that wait, by where the working order stands.
TO_PENDING: Final = {
    LegStatus.FILLED: Step.PLACE,
    LegStatus.ENDED: Step.EXPIRE,
    LegStatus.PART_FILLED: Step.EXPIRE,
    LegStatus.REJECTED: Step.EXPIRE,
}
# The same of a bracket: whatever was filled is guarded.
TO_EXITS: Final = TO_PENDING | {LegStatus.PART_FILLED: Step.PLACE}
# What becomes of an open leg of an OCO, by where the other one stands.
TO_OTHER: Final = {
    LegStatus.MOVED: Step.EXPIRE,
    LegStatus.FILLED: Step.EXPIRE,
    LegStatus.ENDED: Step.EXPIRE,
    LegStatus.PART_FILLED: Step.EXPIRE,
    LegStatus.REJECTED: Step.EXPIRE,
}
_LIVE: Final = frozenset({LegStatus.PENDING, LegStatus.OPEN, LegStatus.MOVED})


def pair_of(kind: ListKind) -> tuple[int, int] | None:
    """The places of the limit leg and of the stop leg of the OCO in a list, if it has one."""
    if kind is ListKind.OTO:
        return None
    return (0, 1) if kind is ListKind.OCO else (1, 2)


def next_step(
    kind: ListKind, legs: Sequence[LegStatus], bracket: bool = False
) -> tuple[Step, list[int]] | None:
    """What is to be done now, and to which legs; None where the list waits or is over (S5).

    The legs that wait in a `bracket` close what the working order opened, be it a part.
    """
    pending = [place for place, status in enumerate(legs) if status is LegStatus.PENDING]
    if pending:
        step = (TO_EXITS if bracket else TO_PENDING).get(legs[0])
        return None if step is None else (step, pending)
    for mine, other in _both_ways(pair_of(kind)):
        if legs[other] is LegStatus.OPEN and legs[mine] in TO_OTHER:
            return TO_OTHER[legs[mine]], [other]
    return None


def list_status(legs: Sequence[LegStatus]) -> ListStatus:
    """Where a list stands with legs that stand so."""
    if any(status in _LIVE for status in legs):
        return ListStatus.EXECUTING
    return ListStatus.REJECTED if LegStatus.REJECTED in legs else ListStatus.DONE


def _both_ways(pair: tuple[int, int] | None) -> list[tuple[int, int]]:
    return [pair, pair[::-1]] if pair else []
