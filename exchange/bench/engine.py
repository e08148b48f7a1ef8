"""How many commands a second the whole engine takes, on the mixed flow: `bench engine`.

Risk, ledger, matching and the making of events, without sockets and journal.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from exchange.bench.measure import (
    calibration_per_s,
    collector_at_rest,
    peak_rss_mb,
    show_progress,
)
from exchange.bench.memory import measured
from exchange.bench.mixed import MixedFlow, mixed_venue
from exchange.bench.tally import Tally
from exchange.build import running
from exchange.cli.output import table
from exchange.commands import AnyCommand
from exchange.engine import Engine

COMMANDS: Final = 100_000
CHUNK_COMMANDS_MAX: Final = 2_000
GROWTH_COMMANDS: Final = 20_000
GROWTH: Final = (  # (accounts, resting orders)
    *((10, 1_000), (1_000, 1_000), (100_000, 1_000)),
    *((1_000, 10), (1_000, 10_000), (1_000, 100_000)),
)
INTERRUPTED_CODE: Final = 130


class Sizes(NamedTuple):
    """What a run is made of; equal sizes, equal digests."""

    accounts: int = 1_000
    commands: int = COMMANDS
    orders: int = 3_000
    seed: int = 1
    commands_per_s: int = 500  # Of exchange time: so many share the work of one grid point.


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `bench engine`."""
    usual = Sizes()
    for name, about in (
        ("accounts", "accounts that trade"),
        ("commands", "commands that are timed"),
        ("orders", "orders that rest when it begins, and about as many later"),
        ("seed", "what the flow is drawn from"),
    ):
        parser.add_argument(f"--{name}", type=int, help=f"{about} (default {getattr(usual, name)})")
    parser.add_argument("--growth", action="store_true", help="cost by accounts and by orders")
    parser.add_argument("--no-memory", action="store_true", help="do not weigh orders and accounts")
    parser.add_argument("--expect", metavar="DIGEST", help="digest the run must end with")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")


def main(args: Namespace) -> int:
    """Run and print; 1 if the digest is not the expected one."""
    given = {name: getattr(args, name) for name in ("accounts", "commands", "orders", "seed")}
    sizes = Sizes()._replace(**{name: each for name, each in given.items() if each is not None})
    if min(sizes.accounts, sizes.commands) < 1 or sizes.orders < 0:
        print("bench engine: accounts and commands are at least 1, orders 0", file=sys.stderr)
        return 2
    report = growth(sizes) if args.growth else run(sizes)
    if not (args.growth or args.no_memory or report["interrupted"]):
        report |= measured()
    print(json.dumps(report) if args.json else _text(report))
    if report["interrupted"]:
        return INTERRUPTED_CODE
    if args.expect and args.expect != report.get("digest"):
        print(f"digest is {report.get('digest')}, expected {args.expect}", file=sys.stderr)
        return 1
    return 0


def run(sizes: Sizes) -> dict[str, Any]:
    """Play the mixed flow and report rate, mix, memory and digest.

    Only `Engine.apply` is timed, the work that is left pending at the end included. Commands are
    made and events counted between the timed chunks.
    """
    calibration = calibration_per_s()
    venue = mixed_venue(sizes.seed, sizes.commands, sizes.commands_per_s)
    engine = Engine(venue)
    flow = MixedFlow(
        venue,
        accounts=sizes.accounts,
        orders=sizes.orders,
        seed=sizes.seed,
        commands_per_s=sizes.commands_per_s,
    )
    tally = Tally()
    _open(engine, flow, sizes)
    with collector_at_rest():
        seconds, interrupted = _play(engine, flow, tally, sizes)
    rate = tally.commands / seconds if seconds else 0.0
    report = {
        "bench": "engine",
        "build": running(),
        **sizes._asdict(),
        "commands": tally.commands,
        "seconds": round(seconds, 6),
        "rate_per_s": round(rate),
        "us_per_command": round(1e6 / rate, 2) if rate else 0.0,
        "events": tally.events,
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "calibration_per_s": round(calibration),
        "ratio_to_calibration": round(rate / calibration, 6),
        "mix": tally.mix(),
        "interrupted": interrupted,
    }
    if not interrupted:
        engine.check()
        report["digest"] = engine.digest()
    return report


def _open(engine: Engine, flow: MixedFlow, sizes: Sizes) -> None:
    """Prices, accounts and the orders that rest before the run; none of it is timed."""
    total = 3 * sizes.accounts + sizes.orders
    done = 0
    for opening in (flow.opening(), flow.resting()):
        for command in opening:
            engine.apply(command)
            done += 1
            if not done % CHUNK_COMMANDS_MAX:
                show_progress("setting up", min(done, total), total)
    while engine.pending_work:
        engine.apply(flow.more())


def _play(engine: Engine, flow: MixedFlow, tally: Tally, sizes: Sizes) -> tuple[float, bool]:
    """(seconds spent in the engine, whether Ctrl-C ended it before its time).

    Few resting orders want short chunks, or the flow would lose sight of which are open.
    """
    chunk = min(CHUNK_COMMANDS_MAX, max(20, sizes.orders // 2))
    seconds = 0.0
    try:
        while tally.commands < sizes.commands:
            seconds += _timed(engine, tally, flow.chunk(engine, chunk))
            show_progress("measured", min(tally.commands, sizes.commands), sizes.commands)
        while engine.pending_work:
            seconds += _timed(engine, tally, [flow.more()])
    except KeyboardInterrupt:
        return seconds, True
    return seconds, False


def _timed(engine: Engine, tally: Tally, commands: list[AnyCommand]) -> float:
    """Obey a chunk, then count what came of it; the seconds of the former."""
    apply = engine.apply
    started = time.perf_counter()
    told = [apply(command) for command in commands]
    seconds = time.perf_counter() - started
    tally.count(commands, told)
    return seconds


def growth(sizes: Sizes) -> dict[str, Any]:
    """The cost of a command by accounts, and by resting orders, in one run.

    Each row is a run of its own, over its own hour; what it was made of stands beside its cost.
    """
    calibration = calibration_per_s()
    rows: list[dict[str, Any]] = []
    interrupted = False
    for accounts, orders in GROWTH:
        row = run(sizes._replace(accounts=accounts, orders=orders, commands=GROWTH_COMMANDS))
        interrupted = bool(row["interrupted"])
        if interrupted:
            break
        names = ("accounts", "orders", "commands", "seconds", "rate_per_s", "us_per_command")
        shares = {name: each for name, each in row["mix"].items() if name.startswith("share_")}
        rows.append({name: row[name] for name in (*names, "digest")} | shares)
    return {
        "bench": "engine",
        "build": running(),
        "seed": sizes.seed,
        "commands": sum(row["commands"] for row in rows),
        "seconds": round(sum(row["seconds"] for row in rows), 6),
        "rate_per_s": rows[0]["rate_per_s"] if rows else 0,
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "calibration_per_s": round(calibration),
        "growth": rows,
        "interrupted": interrupted,
    }


def _text(report: Mapping[str, Any]) -> str:
    """The report for a reader."""
    if "growth" in report:
        return _growth_text(report["growth"])
    mix = report["mix"]
    lines = [
        f"{report['commands']} commands in {report['seconds']} s: {report['rate_per_s']} a second"
        f" ({report['ratio_to_calibration']} of the calibration loop's"
        f" {report['calibration_per_s']}), {report['build']}",
        f"{report['accounts']} accounts, {report['events']} events, at most"
        f" {report['peak_rss_mb']} MiB",
        f"per command {mix['share_of_fills']} trades; {mix['share_of_rejects']} were refused,"
        f" {mix['share_of_margin_orders']} were margin orders,"
        f" {mix['share_of_perpetual_orders']} orders on perpetuals",
        f"{mix['liquidations']} liquidations, {mix['margin_calls']} margin calls,"
        f" {mix['funding_charges']} funding and {mix['interest_charges']} interest charges",
    ]
    lines += [f"  {name}: {count}" for name, count in mix["kinds"].items()]
    if "bytes_per_resting_order" in report:
        lines.append(
            f"a resting order takes {report['bytes_per_resting_order']} bytes,"
            f" an idle account {report['bytes_per_idle_account']}"
        )
    digest = report.get("digest")
    lines.append(f"digest {digest}" if digest else "interrupted: no digest")
    return "\n".join(lines)


def _growth_text(rows: list[dict[str, Any]]) -> str:
    head = ("accounts", "orders", "us per command", "trades", "refused")
    cells = [
        (
            str(row["accounts"]),
            str(row["orders"]),
            f"{row['us_per_command']:.2f}",
            str(row["share_of_fills"]),
            str(row["share_of_rejects"]),
        )
        for row in rows
    ]
    return table(head, cells, left=0)
