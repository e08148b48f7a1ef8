"""Exchange time: real, scaled and stepped."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.clock import (
    Clock,
    FollowingClock,
    ScaledClock,
    SteppedClock,
    SystemClock,
    wall_ms,
)

START_MS = 1_700_000_000_000


class Source:
    """Nanoseconds that pass only when a test says so."""

    def __init__(self, ns: int = 0) -> None:
        self.ns = ns

    def __call__(self) -> int:
        return self.ns

    def pass_ms(self, ms: float) -> None:
        self.ns += int(ms * 1_000_000)


def scaled(speed: float, *, lead_ms: int = 1_000_000) -> tuple[ScaledClock, Source]:
    source = Source(5_000_000_000)
    return ScaledClock(speed, START_MS, lead_ms=lead_ms, monotonic_ns=source), source


def test_every_clock_is_a_clock() -> None:
    clocks: list[Clock] = [SystemClock(), SteppedClock(START_MS), ScaledClock(2, START_MS)]
    for clock in clocks:
        assert abs(clock.wall_ms() - wall_ms()) < 60_000


def test_the_system_clock_follows_the_wall() -> None:
    wall = Source(START_MS * 1_000_000)
    clock = SystemClock(wall_ns=wall)
    wall.pass_ms(7)
    assert clock.now_ms() == START_MS + 7
    assert clock.speed == clock.achieved_speed() == 1


def test_the_system_clock_waits_where_the_wall_is_set_back() -> None:
    wall = Source(START_MS * 1_000_000)
    clock = SystemClock(wall_ns=wall)
    assert clock.now_ms() == START_MS
    wall.pass_ms(-500)
    assert clock.now_ms() == START_MS
    assert clock.wall_ms() == START_MS - 500


def test_the_system_clock_starts_no_earlier_than_the_last_stamp() -> None:
    wall = Source(START_MS * 1_000_000)
    assert SystemClock(START_MS + 9, wall_ns=wall).now_ms() == START_MS + 9


def test_the_system_clock_tells_how_far_work_is_behind() -> None:
    wall = Source(START_MS * 1_000_000)
    clock = SystemClock(START_MS, wall_ns=wall)
    wall.pass_ms(250)
    clock.hold(START_MS + 100)
    assert clock.behind_ms() == 150  # 250 ms passed, 100 ms of them are done.


def test_a_stepped_clock_stands_until_stepped() -> None:
    clock = SteppedClock(START_MS)
    assert clock.now_ms() == START_MS
    assert clock.step(60_000) == START_MS + 60_000
    assert clock.now_ms() == START_MS + 60_000
    assert clock.speed is None
    assert clock.achieved_speed() == 0
    clock.hold(START_MS + 20_000)
    assert clock.behind_ms() == 40_000


@pytest.mark.parametrize("clock", [SteppedClock(START_MS), ScaledClock(1, START_MS)])
def test_no_clock_steps_back(clock: SteppedClock | ScaledClock) -> None:
    with pytest.raises(ValueError, match="never runs back"):
        clock.step(-1)


def test_at_speed_60_a_second_is_a_minute() -> None:
    clock, source = scaled(60)
    source.pass_ms(1_000)
    assert clock.now_ms() == START_MS + 60_000
    assert clock.speed == 60


def test_a_scaled_clock_goes_on_from_its_start_stamp_whatever_the_wall_says() -> None:
    clock, _ = scaled(60)
    assert clock.now_ms() == START_MS


def test_a_scaled_clock_stands_at_its_lead_until_work_is_done() -> None:
    clock, source = scaled(10, lead_ms=500)
    source.pass_ms(1_000)  # 10,000 ms at speed 10, of which 500 are allowed.
    assert clock.now_ms() == START_MS + 500
    assert clock.behind_ms() == 500
    clock.hold(START_MS + 500)
    source.pass_ms(20)
    assert clock.now_ms() == START_MS + 700  # 500 + 20 * 10.


def test_time_lost_to_slow_work_is_not_caught_up() -> None:
    clock, source = scaled(10, lead_ms=500)
    source.pass_ms(1_000)
    clock.hold(START_MS + 100_000)  # Nobody asked for the time while it was held.
    assert clock.now_ms() == START_MS + 500
    source.pass_ms(3)
    assert clock.now_ms() == START_MS + 530  # 500 + 3 * 10.


def test_work_finished_early_does_not_move_the_clock() -> None:
    clock, _ = scaled(10)
    clock.hold(START_MS + 60_000)
    assert clock.now_ms() == START_MS


def test_as_fast_as_it_goes_every_finished_piece_of_work_moves_the_clock() -> None:
    clock, _ = scaled(math.inf, lead_ms=1_000)
    reached = []
    for _ in range(3):
        clock.hold(clock.now_ms())
        reached.append(clock.now_ms() - START_MS)
    assert reached == [2_000, 3_000, 4_000]


def test_a_change_of_speed_counts_from_now() -> None:
    clock, source = scaled(1)
    source.pass_ms(100)
    clock.set_speed(50)
    source.pass_ms(100)
    assert clock.now_ms() == START_MS + 5_100  # 100 * 1 + 100 * 50.


@pytest.mark.parametrize("speed", [0, -1, math.nan])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        ScaledClock(speed, START_MS)
    clock, _ = scaled(1)
    with pytest.raises(ValueError, match="above 0"):
        clock.set_speed(speed)


def test_a_paused_clock_stands_and_goes_on_where_it_stood() -> None:
    clock, source = scaled(2)
    source.pass_ms(100)
    clock.pause()
    source.pass_ms(5_000)
    assert clock.paused
    assert clock.speed == 0
    assert clock.now_ms() == START_MS + 200
    clock.resume()
    source.pass_ms(100)
    assert clock.now_ms() == START_MS + 400


def test_a_paused_clock_can_be_stepped() -> None:
    clock, source = scaled(2)
    clock.pause()
    clock.step(60_000)
    source.pass_ms(77)
    assert clock.now_ms() == START_MS + 60_000


def test_a_step_runs_no_further_than_the_work_that_is_done() -> None:
    clock, _ = scaled(1, lead_ms=1_000)
    assert clock.step(2_500) == START_MS + 2_500
    assert clock.now_ms() == START_MS + 1_000
    clock.hold(START_MS + 1_000)
    assert clock.now_ms() == START_MS + 2_000
    clock.hold(START_MS + 2_000)
    assert clock.now_ms() == START_MS + 2_500


def test_two_steps_add_up() -> None:
    clock, _ = scaled(1, lead_ms=1_000)
    clock.step(5_000)
    assert clock.step(5_000) == START_MS + 10_000


def test_after_a_step_the_speed_goes_on_from_there() -> None:
    clock, source = scaled(3)
    clock.step(1_000)
    source.pass_ms(100)
    assert clock.now_ms() == START_MS + 1_300  # 1,000 + 100 * 3.


def test_the_achieved_speed_is_the_set_speed_while_work_keeps_up() -> None:
    clock, source = scaled(60)
    assert clock.achieved_speed() == 60
    for _ in range(80):
        source.pass_ms(100)
        clock.hold(clock.now_ms())
    assert clock.achieved_speed() == pytest.approx(60)


def test_the_achieved_speed_tells_what_slow_work_left_of_the_ceiling() -> None:
    clock, source = scaled(60, lead_ms=1_000)
    for _ in range(80):  # Each 100 ms of wall time 1,000 of the wished 6,000 ms pass.
        source.pass_ms(100)
        clock.hold(clock.now_ms())
    assert clock.achieved_speed() == pytest.approx(10)


def test_the_achieved_speed_looks_back_five_seconds_only() -> None:
    clock, source = scaled(10)
    for _ in range(50):
        source.pass_ms(100)
        clock.now_ms()
    clock.pause()
    for _ in range(25):
        source.pass_ms(100)
        clock.now_ms()
    # Of the last 5 s, 2.5 s ran at 10 and 2.5 s stood.
    assert clock.achieved_speed() == pytest.approx(5)


Deed = tuple[str, int]
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(0, 3_000)),
        st.tuples(st.just("hold"), st.integers(0, 3_000)),
        st.tuples(st.just("step"), st.integers(0, 3_000)),
        st.tuples(st.just("speed"), st.integers(1, 600)),
        st.tuples(st.sampled_from(["pause", "resume"]), st.just(0)),
    ),
    max_size=60,
)


@given(deeds=DEEDS, speed=st.sampled_from([0.5, 1.0, 60.0, math.inf]))
def test_whatever_is_done_to_it_time_never_runs_back_nor_past_its_lead(
    deeds: list[Deed], speed: float
) -> None:
    clock, source = scaled(speed, lead_ms=1_000)
    last_ms = done_ms = START_MS
    for deed, number in deeds:
        match deed:
            case "pass":
                source.pass_ms(number)
            case "hold":
                done_ms = max(done_ms, min(done_ms + number, last_ms))
                clock.hold(done_ms)
            case "step":
                clock.step(number)
            case "speed":
                clock.set_speed(number)
            case "pause":
                clock.pause()
            case _:
                clock.resume()
        now_ms = clock.now_ms()
        assert last_ms <= now_ms <= done_ms + 1_000
        last_ms = now_ms


def test_a_following_clock_stands_at_what_was_heard_and_measures_how_fast_it_moves() -> None:
    stamps, at_ns = [1_000], [0]
    clock = FollowingClock(
        lambda: stamps[-1], monotonic_ns=lambda: at_ns[0], wall_ns=lambda: 7_000_000
    )
    assert (clock.now_ms(), clock.wall_ms(), clock.achieved_speed()) == (1_000, 7, 0.0)
    for second in range(1, 4):  # Ten seconds of exchange time each second.
        at_ns[0] = second * 1_000_000_000
        stamps.append(1_000 + second * 10_000)
        clock.hold(stamps[-1])
    assert (clock.now_ms(), clock.achieved_speed(), clock.speed) == (31_000, 10.0, 10.0)
    at_ns[0] += 60_000_000_000  # Nothing is heard for a minute: it stands.
    clock.hold(31_000)
    at_ns[0] += 6_000_000_000
    assert (clock.now_ms(), clock.speed) == (31_000, 0.0)
