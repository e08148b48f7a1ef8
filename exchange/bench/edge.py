"""Durable orders a second through WebSockets, against the plain echo of the library: `bench edge`.

A real exchange in a process of its own, its journal on the disk and every check on; connections
that each keep so many messages in flight; and the same messages through a bare echo server of the
same library, in turns. An answer is sent when its command is durable.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final, NamedTuple

from exchange.bench.echo import LIBRARIES
from exchange.bench.measure import calibration_per_s, show_progress
from exchange.bench.orders_flow import BITCOINS, MIX, Sender
from exchange.bench.pipes import Pipe, connected
from exchange.bench.processes import (
    Process,
    Took,
    bare_process,
    exchange_process,
    metric,
    open_account,
    sync_p50_us,
)
from exchange.build import running
from exchange.process import loop_factory

COMMANDS: Final = 100_000
ROUNDS: Final = 5  # Of exchange and echo in turn.
PINGS: Final = 1_000
FRAME_BYTES: Final = 400  # Of a journal frame with one command, for the yardstick of a sync.


class Sizes(NamedTuple):
    """What a run is made of."""

    connections: int = 50
    in_flight: int = 16
    commands: int = COMMANDS
    pings: int = PINGS


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `bench edge`."""
    usual = Sizes()
    for name, about in (
        ("connections", "WebSockets, each of an account of its own"),
        ("in-flight", "messages each has sent and not had answered"),
        ("commands", "orders and cancellations that are timed"),
        ("pings", "of the one connection that waits for each answer"),
    ):
        default = getattr(usual, name.replace("-", "_"))
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{about} (default {default})"
        )
    parser.add_argument("--port", choices=tuple(LIBRARIES), default="fast", help="whose WebSockets")
    parser.add_argument("--data", metavar="DIR", help="where the journal lies for as long")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")


def main(args: Namespace) -> int:
    """Run and print."""
    sizes = Sizes(args.connections, args.in_flight, args.commands, args.pings)
    if min(sizes) < 1:
        print("bench edge: everything is at least 1", file=sys.stderr)
        return 2
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        report = runner.run(run(sizes, args.port, args.data))
    print(json.dumps(report) if args.json else text(report))
    return 0


async def run(sizes: Sizes, port: str, folder: str | None) -> dict[str, Any]:
    """Measure and report."""
    calibration = calibration_per_s()
    with ExitStack() as stack:
        served = stack.enter_context(exchange_process(folder))
        bare = stack.enter_context(bare_process(LIBRARIES[port]))
        url = served.said["fast_url" if port == "fast" else "url"]
        pipes = await _traders(served, f"{url}/v1/ws", sizes.connections)
        echoes = [await connected(bare.said["url"]) for _ in range(sizes.connections)]
        bench = _Bench(served, bare, pipes, echoes)
        # First, while the history has nothing to catch up with; the disk is asked just before.
        sync_us = sync_p50_us(folder, sizes.pings, FRAME_BYTES)
        pings = await bench.ping_pong(sizes.pings)
        orders, echo = await bench.rounds(sizes)
        groups = metric(served.said["url"], "papertape_group_commands_count")
        grouped = metric(served.said["url"], "papertape_group_commands_sum")
        applied_s = metric(served.said["url"], "papertape_apply_seconds_sum")
        peak_mb = served.peak_rss_mb()
        for pipe in [*pipes, *echoes]:
            pipe.close()
    return {
        "bench": "edge",
        "build": running(),
        "port": port,
        **sizes._asdict(),
        "commands": orders.messages,
        "seconds": round(orders.seconds, 6),
        "rate_per_s": round(orders.per_s),
        "echo_per_s": round(echo.per_s),
        "ratio_to_echo": round(orders.per_s / echo.per_s, 4),
        "server_us_per_command": round(orders.cpu_us, 2),
        "engine_us_per_command": round(applied_s / grouped * 1e6, 2),
        "server_us_per_echo": round(echo.cpu_us, 2),
        "commands_per_group": round(grouped / groups, 1),
        "refused": sum(len(pipe.refused) for pipe in pipes),
        "mix": MIX,
        **pings,
        "sync_p50_us": round(sync_us, 1),
        "ratio_to_sync_and_echo": round(pings["ping_p50_us"] / (sync_us + pings["echo_p50_us"]), 2),
        "peak_rss_mb": round(peak_mb, 1),
        "calibration_per_s": round(calibration),
    }


async def _traders(served: Process, address: str, count: int) -> list[Pipe]:
    """Connections that speak for accounts with something to sell."""
    pipes = []
    for number in range(count):
        account = await asyncio.to_thread(open_account, served.said["url"])
        pipe = await connected(address)
        await pipe.login(account)
        await pipe.ask("faucet", wallet="spot", asset="BTC", amount=BITCOINS)
        pipes.append(pipe)
        show_progress("accounts", number + 1, count)
    return pipes


class _Bench:
    """Both servers, and the connections to each."""

    def __init__(
        self, served: Process, bare: Process, pipes: Sequence[Pipe], echoes: Sequence[Pipe]
    ) -> None:
        self._served, self._bare = served, bare
        self._pipes, self._echoes = pipes, echoes
        self._senders = [Sender(number) for number in range(len(pipes))]

    async def rounds(self, sizes: Sizes) -> tuple[Took, Took]:
        """What the orders took, and what the echo of the same messages did, in turns."""
        each = max(1, sizes.commands // (ROUNDS * sizes.connections))
        await self._both(max(1, each // 4), sizes.in_flight)  # To warm up.
        orders = echo = Took()
        for turn in range(ROUNDS):
            once = await self._both(each, sizes.in_flight)
            orders, echo = orders.and_(once[0]), echo.and_(once[1])
            show_progress("measured", turn + 1, ROUNDS)
        return orders, echo

    async def _both(self, each: int, in_flight: int) -> tuple[Took, Took]:
        frames = [sender.frames(each) for sender in self._senders]
        return (
            await _played(self._served, self._pipes, frames, in_flight, judged=True),
            await _played(self._bare, self._echoes, frames, in_flight, judged=False),
        )

    async def ping_pong(self, count: int) -> dict[str, float]:
        """The median times of an order and of an echo, one by one on one connection."""
        frames = self._senders[0].frames(count)
        order_us = await _one_by_one(self._pipes[0], frames, judged=True)
        echo_us = await _one_by_one(self._echoes[0], frames, judged=False)
        return {"ping_p50_us": round(order_us, 1), "echo_p50_us": round(echo_us, 1)}


async def _played(
    process: Process,
    pipes: Sequence[Pipe],
    frames: Sequence[Sequence[bytes]],
    in_flight: int,
    *,
    judged: bool,
) -> Took:
    cpu_s, started = process.cpu_s(), time.perf_counter()
    await asyncio.gather(
        *(
            pipe.play(mine, in_flight, judged=judged)
            for pipe, mine in zip(pipes, frames, strict=True)
        )
    )
    seconds = time.perf_counter() - started
    return Took(sum(map(len, frames)), seconds, process.cpu_s() - cpu_s)


async def _one_by_one(pipe: Pipe, frames: Sequence[bytes], *, judged: bool) -> float:
    """The median, in microseconds."""
    times = []
    for frame in frames:
        started = time.perf_counter()
        await pipe.play([frame], 1, judged=judged)
        times.append(time.perf_counter() - started)
    return sorted(times)[len(times) // 2] * 1e6


def text(report: Mapping[str, Any]) -> str:
    """The report for a reader."""
    return "\n".join(
        [
            f"{report['commands']} commands in {report['seconds']} s on the {report['port']} port:"
            f" {report['rate_per_s']} a second, {report['build']}",
            f"{report['ratio_to_echo']} of the echo's {report['echo_per_s']};"
            f" {report['server_us_per_command']} us of the server's processor each,"
            f" an echo {report['server_us_per_echo']}",
            f"{report['connections']} connections x {report['in_flight']} in flight,"
            f" {report['commands_per_group']} commands a group, {report['refused']} refused",
            f"one by one {report['ping_p50_us']} us; a sync takes {report['sync_p50_us']}, an echo"
            f" {report['echo_p50_us']}: {report['ratio_to_sync_and_echo']} of both",
            f"at most {report['peak_rss_mb']} MiB; calibration {report['calibration_per_s']}",
        ]
    )
