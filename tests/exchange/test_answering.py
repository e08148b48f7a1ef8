"""Whoever waits for a command is told once, whether a future or not."""

from __future__ import annotations

import asyncio

import pytest

from exchange.answering import Answer
from exchange.clock import SteppedClock
from exchange.commands import OpenAccount
from exchange.events import AnyEvent
from exchange.sequencer import SequencerFailed
from tests.exchange.sequencing import START_MS, House, running, until


class Caller:
    """Wants to be called back."""

    def __init__(self) -> None:
        self.told: list[list[AnyEvent] | Exception] = []

    def done(self) -> bool:
        return False

    def set_result(self, events: list[AnyEvent]) -> None:
        self.told.append(events)

    def set_exception(self, error: Exception) -> None:
        self.told.append(error)


async def test_who_is_called_back_hears_what_a_future_hears() -> None:
    house, caller = House(SteppedClock(START_MS)), Caller()
    answers: list[Answer] = [caller, asyncio.get_running_loop().create_future()]
    async with running(house):
        for answer in answers:
            house.sequencer.enqueue(OpenAccount(), answer)
        assert caller.told == []  # Nothing is durable yet.
        await until(answers[1].done)
    (events,) = caller.told
    assert isinstance(events, list)
    assert events[-1].seq == 1


async def test_who_is_called_back_hears_of_a_fault() -> None:
    house, caller = House(SteppedClock(START_MS)), Caller()
    house.sequencer.enqueue(OpenAccount(), caller)
    house.journal.error = OSError("the disk is gone")
    with pytest.raises(OSError, match="the disk is gone"):
        await house.sequencer.run()
    (error,) = caller.told
    assert isinstance(error, SequencerFailed)
    with pytest.raises(SequencerFailed):
        house.sequencer.enqueue(OpenAccount(), caller)


async def test_who_comes_too_late_is_told_at_once() -> None:
    house, caller = House(SteppedClock(START_MS)), Caller()
    house.sequencer.stop()
    house.sequencer.enqueue(OpenAccount(), caller)
    (events,) = caller.told
    assert isinstance(events, list)
    assert events[-1].reason.name == "NOT_READY"  # type: ignore[union-attr]
