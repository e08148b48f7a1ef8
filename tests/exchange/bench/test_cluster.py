"""Tests of `bench cluster`: a small run with one gateway and with two, judged by its report."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from exchange.bench import cluster
from exchange.cluster import local
from tests.conftest import needed_redis

SMALL = ("--connections", "4", "--in-flight", "3", "--commands", "200")


@pytest.fixture(autouse=True)
def _redis() -> None:
    needed_redis()


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cluster.add_arguments(parser)
    return cluster.main(parser.parse_args([*SMALL, *words]))


def test_every_command_is_answered_through_one_gateway_and_through_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--data", str(tmp_path), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    one, two = report["runs"]
    assert (one["gateways"], two["gateways"]) == (1, 2)
    for run in (one, two):
        assert (run["commands"], run["refused"]) == (200, 0)
        for name in ("rate_per_s", "seconds", "peak_rss_mb"):
            assert run[name] > 0, name
        for kind in ("core", "gateway", "redis"):
            assert run[f"{kind}_us_per_command"] >= 0, kind
    assert report["ratio_to_one_gateway"] > 0
    assert report["calibration_per_s"] > 0
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_redis_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(local, "redis_binary", lambda: None)
    assert call() == 1
    assert "apt install redis-server" in capsys.readouterr().err


def test_no_gateway_is_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--gateways", "0") == 2
    assert "at least 1" in capsys.readouterr().err
