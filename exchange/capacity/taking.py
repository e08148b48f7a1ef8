"""What the benchmarks' own reports say of the figures: `scripts/capacity --take REPORT.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from exchange.capacity.figures import BadFigures, Figures

Report = Mapping[str, Any]

MIB: Final = 2**20
MILLION: Final = 1_000_000
US_PER_MS: Final = 1_000


def taken(figures: Figures, files: list[Path]) -> Figures:
    """The figures with what these reports of `papertape bench ... --json` say instead.

    BadFigures for a report that says nothing of any.
    """
    changes: dict[str, float] = {}
    for file in files:
        changes |= said_by(_read(file), str(file))
    return figures.but(changes)


def said_by(report: Report, where: str) -> dict[str, float]:
    """The figures that one report determines, by name."""
    kind = (report.get("bench"), report.get("build"), report.get("port", "fast"))
    read = _READERS.get(kind)
    if read is None:
        wanted = "; ".join(" ".join(map(str, known)) for known in _READERS)
        raise BadFigures(f"{where}: no figure comes from {kind}; these are known: {wanted}")
    try:
        return {name: float(f"{value:.4g}") for name, value in read(report).items()}
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise BadFigures(f"{where}: {type(error).__name__}: {error}") from error


def _read(file: Path) -> Report:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise BadFigures(f"{file}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BadFigures(f"{file}: {error}") from error


def _interpreted(report: Report) -> dict[str, float]:
    return {"engine_interpreted_us": MILLION / report["rate_per_s"]}


def _compiled(report: Report) -> dict[str, float]:
    return {
        "engine_us": MILLION / report["rate_per_s"],
        "account_bytes": report["bytes_per_idle_account"],
        "order_bytes": report["bytes_per_resting_order"],
    }


def _replay(report: Report) -> dict[str, float]:
    """A gateway has the views too."""
    return {
        "replica_us": MILLION / report["with_views_per_s"],
        "command_bytes": report["journal_mb"] * MIB / report["commands"],
    }


def _edge(report: Report) -> dict[str, float]:
    """The engine's part is that of another flow, so it is taken away."""
    return {
        "edge_us": report["server_us_per_command"] - report["engine_us_per_command"],
        "sync_ms": report["sync_p50_us"] / US_PER_MS,
    }


def _fanout(report: Report) -> dict[str, float]:
    return {"delivery_us": report["server_us_per_delivery"], "delivery_bytes": report["bytes"]}


_READERS: Final[Mapping[Any, Callable[[Report], dict[str, float]]]] = {
    ("engine", "pure", "fast"): _interpreted,
    ("engine", "compiled", "fast"): _compiled,
    ("replay", "compiled", "fast"): _replay,
    ("edge", "compiled", "fast"): _edge,
    ("fanout", "compiled", "fast"): _fanout,
}
