"""Tests of `bench replay`: the journal leads where the commands led, and how fast."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from exchange.bench import replay

SMALL = ("--accounts", "20", "--commands", "300", "--orders", "100", "--group", "7")


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    replay.add_arguments(parser)
    return replay.main(parser.parse_args([*SMALL, *words]))


def test_all_ways_end_in_one_state(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--data", str(tmp_path), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["bench"] == "replay"
    assert report["digests"] == [report["digest"]]
    assert report["commands"] >= 300
    for name in ("seconds", "rate_per_s", "engine_per_s", "ratio_to_engine", "with_views_per_s"):
        assert report[name] > 0, name
    assert list(tmp_path.iterdir()) == []


def test_ways_that_part_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_started", lambda directory: replay.Took(1.0, "another"))
    assert call() == 1
    assert "the ways end differently" in capsys.readouterr().err


def test_nothing_is_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--group", "0") == 2
    assert "at least 1" in capsys.readouterr().err
