"""`papertape verify` and `papertape replay`: look at what is kept, change nothing."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from exchange.cli.output import GREEN, RED, Failure, UsageError, painted, print_json, table
from exchange.cli.redis_options import add_redis_options, redis_of
from exchange.engine import Engine
from exchange.recovery import RecoveryFailed
from exchange.storage.segments import JournalCorrupt, JournalPruned
from exchange.storage.snapshots import BadSnapshot
from exchange.verify import Progress, Replayed, VerifyReport
from exchange.verify import replay as replay_to
from exchange.verify import verify as verify_directory

URL: Final = re.compile(r"[a-z]+://")
SEQ_MAX: Final = 100_000_000_000  # A larger number is a moment: this one, in 1973.

VERIFY_EXAMPLES: Final = """\
examples:
  papertape verify ./papertape-data
  papertape verify ./papertape-data --json
  papertape verify redis://10.0.0.5:6379 --venue main     the log of a cluster

It replays the journal, checks every frame's checksum and place in the chain, every snapshot's
digest and the invariants, and prints the digest of the state. It may run beside the exchange."""

REPLAY_EXAMPLES: Final = """\
examples:
  papertape replay ./papertape-data                        the state as it is
  papertape replay ./papertape-data --to 12000             behind command 12000
  papertape replay ./papertape-data --to 2026-11-23T12:00  as it was at noon (UTC)
  papertape replay ./papertape-data --json                 all of it, as one JSON object"""

UNREADABLE: Final = (BadSnapshot, JournalCorrupt, JournalPruned, RecoveryFailed, OSError)


def add_commands(commands: Any) -> None:
    """Add `verify` and `replay`."""
    verify = _add(commands, "verify", "replay a journal and judge it", VERIFY_EXAMPLES)
    add_redis_options(verify, by_flag=False)
    verify.set_defaults(run=run_verify)
    replay = _add(commands, "replay", "rebuild the state up to a point", REPLAY_EXAMPLES)
    replay.add_argument("--to", metavar="SEQ|TIME", help="a command's number, or a moment (UTC)")
    replay.set_defaults(run=run_replay)


def _add(commands: Any, name: str, about: str, examples: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about,
        description=f"{about.capitalize()}.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = "DIR|URL" if name == "verify" else "DIR"
    about_url = ", or the Redis of a cluster" if name == "verify" else ""
    command.add_argument(
        "directory", metavar=where, type=_where, help=f"a data directory{about_url}"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument(
        "--paranoid", action="store_true", help="assert every invariant behind every command"
    )
    return command


def _where(text: str) -> Path | str:
    """A directory, or the address of a Redis."""
    return text if URL.match(text) else Path(text)


# -- verify ------------------------------------------------------------------------------------


def run_verify(args: argparse.Namespace) -> int:
    """Judge a directory, or the log of a cluster: 0 where it is sound."""
    report = _verified_log(args) if isinstance(args.directory, str) else _verified(args)
    if args.json:
        print_json(verify_dict(report))
    else:
        print(verify_text(report))
    return 0 if report.ok else 1


def _verified(args: argparse.Namespace) -> VerifyReport:
    try:
        return verify_directory(args.directory, progress_bar("verifying"), paranoid=args.paranoid)
    except UNREADABLE as error:
        raise Failure(str(error)) from None


def _verified_log(args: argparse.Namespace) -> VerifyReport:
    from redis.exceptions import RedisError

    from exchange.cluster.verifying import NoLog, verify_log

    args.redis = args.directory
    connection, names = redis_of(args)
    progress = progress_bar("verifying")
    try:
        return asyncio.run(verify_log(connection, names, progress, paranoid=args.paranoid))
    except NoLog as error:
        raise Failure(str(error)) from None
    except (RedisError, OSError) as error:
        raise Failure(f"{connection.shown}: {error}") from None


def verify_dict(report: VerifyReport) -> dict[str, Any]:
    """The report for machines."""
    return {
        "ok": report.ok,
        "directory": str(report.directory),
        "from_seq": report.from_seq,
        "to_seq": report.to_seq,
        "commands": report.commands,
        "time": report.time_ms,
        "chain": report.chain,
        "digest": report.digest,
        "snapshots": [{"seq": one.seq, "ok": one.ok, "why": one.why} for one in report.snapshots],
        "problems": report.problems,
        "seconds": round(report.seconds, 3),
    }


def verify_text(report: VerifyReport) -> str:
    """The report for people."""
    verdict = painted("sound", GREEN) if report.ok else painted("NOT SOUND", RED)
    sound = sum(one.ok for one in report.snapshots)
    lines = [
        f"{report.directory}: {verdict}",
        f"  commands   {report.commands} replayed, {report.from_seq} to {report.to_seq}",
        f"  time       {moment_text(report.time_ms)}",
        f"  snapshots  {sound} of {len(report.snapshots)} come out again",
        f"  chain      {report.chain}",
        f"  digest     {report.digest}",
    ]
    return "\n".join([*lines, *(painted(f"  ! {problem}", RED) for problem in report.problems)])


# -- replay ------------------------------------------------------------------------------------


def run_replay(args: argparse.Namespace) -> int:
    """Rebuild a state and print it."""
    if isinstance(args.directory, str):
        raise UsageError("a state is rebuilt from a data directory")
    to_seq, to_time_ms = point(args.to)
    try:
        replayed = replay_to(
            args.directory,
            to_seq=to_seq,
            to_time_ms=to_time_ms,
            progress=progress_bar("replaying"),
            paranoid=args.paranoid,
        )
    except UNREADABLE as error:
        raise Failure(str(error)) from None
    if args.json:
        print_json(replay_dict(replayed))
    else:
        print(replay_text(replayed))
    return 0


def point(text: str | None) -> tuple[int | None, int | None]:
    """(command's number, moment in ms) of which one or none is asked for."""
    if text is None:
        return None, None
    if text.isascii() and text.isdigit():
        number = int(text)
        return (number, None) if number < SEQ_MAX else (None, number)
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--to is a command's number, or a moment such as 2026-11-23T12:00, not {text!r}"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return None, round(moment.timestamp() * 1_000)


def replay_dict(replayed: Replayed) -> dict[str, Any]:
    """The whole state for machines."""
    engine = replayed.engine
    return {
        "seq": engine.seq,
        "time": engine.time_ms,
        "digest": engine.digest(),
        "from_seq": replayed.from_seq,
        "commands": replayed.commands,
        "state": msgspec.to_builtins(engine.state()),
    }


def replay_text(replayed: Replayed) -> str:
    """The state for people: how much there is, and every book."""
    engine = replayed.engine
    accounts = engine.risk.accounts.values()
    kinds = {kind: sum(one.kind == kind for one in accounts) for kind in ("user", "agent")}
    lines = [
        f"seq       {engine.seq} ({replayed.commands} replayed behind {replayed.from_seq})",
        f"time      {moment_text(engine.time_ms)}",
        f"accounts  {kinds['user']} of users, {kinds['agent']} of agents",
        f"digest    {engine.digest()}",
        "",
        books_table(engine),
    ]
    return "\n".join(lines)


def books_table(engine: Engine) -> str:
    """Every book: best prices, resting orders, last trade."""
    rows = []
    for symbol, book in sorted(engine.books.items()):
        instrument = engine.instruments[symbol]
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        last = engine.last_trade.get(symbol)
        rows.append(
            (
                symbol,
                instrument.price_text(bid) if bid else "-",
                instrument.price_text(ask) if ask else "-",
                instrument.price_text(last[0]) if last else "-",
                str(len(book.orders)),
            )
        )
    return table(("book", "bid", "ask", "last", "orders"), rows)


def moment_text(time_ms: int) -> str:
    """A moment in UTC, to the millisecond."""
    moment = datetime.datetime.fromtimestamp(time_ms / 1_000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def progress_bar(what: str) -> Progress | None:
    """Tells on a terminal's stderr how far the reading is; None where nobody looks."""
    if not sys.stderr.isatty():
        return None
    write: Callable[[str], object] = sys.stderr.write

    def tell(done: int, total: int) -> None:
        share = done * 100 // total if total else 100
        write(f"\r{what} {share:3} %")
        if done >= total:
            write("\r\x1b[K")
        sys.stderr.flush()

    return tell
