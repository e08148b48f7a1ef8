"""A report as one HTML page: its figures, latencies by time and by percentile; no script, no link.

The page stands alone: it may be mailed, kept beside the JSON, opened from a disk years later.
"""

from __future__ import annotations

import math
from html import escape
from typing import Final

from clients.load.chart import Mark, Point, Series, chart
from clients.load.record import ALL
from clients.load.report import FROM_SENDING, Curve, Report, SliceSay
from clients.load.report_text import lines_of, shown_ms

TIME_MARKS: Final = 8
NINES: Final = ("0", "90", "99", "99.9", "99.99", "100")  # Percent; each a fifth further on.
MOST: Final = 100.0

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2430; --faint: #8a93a5; --grid: #e3e7ee; --paper: #fff;
  --a: #2962ff; --b: #ef6c00; --c: #d32f2f; --d: #00897b; --e: #8e24aa; --f: #6d4c41; }
@media (prefers-color-scheme: dark) { :root { --ink: #d7dbe4; --faint: #7d8799; --grid: #2a3040;
  --paper: #131722; --a: #5b8cff; --b: #ffa040; --c: #ff6b6b; --d: #4db6ac; --e: #ce93d8;
  --f: #bcaaa4; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  max-width: 920px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
pre { overflow-x: auto; font: 12px/1.45 ui-monospace, monospace; }
svg { width: 100%; height: auto; } svg text { fill: var(--faint); font-size: 12px; }
.tick { text-anchor: middle; } .up { text-anchor: end; }
.grid { stroke: var(--grid); fill: none; } .dot { fill: transparent; }
.dot:hover { fill: var(--ink); }
.line { fill: none; stroke-width: 1.8; }
.a { stroke: var(--a); } .b { stroke: var(--b); } .c { stroke: var(--c); } .d { stroke: var(--d); }
.e { stroke: var(--e); } .f { stroke: var(--f); } .old { stroke: var(--faint);
  stroke-dasharray: 5 4; }
"""


def page_of(report: Report, old: Report | None = None) -> str:
    """The page; of an `old` report the curve of all requests is drawn too."""
    title = f"Load test of {report.url}"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f"<title>{escape(title)}</title>",
            '<meta name="viewport" content="width=device-width">',
            f"<style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            "<h2>Latency over time, from the planned time</h2>",
            _by_time(report),
            "<h2>Throughput</h2>",
            _throughput(report),
            "<h2>Latency by percentile</h2>",
            _by_percentile(report, old),
            "<h2>Latency by kind of request, from the planned time</h2>",
            _by_kind(report),
            f"<h2>Report</h2><pre>{escape(chr(10).join(lines_of(report)))}</pre>",
            "</body></html>\n",
        ]
    )


# -- by time -----------------------------------------------------------------------------------


def _by_time(report: Report) -> str:
    styles = {"p50": "a", "p99": "b", "max": "c"}
    all_ = [_over_time(report, name, style) for name, style in styles.items()]
    return chart("latency over time", "ms", "seconds", _seconds(report), all_)


def _over_time(report: Report, name: str, style: str) -> Series:
    points: list[Point | None] = []
    says = []
    for piece in report.timeline:
        value = getattr(piece, name)
        points.append((_middle(report, piece), value) if piece.done + piece.refused else None)
        says.append(f"{name} {shown_ms(value)} ms at {piece.from_s:g} s")
    return Series(name, style, points, says)


def _throughput(report: Report) -> str:
    """Requests a second that fell due, and of those, what was done."""
    due, done = [], []
    for piece in report.timeline:
        seconds = piece.to_s - piece.from_s
        at = _middle(report, piece)
        due.append((at, piece.planned_per_s) if piece.planned_per_s else None)
        done.append((at, piece.done / seconds) if piece.done and seconds else None)
    all_ = [Series("planned and sent", "old", due), Series("done", "d", done)]
    return chart("throughput", "a second", "seconds, by planned time", _seconds(report), all_)


def _middle(report: Report, piece: SliceSay) -> float:
    return (piece.from_s + piece.to_s) / 2 / _span_s(report)


def _span_s(report: Report) -> float:
    """What the axis of time holds: of a run that was stopped, what there was of it."""
    return report.timeline[-1].to_s if report.timeline else report.seconds


def _seconds(report: Report) -> list[Mark]:
    span_s = _span_s(report)
    step = _round_step(span_s / TIME_MARKS)
    moments = [number * step for number in range(int(span_s / step + 1e-9) + 1)]
    return [Mark(moment / span_s, f"{moment:g}") for moment in moments]


def _round_step(about: float) -> float:
    """The next of 1, 2, 5, 10 ... that is no less."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= about * 0.999)


# -- by percentile -----------------------------------------------------------------------------


def _by_percentile(report: Report, old: Report | None) -> str:
    """The distance of the two lines is what counting from the sending alone would have hidden."""
    found = {
        ("from the planned time", "a"): report.curves.get(ALL),
        ("from sending", "d"): report.curves.get(FROM_SENDING),
        ("old run, planned", "old"): old.curves.get(ALL) if old is not None else None,
    }
    all_ = [_curve(name, style, curve) for (name, style), curve in found.items() if curve]
    return chart("latency by percentile", "ms", "percentile", _nines(), all_)


def _by_kind(report: Report) -> str:
    kinds = [kind for kind in report.curves if kind not in (ALL, FROM_SENDING)]
    styles = dict(zip(kinds, "abcdef", strict=False))
    all_ = [_curve(kind, styles[kind], report.curves[kind]) for kind in kinds]
    return chart("latency by kind", "ms", "percentile", _nines(), all_)


def _curve(name: str, style: str, curve: Curve) -> Series:
    says = [f"{name}: p{percent:g} {shown_ms(ms)} ms" for percent, ms in curve]
    return Series(name, style, [(_place(percent), ms) for percent, ms in curve], says)


def _place(percent: float) -> float:
    """A nine more is a step further; the most is the last."""
    steps = len(NINES) - 1
    if percent >= MOST:
        return 1.0
    return min(-math.log10(1 - percent / MOST), steps) / steps


def _nines() -> list[Mark]:
    return [Mark(_place(float(text)), text if float(text) < MOST else "max") for text in NINES]
