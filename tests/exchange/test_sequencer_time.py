"""Tests of exchange time as the sequencer gives it: it never passes work that is due."""

import asyncio
import math
from itertools import pairwise

import pytest

from exchange.clock import ScaledClock, SteppedClock, SystemClock
from exchange.commands import OpenAccount
from exchange.sequencer import Source
from tests.exchange.sequencing import START_MS, EveryStep, HandClock, House, running, until


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


async def test_it_is_idle_when_nothing_waits_and_nothing_is_due() -> None:
    clock = SteppedClock(START_MS)
    house = House(clock, EveryStep(1_000))
    sequencer = house.sequencer
    assert sequencer.is_idle
    house.engine.work = 1
    assert not sequencer.is_idle
    house.engine.work = 0
    asked = asyncio.create_task(sequencer.submit(OpenAccount()))
    await until(lambda: sequencer.backlog == 1)
    assert not sequencer.is_idle
    async with running(house):
        await asked
        assert sequencer.is_idle
        clock.step(1_000)
        assert not sequencer.is_idle
        clock.step(500)
        assert sequencer.behind_ms == 500


async def test_sources_far_behind_a_real_clock_go_on_from_now_on() -> None:
    hands = HandClock()
    hands.ms = START_MS + 3_600_250  # The machine slept for an hour.
    slept = EveryStep(1_000)
    woken: list[int] = []

    def resume(now_ms: int) -> list[Source]:
        woken.append(now_ms)
        source = EveryStep(1_000)
        source.due_ms = now_ms // 1_000 * 1_000 + 1_000
        return [source]

    house = House(SystemClock(START_MS, wall_ns=hands.ns), slept, resume=resume)
    async with running(house):
        await until(lambda: len(house.journal.frames) == 1)
        hands.ms = START_MS + 3_601_000
        house.sequencer.retime()
        await until(lambda: len(house.journal.frames) == 2)
    assert slept.seen == []
    assert woken == [START_MS + 3_600_250]
    assert house.stamps == [("Tick", 3_600_000), ("OpenAccount", 3_601_000)]
