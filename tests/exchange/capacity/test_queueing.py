"""Tests of the simulated sequencer, against what is known of queues in closed form."""

import pytest

from exchange.bounds import GROUP_COMMANDS_MAX
from exchange.capacity.queueing import Serving, simulate


@pytest.mark.parametrize("busy", [0.3, 0.5, 0.7, 0.9])
def test_a_group_waits_no_less_than_one_by_one_and_no_more_than_twice_as_long(busy: float) -> None:
    # One by one, a command that takes s each time is answered after s + busy s / (2 (1 - busy)) on
    # average (Pollaczek and Khinchine, M/D/1).  In a group it also waits for those behind it; they
    # came as evenly as those before it, so that adds no more again (a tenth is left to chance).
    us = 100.0
    told = simulate(Serving(us, vary=False), busy * 1e6 / us)
    one_by_one_ms = (us + busy * us / (2 * (1 - busy))) / 1_000
    assert one_by_one_ms <= told.mean_ms <= 2.2 * one_by_one_ms


def test_alone_a_command_takes_its_sync_and_its_own_work() -> None:
    told = simulate(Serving(200.0, sync_ms=1.0, vary=False), per_s=0.1)
    assert told.p50_ms == pytest.approx(1.2)
    assert told.p999_ms == pytest.approx(1.2)
    assert told.group == 1.0


def test_the_way_there_and_back_is_added_and_holds_nobody_up() -> None:
    near = simulate(Serving(100.0, sync_ms=0.5), 5_000)
    far = simulate(Serving(100.0, sync_ms=0.5, outside_ms=3.0), 5_000)
    assert far.group == near.group
    for at in range(4):
        assert far[at] == pytest.approx(near[at] + 3.0)


def test_groups_grow_with_the_load_so_a_slow_disk_is_no_ceiling() -> None:
    # One sync each would be 1,000 commands a second; 5,000 come, and are answered.
    quiet, busy = (simulate(Serving(100.0, sync_ms=1.0), rate) for rate in (100, 5_000))
    assert quiet.group < 1.2
    assert busy.group > 5
    assert busy.p99_ms < 20


def test_beyond_what_the_core_can_do_waits_grow_with_all_that_come() -> None:
    few, many = (simulate(Serving(100.0), 20_000, commands=count) for count in (5_000, 20_000))
    # Half of what comes is left: who comes last waits half the time it took to come, and more.
    assert few.p999_ms > 0.2 * 5_000 * 0.1
    assert many.p999_ms > 3 * few.p999_ms
    assert many.group <= GROUP_COMMANDS_MAX


def test_waits_rise_with_the_load_and_with_bunches() -> None:
    serving = Serving(50.0, sync_ms=0.4)
    rising = [simulate(serving, share * 20_000) for share in (0.1, 0.5, 0.9)]
    assert [told.p99_ms for told in rising] == sorted(told.p99_ms for told in rising)
    assert simulate(serving, 10_000, bunch=5).p99_ms > simulate(serving, 10_000).p99_ms


def test_the_same_seed_tells_the_same() -> None:
    assert simulate(Serving(50.0), 9_000, bunch=3) == simulate(Serving(50.0), 9_000, bunch=3)


def test_percentiles_are_in_order() -> None:
    told = simulate(Serving(50.0, sync_ms=0.4), 15_000, bunch=3)
    assert told.p50_ms < told.p99_ms < told.p999_ms
    assert told.p50_ms < told.mean_ms * 1.5
