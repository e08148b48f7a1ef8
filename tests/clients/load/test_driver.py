"""Tests of the driver: an open loop, whatever the exchange does."""

import asyncio

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.load.driver import AHEAD_NS, BURST, DRAIN_S, OneEach, WallTimer, drive
from clients.load.histogram import Histogram
from clients.load.line import connect
from clients.load.native_line import NativeLine
from clients.load.plan import NS_PER_S, Item, make_plan
from clients.load.record import REFUSED, Record
from tests.clients.load.worlds import (
    MS,
    Exchange,
    Manners,
    World,
    driven,
    prompt,
    shape,
    silent,
    stalling,
    surly,
    wording,
)


def above(histogram: Histogram, ns: int) -> float:
    """The share of values above a threshold, to a hundredth of a percent."""
    below = (parts for parts in range(10_000, 0, -1) if histogram.percentile(parts) <= ns)
    return 1 - next(below, 0) / 10_000


# -- the open loop -----------------------------------------------------------------------------


@pytest.mark.parametrize("manners", [prompt, silent, surly, stalling(3, 4)])
async def test_requests_go_out_at_their_times_whatever_is_answered(manners: Manners) -> None:
    plan, _, exchange = await driven(manners)
    assert [at_ns for at_ns, _ in exchange.heard] == [item.at_ns for item in plan.items]
    # And they are the same requests, to the byte.
    texts = [wording().text(number, item) for number, item in enumerate(plan.items)]
    assert [text for _, text in exchange.heard] == texts


async def test_a_prompt_exchange_is_measured_as_prompt() -> None:
    _, record, _ = await driven(prompt)
    assert (record.warm_up, record.sent, record.done) == (100, 1_000, 1_000)
    for latencies in (record.whole().from_planned, record.whole().from_sent):
        assert (latencies.count, latencies.min, latencies.max) == (1_000, MS, MS)


async def test_a_stall_of_the_exchange_shows_in_all_who_came_in_it() -> None:
    # From 5 to 6 s nothing is answered. 100 requests fall due in it, one in each hundredth of a
    # second, and wait 1 s ... 0 s and a millisecond: of 1,000, 10 % are late, 5 % by over 0.5 s.
    _, record, _ = await driven(stalling(5, 6))
    latencies = record.whole().from_planned
    assert latencies.count == 1_000
    assert NS_PER_S - 10 * MS <= latencies.max <= NS_PER_S + MS
    assert above(latencies, 2 * MS) == pytest.approx(0.1, abs=0.002)
    assert above(latencies, NS_PER_S // 2) == pytest.approx(0.05, abs=0.002)
    assert latencies.percentile(8_900) < 2 * MS
    tenths = record.pieces(10)
    stalled = tenths[4]  # The warm-up is one second: 5 ... 6 s is the fifth tenth.
    assert stalled.from_planned.min > MS
    assert all(s.from_planned.max == MS for s in tenths if s is not stalled)


class HoldingUp(Exchange):
    """An exchange whose stall holds up the generator too: a send takes until the stall is over."""

    def send(self, text: bytes) -> bool:
        now_ns = self._world.now_ns()
        if 5 * NS_PER_S <= now_ns < 6 * NS_PER_S:
            self._world.pass_until(6 * NS_PER_S)
        return super().send(text)


async def test_a_stall_that_holds_up_the_generator_cannot_hide() -> None:
    plan = make_plan(shape())
    world, record = World(), Record(plan)
    exchange = HoldingUp(world, record, prompt)
    await drive(plan, OneEach([exchange, exchange]), wording(), record, world)
    # The 100 requests of that second left at 6 s. Counted from then, one of them was slow, and
    # the test would have been passed: this is the omission.
    sent = record.whole().from_sent
    assert sent.percentile(9_990) < 2 * MS
    # Counted from when they should have left, 10 % were late, 5 % by over 0.5 s.
    planned = record.whole().from_planned
    assert (sent.count, planned.count) == (1_000, 1_000)
    assert above(planned, 2 * MS) == pytest.approx(0.1, abs=0.002)
    assert above(planned, NS_PER_S // 2) == pytest.approx(0.05, abs=0.002)
    assert record.lateness.max >= NS_PER_S - 20 * MS  # The second of them.


async def test_who_never_answers_is_waited_for_a_little_and_counted() -> None:
    plan, record, _ = await driven(silent)
    assert record.ended_ns >= plan.items[-1].at_ns + DRAIN_S * NS_PER_S
    assert (record.sent, record.answered, record.unanswered) == (1_000, 0, 1_000)
    # The first of the measured fell due 10 s before the last.
    assert record.whole().from_planned.max > (DRAIN_S + 9.9) * NS_PER_S


async def test_refusals_do_not_pass_for_quick_answers() -> None:
    _, record, _ = await driven(surly)
    assert (record.done, record.refused) == (0, 1_000)
    assert record.whole().from_planned.count == 0
    assert record.latencies[REFUSED].from_planned.count == 1_000


async def test_the_drain_ends_with_the_last_answer() -> None:
    plan, record, _ = await driven(prompt)
    assert record.ended_ns - plan.items[-1].at_ns < 20 * MS


class Impatient(World):
    """Somebody presses Ctrl-C after four seconds."""

    async def until(self, at_ns: int) -> None:
        await super().until(at_ns)
        if at_ns >= 4 * NS_PER_S:
            raise asyncio.CancelledError


async def test_a_run_that_is_stopped_leaves_a_record_of_what_came_until_then() -> None:
    plan = make_plan(shape())
    world, record = Impatient(), Record(plan)
    exchange = Exchange(world, record, stalling(3.5, 9))
    with pytest.raises(asyncio.CancelledError):
        await drive(plan, OneEach([exchange, exchange]), wording(), record, world)
    # One second of warm-up, 2.5 s answered, and half a second that never was.
    assert (record.sent, record.done, record.unanswered) == (300, 250, 50)
    assert record.ended_ns == pytest.approx(4 * NS_PER_S, abs=10 * MS)


class Broken:
    """A connection that is gone."""

    alive = False

    def send(self, text: bytes) -> bool:
        return False


async def test_requests_of_a_lost_connection_are_counted_and_the_others_go_on() -> None:
    plan = make_plan(shape())
    world, record = World(), Record(plan)
    await drive(
        plan, OneEach([Exchange(world, record, prompt), Broken()]), wording(), record, world
    )
    lost = sum(item.connection == 1 for item in plan.items[100:])
    assert (record.unsent, record.done) == (lost, 1_000 - lost)
    assert sum(codes["CONNECTION_LOST"] for codes in record.errors.values()) == lost > 0


async def test_nobody_waits_for_answers_when_all_connections_are_gone() -> None:
    plan = make_plan(shape())
    world, record = World(), Record(plan)
    exchange = Exchange(world, record, silent)
    world.at(plan.ends_ns - 1, lambda: setattr(exchange, "alive", False))
    await drive(plan, OneEach([exchange, exchange]), wording(), record, world)
    assert record.unanswered == 1_000
    assert record.ended_ns == plan.ends_ns


async def test_a_run_ends_when_there_is_nobody_left_to_ask() -> None:
    plan = make_plan(shape())
    world, record = World(), Record(plan)
    await drive(plan, OneEach([Broken(), Broken()]), wording(), record, world)
    assert record.ended_ns == plan.items[0].at_ns


# -- real time ---------------------------------------------------------------------------------


async def test_the_timer_comes_back_no_sooner_than_asked_and_lets_others_run_when_late() -> None:
    timer = WallTimer()
    await timer.until(3 * MS)
    assert timer.now_ns() >= 3 * MS
    turns = 0

    async def other() -> None:
        nonlocal turns
        turns += 1

    task = asyncio.create_task(other())
    for _ in range(BURST - 1):
        await timer.until(0)
    assert turns == 0  # Late: the first of a burst go out one behind the other,
    await timer.until(0)
    assert turns == 1  # and then whoever waits has a turn.
    await task
    timer.begin()
    assert timer.now_ns() < 3 * MS * 1_000


async def test_waiting_for_a_moment_is_not_counted_as_work() -> None:
    timer = WallTimer()
    while not timer.own_work().idle_ns:  # At the first go, unless the machine was elsewhere.
        await timer.until(timer.now_ns() + MS)
    own = timer.own_work()
    # Nobody asked for the time: whatever turns of the loop there were, they only waited.
    assert 0 < own.idle_ns <= own.cpu_ns


async def test_turns_in_which_somebody_is_at_work_are_not_idle() -> None:
    timer = WallTimer()

    async def at_work() -> None:
        while True:
            timer.now_ns()  # As a line does with every message.
            await asyncio.sleep(0)

    task = asyncio.create_task(at_work())
    await asyncio.sleep(0)
    await timer.until(1_000_000)
    task.cancel()
    assert timer.own_work().idle_ns == 0


class Hesitant(World):
    """Notes how far ahead of a request's time it is worded."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead: list[int] = []

    def text(self, number: int, item: Item) -> bytes:
        self.ahead.append(item.at_ns - self.now_ns())
        return wording().text(number, item)


async def test_a_request_is_worded_just_before_it_leaves_for_it_may_say_the_time() -> None:
    plan = make_plan(shape(rate=2, warm_up_s=0))
    world, record = Hesitant(), Record(plan)
    exchange = Exchange(world, record, prompt)
    await drive(plan, OneEach([exchange, exchange]), world, record, world)
    assert len(world.ahead) == 20
    assert max(world.ahead) <= AHEAD_NS
    assert max(world.ahead) > 0


# -- real sockets ------------------------------------------------------------------------------


class Stalling:
    """A server that answers at once, but from its hundredth request to its two-hundredth nobody."""

    def __init__(self) -> None:
        self._heard = 0
        self._held: list[int] = []
        app = web.Application()
        app.router.add_get("/v1/ws", self._talk)
        self.server = TestServer(app)

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            self._held.append(msgspec.json.decode(message.data)["id"])
            self._heard += 1
            if not 100 <= self._heard < 200:
                for number in self._held:
                    await socket.send_str(f'{{"id":{number},"ok":true}}')
                self._held.clear()
        return socket


async def test_a_real_server_that_stalls_cannot_hide_behind_its_silence() -> None:
    plan = make_plan(shape(rate=400, seconds=1, warm_up_s=0, connections=1))
    stalling = Stalling()
    await stalling.server.start_server()
    url = str(stalling.server.make_url("/v1/ws")).replace("http", "ws")
    record, timer = Record(plan), WallTimer()
    line = await connect(url, lambda: NativeLine(record, timer))
    timer.begin()
    # Who waited for an answer before he asked again would never ask for the 101st time.
    await drive(plan, OneEach([line]), wording(), record, timer)
    await line.close()
    await stalling.server.close()
    assert (record.sent, record.done, record.unanswered) == (400, 400, 0)
    # Requests 100 to 199 wait for the 200th, however quick or slow this machine is.
    ends_ns = plan.items[199].at_ns
    at_least = [ends_ns - item.at_ns for item in plan.items[99:199]]
    planned = record.whole().from_planned
    assert planned.max >= max(at_least)
    for share in (4, 2):  # A quarter of 400 waited; of these, half of them half the time.
        longest_ns = max(at_least) * (share - 1) // share
        assert planned.above(longest_ns) >= sum(ns > longest_ns * 1.01 for ns in at_least) > 20
