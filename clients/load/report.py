"""The report of a load test: latencies from the planned time, rates, errors, its own cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from clients.load.histogram import PARTS, Histogram
from clients.load.plan import KINDS, NS_PER_S, Plan, Shape
from clients.load.record import ALL, LIMITED, SLICES, Latency, Record
from clients.load.server_side import ServerSide

NS_PER_MS: Final = 1_000_000
# The generator was itself too late if one request in a hundred left it later than this.
LATE_NS: Final = 5 * NS_PER_MS
KEEPS_UP: Final = 0.99  # Of the planned rate; what falls short of it is said.

TENTHS: Final = 10
FLOODED: Final = "1008"  # What the Binance door's streams close a socket with that asks too much.

# Where the curve by percentiles has its points: eight to each further nine, up to p99.99.
CURVE: Final = tuple(
    sorted({round(PARTS * (1 - 10 ** (-step / 8))) for step in range(1, 33)} | {5_000})
)
FROM_SENDING: Final = "all from sending"
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
    """A piece of the measured time, by planned time; latencies in milliseconds."""

    from_s: float
    to_s: float
    planned_per_s: float
    done: int
    refused: int
    p50: float
    p90: float
    p99: float
    p99_9: float
    max: float


class GeneratorSay(msgspec.Struct, frozen=True):
    """What the generator itself had to do, so that its own limits are not taken for the exchange's.

    Shares of one core: `cpu_share` all it took, `busy_share` without waiting for the next moment.
    `late_share` of the requests left more than 5 ms behind their time; at the end it was
    `behind_share` behind the planned rate.
    """

    cpu_share: float
    busy_share: float
    us_per_request: float
    late_share: float
    behind_share: float


Curve = list[tuple[float, float]]  # Percent, milliseconds.


class SlowSay(msgspec.Struct, frozen=True):
    """What became of the slow readers; `lost` by what their connections were closed with."""

    readers: int
    messages: int
    lost: dict[str, int]


class Report(msgspec.Struct, frozen=True):
    """Everything; `latency_ms` by kind of request, "all" without those that were "refused".

    `exchange` is its version and build.  An `interrupted` run ended before its plan: it was
    stopped, or every connection was lost.  `planned` requests fell due in the measured time until
    it ended; each was `sent` or, its connection gone, `unsent`; of the sent each was `done`,
    `refused` or `unanswered`.  `slices` are tenths of the measured time and `timeline` hundredths;
    `curves` are latencies by percentile, of each kind from the planned time.
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
    exchange: str
    dialect: str
    sockets: int
    generator: GeneratorSay
    timeline: list[SliceSay]
    curves: dict[str, Curve]
    notes: list[str] = []

    @property
    def lost_all(self) -> bool:
        """Whether the exchange closed, or broke, every connection."""
        return sum(self.connections_lost.values()) >= self.sockets


def make_report(
    plan: Plan,
    record: Record,
    *,
    url: str,
    dialect: str = "native",
    sockets: int | None = None,
    exchange: str = "",
    slow_readers: SlowSay | None = None,
    server: ServerSide | None = None,
) -> Report:
    """The report of a run; `record` is ended, and `url` is where the WebSockets went.

    There were as many `sockets` as connections, unless it is said.
    """
    stopped_ns = min(plan.ends_ns, record.ended_ns)
    measured_ns = max(0, stopped_ns - plan.measured_from_ns)
    planned = sum(1 for item in plan.items if plan.measured_from_ns <= item.at_ns <= stopped_ns)
    # Who falls behind sends, or is answered, after the measured time is over: that counts too.
    sending_ns = max(measured_ns, record.last_sent_ns - plan.measured_from_ns)
    answering_ns = max(measured_ns, record.last_answer_ns - plan.measured_from_ns)
    report = Report(
        load="open-loop",
        url=url,
        exchange=exchange,
        dialect=dialect,
        sockets=plan.shape.connections if sockets is None else sockets,
        measured_s=round(measured_ns / NS_PER_S, 3),
        interrupted=record.ended_ns < plan.ends_ns,
        planned=planned,
        planned_per_s=_per_s(planned, measured_ns),
        sent_per_s=_per_s(record.sent, sending_ns),
        answered_per_s=_per_s(record.answered, answering_ns),
        generator=_generator(record, sending_ns / measured_ns if measured_ns else 1.0),
        slices=_slices(plan, record, stopped_ns, TENTHS),
        timeline=_slices(plan, record, stopped_ns, SLICES),
        slow_readers=slow_readers,
        server=server,
        **_asked(plan.shape),
        **_recorded(record),
    )
    return msgspec.structs.replace(report, notes=_notes(report, record))


def _asked(shape: Shape) -> dict[str, Any]:
    """What the load was to be."""
    return {
        "seed": shape.seed,
        "connections": shape.connections,
        "symbols": shape.symbols,
        "mix": {kind: shape.mix.get(kind, 0) for kind in KINDS},
        "rate_per_s": shape.rate,
        "ramp_from_per_s": shape.ramp_from,
        "warm_up_s": shape.warm_up_s,
        "seconds": shape.seconds,
    }


def _recorded(record: Record) -> dict[str, Any]:
    """What needs no plan to be told."""
    return {
        "warm_up_requests": record.warm_up,
        "sent": record.sent,
        "unsent": record.unsent,
        "done": record.done,
        "refused": record.refused,
        "unanswered": record.unanswered,
        "latency_ms": _latencies(record),
        "lateness_ms": Times.of(record.lateness),
        "curves": _curves(record),
        "errors": {kind: dict(codes) for kind, codes in record.errors.items() if codes},
        "connections_lost": dict(record.lost),
        "pushes": record.pushes,
        "push_bytes": record.push_bytes,
    }


def _latencies(record: Record) -> dict[str, LatencyTimes]:
    """By kind, of those that there were."""
    latencies = {ALL: record.whole(), **record.latencies}
    return {
        kind: LatencyTimes.of(latency)
        for kind, latency in latencies.items()
        if latency.from_planned.count
    }


def _generator(record: Record, stretched: float) -> GeneratorSay:
    """`stretched`: how many times the measured time it took to send all."""
    wall_ns = max(1, record.ended_ns)
    own = record.own
    busy_ns = max(0, own.cpu_ns - own.idle_ns)
    late = record.lateness.above(LATE_NS)
    requests = record.sent + record.warm_up
    return GeneratorSay(
        cpu_share=round(own.cpu_ns / wall_ns, 4),
        busy_share=round(busy_ns / wall_ns, 4),
        us_per_request=round(busy_ns / 1_000 / requests, 1) if requests else 0.0,
        late_share=round(late / record.sent, 4) if record.sent else 0.0,
        behind_share=round(1 - 1 / stretched, 4),
    )


def _curves(record: Record) -> dict[str, Curve]:
    """By kind, of those that there were."""
    whole = record.whole()
    histograms = {ALL: whole.from_planned, FROM_SENDING: whole.from_sent}
    histograms |= {kind: latency.from_planned for kind, latency in record.latencies.items()}
    return {
        kind: [(parts * 100 / PARTS, _ms(histogram.percentile(parts))) for parts in CURVE]
        + [(100.0, _ms(histogram.max))]
        for kind, histogram in histograms.items()
        if histogram.count
    }


def _slices(plan: Plan, record: Record, stopped_ns: int, count: int) -> list[SliceSay]:
    """The pieces, of as many, that were begun."""
    width_ns = (plan.ends_ns - plan.measured_from_ns) / count
    says = []
    for number, piece in enumerate(record.pieces(count)):
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
                p90=_ms(piece.from_planned.percentile(PERCENTILES["p90"])),
                p99=_ms(piece.from_planned.percentile(PERCENTILES["p99"])),
                p99_9=_ms(piece.from_planned.percentile(PERCENTILES["p99_9"])),
                max=_ms(piece.from_planned.max),
            )
        )
    return says


def _notes(report: Report, record: Record) -> list[str]:
    """What one should know before quoting a number."""
    notes = _notes_on_limits(report)
    own = report.generator
    if own.behind_share > 1 - KEEPS_UP:
        notes.append(
            f"the load generator was {own.behind_share:.0%} behind: it sent"
            f" {report.sent_per_s:,.1f} requests a second of {report.planned_per_s:,.1f} planned"
        )
    if record.lateness.percentile(PERCENTILES["p99"]) > LATE_NS:
        notes.append(
            f"the generator itself was late: {own.late_share:.1%} of the requests left more than"
            f" {LATE_NS // NS_PER_MS} ms behind their time, and it was busy {own.busy_share:.0%} of"
            " a core. Latencies from the planned time tell of this machine as much as of the"
            " exchange; lower the rate, or give the generator a core of its own"
        )
    if report.lost_all:
        notes.append("every connection was lost, so the run ended there")
    if report.answered_per_s < KEEPS_UP * report.sent_per_s:
        notes.append("the exchange did not keep up: fewer requests were answered than sent")
    if report.unanswered:
        notes.append(
            f"{report.unanswered:,} requests without an answer count with the time they had waited,"
            " so their latencies are lower bounds"
        )
    return notes


def _notes_on_limits(report: Report) -> list[str]:
    notes = []
    limited = sum(
        count
        for codes in report.errors.values()
        for code, count in codes.items()
        if code.startswith(LIMITED)
    )
    if limited:
        notes.append(
            f"{limited:,} requests were over the exchange's limits for one account or connection:"
            f" spread the rate over more --connections, or lift {_limits(report)}"
        )
    if report.connections_lost.get(FLOODED) and report.dialect != "native":
        notes.append(
            "sockets of streams were closed for asking too often: spread the rate over more"
            f" --connections, ask for less subscribe in the --mix, or lift {_limits(report)}"
        )
    return notes


def _limits(report: Report) -> str:
    section = "[limits]" if report.dialect == "native" else "[limits] and [binance]"
    return f"{section} in its papertape.toml"


def _ms(ns: float) -> float:
    return round(ns / NS_PER_MS, 3)


def _per_s(count: int, ns: float) -> float:
    return round(count * NS_PER_S / ns, 1) if ns > 0 else 0.0
