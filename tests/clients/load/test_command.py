"""Tests of the command: its options, a whole run against a small exchange, and how it ends."""

import argparse
import asyncio
import io
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from clients.errors import PapertapeError
from clients.load.command import (
    Run,
    Target,
    add_arguments,
    main,
    mix_of,
    shape_of,
    target_of,
)
from clients.load.plan import DEFAULT_MIX, make_plan
from clients.load.progress import Progress
from clients.load.report import Report
from tests.clients.fake_exchange import KEY, SECRET, FakeExchange, Refused, eventually
from tests.clients.load.test_opening import mark
from tests.clients.load.worlds import SYMBOLS, shape


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


@pytest_asyncio.fixture
async def venue(exchange: FakeExchange) -> AsyncIterator[FakeExchange]:
    """The small exchange, with prices."""
    for symbol in SYMBOLS:
        exchange.history[f"/mark/{symbol}"] = mark(symbol, index="50000")
    yield exchange


def socket_of(exchange: FakeExchange) -> str:
    return exchange.url.replace("http", "ws") + "/v1/ws"


def running(
    exchange: FakeExchange, *, own_key: bool = False, slow_readers: int = 0, **changes: Any
) -> Run:
    key, secret = (KEY, SECRET) if own_key else (None, None)
    target = Target(exchange.url, socket_of(exchange), key, secret, slow_readers)
    usual = {"rate": 400, "seconds": 0.5, "warm_up_s": 0.1}
    return Run(target, make_plan(shape(**(usual | changes))), Progress(io.StringIO()))


# -- options -----------------------------------------------------------------------------------


def test_without_options_there_is_a_sensible_load() -> None:
    plan = make_plan(shape_of(parsed()))
    assert (plan.shape.connections, plan.shape.rate, plan.shape.seconds) == (20, 200.0, 10.0)
    assert plan.shape.mix == DEFAULT_MIX
    assert plan.shape.symbols == ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "ETH-USDT-PERP")
    target = target_of(parsed("--url", "http://127.0.0.1:8080/"))
    assert target == Target("http://127.0.0.1:8080", "ws://127.0.0.1:8080/v1/ws")


def test_every_option_reaches_the_shape_or_the_target() -> None:
    args = parsed(
        *("--url", "http://localhost:1", "--ws", "ws://127.0.0.1:2/v1/ws", "--connections", "10"),
        *("--rate", "50", "--ramp", "5", "--seconds", "3", "--warm-up", "0.5", "--seed", "9"),
        *("--symbols", "A-B, C-D,A-B,", "--mix", "place=2,cancel=1", "--slow-readers", "0.25"),
        *("--key", "k", "--secret", "s", "--json"),
    )
    assert shape_of(args) == shape(
        seed=9,
        connections=10,
        rate=50.0,
        ramp_from=5.0,
        seconds=3.0,
        warm_up_s=0.5,
        symbols=("A-B", "C-D"),
        mix={"place": 2, "cancel": 1},
    )
    # A quarter of ten, rounded up.
    assert target_of(args) == Target("http://localhost:1", "ws://127.0.0.1:2/v1/ws", "k", "s", 3)
    assert args.json


@pytest.mark.parametrize("text", ["eat=1", "place", "place=", "place=-1", "place=1.5", "=1"])
def test_a_mix_that_cannot_be_read_says_how_it_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="KIND=WEIGHT of place, amend"):
        mix_of(text)


@pytest.mark.parametrize(
    "address",
    [
        ("--url", "http://example.org"),
        ("--url", "http://192.168.0.1:8080"),
        ("--url", "http://0.0.0.0:8080"),
        ("--url", "https://papertape.example:8080"),
        ("--url", "http://localhost.example.org"),
        ("--url", "http://127.0.0.1@example.org"),
        ("--ws", "ws://example.org/v1/ws"),
    ],
)
def test_only_this_machine_is_loaded(address: tuple[str, str], capsys: Any) -> None:
    assert main(parsed(*address)) == 2
    assert "is not on this machine" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_every_name_of_this_machine_will_do(host: str) -> None:
    assert target_of(parsed("--url", f"http://{host}:9")).ws == f"ws://{host}:9/v1/ws"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--url", "127.0.0.1:8080"], "http://"),
        (["--ws", "http://127.0.0.1:8080"], "ws://"),
        (["--key", "k"], "--secret"),
        (["--secret", "s"], "--key"),
        (["--slow-readers", "-1"], "--slow-readers"),
        (["--slow-readers", "1000"], "20000 slow readers"),
        (["--rate", "0"], "rate"),
        (["--mix", "eat=1"], "--mix"),
        (["--symbols", ","], "symbol"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_asked(
    arguments: list[str], told: str, capsys: Any
) -> None:
    assert main(parsed(*arguments)) == 2
    assert told in capsys.readouterr().err


# -- a run -------------------------------------------------------------------------------------


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


# -- how it ends -------------------------------------------------------------------------------


def test_nobody_there_is_said_in_a_line(unused_tcp_port: int, capsys: Any) -> None:
    assert main(parsed("--url", f"http://127.0.0.1:{unused_tcp_port}")) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"nobody answers at http://127.0.0.1:{unused_tcp_port}" in said.err
    assert len(said.err.splitlines()) == 1


# Ctrl-C is for whoever has not been told to ignore it, as children of some test runners are.
_PROGRAM = """
import argparse, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from clients.load.command import add_arguments, main
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(main(parser.parse_args()))
"""


async def program(venue: FakeExchange, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM, "--url", venue.url, "--connections", "2"),
        *("--symbols", ",".join(SYMBOLS), "--warm-up", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there, signals are another matter")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_gives_the_report_so_far(venue: FakeExchange, number: int) -> None:
    process = await program(venue, "--seconds", "600", "--json")
    await eventually(lambda: venue.ops().count("order.place") > 20)
    process.send_signal(number)
    out, err = await process.communicate()
    assert process.returncode == 0, err
    report = json.loads(out)
    assert report["interrupted"] is True
    assert report["done"] > 0
    assert err == b""  # The progress bar is for terminals.


@pytest.mark.skipif(sys.platform == "win32", reason="there, signals are another matter")
async def test_if_nothing_was_answered_it_failed(venue: FakeExchange) -> None:
    venue.break_before_reply = ["order.place"] * 2  # On both connections, the first.
    process = await program(venue, "--seconds", "1", "--mix", "place=1", "--rate", "100")
    out, err = await process.communicate()
    assert process.returncode == 1
    assert b"nothing was answered" in err
    assert b"note: every connection was lost" in out
    assert b"answered 0 (0.0/s)" in out
    assert b"connections lost: 1012 x2" in out


async def test_people_get_a_table(venue: FakeExchange) -> None:
    process = await program(venue, "--seconds", "0.3")
    out, err = await process.communicate()
    assert process.returncode == 0, err
    assert b"from the planned time" in out
    assert b"from sending" in out
