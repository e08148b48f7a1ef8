"""Tests of figures taken from the benchmarks' reports."""

import json
from pathlib import Path
from typing import Any

import pytest

from exchange.capacity.figures import MEASURED, BadFigures
from exchange.capacity.taking import said_by, taken
from tests.exchange.capacity.worlds import figures

# As `papertape bench ... --json` prints them, less what is not read.
ENGINE = {"bench": "engine", "build": "compiled", "rate_per_s": 40_000}
ENGINE |= {"bytes_per_idle_account": 2_800, "bytes_per_resting_order": 700}
REPLAY = {"bench": "replay", "build": "compiled", "commands": 10_000, "journal_mb": 0.75}
REPLAY |= {"with_views_per_s": 32_000}
EDGE = {"bench": "edge", "build": "compiled", "port": "fast", "sync_p50_us": 350.0}
EDGE |= {"server_us_per_command": 48.75, "engine_us_per_command": 30.5}
FANOUT = {"bench": "fanout", "build": "compiled", "port": "fast", "bytes": 201}
FANOUT |= {"server_us_per_delivery": 2.25}


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (ENGINE, {"engine_us": 25, "account_bytes": 2_800, "order_bytes": 700}),
        (ENGINE | {"build": "pure"}, {"engine_interpreted_us": 25}),
        # 0.75 x 1,048,576 / 10,000 = 78.64.
        (REPLAY, {"replica_us": 31.25, "command_bytes": 78.64}),
        (EDGE, {"edge_us": 18.25, "sync_ms": 0.35}),
        (FANOUT, {"delivery_us": 2.25, "delivery_bytes": 201}),
    ],
)
def test_each_report_says_its_figures(report: dict[str, Any], said: dict[str, float]) -> None:
    assert said_by(report, "a report") == said
    assert said.keys() <= MEASURED.keys()


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (EDGE | {"port": "main"}, "no figure comes from"),
        (FANOUT | {"build": "pure"}, "no figure comes from"),
        ({"bench": "mark"}, "no figure comes from"),
        ({"bench": "edge", "build": "compiled", "port": "fast"}, "server_us_per_command"),
        (ENGINE | {"rate_per_s": 0}, "ZeroDivisionError"),
    ],
)
def test_a_report_that_says_none_is_refused(report: dict[str, Any], told: str) -> None:
    with pytest.raises(BadFigures, match=told):
        said_by(report, "a report")


def test_the_other_figures_stay_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    file.write_text(json.dumps(EDGE), "utf-8")
    new = taken(figures(), [file])
    assert new["edge_us"] == 18.25
    assert new.but({"edge_us": 10.0, "sync_ms": 1.0}) == figures()
    with pytest.raises(BadFigures, match="No such file"):
        taken(figures(), [tmp_path / "gone.json"])
    file.write_text("nonsense", "utf-8")
    with pytest.raises(BadFigures, match="edge"):
        taken(figures(), [file])
