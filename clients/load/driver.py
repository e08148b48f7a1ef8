"""The driver: sends each request of a plan at its time, whether or not earlier ones were answered.

Time comes from a `Timer`, so that tests need none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final, Protocol

from clients.load.plan import NS_PER_S, Item, Plan
from clients.load.record import OwnWork, Record

DRAIN_S: Final = 5  # How long the last answers are waited for.
LOOK_NS: Final = 10_000_000  # How often it is seen whether they are all there.

# An event loop wakes up to a millisecond late: the last one is spent looking at the clock.
SPIN_NS: Final = 1_500_000
AHEAD_NS: Final = 100_000_000  # A request is worded no sooner: it may have to say the time.
BURST: Final = 32  # Requests sent in a row, when late, before replies are looked at.


class Timer(Protocol):
    """The time since the start, and a way to wait for a moment."""

    def now_ns(self) -> int:
        """Nanoseconds since the start."""

    async def until(self, at_ns: int) -> None:
        """Come back at that moment, or soon if it is past."""


class Sender(Protocol):
    """One connection, as far as requests go."""

    @property
    def alive(self) -> bool:
        """Whether answers can still come."""

    def send(self, text: bytes) -> bool:
        """Hand a message over; False if the connection is gone."""


class Wording(Protocol):
    """Makes the text of requests."""

    def text(self, number: int, item: Item) -> bytes:
        """The request of an item; its reply will carry `number`."""


class Routes(Protocol):
    """Which connection a request takes."""

    def of(self, item: Item) -> Sender:
        """The connection of an item."""

    @property
    def alive(self) -> bool:
        """Whether one of them stands."""


class OneEach:
    """Every connection of the plan is one connection."""

    def __init__(self, senders: Sequence[Sender]) -> None:
        self._senders = senders

    def of(self, item: Item) -> Sender:
        """The connection of an item."""
        return self._senders[item.connection]

    @property
    def alive(self) -> bool:
        """Whether one of them stands."""
        return any(sender.alive for sender in self._senders)


class WallTimer:
    """Real time; `begin` sets the start.

    While it waits for a moment it sees who asks for the time: turns of the event loop in which
    nobody does are `idle_ns`, and no work.
    """

    def __init__(self) -> None:
        self._start_ns = 0
        self._cpu_ns = 0
        self._in_a_row = 0
        self._asked = 0
        self._idle_ns = 0
        self.begin()

    def begin(self) -> None:
        """The start is now."""
        self._start_ns = time.perf_counter_ns()
        self._cpu_ns = time.process_time_ns()
        self._idle_ns = 0

    def now_ns(self) -> int:
        """Nanoseconds since the start."""
        self._asked += 1
        return time.perf_counter_ns() - self._start_ns

    def own_work(self) -> OwnWork:
        """What the process has done since the start."""
        return OwnWork(time.process_time_ns() - self._cpu_ns, self._idle_ns)

    async def until(self, at_ns: int) -> None:
        """Come back at that moment; who is late lets the loop run once in a burst only."""
        wait_ns = at_ns - self.now_ns()
        if wait_ns <= 0:
            self._in_a_row += 1
            if self._in_a_row >= BURST:
                self._in_a_row = 0
                await asyncio.sleep(0)
            return
        self._in_a_row = 0
        if wait_ns > SPIN_NS:
            await asyncio.sleep((wait_ns - SPIN_NS) / NS_PER_S)
        at_ns += self._start_ns
        cpu_ns = time.thread_time_ns()
        while time.perf_counter_ns() < at_ns:
            before_ns, asked = cpu_ns, self._asked
            await asyncio.sleep(0)
            cpu_ns = time.thread_time_ns()
            if asked == self._asked:
                self._idle_ns += cpu_ns - before_ns


async def drive(plan: Plan, routes: Routes, wording: Wording, record: Record, timer: Timer) -> None:
    """Carry a plan out, then wait a little while for the last answers.

    It ends at once when it is cancelled, or every connection is lost; the record then holds what
    came until then.
    """
    try:
        for number, item in enumerate(plan.items):
            if item.at_ns - timer.now_ns() > AHEAD_NS:
                await timer.until(item.at_ns - AHEAD_NS)
            text = wording.text(number, item)
            await timer.until(item.at_ns)
            # The record comes first: a sender may be answered before it returns.
            record.send(number, item, timer.now_ns())
            if not routes.of(item).send(text):
                record.take_back(number)
                if not routes.alive:
                    return  # There is nobody left to ask.
        await timer.until(plan.ends_ns)
        patience_ns = timer.now_ns() + DRAIN_S * NS_PER_S
        while record.waiting and timer.now_ns() < patience_ns and routes.alive:
            await timer.until(timer.now_ns() + LOOK_NS)
    finally:
        record.end(timer.now_ns())
