"""The report of a load test: latencies from the planned time, rates, errors; a table or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from clients.load.histogram import Histogram
from clients.load.plan import KINDS, NS_PER_S, Plan
from clients.load.record import ALL, REFUSED, SLICES, Latency, Record
from clients.load.server_side import ServerSide

NS_PER_MS: Final = 1_000_000
# The generator was itself too late if one request in a hundred left it later than this.
LATE_NS: Final = 5 * NS_PER_MS
LONG_MS: Final = 100  # From here on microseconds only blur the table.
KEEPS_UP: Final = 0.99  # Of the planned rate; what falls short of it is said.

PERCENTILES: Final = {"p50": 5_000, "p90": 9_000, "p99": 9_900, "p99_9": 9_990, "p99_99": 9_999}


class Times(msgspec.Struct, frozen=True):
    """A distribution in milliseconds; percentiles are exact to 0.8 %, `max` and `mean` exactly."""

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    p99_9: float
    p99_99: float
    max: float

    @classmethod
    def of(cls, histogram: Histogram) -> Times:
        """The distribution of a histogram of nanoseconds."""
        at = {name: _ms(histogram.percentile(parts)) for name, parts in PERCENTILES.items()}
        return cls(histogram.count, _ms(histogram.mean), **at, max=_ms(histogram.max))


class LatencyTimes(msgspec.Struct, frozen=True):
    """One kind of request: from when it should have been asked, and from when it was."""

    from_planned: Times
    from_sent: Times

    @classmethod
    def of(cls, latency: Latency) -> LatencyTimes:
        """Both distributions."""
        return cls(Times.of(latency.from_planned), Times.of(latency.from_sent))


class SliceSay(msgspec.Struct, frozen=True):
    """A tenth of the measured time, by planned time; latencies in milliseconds."""

    from_s: float
    to_s: float
    planned_per_s: float
    done: int
    refused: int
    p50: float
    p99: float
    max: float


class SlowSay(msgspec.Struct, frozen=True):
    """What became of the slow readers; `lost` by what their connections were closed with."""

    readers: int
    messages: int
    lost: dict[str, int]


class Report(msgspec.Struct, frozen=True):
    """Everything; `latency_ms` by kind of request, "all" without those that were "refused".

    An `interrupted` run ended before its plan: it was stopped, or every connection was lost.
    `planned` requests fell due in the measured time until it ended; each was `sent` or, its
    connection gone, `unsent`; of the sent each was `done`, `refused` or `unanswered`.
    """

    load: str
    url: str
    seed: int
    connections: int
    symbols: tuple[str, ...]
    mix: Mapping[str, int]
    rate_per_s: float
    ramp_from_per_s: float | None
    warm_up_s: float
    seconds: float
    measured_s: float
    interrupted: bool
    warm_up_requests: int
    planned: int
    sent: int
    unsent: int
    done: int
    refused: int
    unanswered: int
    planned_per_s: float
    sent_per_s: float
    answered_per_s: float
    latency_ms: dict[str, LatencyTimes]
    lateness_ms: Times
    errors: dict[str, dict[str, int]]
    connections_lost: dict[str, int]
    pushes: int
    push_bytes: int
    slices: list[SliceSay]
    slow_readers: SlowSay | None
    server: ServerSide | None
    notes: list[str] = []

    @property
    def lost_all(self) -> bool:
        """Whether the exchange closed, or broke, every connection."""
        return sum(self.connections_lost.values()) >= self.connections


def make_report(
    plan: Plan,
    record: Record,
    *,
    url: str,
    slow_readers: SlowSay | None = None,
    server: ServerSide | None = None,
) -> Report:
    """The report of a run; `record` is ended, and `url` is where the WebSockets went."""
    shape = plan.shape
    stopped_ns = min(plan.ends_ns, record.ended_ns)
    measured_ns = max(0, stopped_ns - plan.measured_from_ns)
    planned = sum(1 for item in plan.items if plan.measured_from_ns <= item.at_ns <= stopped_ns)
    # Who falls behind sends, or is answered, after the measured time is over: that counts too.
    sending_ns = max(measured_ns, record.last_sent_ns - plan.measured_from_ns)
    answering_ns = max(measured_ns, record.last_answer_ns - plan.measured_from_ns)
    report = Report(
        load="open-loop",
        url=url,
        seed=shape.seed,
        connections=shape.connections,
        symbols=shape.symbols,
        mix={kind: shape.mix.get(kind, 0) for kind in KINDS},
        rate_per_s=shape.rate,
        ramp_from_per_s=shape.ramp_from,
        warm_up_s=shape.warm_up_s,
        seconds=shape.seconds,
        measured_s=round(measured_ns / NS_PER_S, 3),
        interrupted=record.ended_ns < plan.ends_ns,
        warm_up_requests=record.warm_up,
        planned=planned,
        sent=record.sent,
        unsent=record.unsent,
        done=record.done,
        refused=record.refused,
        unanswered=record.unanswered,
        planned_per_s=_per_s(planned, measured_ns),
        sent_per_s=_per_s(record.sent, sending_ns),
        answered_per_s=_per_s(record.answered, answering_ns),
        latency_ms=_latencies(record),
        lateness_ms=Times.of(record.lateness),
        errors={kind: dict(codes) for kind, codes in record.errors.items() if codes},
        connections_lost=dict(record.lost),
        pushes=record.pushes,
        push_bytes=record.push_bytes,
        slices=_slices(plan, record, stopped_ns),
        slow_readers=slow_readers,
        server=server,
    )
    return msgspec.structs.replace(report, notes=_notes(report, record))


def _latencies(record: Record) -> dict[str, LatencyTimes]:
    """By kind, of those that there were."""
    latencies = {ALL: record.whole(), **record.latencies}
    return {
        kind: LatencyTimes.of(latency)
        for kind, latency in latencies.items()
        if latency.from_planned.count
    }


def _slices(plan: Plan, record: Record, stopped_ns: int) -> list[SliceSay]:
    """The tenths that were begun."""
    width_ns = (plan.ends_ns - plan.measured_from_ns) / SLICES
    says = []
    for number, piece in enumerate(record.slices):
        from_ns = plan.measured_from_ns + number * width_ns
        to_ns = min(from_ns + width_ns, stopped_ns)
        if to_ns <= from_ns:
            break
        says.append(
            SliceSay(
                from_s=round((from_ns - plan.measured_from_ns) / NS_PER_S, 3),
                to_s=round((to_ns - plan.measured_from_ns) / NS_PER_S, 3),
                planned_per_s=_per_s(piece.planned, to_ns - from_ns),
                done=piece.done,
                refused=piece.refused,
                p50=_ms(piece.from_planned.percentile(PERCENTILES["p50"])),
                p99=_ms(piece.from_planned.percentile(PERCENTILES["p99"])),
                max=_ms(piece.from_planned.max),
            )
        )
    return says


def _notes(report: Report, record: Record) -> list[str]:
    """What one should know before quoting a number."""
    notes = []
    limited = sum(codes.get("RATE_LIMITED", 0) for codes in report.errors.values())
    if limited:
        notes.append(
            f"{limited:,} requests were over the exchange's limits for one account or connection:"
            " spread the rate over more --connections, or lift [limits] in its papertape.toml"
        )
    if record.lateness.percentile(PERCENTILES["p99"]) > LATE_NS:
        notes.append(
            "the generator itself was late: latencies from the planned time tell of this machine"
            " as much as of the exchange; lower the rate, or give the generator a core of its own"
        )
    if report.lost_all:
        notes.append("every connection was lost, so the run ended there")
    if report.sent_per_s < KEEPS_UP * report.planned_per_s:
        notes.append("fewer requests were sent a second than planned")
    if report.answered_per_s < KEEPS_UP * report.sent_per_s:
        notes.append("the exchange did not keep up: fewer requests were answered than sent")
    if report.unanswered:
        notes.append(
            f"{report.unanswered:,} requests without an answer count with the time they had waited,"
            " so their latencies are lower bounds"
        )
    return notes


# -- for people --------------------------------------------------------------------------------

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
    lines += _table(rows)
    if report.ramp_from_per_s is not None:
        lines += ["", *_table(_slice_rows(report))]
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
    stopped = ", stopped early" if report.interrupted else ""
    return [
        f"{report.connections} connections to {report.url}, {rate}, {report.measured_s:g} s"
        f" after {report.warm_up_s:g} s of warm-up, seed {report.seed}{stopped}",
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
        lines.append(
            f"the exchange meanwhile: {server.commands:,} commands ({server.commands_per_s:,.1f}/s,"
            f" its own market's included), {server.commands_per_group:g} to a sync of"
            f" {server.sync_ms_mean:g} ms, {server.apply_us_per_command:g} us each in the engine"
            f" ({server.engine_share:.1%} of the time)"
        )
    return ["", *lines]


def _slice_rows(report: Report) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("seconds", "planned/s", "done", "refused", "p50", "p99", "max")]
    for piece in report.slices:
        times = (_shown(piece.p50), _shown(piece.p99), _shown(piece.max))
        counts = (f"{piece.planned_per_s:,.1f}", f"{piece.done:,}", f"{piece.refused:,}")
        rows.append((f"{piece.from_s:g} - {piece.to_s:g}", *counts, *times))
    return rows


def _row(name: str, times: Times) -> Sequence[str]:
    values = (times.mean, times.p50, times.p90, times.p99, times.p99_9, times.p99_99, times.max)
    return (name, f"{times.count:,}", *map(_shown, values))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns: the first to the left, the others, which are numbers, to the right."""
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


def _shown(ms: float) -> str:
    return f"{ms:,.3f}" if ms < LONG_MS else f"{ms:,.1f}"


def _ms(ns: float) -> float:
    return round(ns / NS_PER_MS, 3)


def _per_s(count: int, ns: float) -> float:
    return round(count * NS_PER_S / ns, 1) if ns > 0 else 0.0
