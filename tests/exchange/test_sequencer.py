"""Tests of the sequencer: groups, and that nobody is told what is not kept.

The engine and the journal do as the tests tell them; the real ones are met in test_server and in
tests/live. How time is given is in test_sequencer_time.
"""

import asyncio
from typing import Any

import pytest

from exchange import sequencer as module
from exchange.clock import SteppedClock
from exchange.commands import Deposit, OpenAccount, Tick
from exchange.events import Answered
from exchange.groups import decode_group
from exchange.sequencer import SequencerFailed
from matching.reasons import Reason
from tests.exchange.sequencing import START_MS, House, running, until


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


async def test_what_is_submitted_together_is_one_group_with_nobody_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GROUP_COMMANDS_MAX", 2)
    house = House(SteppedClock(START_MS))
    together = [OpenAccount(label=str(number)) for number in range(4)]
    before = asyncio.create_task(house.sequencer.submit(OpenAccount(label="before")))
    asked = asyncio.create_task(house.sequencer.submit_all(together))
    behind = asyncio.create_task(house.sequencer.submit(OpenAccount(label="behind")))
    await until(lambda: house.sequencer.backlog == 6)
    async with running(house):
        await asyncio.gather(before, behind)
        answered = await asked
    assert house.kept("label") == [["before", "0", "1", "2", "3"], ["behind"]]
    assert [events[-1].seq for events in answered] == [2, 3, 4, 5]


async def test_what_is_submitted_together_is_refused_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "COMMANDS_WAITING_MAX", 2)
    house = House(SteppedClock(START_MS))
    async with running(house):
        refused = await house.sequencer.submit_all([OpenAccount() for _ in range(3)])
    for (answered,) in refused:
        assert isinstance(answered, Answered)
        assert answered.reason is Reason.BUSY
    assert len(refused) == 3
    with pytest.raises(SequencerFailed):
        await house.sequencer.submit_all([OpenAccount()])
    assert house.engine.seq == 0


async def test_what_is_taken_in_is_one_group_whatever_waits_and_its_origin_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "COMMANDS_WAITING_MAX", 2)
    monkeypatch.setattr(module, "GROUP_COMMANDS_MAX", 3)
    house = House(SteppedClock(START_MS))
    told: list[tuple[int, list[object]]] = []
    house.sequencer.on_taken = lambda skip, origins: told.append((skip, origins))
    asked = asyncio.create_task(house.sequencer.submit(OpenAccount(label="asked")))
    await until(lambda: house.sequencer.backlog == 1)
    house.sequencer.take_in([OpenAccount(label="a1"), OpenAccount(label="a2")], "a")
    house.sequencer.take_in([OpenAccount(label="b1"), OpenAccount(label="b2")], "b")
    async with running(house):
        await asked
        await until(lambda: house.engine.seq == 5)
    assert house.kept("label") == [["asked", "a1", "a2"], ["b1", "b2"]]
    assert told == [(0, [None, "a", "a"]), (0, ["b", "b"])]
    with pytest.raises(SequencerFailed):
        house.sequencer.take_in([OpenAccount()], "c")


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
