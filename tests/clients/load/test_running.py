"""Tests of a run, against a small exchange: opened, driven, tidied up, stopped, broken off."""

import asyncio
import io
from typing import Any

import pytest

from clients.errors import PapertapeError
from clients.load import opening
from clients.load.line import connect
from clients.load.options import Target
from clients.load.plan import make_plan
from clients.load.progress import Progress
from clients.load.report import Report
from clients.load.running import Run
from tests.clients.fake_exchange import KEY, SECRET, FakeExchange, Refused, eventually
from tests.clients.load.lines import socket_of
from tests.clients.load.test_opening import mark
from tests.clients.load.worlds import shape


def running(
    exchange: FakeExchange, *, own_key: bool = False, slow_readers: int = 0, **changes: Any
) -> Run:
    key, secret = (KEY, SECRET) if own_key else (None, None)
    target = Target(exchange.url, (socket_of(exchange),), key, secret, slow_readers)
    usual = {"rate": 400, "seconds": 0.5, "warm_up_s": 0.1}
    return Run(target, make_plan(shape(**(usual | changes))), Progress(io.StringIO()))


async def test_a_run_asks_what_was_planned_and_cancels_what_it_left(venue: FakeExchange) -> None:
    run = running(venue)
    report = await run.report()
    # 0.5 s at 400 a second, after 40 of warm-up.
    assert (report.warm_up_requests, report.planned, report.sent) == (40, 200, 200)
    assert report.done + report.refused == 200
    assert report.unanswered == report.unsent == 0
    assert not report.interrupted
    ops = set(venue.ops())
    assert {"login", "faucet", "order.place", "order.amend", "order.cancel"} <= ops
    assert {"subscribe", "order.cancel_all"} <= ops
    assert all(order.status != "new" for order in venue.orders.values())
    assert report.pushes > 0
    assert report.server is None  # The small exchange has no metrics.
    await eventually(lambda: not venue.lines)  # Everybody hung up.


async def test_the_same_seed_asks_the_same(venue: FakeExchange) -> None:
    asked = []
    for _ in range(2):
        venue.asked.clear()
        await running(venue, connections=1).report()
        orders = [f for f in venue.asked if f["op"].startswith("order.") and "client_id" in f]
        assert len(orders) > 150
        # But for the name of the run.
        asked.append([f | {"client_id": f["client_id"].split("-")[2:]} for f in orders])
    assert asked[0] == asked[1]


async def test_with_a_key_all_share_its_account_and_only_their_own_is_cancelled(
    venue: FakeExchange,
) -> None:
    run = running(venue, own_key=True, mix={"place": 1})
    with pytest.MonkeyPatch.context() as patch:
        listed = []

        async def cancel_own(line: Any, name: str) -> None:
            listed.append(name)

        patch.setattr("clients.load.opening.cancel_own", cancel_own)
        await run.report()
    assert "order.cancel_all" not in venue.ops()
    (name,) = listed
    named = [f["client_id"] for f in venue.asked if f["op"] == "order.place"]
    assert named
    assert all(client_id.startswith(f"{name}-") for client_id in named)
    # One account, so it is paid once: BTC and USDT in spot, USDT in perp.
    assert venue.ops().count("faucet") == 3


async def test_slow_readers_come_besides(venue: FakeExchange) -> None:
    report = await running(venue, slow_readers=2).report()
    assert venue.ops().count("login") == 4
    assert report.slow_readers is not None
    assert (report.slow_readers.readers, report.slow_readers.lost) == (2, {})
    assert report.slow_readers.messages > 0


async def stopped(venue: FakeExchange, run: Run) -> Report:
    task = asyncio.create_task(run.report())
    await eventually(lambda: venue.ops().count("order.place") > 20 or task.done())
    task.cancel()
    return await task


async def test_a_run_that_is_stopped_reports_what_came_so_far(venue: FakeExchange) -> None:
    report = await stopped(venue, running(venue, seconds=600, warm_up_s=0))
    assert report.interrupted
    assert 20 < report.sent < 240_000
    assert report.done > 0
    assert report.measured_s < 600
    assert "order.cancel_all" in venue.ops()
    assert all(order.status != "new" for order in venue.orders.values())


async def test_a_run_that_is_stopped_while_it_opens_ends_and_hangs_up(
    venue: FakeExchange,
) -> None:
    venue.refuse["faucet"] = Refused("RATE_LIMITED", retry_ms=60_000)
    task = asyncio.create_task(running(venue).report())
    await eventually(lambda: "faucet" in venue.ops())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: not venue.lines)


async def test_connections_that_break_are_told_and_the_report_still_comes(
    venue: FakeExchange,
) -> None:
    task = asyncio.create_task(running(venue, seconds=600, warm_up_s=0).report())
    await eventually(lambda: venue.ops().count("order.place") > 20 or task.done())
    await venue.break_all()
    report = await task
    assert report.connections_lost == {"1012": 2}
    assert report.lost_all
    assert report.interrupted  # With nobody left to ask, it did not go on for ten minutes.
    assert report.unsent > 0
    lost = sum(codes.get("CONNECTION_LOST", 0) for codes in report.errors.values())
    assert lost == report.unsent


async def test_an_exchange_that_refuses_accounts_is_quoted(venue: FakeExchange) -> None:
    venue.history["/mark/BTC-USDT"] = mark("BTC-USDT")
    del venue.history["/mark/BTC-USDT-PERP"]
    with pytest.raises(PapertapeError, match="NOT_FOUND"):
        await running(venue, symbols=("BTC-USDT-PERP",)).report()


async def test_connections_are_spread_over_several_addresses(venue: FakeExchange) -> None:
    here = socket_of(venue)
    there = here.replace("127.0.0.1", "localhost")
    hosts = []

    async def connected(url: str, make: Any) -> Any:
        hosts.append(url)
        return await connect(url, make)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "connect", connected)
        plan = make_plan(shape(rate=400, seconds=0.2, warm_up_s=0))
        target = Target(venue.url, (here, there))
        report = await Run(target, plan, Progress(io.StringIO())).report()
    assert hosts == [here, there]
    assert report.url == f"{here}, {there}"
    assert report.unanswered == 0
