"""A process from its start to its exit code."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from exchange import process


class Idle:
    """Runs until it is asked to stop, or breaks at once."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.failed = False
        self.stopped = 0
        self._breaks = breaks
        self._asked = asyncio.Event()

    def ask_to_stop(self) -> None:
        self._asked.set()

    async def wait(self) -> None:
        if self._breaks:
            self.failed = True
        else:
            await self._asked.wait()

    async def stop(self) -> None:
        self.stopped += 1


class Refused(Exception):
    """What cannot be started, in a line."""


@pytest.mark.parametrize("number", process.STOPS)
def test_a_signal_ends_it_with_0_and_what_it_held_is_let_go(number: signal.Signals) -> None:
    services: list[Idle] = []

    async def start() -> Idle:
        services.append(Idle())
        return services[-1]

    async def interrupt(service: Idle) -> None:
        os.kill(os.getpid(), number)

    assert process.run(start, interrupt) == 0
    assert [each.stopped for each in services] == [1]


def test_a_fault_ends_it_with_1() -> None:
    async def start() -> Idle:
        return Idle(breaks=True)

    assert process.run(start) == 1


def test_what_cannot_be_started_says_so_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    async def start() -> Idle:
        raise Refused("the port is taken; choose another with --port")

    assert process.run(start, refusals=(Refused,)) == 1
    assert capsys.readouterr().err == "papertape: the port is taken; choose another with --port\n"


def test_a_signal_before_it_is_open_ends_it_with_0() -> None:
    async def start() -> Idle:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets that event")

    assert process.run(start) == 0


async def test_a_task_that_does_not_hear_of_its_end_is_told_again() -> None:
    heard = 0

    async def deaf() -> None:
        nonlocal heard
        while heard < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                heard += 1
        raise ValueError("ended in its own way")

    tasks = [asyncio.create_task(deaf())]
    await asyncio.sleep(0)
    await process.ended(*tasks)
    assert heard == 3
    assert isinstance(tasks[0].exception(), ValueError)
    await process.ended(*tasks)  # Once more does no harm.


async def test_it_waits_for_a_stop_or_for_the_first_task_that_ends() -> None:
    asked, never = asyncio.Event(), asyncio.create_task(asyncio.Event().wait())
    waiting = asyncio.create_task(process.asked_or_ended(asked, never))
    await asyncio.sleep(0)
    assert not waiting.done()
    asked.set()
    await waiting
    brief = asyncio.create_task(asyncio.sleep(0))
    await process.asked_or_ended(asyncio.Event(), never, brief)
    assert brief.done()
    assert not never.done()
    never.cancel()
