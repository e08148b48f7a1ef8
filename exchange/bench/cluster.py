"""Orders a second through one gateway, then two, of a cluster on this machine: `bench cluster`.

Redis, a core and the gateways are processes of their own; each connection keeps so many messages
in flight, and connections are dealt out to the gateways in turn. The answer to an order comes when
it is in the log that Redis has synced. What each process used of a processor is told beside it:
where machines have fewer cores than there are processes, that says more than the rate.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from exchange.bench.measure import calibration_per_s, show_progress
from exchange.bench.orders_flow import BITCOINS, MIX, Sender
from exchange.bench.pipes import Pipe, connected
from exchange.bench.processes import CONFIG, cpu_s_of, open_account, peak_rss_mb_of
from exchange.build import running
from exchange.cluster.local import ClusterRefused, LocalCluster, Plan
from exchange.process import loop_factory

KINDS: Final = ("core", "gateway", "redis")


class Sizes(NamedTuple):
    """What a run is made of."""

    gateways: int = 2
    connections: int = 50
    in_flight: int = 16
    commands: int = 40_000


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `bench cluster`."""
    usual = Sizes()
    for name, about in (
        ("gateways", "the most of them: it runs with 1, then 2, up to so many"),
        ("connections", "WebSockets, each of an account of its own"),
        ("in-flight", "messages each has sent and not had answered"),
        ("commands", "orders and cancellations that are timed, each time"),
    ):
        default = getattr(usual, name.replace("-", "_"))
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{about} (default {default})"
        )
    parser.add_argument("--data", metavar="DIR", help="where Redis keeps its log for as long")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")


def main(args: Namespace) -> int:
    """Run and print."""
    sizes = Sizes(args.gateways, args.connections, args.in_flight, args.commands)
    if min(sizes) < 1:
        print("bench cluster: everything is at least 1", file=sys.stderr)
        return 2
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            report = runner.run(run(sizes, args.data))
    except ClusterRefused as error:
        print(f"bench cluster: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report) if args.json else _text(report))
    return 0


async def run(sizes: Sizes, folder: str | None) -> dict[str, Any]:
    """Measure with each number of gateways, and report."""
    calibration = calibration_per_s()
    runs = []
    for gateways in range(1, sizes.gateways + 1):
        with tempfile.TemporaryDirectory(prefix="papertape-bench-", dir=folder) as data:
            runs.append(await _with(gateways, sizes, Path(data)))
        show_progress("numbers of gateways", gateways, sizes.gateways)
    last = runs[-1]
    return {
        "bench": "cluster",
        "build": running(),
        **sizes._asdict(),
        "commands": last["commands"],
        "seconds": last["seconds"],
        "rate_per_s": last["rate_per_s"],
        "runs": runs,
        "ratio_to_one_gateway": round(last["rate_per_s"] / runs[0]["rate_per_s"], 3),
        "mix": MIX,
        "peak_rss_mb": last["peak_rss_mb"],
        "calibration_per_s": round(calibration),
    }


async def _with(gateways: int, sizes: Sizes, data: Path) -> dict[str, Any]:
    """One cluster with so many gateways, from its start to its end."""
    config = data / "bench.toml"
    config.write_text(CONFIG, "utf-8")
    flags = ("--config", str(config))
    plan = Plan(data=data, gateways=gateways, port=0, core_flags=flags, gateway_flags=flags)
    cluster = await LocalCluster.start(plan)
    try:
        doors = [child.said for name, child in cluster.children.items() if "gateway" in name]
        pipes = await _traders(doors, sizes.connections)
        senders = [Sender(number) for number in range(len(pipes))]
        each = max(1, sizes.commands // sizes.connections)
        await _play(pipes, senders, max(1, each // 10), sizes.in_flight)  # To warm up.
        before, started = _cpu_s(cluster), time.perf_counter()
        count = await _play(pipes, senders, each, sizes.in_flight)
        seconds = time.perf_counter() - started
        used = {kind: cpu_s - before[kind] for kind, cpu_s in _cpu_s(cluster).items()}
        refused = sum(len(pipe.refused) for pipe in pipes)
        peak_mb = max(map(peak_rss_mb_of, _pids(cluster, "")))
        for pipe in pipes:
            pipe.close()
    finally:
        await cluster.stop()
    return {
        "gateways": gateways,
        "commands": count,
        "seconds": round(seconds, 6),
        "rate_per_s": round(count / seconds),
        "refused": refused,
        **{f"{kind}_us_per_command": round(used[kind] / count * 1e6, 2) for kind in KINDS},
        **{f"{kind}_share_of_a_core": round(used[kind] / seconds, 3) for kind in KINDS},
        "peak_rss_mb": round(peak_mb, 1),
    }


async def _traders(doors: Sequence[Mapping[str, Any]], count: int) -> list[Pipe]:
    """Connections that speak for accounts with something to sell, to one gateway after another."""
    pipes = []
    for number in range(count):
        door = doors[number % len(doors)]
        account = await asyncio.to_thread(open_account, door["url"])
        pipe = await connected(f"{door['fast_url']}/v1/ws")
        await pipe.login(account)
        await pipe.ask("faucet", wallet="spot", asset="BTC", amount=BITCOINS)
        pipes.append(pipe)
    return pipes


async def _play(pipes: Sequence[Pipe], senders: Sequence[Sender], each: int, in_flight: int) -> int:
    """Have every connection send so many; answers how many that were."""
    frames = [sender.frames(each) for sender in senders]
    await asyncio.gather(
        *(pipe.play(mine, in_flight, judged=True) for pipe, mine in zip(pipes, frames, strict=True))
    )
    return sum(map(len, frames))


def _pids(cluster: LocalCluster, kind: str) -> list[int]:
    return [
        child.process.pid
        for name, child in cluster.children.items()
        if name.startswith(kind) and child.process is not None
    ]


def _cpu_s(cluster: LocalCluster) -> dict[str, float]:
    """Processor time used so far by the processes of each kind, all of a kind together."""
    return {kind: sum(map(cpu_s_of, _pids(cluster, kind))) for kind in KINDS}


def _text(report: Mapping[str, Any]) -> str:
    """The report for a reader."""
    lines = [
        f"{each['gateways']} gateways: {each['rate_per_s']} commands a second; of a processor the"
        f" core used {each['core_share_of_a_core']}, the gateways together"
        f" {each['gateway_share_of_a_core']}, Redis {each['redis_share_of_a_core']}"
        for each in report["runs"]
    ]
    return "\n".join(
        [
            *lines,
            f"{report['ratio_to_one_gateway']} of the rate with one gateway; {report['build']},"
            f" {report['connections']} connections x {report['in_flight']} in flight,"
            f" calibration {report['calibration_per_s']}",
        ]
    )
