"""Tests of `bench mark`: rows for each size, nobody hurt by a tick but those in reach."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

import pytest

from exchange.bench import mark


def ran(*words: str) -> dict[str, Any]:
    """The report of the command itself, in a process of its own."""
    command = [sys.executable, "-m", "exchange", "bench", "mark", *words, "--json"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    report: dict[str, Any] = json.loads(told.stdout)
    return report


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    mark.add_arguments(parser)
    return mark.main(parser.parse_args(words))


def test_a_row_for_each_size_with_what_every_benchmark_must_tell() -> None:
    report = ran("--positions", "4000,200")
    assert report["bench"] == "mark"
    for name in ("build", "commands", "seconds", "rate_per_s", "peak_rss_mb", "calibration_per_s"):
        assert report[name], name
    small, large = report["mark"]
    assert 200 <= small["positions"] < 250
    assert 4_000 <= large["positions"] < 4_050
    assert large["accounts"] == 2_000
    for row in (small, large):
        assert 0 < row["us_per_tick"] < row["us_per_grid_point"]
        assert row["in_reach"] == 6  # The long ones of ten accounts, and of the pair they copy.
    assert large["us_per_tick"] < 8 * small["us_per_tick"]  # Twenty times the positions.


def test_an_hour_is_settled_for_everybody_with_orders_in_between() -> None:
    report = ran("--positions", "2000", "--funding")
    (row,) = report["funding"]
    assert (row["accounts"], row["positions"], row["loans"]) == (1_000, 2_000, 1_000)
    # The sweep visits each account; the slice and the order behind it do 256 of them each.
    assert row["orders"] >= 1_000 // (2 * 256)
    assert 0 < row["median_wait_ms"] <= row["longest_wait_ms"] < 1e3 * row["seconds"]


def test_a_person_reads_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--positions", "100", "--funding") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert "longest wait ms" in head
    assert row.split()[:3] == ["50", "100", "50"]


def test_an_interruption_leaves_the_rows_that_are_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = mark.mark_row

    def row(positions: int) -> dict[str, Any]:
        if positions > 100:
            raise KeyboardInterrupt
        return measured(positions)

    monkeypatch.setattr(mark, "mark_row", row)
    assert call("--positions", "200,80", "--json") == 130
    report = json.loads(capsys.readouterr().out)
    assert report["interrupted"] is True
    assert [each["positions"] >= 80 for each in report["mark"]] == [True]


@pytest.mark.parametrize("text", ["many", "10,,20", "0"])
def test_what_is_no_list_of_sizes_is_a_wrong_use(text: str) -> None:
    with pytest.raises(SystemExit) as raised:
        call("--positions", text)
    assert raised.value.code == 2
