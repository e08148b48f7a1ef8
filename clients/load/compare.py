"""Two reports compared: what is better, what is worse, and what is only noise.

A run says how noisy it was: the tenths of its time each have percentiles of their own.  What they
scatter by, over the root of their number, is the standard error of a run.  A difference counts if
it is more than twice the errors of both runs together, and more than a floor that no two runs on a
working machine are below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import quantiles, stdev
from typing import Final, Literal

import msgspec

from clients.load.record import ALL
from clients.load.report import KEEPS_UP, Report, SliceSay
from clients.load.report_text import shown_ms, table

Verdict = Literal["better", "worse", "noise"]

TENTHS_MIN: Final = 4  # Of fewer, nobody can tell how they scatter.
ERRORS: Final = 2
LATENCY_FLOOR: Final = 0.05
COST_FLOOR: Final = 0.10  # Of what the exchange tells of itself, which has no tenths.
RATE_FLOOR: Final = 0.01
SHARE_FLOOR: Final = 0.01  # Of all requests.

LATENCIES: Final = ("p50", "p90", "p99", "p99_9", "max")
COSTS: Final = ("apply_us_per_command", "cpu_us_per_command", "sync_ms_mean")
MIDDLE: Final = ("p50", "p90")
QUARTILES_APART: Final = 1.349  # In standard deviations, of what is spread normally.
# What makes two loads alike.
SHAPE: Final = (
    *("dialect", "connections", "symbols", "mix", "rate_per_s", "ramp_from_per_s", "warm_up_s"),
    *("seconds", "seed", "interrupted"),
)

_COLOURS: Final[dict[Verdict, str]] = {"better": "\x1b[32m", "worse": "\x1b[31m", "noise": ""}
_PLAIN: Final = "\x1b[0m"


class Difference(msgspec.Struct, frozen=True):
    """One figure of both runs.

    `change` and `noise` are parts of the old figure; of a figure that is itself a share of all
    requests they are differences of shares.  No change is known from nothing, and no noise of a
    run too short to have tenths.
    """

    name: str
    old: float
    new: float
    change: float | None
    noise: float | None
    verdict: Verdict


class Comparison(msgspec.Struct, frozen=True):
    """All differences, which exchanges they are of, and in what the loads were not alike."""

    exchanges: tuple[str, str]
    differences: list[Difference]
    unlike: list[str]
    worse: int
    better: int


def compare(old: Report, new: Report) -> Comparison:
    """What the new report says against the old one."""
    differences = [*_rates(old, new), *_latencies(old, new), *_costs(old, new)]
    verdicts = [difference.verdict for difference in differences]
    counts = verdicts.count("worse"), verdicts.count("better")
    exchanges = old.exchange, new.exchange
    return Comparison(exchanges, differences, _unlike(old, new), *counts)


def _rates(old: Report, new: Report) -> list[Difference]:
    rate = old.answered_per_s, new.answered_per_s
    found = [_relative("answered a second", *rate, noise=RATE_FLOOR, more_is_better=True)]
    for name in ("refused", "unanswered"):
        before, after = (getattr(run, name) / max(1, run.sent) for run in (old, new))
        change = after - before
        verdict = _verdict(change, SHARE_FLOOR)
        found.append(Difference(f"{name}, share", before, after, change, SHARE_FLOOR, verdict))
    return found


def _latencies(old: Report, new: Report) -> list[Difference]:
    """Of all requests, and of each kind that both runs have."""
    found = []
    for kind in old.latency_ms:
        if kind not in new.latency_ms:
            continue
        befores, afters = old.latency_ms[kind].from_planned, new.latency_ms[kind].from_planned
        for name in LATENCIES if kind == ALL else ("p50", "p99"):
            before, after = getattr(befores, name), getattr(afters, name)
            error = math.hypot(_error(old, kind, name), _error(new, kind, name))
            noise = max(LATENCY_FLOOR, ERRORS * error / before) if before else math.inf
            label = f"{kind} {name.replace('_', '.')}, ms"
            found.append(_relative(label, before, after, noise=noise))
    return found


def _error(report: Report, kind: str, name: str) -> float:
    """The standard error of a percentile, in milliseconds, from the tenths of the run.

    They are of all requests; of one kind there are fewer, which scatter more.
    """
    values: list[float] = [getattr(piece, name) for piece in report.slices if _has_times(piece)]
    if len(values) < TENTHS_MIN:
        return math.inf
    scatter = _middle_scatter(values) if name in MIDDLE else stdev(values)
    fewer = 1.0
    if kind != ALL and ALL in report.latency_ms:
        counts = [report.latency_ms[each].from_planned.count for each in (ALL, kind)]
        fewer = max(1.0, math.sqrt(counts[0] / counts[1]))
    return scatter / math.sqrt(len(values)) * fewer


def _middle_scatter(values: list[float]) -> float:
    """A standard deviation by the quartiles: a bad tenth moves these percentiles no more."""
    first, _, third = quantiles(values, n=4)
    return (third - first) / QUARTILES_APART


def _has_times(piece: SliceSay) -> bool:
    return bool(piece.done + piece.refused)


def _costs(old: Report, new: Report) -> list[Difference]:
    if old.server is None or new.server is None:
        return []
    return [
        _relative(
            f"exchange: {name.replace('_', ' ')}",
            getattr(old.server, name),
            getattr(new.server, name),
            noise=COST_FLOOR,
        )
        for name in COSTS
    ]


def _relative(
    name: str, old: float, new: float, *, noise: float, more_is_better: bool = False
) -> Difference:
    change = (new - old) / old if old else 0.0 if new == old else math.inf
    verdict = _verdict(-change if more_is_better else change, noise)
    return Difference(name, old, new, _finite(change), _finite(noise), verdict)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _verdict(change: float, noise: float) -> Verdict:
    """`change` is up for the worse."""
    if abs(change) <= noise:
        return "noise"
    return "worse" if change > 0 else "better"


def _unlike(old: Report, new: Report) -> list[str]:
    unlike = [
        f"{name}: {getattr(old, name)} before, {getattr(new, name)} now"
        for name in SHAPE
        if getattr(old, name) != getattr(new, name)
    ]
    for when, run in (("old", old), ("new", new)):
        if run.generator.behind_share > 1 - KEEPS_UP:
            unlike.append(f"in the {when} run the generator was behind")
    return unlike


# -- for people --------------------------------------------------------------------------------


def lines_of(comparison: Comparison, *, colour: bool) -> list[str]:
    """A table, and what to beware of."""
    rows: list[Sequence[str]] = [("against the old run", "old", "new", "change", "noise", "")]
    rows += [_row(difference) for difference in comparison.differences]
    lines = table(rows)
    if colour:
        pairs = zip(lines[1:], comparison.differences, strict=True)
        lines[1:] = [_coloured(line, difference.verdict) for line, difference in pairs]
    before, after = comparison.exchanges
    if before != after:
        lines.append(f"the exchange was {before or 'unknown'}, and is {after or 'unknown'}")
    lines.append(f"{comparison.better} better, {comparison.worse} worse, the others are noise")
    if comparison.unlike:
        lines.append("beware, these were not the same load:")
        lines += [f"  {unlike}" for unlike in comparison.unlike]
    return lines


def _row(difference: Difference) -> Sequence[str]:
    share = difference.name.endswith("share")
    shown = [f"{v:.2%}" if share else shown_ms(v) for v in (difference.old, difference.new)]
    noise = "unknown" if difference.noise is None else f"{difference.noise:.1%}"
    change = "from nothing" if difference.change is None else f"{difference.change:+.1%}"
    return (difference.name, *shown, change, noise, difference.verdict)


def _coloured(line: str, verdict: Verdict) -> str:
    return f"{_COLOURS[verdict]}{line}{_PLAIN}" if _COLOURS[verdict] else line
