"""How fast a journal is recovered, against the engine alone on the same commands: `bench replay`.

A mixed flow is written into a journal. Recovering it reads every frame, checks its sum and its
place in the chain, decodes and applies its commands, and asserts every invariant at the end.
`with_views` is a start of the exchange: books, tickers, candles and the rings of private events are
told of all of it too.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exchange.bench.engine import CHUNK_COMMANDS_MAX, Sizes
from exchange.bench.measure import (
    calibration_per_s,
    collector_at_rest,
    peak_rss_mb,
    show_progress,
)
from exchange.bench.mixed import MixedFlow, mixed_venue
from exchange.build import running
from exchange.commands import AnyCommand, Tick
from exchange.engine import Engine
from exchange.groups import GENESIS_SEQ, encode_genesis, encode_group
from exchange.house import House
from exchange.recovery import JOURNAL, begin
from exchange.storage.journal import Journal
from risk.parameters import Venue

COMMANDS: Final = 50_000
GROUP_COMMANDS: Final = 100
ROUNDS: Final = 3


class Took(NamedTuple):
    """What a way through all commands took, and where it led."""

    seconds: float
    digest: str


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `bench replay`."""
    usual = Sizes()
    for name, about, default in (
        ("accounts", "accounts that trade", usual.accounts),
        ("commands", "commands behind the opening", COMMANDS),
        ("orders", "orders that rest when it begins", usual.orders),
        ("group", "commands a frame of the journal", GROUP_COMMANDS),
        ("seed", "what the flow is drawn from", usual.seed),
    ):
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{about} (default {default})"
        )
    parser.add_argument("--data", metavar="DIR", help="where the journal lies for as long")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")


def main(args: Namespace) -> int:
    """Run and print; 1 if the ways do not lead to one state."""
    if min(args.accounts, args.commands, args.group) < 1 or args.orders < 0:
        print("bench replay: accounts, commands and group are at least 1", file=sys.stderr)
        return 2
    sizes = Sizes(args.accounts, args.commands, args.orders, args.seed)
    report = run(sizes, args.group, args.data)
    print(json.dumps(report) if args.json else _text(report))
    if len(report["digests"]) != 1:
        print(f"the ways end differently: {report['digests']}", file=sys.stderr)
        return 1
    return 0


def run(sizes: Sizes, group: int, folder: str | None) -> dict[str, Any]:
    """Measure the three ways in turns and report the best of each."""
    calibration = calibration_per_s()
    venue = mixed_venue(sizes.seed, sizes.commands, sizes.commands_per_s)
    commands = recorded(venue, sizes)
    with tempfile.TemporaryDirectory(prefix="papertape-bench-", dir=folder) as place:
        directory = Path(place)
        size = _kept(directory, venue, commands, group)
        ways: Mapping[str, Callable[[], Took]] = {
            "engine": lambda: _applied(venue, commands),
            "recovery": lambda: _recovered(directory),
            "with_views": lambda: _started(directory),
        }
        took: dict[str, list[Took]] = {name: [] for name in ways}
        for turn in range(ROUNDS):
            for name, way in ways.items():
                took[name].append(way())
            show_progress("measured", turn + 1, ROUNDS)
    best = {name: min(each.seconds for each in times) for name, times in took.items()}
    digests = sorted({each.digest for times in took.values() for each in times})
    return {
        "bench": "replay",
        "build": running(),
        **sizes._asdict(),
        "commands": len(commands),
        "group": group,
        "journal_mb": round(size / 2**20, 1),
        "seconds": round(best["recovery"], 6),
        "rate_per_s": round(len(commands) / best["recovery"]),
        "engine_per_s": round(len(commands) / best["engine"]),
        "ratio_to_engine": round(best["engine"] / best["recovery"], 4),
        "with_views_per_s": round(len(commands) / best["with_views"]),
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "calibration_per_s": round(calibration),
        "digest": digests[0],
        "digests": digests,
    }


def recorded(venue: Venue, sizes: Sizes) -> list[AnyCommand]:
    """The flow's commands, numbered behind the genesis record's own."""
    engine = Engine(venue)
    flow = MixedFlow(
        venue,
        accounts=sizes.accounts,
        orders=sizes.orders,
        seed=sizes.seed,
        commands_per_s=sizes.commands_per_s,
    )
    made: list[AnyCommand] = []

    def play(commands: Sequence[AnyCommand]) -> None:
        for command in commands:
            engine.apply(command)
            made.append(command)

    for command in (*flow.opening(), *flow.resting()):
        play([command])
    done = 0
    while done < sizes.commands:
        count = min(CHUNK_COMMANDS_MAX, max(20, sizes.orders // 2), sizes.commands - done)
        play(flow.chunk(engine, count))
        done += count
    while engine.pending_work:
        play([flow.more()])
    return [msgspec.structs.replace(each, seq=each.seq + GENESIS_SEQ) for each in made]


def _kept(directory: Path, venue: Venue, commands: Sequence[AnyCommand], group: int) -> int:
    """Write the journal; its bytes."""
    journal = Journal.open(directory / JOURNAL)
    journal.append_and_sync(GENESIS_SEQ, 1, encode_genesis(venue))
    for at in range(0, len(commands), group):
        each = list(commands[at : at + group])
        journal.append_and_sync(each[0].seq, len(each), encode_group(each))
    size = journal.size_bytes
    journal.close()
    return size


def _applied(venue: Venue, commands: Sequence[AnyCommand]) -> Took:
    """The engine alone, as `bench engine` times it."""
    engine = Engine(venue)
    engine.apply(Tick(seq=GENESIS_SEQ, time_ms=venue.start_ms))
    apply = engine.apply
    with collector_at_rest():
        started = time.process_time()
        for command in commands:
            apply(command)
        seconds = time.process_time() - started
    return Took(seconds, engine.digest())


def _recovered(directory: Path) -> Took:
    """From the genesis record to the last command, all of it judged."""
    with collector_at_rest():
        started = time.process_time()
        recovery = begin(directory, _no_venue)
        recovery.replay()
        seconds = time.process_time() - started
    recovery.journal.close()
    return Took(seconds, recovery.engine.digest())


def _started(directory: Path) -> Took:
    """The same, and all that a start tells of it."""
    with collector_at_rest():
        started = time.process_time()
        recovery = begin(directory, _no_venue)
        recovery.replay(House(recovery.engine, None).listeners)
        seconds = time.process_time() - started
    recovery.journal.close()
    return Took(seconds, recovery.engine.digest())


def _no_venue() -> Venue:
    raise AssertionError("the journal holds its genesis record")


def _text(report: Mapping[str, Any]) -> str:
    """The report for a reader."""
    return "\n".join(
        [
            f"{report['commands']} commands recovered in {report['seconds']} s:"
            f" {report['rate_per_s']} a second, {report['build']}",
            f"{report['ratio_to_engine']} of the engine's {report['engine_per_s']};"
            f" with views {report['with_views_per_s']}",
            f"{report['journal_mb']} MiB of journal, {report['group']} commands a frame; at most"
            f" {report['peak_rss_mb']} MiB; calibration {report['calibration_per_s']}",
            f"digest {report['digest']}",
        ]
    )
