"""The report of a load test for people: a few lines and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from clients.load.record import REFUSED
from clients.load.report import Report, Times
from clients.load.server_side import ServerSide

LONG_MS: Final = 100  # From here on microseconds only blur the table.
_HEAD: Final = ("latency, ms", "count", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max")


def lines_of(report: Report) -> list[str]:
    """The report for people."""
    lines = [*_summary(report), ""]
    rows: list[Sequence[str]] = [_HEAD]
    for name, heading in (("from_planned", "from the planned time"), ("from_sent", "from sending")):
        rows.append((heading, *[""] * (len(_HEAD) - 1)))
        rows += [
            _row(f"  {kind}", getattr(times, name))
            for kind, times in report.latency_ms.items()
            if kind != REFUSED or name == "from_planned"
        ]
    rows.append(_row("sent late by", report.lateness_ms))
    lines += table(rows)
    if report.ramp_from_per_s is not None:
        lines += ["", *table(_slice_rows(report))]
    if report.errors:
        lines += ["", "not done"]
        lines += [f"  {kind}: {_counted(codes)}" for kind, codes in report.errors.items()]
    lines += _around(report)
    lines += [f"note: {note}" for note in report.notes]
    return lines


def _summary(report: Report) -> list[str]:
    rate = f"{report.rate_per_s:,g}/s"
    if report.ramp_from_per_s is not None:
        rate = f"{report.ramp_from_per_s:,g}/s climbing to {rate}"
    sockets = f" ({report.sockets} sockets, {report.dialect})" * (report.dialect != "native")
    exchange = f" ({report.exchange})" * bool(report.exchange)
    stopped = ", stopped early" if report.interrupted else ""
    return [
        f"{report.connections} connections{sockets} to {report.url}{exchange}, {rate},"
        f" {report.measured_s:g} s after {report.warm_up_s:g} s of warm-up,"
        f" seed {report.seed}{stopped}",
        f"planned {report.planned:,} ({report.planned_per_s:,.1f}/s)"
        f"   sent {report.sent:,} ({report.sent_per_s:,.1f}/s)"
        f"   answered {report.done + report.refused:,} ({report.answered_per_s:,.1f}/s)",
        f"done {report.done:,}   refused {report.refused:,}   unanswered {report.unanswered:,}"
        f"   unsent {report.unsent:,}   pushes heard {report.pushes:,}",
    ]


def _around(report: Report) -> list[str]:
    """Lost connections, slow readers, the exchange's own figures."""
    lines = []
    if report.connections_lost:
        lines.append(f"connections lost: {_counted(report.connections_lost)}")
    if report.slow_readers is not None:
        slow = report.slow_readers
        ends = _counted(slow.lost) if slow.lost else "none"
        lines.append(
            f"slow readers: {slow.readers}, {slow.messages:,} messages read; closed: {ends}"
        )
    server = report.server
    if server is None:
        lines.append("the exchange's own figures (/metrics) could not be read")
    else:
        lines += _exchange(server)
    own = report.generator
    lines.append(
        f"the generator itself: busy {own.busy_share:.1%} of a core, {own.us_per_request:g} us a"
        f" request ({own.cpu_share:.1%} with looking at the clock)"
    )
    return ["", *lines]


def _exchange(server: ServerSide) -> list[str]:
    """Its own figures; a gateway of a cluster keeps nothing itself, and so tells of no groups."""
    lines = [
        f"the exchange meanwhile: {server.commands:,} commands ({server.commands_per_s:,.1f}/s, its"
        f" own market's included); its process took {server.cpu_share:.1%} of a core,"
        f" {server.cpu_us_per_command:g} us a command"
    ]
    if server.groups:
        lines.append(
            f"  {server.commands_per_group:g} commands to a sync of {server.sync_ms_mean:g} ms,"
            f" {server.apply_us_per_command:g} us each in the engine ({server.engine_share:.1%} of"
            " the time)"
        )
    return lines


def _slice_rows(report: Report) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("seconds", "planned/s", "done", "refused", "p50", "p99", "max")]
    for piece in report.slices:
        times = (shown_ms(piece.p50), shown_ms(piece.p99), shown_ms(piece.max))
        counts = (f"{piece.planned_per_s:,.1f}", f"{piece.done:,}", f"{piece.refused:,}")
        rows.append((f"{piece.from_s:g} - {piece.to_s:g}", *counts, *times))
    return rows


def _row(name: str, times: Times) -> Sequence[str]:
    values = (times.mean, times.p50, times.p90, times.p99, times.p99_9, times.p99_99, times.max)
    return (name, f"{times.count:,}", *map(shown_ms, values))


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns: the first to the left, the others, which are numbers, to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _counted(codes: Mapping[str, int]) -> str:
    most_first = sorted(codes.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{code} x{count:,}" for code, count in most_first)


def shown_ms(ms: float) -> str:
    """Milliseconds to the microsecond, where that says something."""
    return f"{ms:,.3f}" if ms < LONG_MS else f"{ms:,.1f}"
