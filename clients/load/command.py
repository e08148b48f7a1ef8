"""Open-loop load over WebSockets, with honest latencies.

Requests go out at times fixed beforehand, whether or not earlier ones were answered, and latencies
count from those times: an exchange that stalls shows it, and a generator that falls behind says so.
It opens accounts of its own on an exchange on this machine, and cancels its orders at the end.
Ctrl-C gives the report so far.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final, TextIO

import msgspec

from clients.errors import PapertapeError
from clients.load.compare import Comparison, compare
from clients.load.compare import lines_of as compared_lines
from clients.load.options import add_arguments, shape_of, target_of
from clients.load.plan import make_plan
from clients.load.plot import page_of
from clients.load.progress import Progress
from clients.load.report import Report
from clients.load.report_text import lines_of
from clients.load.running import Run

__all__ = ["add_arguments", "main"]

WORSE: Final = 3
TWO: Final = 2

# What to do about a refusal, by its code.
HINTS: Final = {
    "UNREACHABLE": "is it running? `papertape serve` starts one; --url says where it is",
    "ADMIN_KEY_NEEDED": "opening accounts takes the admin key here: give --admin-key"
    " (`papertape keys admin` shows it), or trade on an account there is with --key and --secret",
    "RATE_LIMITED": "lift [limits] in its papertape.toml; `papertape load --help` shows how",
    "TOO_MANY_CONNECTIONS": "lift connections_per_address under [limits] in its papertape.toml,"
    " or take fewer --connections",
    "UNKNOWN_KEY": "`papertape keys create` makes a key; without --key it opens its own accounts",
    "BAD_SIGNATURE": "--secret does not belong to --key",
    "PERMISSION_DENIED": "the key must be allowed to read, trade and transfer",
}


def main(args: argparse.Namespace) -> int:
    """Run the load; 0 with a report, 2 for options that cannot be, 3 if it compares as worse.

    1 if nothing was answered, or every connection was lost; there is a report then too.
    """
    try:
        old, new = _earlier(args.compare or [])
        report = _run(args) if new is None else new
        comparison = compare(old, report) if old is not None else None
    except ValueError as error:
        return _fail(str(error), 2)
    except PapertapeError as error:
        return _fail(_with_hint(error), 1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _fail("stopped before the first request", 1)
    _print(report, comparison, as_json=args.json, was_run=new is None)
    if args.plot is not None:
        try:
            args.plot.write_text(page_of(report, old), "utf-8")
        except OSError as error:
            return _fail(f"{args.plot}: {error.strerror}", 1)
    return _code(report, comparison)


def _run(args: argparse.Namespace) -> Report:
    target = target_of(args)
    plan = make_plan(shape_of(args))
    return asyncio.run(Run(target, plan, Progress(sys.stderr)).report())


def _earlier(files: list[Path]) -> tuple[Report | None, Report | None]:
    """What is to be compared: an old report, and a new one where that is a file too."""
    if len(files) > TWO:
        raise ValueError("--compare takes an old report, and a new one or none")
    reports = [_read(file) for file in files]
    return (reports[0] if reports else None, reports[1] if len(reports) == TWO else None)


def _read(file: Path) -> Report:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Report)
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ValueError(f"{file} is no report of `papertape load --json`: {error}") from error


def _print(report: Report, comparison: Comparison | None, *, as_json: bool, was_run: bool) -> None:
    if as_json:
        said = msgspec.to_builtins(report)
        if comparison is not None:
            said["comparison"] = msgspec.to_builtins(comparison)
        print(msgspec.json.encode(said).decode())
        return
    if was_run:
        print("\n".join(lines_of(report)))
    if comparison is not None:
        print("\n".join(["", *compared_lines(comparison, colour=has_colours(sys.stdout))]))


def has_colours(stream: TextIO) -> bool:
    """Whether to colour what goes there: a terminal, whose user has not said no."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _code(report: Report, comparison: Comparison | None) -> int:
    if not report.done + report.refused:
        return _fail("nothing was answered", 1)
    if report.lost_all:
        return _fail("every connection was lost", 1)
    return WORSE if comparison is not None and comparison.worse else 0


def _with_hint(error: PapertapeError) -> str:
    hint = HINTS.get(error.code)
    return f"{error}; {hint}" if hint else str(error)


def _fail(text: str, code: int) -> int:
    print(f"papertape load: {text}", file=sys.stderr)
    return code
