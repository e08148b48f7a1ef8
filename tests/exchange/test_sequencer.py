"""Tests of the sequencer: stamps, groups, and that nobody is told what is not kept.

The engine and the journal are told what to do by the tests; those of the real ones stand in
test_recovery and in tests/live.
"""

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from exchange import sequencer as module
from exchange.clock import Clock, ScaledClock, SteppedClock, SystemClock
from exchange.commands import AnyCommand, Continue, Deposit, OpenAccount, Tick
from exchange.events import Answered, AnyEvent
from exchange.groups import decode_group
from exchange.sequencer import Sequencer, SequencerFailed, Source
from matching.reasons import Reason

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

    def __init__(self, clock: Clock, *sources: Source) -> None:
        self.log: Log = []
        self.engine = RecordingEngine(self.log)
        self.journal = RecordingJournal(self.log)
        engine: Any = self.engine
        self.sequencer = Sequencer(engine, self.journal, clock, sources, grid_ms=GRID_MS)
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


async def test_a_command_is_kept_then_applied_then_told_then_answered() -> None:
    house = House(SteppedClock(START_MS))
    async with running(house):
        events = await house.sequencer.submit(OpenAccount())
        house.log.append(("answered", events[-1].seq))
    assert house.log == [("kept", 1, 1), ("applied", 1), ("told", [1]), ("answered", 1)]


async def test_nobody_is_answered_and_nothing_applied_before_the_group_is_durable() -> None:
    house = House(SteppedClock(START_MS))
    async with running(house):
        house.journal.open.clear()
        asked = asyncio.create_task(house.sequencer.submit(OpenAccount()))
        await until(house.journal.entered.is_set)
        # The loop is free meanwhile: this coroutine runs while the disk is busy.
        assert house.log == []
        assert not asked.done()
        house.journal.open.set()
        assert (await asked)[-1].seq == 1


async def test_what_comes_while_a_group_is_kept_makes_the_next_group_in_order() -> None:
    house = House(SteppedClock(START_MS))
    async with running(house):
        house.journal.open.clear()
        first = asyncio.create_task(house.sequencer.submit(OpenAccount(label="1")))
        await until(house.journal.entered.is_set)
        others = [
            asyncio.create_task(house.sequencer.submit(OpenAccount(label=str(n))))
            for n in range(2, 6)
        ]
        await until(lambda: house.sequencer.backlog == 4)
        house.journal.open.set()
        seqs = [events[-1].seq for events in await asyncio.gather(first, *others)]
    assert seqs == [1, 2, 3, 4, 5]
    assert house.kept("label") == [["1"], ["2", "3", "4", "5"]]


async def test_a_group_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUP_COMMANDS_MAX", 3)
    house = House(SteppedClock(START_MS))
    asked = [asyncio.create_task(house.sequencer.submit(OpenAccount())) for _ in range(7)]
    await until(lambda: house.sequencer.backlog == 7)
    async with running(house):
        await asyncio.gather(*asked)
    assert [len(frame) for frame in house.journal.frames] == [3, 3, 1]


async def test_too_many_that_wait_are_refused_as_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMANDS_WAITING_MAX", 2)
    house = House(SteppedClock(START_MS))
    asked = [asyncio.create_task(house.sequencer.submit(OpenAccount())) for _ in range(2)]
    await until(lambda: house.sequencer.backlog == 2)
    refused = (await house.sequencer.submit(OpenAccount()))[-1]
    assert isinstance(refused, Answered)
    assert refused.reason is Reason.BUSY
    async with running(house):
        await asyncio.gather(*asked)
    assert house.engine.seq == 2


async def test_a_number_that_the_journal_cannot_hold_is_refused_alone() -> None:
    house = House(SteppedClock(START_MS))
    wishes = [Deposit(amount_minor=1), Deposit(amount_minor=2**64), Deposit(amount_minor=3)]
    asked = [asyncio.create_task(house.sequencer.submit(wish)) for wish in wishes]
    await until(lambda: house.sequencer.backlog == 3)
    async with running(house):
        answers = [(await each)[-1] for each in asked]
    assert [answer.reason for answer in answers if isinstance(answer, Answered)] == [
        None,
        Reason.AMOUNT_TOO_LARGE,
        None,
    ]
    assert house.kept("amount_minor") == [[1, 3]]


async def test_a_sync_that_fails_ends_it_and_nothing_of_the_group_is_applied() -> None:
    house = House(SteppedClock(START_MS))
    house.journal.error = OSError("the disk is gone")
    task = asyncio.create_task(house.sequencer.run())
    house.journal.open.clear()
    in_flight = asyncio.create_task(house.sequencer.submit(OpenAccount()))
    await until(house.journal.entered.is_set)
    behind = asyncio.create_task(house.sequencer.submit(OpenAccount()))
    await until(lambda: house.sequencer.backlog == 1)
    house.journal.open.set()
    with pytest.raises(OSError, match="the disk is gone"):
        await task
    for asked in (in_flight, behind, asyncio.create_task(house.sequencer.submit(OpenAccount()))):
        with pytest.raises(SequencerFailed, match="the disk is gone"):
            await asked
    assert house.log == []


async def test_a_bug_of_the_engine_ends_it_and_says_so_to_those_who_wait() -> None:
    house = House(SteppedClock(START_MS))
    house.engine.fails_at = 1
    task = asyncio.create_task(house.sequencer.run())
    with pytest.raises(SequencerFailed, match="a bug"):
        await house.sequencer.submit(OpenAccount())
    with pytest.raises(AssertionError, match="a bug"):
        await task


async def test_a_stop_finishes_the_group_under_way_and_refuses_what_waits() -> None:
    house = House(SteppedClock(START_MS))
    task = asyncio.create_task(house.sequencer.run())
    house.journal.open.clear()
    under_way = asyncio.create_task(house.sequencer.submit(OpenAccount()))
    await until(house.journal.entered.is_set)
    behind = asyncio.create_task(house.sequencer.submit(OpenAccount()))
    await until(lambda: house.sequencer.backlog == 1)
    house.sequencer.stop()
    late = await house.sequencer.submit(OpenAccount())
    house.journal.open.set()
    await task
    assert (await under_way)[-1].seq == 1
    for answered in ((await behind)[-1], late[-1]):
        assert isinstance(answered, Answered)
        assert answered.reason is Reason.NOT_READY
    assert len(house.journal.frames) == 1


async def test_each_moment_of_a_step_is_a_group_of_its_own_at_its_own_time() -> None:
    slow, fast = EveryStep(1_000), EveryStep(400, acts=2)
    house = House(SteppedClock(START_MS), slow, fast)
    async with running(house):
        assert await house.sequencer.step(1_200) == START_MS + 1_200
        assert house.sequencer.time_ms == START_MS + 1_200
    # 400: two of the fast; 800: two; 1000: one of the slow; 1200: two, and the step ends there.
    assert [(len(frame), frame[0].time_ms - START_MS) for frame in house.journal.frames] == [
        (2, 400),
        (2, 800),
        (1, 1_000),
        (2, 1_200),
    ]
    # Each decided on the state after the group before it.
    assert fast.seen == [(START_MS + 400, 0), (START_MS + 800, 2), (START_MS + 1_200, 5)]


async def test_a_step_ends_exactly_at_its_target_with_all_pending_work_done() -> None:
    house = House(SteppedClock(START_MS), EveryStep(1_000))
    async with running(house):
        house.engine.work = 2
        await house.sequencer.step(1_500)
        assert house.engine.work == 0
    # The work that was pending comes first, at the time at which it was pending.
    assert house.stamps == [
        ("Continue", 0),
        ("Continue", 0),
        ("OpenAccount", 1_000),
        ("Tick", 1_500),
    ]


async def test_two_steps_at_once_end_one_after_the_other() -> None:
    house = House(SteppedClock(START_MS))
    async with running(house):
        first = asyncio.create_task(house.sequencer.step(700))
        second = asyncio.create_task(house.sequencer.step(800))
        assert await first == START_MS + 700
        assert await second == START_MS + 1_500
    assert house.stamps == [("Tick", 700), ("Tick", 1_500)]


async def test_the_same_script_in_lock_step_leaves_the_same_bytes() -> None:
    async def play() -> list[bytes]:
        house = House(SteppedClock(START_MS), EveryStep(250, acts=3), EveryStep(1_000))
        async with running(house):
            for number in range(5):
                await house.sequencer.submit(OpenAccount(label=f"user {number}"))
                await house.sequencer.step(730)
        return house.journal.payloads

    first = await play()
    assert len(first) > 20
    assert await play() == first


async def test_while_time_stands_no_tick_is_due() -> None:
    house = House(SteppedClock(START_MS))
    async with running(house):
        for _ in range(3):
            await house.sequencer.submit(OpenAccount())
    assert house.stamps == [("OpenAccount", 0)] * 3


async def test_users_wait_for_pending_work_at_the_time_it_stands_at() -> None:
    clock = SteppedClock(START_MS)
    house = House(clock)
    house.engine.work = 2
    clock.step(60_000)
    asked = asyncio.create_task(house.sequencer.submit(OpenAccount()))
    await until(lambda: house.sequencer.backlog == 1)
    async with running(house):
        house.journal.open.clear()
        await until(house.journal.entered.is_set)
        later = asyncio.create_task(house.sequencer.submit(OpenAccount()))
        await until(lambda: house.sequencer.backlog == 1)
        house.journal.open.set()
        await asyncio.gather(asked, later)
        await house.sequencer.submit(OpenAccount())
    # Both came while slices were left: they are served between them, and time does not pass.
    assert house.stamps == [
        ("Continue", 0),
        ("OpenAccount", 0),
        ("Continue", 0),
        ("OpenAccount", 0),
        ("OpenAccount", 60_000),
    ]


class HandClock:
    """A real clock whose hands a test moves: nanoseconds of wall and monotonic time."""

    def __init__(self) -> None:
        self.ms = START_MS

    def ns(self) -> int:
        return self.ms * 1_000_000


async def test_at_real_speed_a_tick_carries_the_time_each_second() -> None:
    hands = HandClock()
    house = House(SystemClock(START_MS, wall_ns=hands.ns))
    async with running(house):
        for second in range(1, 4):
            hands.ms = START_MS + second * 1_000
            house.sequencer.retime()
            await until(lambda n=second: len(house.journal.frames) == n)  # type: ignore[misc]
    assert house.stamps == [("Tick", 1_000), ("Tick", 2_000), ("Tick", 3_000)]


async def test_no_tick_where_another_command_carries_the_time() -> None:
    hands = HandClock()
    house = House(SystemClock(START_MS, wall_ns=hands.ns), EveryStep(1_000))
    async with running(house):
        hands.ms = START_MS + 1_000
        house.sequencer.retime()
        await until(lambda: len(house.journal.frames) == 1)
        hands.ms = START_MS + 1_900
        await house.sequencer.submit(OpenAccount())
    assert house.stamps == [("OpenAccount", 1_000), ("OpenAccount", 1_900)]


async def test_time_that_leapt_is_one_tick_to_its_newest_grid_point() -> None:
    hands = HandClock()
    hands.ms = START_MS + 3_600_500
    house = House(SystemClock(START_MS, wall_ns=hands.ns))
    async with running(house):
        await until(lambda: len(house.journal.frames) == 1)
    assert house.stamps == [("Tick", 3_600_000)]


async def test_a_wish_never_passes_a_moment_that_is_due() -> None:
    hands = HandClock()
    hands.ms = START_MS + 2_500
    house = House(SystemClock(START_MS, wall_ns=hands.ns), EveryStep(1_000))
    asked = asyncio.create_task(house.sequencer.submit(OpenAccount(label="wish")))
    await until(lambda: house.sequencer.backlog == 1)
    async with running(house):
        events = await asked
        await until(lambda: len(house.journal.frames) == 2)
    # It rides behind the first moment that was overdue, at that moment's time.
    assert house.stamps == [("OpenAccount", 1_000), ("OpenAccount", 1_000), ("OpenAccount", 2_000)]
    assert [len(frame) for frame in house.journal.frames] == [2, 1]
    assert events[-1].time_ms == START_MS + 1_000


async def test_at_full_speed_time_runs_as_fast_as_the_work() -> None:
    source = EveryStep(1_000)
    house = House(ScaledClock(math.inf, START_MS, monotonic_ns=lambda: 0), source)
    async with running(house):
        await until(lambda: len(house.journal.frames) >= 50)
    # No wall time passed at all, and no moment was left out.
    assert house.stamps[:50] == [("OpenAccount", 1_000 * n) for n in range(1, 51)]


async def test_at_full_speed_with_nobody_there_a_tick_spans_a_minute() -> None:
    house = House(ScaledClock(math.inf, START_MS, monotonic_ns=lambda: 0))
    async with running(house):
        await until(lambda: len(house.journal.frames) >= 3)
    assert all(kind == "Tick" for kind, _ in house.stamps)
    times_ms = [time_ms for _, time_ms in house.stamps]
    assert {later - earlier for earlier, later in pairwise(times_ms)} == {60_000}


async def test_a_scaled_clock_that_is_paused_can_be_stepped() -> None:
    clock = ScaledClock(60, START_MS, monotonic_ns=lambda: 0)
    clock.pause()
    house = House(clock, EveryStep(1_000))
    async with running(house):
        assert await house.sequencer.step(10_500) == START_MS + 10_500
        assert clock.now_ms() == START_MS + 10_500
    assert house.stamps == [
        *[("OpenAccount", 1_000 * n) for n in range(1, 11)],
        ("Tick", 10_500),
    ]


async def test_a_real_clock_cannot_be_stepped() -> None:
    house = House(SystemClock(START_MS))
    with pytest.raises(ValueError, match="cannot be stepped"):
        await house.sequencer.step(1)


async def test_who_looks_between_groups_sees_no_group_under_way() -> None:
    house = House(SteppedClock(START_MS))
    async with running(house):
        house.journal.open.clear()
        asked = asyncio.create_task(house.sequencer.submit(OpenAccount()))
        await until(house.journal.entered.is_set)
        look = asyncio.create_task(
            house.sequencer.between_groups(lambda: (house.engine.seq, len(house.journal.frames)))
        )
        await asyncio.sleep(0)
        assert not look.done()
        house.journal.open.set()
        assert await look == (1, 1)
        await asked


async def test_a_listener_that_fails_ends_it() -> None:
    house = House(SteppedClock(START_MS))

    def fail(groups: Any) -> None:
        raise RuntimeError("a view is broken")

    house.sequencer.listeners.append(fail)
    task = asyncio.create_task(house.sequencer.run())
    with pytest.raises(SequencerFailed, match="a view is broken"):
        await house.sequencer.submit(OpenAccount())
    with pytest.raises(RuntimeError, match="a view is broken"):
        await task


async def test_commands_come_back_from_their_frame_as_they_were_stamped() -> None:
    house = House(SteppedClock(START_MS))
    async with running(house):
        await house.sequencer.submit(OpenAccount(kind="user", label="kept"))
        await house.sequencer.step(1_000)
    assert [decode_group(payload) for payload in house.journal.payloads] == [
        [OpenAccount(seq=1, time_ms=START_MS, kind="user", label="kept")],
        [Tick(seq=2, time_ms=START_MS + 1_000)],
    ]
