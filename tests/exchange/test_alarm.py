"""Tests of the alarm: a countdown that runs out cancels, be it behind a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from exchange import alarm as module
from exchange import sequencer as sequencing
from exchange.alarm import Alarm
from exchange.clock import SteppedClock
from exchange.commands import CancelAll, SetCountdown
from exchange.engine import Engine
from exchange.sequencer import Sequencer
from tests.exchange.sequencing import HandClock, until
from tests.story import Story, again

SPOT = "BTC-USDT"


class NoDisk:
    """A journal that keeps nothing but what a test asks for."""

    def append_and_sync(self, first_seq: int, count: int, payload: bytes) -> None:
        """Nothing to do."""


class House:
    """An engine with a bid of one account on it, a sequencer, an alarm, and the wall's hands."""

    def __init__(self, engine: Engine, wall: HandClock) -> None:
        clock = SteppedClock(engine.time_ms, wall_ns=wall.ns)
        self.engine = engine
        self.wall = wall
        self.sequencer = Sequencer(engine, NoDisk(), clock)
        self.alarm = Alarm(engine, self.sequencer, clock)

    async def count_down(self, account_id: int, ms: int, symbol: str = "") -> None:
        at_ms = self.wall.ms + ms if ms else 0
        await self.sequencer.submit(
            SetCountdown(account_id=account_id, symbol=symbol, countdown_ms=at_ms)
        )

    def open_orders(self, account_id: int) -> int:
        return len(self.engine.risk.accounts[account_id].orders)


@pytest.fixture
def story() -> Story:
    found = Story()
    found.index("BTC", "50000")
    return found


def bidder(story: Story) -> int:
    account_id = story.account(spot_USDT="1000")
    story.buy(account_id, SPOT, "0.01", "49000")
    return account_id


@asynccontextmanager
async def running(engine: Engine, wall: HandClock) -> AsyncIterator[House]:
    house = House(engine, wall)
    task = asyncio.create_task(house.sequencer.run())
    yield house
    house.sequencer.stop()
    await task


async def test_orders_are_cancelled_at_the_moment_and_not_before(story: Story) -> None:
    me, wall = bidder(story), HandClock()
    async with running(story.engine, wall) as house:
        await house.count_down(me, 5_000)
        wall.ms += 4_999
        assert await house.alarm.ring()
        assert house.open_orders(me) == 1
        wall.ms += 1
        assert await house.alarm.ring()
        assert house.open_orders(me) == 0
        assert house.engine.trading.countdowns.next_ms == 0


async def test_who_asks_again_in_time_keeps_his_orders(story: Story) -> None:
    me, wall = bidder(story), HandClock()
    async with running(story.engine, wall) as house:
        for _ in range(3):
            await house.count_down(me, 5_000)
            wall.ms += 4_000
            assert await house.alarm.ring()
        await house.count_down(me, 0)
        wall.ms += 10_000
        assert await house.alarm.ring()
        assert house.open_orders(me) == 1


async def test_what_is_set_anew_in_the_very_group_is_not_cancelled(story: Story) -> None:
    """The alarm's command waits behind the one that sets the countdown anew."""
    me, wall = bidder(story), HandClock()
    async with running(story.engine, wall) as house:
        await house.count_down(me, 5_000)
        first_ms = wall.ms + 5_000
        wall.ms += 5_000
        again_ = SetCountdown(account_id=me, countdown_ms=wall.ms + 5_000)
        late = CancelAll(account_id=me, countdown_ms=first_ms)
        await house.sequencer.submit_all([again_, late])
        assert house.open_orders(me) == 1


async def test_what_ran_out_while_the_exchange_was_down_is_cancelled_at_its_start(
    story: Story,
) -> None:
    me, other, wall = bidder(story), bidder(story), HandClock()
    async with running(story.engine, wall) as house:
        await house.count_down(me, 5_000)
        await house.count_down(other, 60_000)
    wall.ms += 10_000
    async with running(again(story.engine), wall) as house:
        ringing = asyncio.create_task(house.alarm.run())
        await until(lambda: not house.open_orders(me))
        assert house.open_orders(other) == 1
        ringing.cancel()


async def test_it_wakes_for_a_countdown_that_is_set_while_it_waits_for_another(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 3_600.0)
    me, wall = bidder(story), HandClock()
    async with running(story.engine, wall) as house:
        ringing = asyncio.create_task(house.alarm.run())
        await asyncio.sleep(0)
        await house.count_down(me, 1_000_000)
        await house.count_down(me, 1, SPOT)
        wall.ms += 1
        await until(lambda: not house.open_orders(me))
        assert house.engine.trading.countdowns.of(me).keys() == {""}
        ringing.cancel()


async def test_where_the_exchange_is_busy_it_rings_again(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, wall = bidder(story), HandClock()
    async with running(story.engine, wall) as house:
        await house.count_down(me, 5_000)
        wall.ms += 5_000
        with monkeypatch.context() as full:
            full.setattr(sequencing, "COMMANDS_WAITING_MAX", 0)
            assert not await house.alarm.ring()
        assert house.open_orders(me) == 1
        assert await house.alarm.ring()
        assert house.open_orders(me) == 0


async def test_more_than_one_group_holds_are_all_told_of(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_MAX", 2)
    people, wall = [bidder(story) for _ in range(5)], HandClock()
    async with running(story.engine, wall) as house:
        for person in people:
            await house.count_down(person, 5_000)
        wall.ms += 5_000
        ringing = asyncio.create_task(house.alarm.run())
        await until(lambda: not any(map(house.open_orders, people)))
        ringing.cancel()


async def test_it_ends_quietly_with_the_sequencer(story: Story) -> None:
    me, wall = bidder(story), HandClock()
    async with running(story.engine, wall) as house:
        await house.count_down(me, 5_000)
        wall.ms += 5_000
    await house.alarm.run()
    assert house.open_orders(me) == 1
