"""Tests of `bench edge`: small runs on both ports, judged by what they report."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from exchange.bench import edge

SMALL = ("--connections", "4", "--in-flight", "3", "--commands", "200", "--pings", "5")


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    edge.add_arguments(parser)
    return edge.main(parser.parse_args([*SMALL, *words]))


@pytest.mark.parametrize("port", ["fast", "main"])
def test_every_command_is_answered_and_none_refused(
    port: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--port", port, "--data", str(tmp_path), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["bench"], report["port"], report["refused"]) == ("edge", port, 0)
    assert report["commands"] == 200  # 5 rounds of 10 for each of 4 connections.
    for name in ("seconds", "rate_per_s", "echo_per_s", "ratio_to_echo", "ping_p50_us"):
        assert report[name] > 0, name
    for name in (
        "echo_p50_us",
        "sync_p50_us",
        "peak_rss_mb",
        "calibration_per_s",
        "engine_us_per_command",
    ):
        assert report[name] > 0, name
    assert 1 <= report["commands_per_group"] <= 12  # So many are in flight at most.
    assert list(tmp_path.iterdir()) == []
    assert f"200 commands in {report['seconds']} s on the {port} port" in edge.text(report)


def test_nothing_is_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--connections", "0") == 2
    assert "at least 1" in capsys.readouterr().err
