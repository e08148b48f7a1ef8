"""Tests of the month: how time is stepped, when it is killed or stopped, and what is noted."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import msgspec
import pytest
import pytest_asyncio

from clients.api import Papertape
from clients.errors import PapertapeError
from clients.january.month import HOUR_MS, Month, Plan
from clients.january.people import Trader, four_traders
from clients.january.progress import Progress
from clients.january.server import Server
from exchange.wire import AuditSay, TimeSay, ViolationSay
from tests.clients.fake_exchange import ADMIN, FakeExchange, eventually

BEGIN_MS = 1_640_995_200_000  # 2022-01-01 00:00 UTC
MINUTE_MS = 60_000


class Clockwork(FakeExchange):
    """An exchange with a clock: it stands and is stepped, or moves on when it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = BEGIN_MS - 59 * MINUTE_MS
        self.audit = AuditSay(True, 1, {}, [], {}, {}, 0)
        self.clock_asked: list[dict[str, Any]] = []
        self.running_ms = 0  # How far time runs by itself between two looks at it.
        self.goes_down_at = -1  # In the step from this moment on, behind half of it.
        self.on_audit: dict[int, Callable[[], None]] = {}  # By the audit's number.
        self.audits = 0
        self.audits_stand = False

    async def _answer(self, request: Any, body: bytes) -> tuple[int, Any]:
        match request.path:
            case "/v1/time":
                self.now_ms += self.running_ms
                return 200, self.time()
            case "/v1/audit":
                self.audits += 1
                self.on_audit.get(self.audits, bool)()
                self.audit.checked_at_seq += 0 if self.audits_stand else 1
                return 200, self.audit
            case "/v1/admin/clock":
                assert request.headers["X-Papertape-Admin"] == ADMIN
                return 200, self._clock(request, msgspec.json.decode(body))
        return await super()._answer(request, body)

    def _clock(self, request: Any, ask: dict[str, Any]) -> TimeSay:
        asked = {name: value for name, value in ask.items() if value is not None}
        self.clock_asked.append(asked)
        step_ms = asked.get("step_ms", 0)
        if step_ms and self.now_ms == self.goes_down_at:
            self.now_ms += step_ms // 2
            request.transport.close()
        else:
            self.now_ms += step_ms
        if asked.get("pause") is False:
            self.running_ms = int(asked["speed"] * 500)
        elif asked.get("pause"):
            self.running_ms = 0
        return self.time()

    def time(self) -> TimeSay:
        return TimeSay(self.now_ms, 0, 0.0, True, "paper")

    def steps(self) -> list[int]:
        return [asked["step_ms"] for asked in self.clock_asked if "step_ms" in asked]


class Stand:
    """What a month needs of its server."""

    admin_key = ADMIN

    def __init__(self, exchange: Clockwork) -> None:
        self.url = exchange.url
        self.said: list[str] = []

    async def kill(self) -> None:
        self.said.append("kill")

    async def start(self) -> None:
        self.said.append("start")


@pytest_asyncio.fixture
async def clockwork() -> AsyncIterator[Clockwork]:
    fake = Clockwork()
    await fake.start()
    yield fake
    await fake.stop()


def month_of(
    clockwork: Clockwork,
    plan: Plan,
    traders: list[Trader] | None = None,
    said: io.StringIO | None = None,
) -> Month:
    traders = [four_traders()[-1]] if traders is None else traders
    progress = Progress(said or io.StringIO(), plan.begin_ms, plan.end_ms)
    return Month(cast(Server, Stand(clockwork)), plan, traders, progress)


PLAN = Plan(BEGIN_MS, BEGIN_MS + 2 * HOUR_MS + 30 * MINUTE_MS)


async def test_steps_end_at_round_hours_and_at_the_end(clockwork: Clockwork) -> None:
    async with month_of(clockwork, PLAN) as month:
        await month.live()
        assert month.now_ms == PLAN.end_ms
        assert clockwork.steps() == [59 * MINUTE_MS, HOUR_MS, HOUR_MS, 30 * MINUTE_MS]
        (fate,) = await month.fates()
    assert fate.name == "holder"
    # 1000 + 1 - 2 - 3 + 4, as the exchange's sums say.
    assert fate.equity == "1000.00"
    assert month.audits == 4
    assert not clockwork.lines


def test_busier_agents_make_smaller_steps() -> None:
    assert Plan(0, 1).step_ms == HOUR_MS
    assert Plan(0, 1, agent_step_ms=30_000).step_ms == 30 * MINUTE_MS
    assert Plan(0, 1, agent_step_ms=100).step_ms == MINUTE_MS


async def test_positions_are_taken_at_the_beginning_to_the_millisecond(
    clockwork: Clockwork,
) -> None:
    seen: list[int] = []
    trader = four_traders()[-1]
    hold = trader.take_position

    async def noting(client: Any) -> Any:
        seen.append(clockwork.now_ms)
        return await hold(client)

    trader.take_position = noting
    async with month_of(clockwork, PLAN, [trader]) as month:
        await month.live()
    assert seen == [BEGIN_MS]


async def test_a_kill_falls_into_a_step_and_the_rest_goes_on_from_there(
    clockwork: Clockwork,
) -> None:
    plan = Plan(BEGIN_MS, BEGIN_MS + 4 * HOUR_MS, kill=True)
    clockwork.goes_down_at = plan.middle_ms
    said = io.StringIO()
    month = month_of(clockwork, plan, said=said)
    async with month:
        await month.live()
    assert cast(Stand, month.server).said == ["kill", "start"]
    # To the beginning, the first two hours, half of the third (the kill), what is left of both.
    hours = [59 / 60, 1, 1, 1, 0.5, 1]
    assert clockwork.steps() == [round(hour * HOUR_MS) for hour in hours]
    assert month.now_ms == plan.end_ms
    assert "killed in the middle of a step and started again at 2022-01-01 02:30:00" in (
        said.getvalue()
    )


async def test_an_exchange_that_was_quicker_than_the_kill_is_said_to_be(
    clockwork: Clockwork,
) -> None:
    said = io.StringIO()
    async with month_of(clockwork, dataclasses.replace(PLAN, kill=True), said=said) as month:
        await month.live()
    assert "killed between two steps" in said.getvalue()
    assert month.now_ms == PLAN.end_ms


async def test_a_stop_ends_behind_the_step_under_way(clockwork: Clockwork) -> None:
    async with month_of(clockwork, PLAN) as month:
        clockwork.on_audit = {2: month.ask_to_stop}
        await month.live()
        assert month.now_ms == BEGIN_MS + HOUR_MS
        assert [fate.name for fate in await month.fates()] == ["holder"]


async def test_a_stop_before_the_beginning_opens_nothing(clockwork: Clockwork) -> None:
    async with month_of(clockwork, PLAN) as month:
        clockwork.on_audit = {1: month.ask_to_stop}
        await month.live()
        assert await month.fates() == []
    assert clockwork.asked == []


async def test_a_free_run_is_stepped_to_its_exact_end(clockwork: Clockwork) -> None:
    plan = dataclasses.replace(PLAN, speed=3_600.0)
    async with month_of(clockwork, plan) as month:
        await month.live()
    pauses = [asked for asked in clockwork.clock_asked if "pause" in asked]
    assert pauses == [{"pause": True}, {"speed": 3_600.0, "pause": False}, {"pause": True}]
    assert month.now_ms == plan.end_ms
    # 3,600 x 0.5 s are 30 minutes from look to look: three lead to the last hour (two looks long),
    # which is stepped: to two o'clock, and to half past.
    assert clockwork.steps() == [59 * MINUTE_MS, 30 * MINUTE_MS, 30 * MINUTE_MS]


async def test_what_the_auditor_finds_is_noted_once_with_its_moment(clockwork: Clockwork) -> None:
    clockwork.audit = AuditSay(
        False,
        1,
        {},
        [ViolationSay("I1", "a unit is missing", 1)],
        {},
        {"insurance:USDT": "-1"},
        0,
    )
    said = io.StringIO()
    async with month_of(clockwork, PLAN, said=said) as month:
        await month.live()
    assert month.problems == ["I1: a unit is missing", "insurance:USDT lacks -1"]
    assert (
        said.getvalue().count("2021-12-31 23:01:00: the auditor found: I1: a unit is missing") == 1
    )


async def test_an_audit_that_is_only_repeated_does_not_count(clockwork: Clockwork) -> None:
    clockwork.audits_stand = True
    async with month_of(clockwork, PLAN) as month:
        await month.live()
    assert month.audits == 1


async def test_traders_leave_whatever_happens(clockwork: Clockwork) -> None:
    async def refuse(client: Papertape) -> Any:
        await client.set_leverage("BTC-USDT-PERP", 5)
        assert len(clockwork.lines) == 2
        raise PapertapeError("NO", "it will not")

    traders = [four_traders()[-1], Trader("broken", "cannot", refuse)]
    with pytest.raises(PapertapeError, match="broken could not take its position: it will not"):
        async with month_of(clockwork, PLAN, traders) as month:
            await month.live()
    await eventually(lambda: not clockwork.lines)
