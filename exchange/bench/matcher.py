"""How many commands a second the book alone takes, on the standard flow: `bench matcher`."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from exchange.bench.flow import RECORD, FlowDigest, FlowError, read_flow
from exchange.bench.measure import (
    calibration_per_s,
    collector_at_rest,
    peak_rss_mb,
    show_progress,
)
from exchange.bench.playing import play
from exchange.build import running
from matching.book import Book, Happened
from matching.types import Fill


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `bench matcher`."""
    parser.add_argument("--flow", type=Path, required=True, help="file of 32-byte flow records")
    parser.add_argument("--expect", type=Path, help="JSON digest the run must reproduce")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")


def main(args: Namespace) -> int:
    """Run and print; 1 if the flow cannot be read or the digest is not the expected one."""
    try:
        report = run(args.flow, args.expect)
    except (OSError, FlowError, ValueError) as error:
        print(f"bench matcher: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(report))
    else:
        print(_sentence(report))
    mismatches = cast(dict[str, str], report["mismatches"])
    for name, difference in mismatches.items():
        print(f"digest differs: {name} {difference}", file=sys.stderr)
    return 1 if mismatches else 0


def run(flow: Path, expect: Path | None = None) -> dict[str, object]:
    """Play a flow into an empty book and report rate, memory and digest.

    Only matching is timed, with the making of each order from its record's integers; records are
    read and the digest is folded between the timed chunks.  Fills are dropped once folded.
    """
    expected = _expectation(expect) if expect else {}
    calibration = calibration_per_s()
    book, digest, seconds = Book(), FlowDigest(), 0.0
    total = max(1, flow.stat().st_size // RECORD.size)
    with collector_at_rest():
        for records in read_flow(flow):
            digest.count(records)
            happened: Happened = []
            started = time.perf_counter()
            digest.cancel_rejects += play(book, records, happened)
            seconds += time.perf_counter() - started
            digest.fold(cast(list[Fill], happened))  # Without prevention there are only fills.
            show_progress("commands", sum(digest.ops), total)
    book.check()
    result = digest.result(book)
    return {
        "bench": "matcher",
        "build": running(),
        "flow": flow.name,
        "commands": result["commands"],
        "seconds": round(seconds, 6),
        "rate_per_s": round(result["commands"] / seconds) if seconds else 0,
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "calibration_per_s": round(calibration),
        "digest": result,
        "verified": bool(expect),
        "mismatches": differences(expected, result),
    }


def differences(expected: Mapping[str, int], result: Mapping[str, int]) -> dict[str, str]:
    """What an expected digest says otherwise, by name.

    A digest file also holds what only its generator can know (means over time); names that the
    result lacks are not compared.
    """
    return {
        name: f"is {result[name]}, expected {value}"
        for name, value in expected.items()
        if name in result and result[name] != value
    }


def _expectation(path: Path) -> dict[str, int]:
    """A digest file's content; ValueError unless it can tell a wrong order of trades."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or "trade_hash" not in content:
        raise ValueError(f"{path} is no digest: it lacks trade_hash")
    return content


def _sentence(report: Mapping[str, object]) -> str:
    """The report for a reader."""
    rate, calibration = cast(int, report["rate_per_s"]), cast(int, report["calibration_per_s"])
    verdict = "not compared with any"
    if report["verified"]:
        verdict = "wrong" if report["mismatches"] else "as expected"
    return (
        f"{report['flow']}: {report['commands']} commands in {report['seconds']} s,"
        f" {rate} a second ({rate / calibration:.4f} of the calibration loop's {calibration}),"
        f" {report['build']}, at most {report['peak_rss_mb']} MiB, digest {verdict}"
    )
