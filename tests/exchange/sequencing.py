"""An engine, a journal and sources that do as a test tells them, with a sequencer between them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from exchange.clock import Clock
from exchange.commands import AnyCommand, Continue, OpenAccount
from exchange.events import Answered, AnyEvent
from exchange.groups import decode_group
from exchange.sequencer import Sequencer, Source

START_MS = 1_700_000_000_000  # Divisible by 1,000, so a grid point.
GRID_MS = 1_000
Log = list[tuple[Any, ...]]


class RecordingEngine:
    """Answers every command; `work` is how many Continues it still asks for."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.seq = 0
        self.time_ms = START_MS
        self.work = 0
        self.fails_at: int | None = None

    @property
    def pending_work(self) -> bool:
        return self.work > 0

    @property
    def next_grid_ms(self) -> int:
        return self.time_ms - self.time_ms % GRID_MS + GRID_MS

    def apply(self, command: AnyCommand) -> list[AnyEvent]:
        assert command.seq == self.seq + 1
        assert command.time_ms >= self.time_ms
        assert command.seq != self.fails_at, "a bug"
        self.seq, self.time_ms = command.seq, command.time_ms
        if isinstance(command, Continue):
            self.work -= 1
        self.log.append(("applied", command.seq))
        return [Answered(command.seq, command.time_ms, None, 0, {}, False)]


class RecordingJournal:
    """Keeps frames in memory; a test may hold it up, or make it fail."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.frames: list[list[AnyCommand]] = []
        self.payloads: list[bytes] = []
        self.entered = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.error: Exception | None = None

    def append_and_sync(self, first_seq: int, count: int, payload: bytes) -> None:
        self.entered.set()
        assert self.open.wait(30)
        if self.error is not None:
            raise self.error
        commands = decode_group(payload)
        assert [command.seq for command in commands] == list(range(first_seq, first_seq + count))
        self.frames.append(commands)
        self.payloads.append(payload)
        self.log.append(("kept", first_seq, count))


class EveryStep:
    """A source that acts at each multiple of its step, and notes what it saw of the engine."""

    def __init__(self, step_ms: int, acts: int = 1) -> None:
        self.step_ms = step_ms
        self.acts = acts
        self.due_ms = START_MS + step_ms
        self.seen: list[tuple[int, int]] = []

    def next_due_ms(self) -> int | None:
        return self.due_ms

    def commands(self, now_ms: int, engine: Any) -> list[AnyCommand]:
        self.seen.append((now_ms, engine.seq))
        self.due_ms += self.step_ms
        return [OpenAccount(label=f"{now_ms}") for _ in range(self.acts)]


class House:
    """A sequencer and the parts a test looks at."""

    def __init__(self, clock: Clock, *sources: Source, resume: Any = None) -> None:
        self.log: Log = []
        self.engine = RecordingEngine(self.log)
        self.journal = RecordingJournal(self.log)
        engine: Any = self.engine
        self.sequencer = Sequencer(
            engine, self.journal, clock, sources, grid_ms=GRID_MS, resume=resume
        )
        self.sequencer.listeners.append(
            lambda groups: self.log.append(("told", [events[-1].seq for events in groups]))
        )

    def kept(self, name: str) -> list[list[Any]]:
        """One field of the commands of every group kept."""
        return [[getattr(command, name) for command in frame] for frame in self.journal.frames]

    @property
    def stamps(self) -> list[tuple[str, int]]:
        """Every command kept: its kind, and its time since the start."""
        return [
            (type(command).__name__, command.time_ms - START_MS)
            for frame in self.journal.frames
            for command in frame
        ]


@asynccontextmanager
async def running(house: House) -> AsyncIterator[None]:
    task = asyncio.create_task(house.sequencer.run())
    try:
        yield
    finally:
        house.journal.open.set()
        house.sequencer.stop()
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - What it waits for tells nobody.
            await asyncio.sleep(0)


class HandClock:
    """A real clock whose hands a test moves: nanoseconds of wall and monotonic time."""

    def __init__(self) -> None:
        self.ms = START_MS

    def ns(self) -> int:
        return self.ms * 1_000_000
