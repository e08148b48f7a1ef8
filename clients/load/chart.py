"""A chart as SVG text: a logarithmic axis upwards, lines over another axis, names of both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 860
HEIGHT: Final = 340
LEFT: Final = 64
RIGHT: Final = 16
TOP: Final = 26
BOTTOM: Final = 44
FLOOR: Final = 1e-3  # Nothing is drawn below a microsecond.

Point = tuple[float, float]  # From 0 to 1 across; a value upwards.


class Mark(NamedTuple):
    """A place on the lower axis, from 0 to 1, and what stands there."""

    at: float
    text: str


class Series(NamedTuple):
    """A line: its name, the class that styles it, its points, and what each says when pointed at.

    Points may lack: a line breaks there.
    """

    name: str
    style: str
    points: Sequence[Point | None]
    says: Sequence[str] = ()


def chart(title: str, upwards: str, across: str, marks: Iterable[Mark], all_: list[Series]) -> str:
    """The whole picture; it has a legend where there are several lines."""
    values = [point[1] for series in all_ for point in series.points if point is not None]
    scale = Scale.of(values)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(scale, marks),
        f'<text class="axis" x="{LEFT}" y="{HEIGHT - 6}">{escape(across)}</text>',
        f'<text class="axis" x="4" y="12">{escape(upwards)}</text>',
    ]
    for series in all_:
        parts += _line(series, scale)
    parts += _legend(all_)
    return "\n".join([*parts, "</svg>"])


class Scale(NamedTuple):
    """The decades of the axis upwards, as powers of ten."""

    first: int
    last: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Scale:
        """From the decade below the least to the one above the most."""
        least = max(FLOOR, min(values, default=1.0))
        most = max(least, max(values, default=1.0))
        first = math.floor(math.log10(least))
        return cls(first, max(first + 1, math.ceil(math.log10(most))))

    def y(self, value: float) -> float:
        """Where a value stands, in the picture's units from its top."""
        share = (math.log10(max(FLOOR, value)) - self.first) / (self.last - self.first)
        return HEIGHT - BOTTOM - max(0.0, min(1.0, share)) * (HEIGHT - BOTTOM - TOP)


def _x(at: float) -> float:
    return LEFT + at * (WIDTH - LEFT - RIGHT)


def _grid(scale: Scale, marks: Iterable[Mark]) -> Iterable[str]:
    for power in range(scale.first, scale.last + 1):
        y = scale.y(10.0**power)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text class="tick up" x="{LEFT - 6}" y="{y + 4:.1f}">{10.0**power:g}</text>'
    for mark in marks:
        x, below = _x(mark.at), HEIGHT - BOTTOM
        yield f'<path class="grid" d="M{x:.1f} {TOP}V{below}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{below + 15}">{escape(mark.text)}</text>'


def _line(series: Series, scale: Scale) -> Iterable[str]:
    steps, pen = [], "M"
    for point in series.points:
        if point is None:
            pen = "M"
            continue
        steps.append(f"{pen}{_x(point[0]):.1f} {scale.y(point[1]):.1f}")
        pen = "L"
    yield f'<path class="line {series.style}" d="{"".join(steps)}"/>'
    for point, says in zip(series.points, series.says, strict=False):
        if point is not None:
            place = f'cx="{_x(point[0]):.1f}" cy="{scale.y(point[1]):.1f}"'
            yield f'<circle class="dot" {place} r="5"><title>{escape(says)}</title></circle>'


def _legend(all_: Sequence[Series]) -> Iterable[str]:
    x: float = WIDTH - RIGHT
    for series in reversed(all_):
        x -= 8 * len(series.name) + 34
        yield f'<path class="line {series.style}" d="M{x} {HEIGHT - 10}h18"/>'
        yield f'<text class="axis" x="{x + 23}" y="{HEIGHT - 6}">{escape(series.name)}</text>'
