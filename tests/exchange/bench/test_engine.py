"""Tests of `bench engine`: what it reports, that equal seeds end alike, and how cost grows."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

import pytest

from exchange.bench import engine
from exchange.bench.mixed import MixedFlow
from exchange.engine import Engine

SMALL = ("--accounts", "20", "--commands", "600", "--orders", "100")


def ran(*words: str) -> dict[str, Any]:
    """The report of the command itself, in a process of its own."""
    command = [sys.executable, "-m", "exchange", "bench", "engine", *words, "--json"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    report: dict[str, Any] = json.loads(told.stdout)
    return report


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    engine.add_arguments(parser)
    return engine.main(parser.parse_args([*SMALL, "--no-memory", *words]))


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return ran(*SMALL)


def test_the_command_tells_what_every_benchmark_must(report: dict[str, Any]) -> None:
    assert report["bench"] == "engine"
    assert report["build"] in ("pure", "compiled")
    assert report["commands"] >= 600
    for name in ("seconds", "rate_per_s", "peak_rss_mb", "calibration_per_s", "events"):
        assert report[name] > 0, name
    assert len(report["digest"]) == 32


def test_an_order_and_an_account_have_a_weight(report: dict[str, Any]) -> None:
    assert 100 < report["bytes_per_resting_order"] < 20_000
    assert 100 < report["bytes_per_idle_account"] < 100_000


def test_the_mix_adds_up_and_is_no_easy_one(report: dict[str, Any]) -> None:
    mix = report["mix"]
    assert sum(mix["kinds"].values()) == report["commands"]
    orders = sum(count for kind, count in mix["kinds"].items() if kind.startswith("PlaceOrder."))
    assert sum(mix["order_wallets"].values()) == orders
    assert mix["order_wallets"].keys() == {"spot", "margin", "isolated", "perp"}
    assert sum(mix["rejects_by_reason"].values()) == mix["rejects"]
    assert 0 < mix["share_of_rejects"] < 0.3
    assert mix["trades"] > 60
    assert mix["funding_charges"] > 0
    assert mix["interest_charges"] > 0


def test_equal_seeds_end_with_equal_digests_and_others_do_not(report: dict[str, Any]) -> None:
    assert ran(*SMALL, "--no-memory", "--expect", report["digest"])["mix"] == report["mix"]
    assert engine.run(engine.Sizes(20, 600, 100, seed=2))["digest"] != report["digest"]


def test_another_digest_than_the_expected_one_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--expect", "00") == 1
    assert "expected 00" in capsys.readouterr().err


def test_a_person_reads_the_rate_the_mix_and_the_digest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call() == 0
    said = capsys.readouterr().out
    assert "a second" in said
    assert "PlaceOrder.limit: " in said
    assert "digest " in said


def test_sizes_that_make_no_run_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--accounts", "0") == 2
    assert "at least 1" in capsys.readouterr().err


def test_an_interruption_leaves_what_was_measured_so_far(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = MixedFlow.chunk

    def chunk(flow: MixedFlow, venue: Engine, count: int) -> list[Any]:
        if venue.seq > 400:
            raise KeyboardInterrupt
        return made(flow, venue, count)

    monkeypatch.setattr(MixedFlow, "chunk", chunk)
    assert call("--json") == 130
    report = json.loads(capsys.readouterr().out)
    assert report["interrupted"] is True
    assert 0 < report["commands"] < 600
    assert report["rate_per_s"] > 0
    assert "digest" not in report


def test_growth_has_a_row_for_each_size_and_stays_far_from_proportional(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "GROWTH", ((10, 100), (1_000, 100), (1_000, 3_000)))
    monkeypatch.setattr(engine, "GROWTH_COMMANDS", 2_000)
    rows = engine.growth(engine.Sizes())["growth"]
    assert [(row["accounts"], row["orders"]) for row in rows] == list(engine.GROWTH)
    costs = [row["us_per_command"] for row in rows]
    assert costs[1] < 10 * costs[0]  # A hundred times the accounts,
    assert costs[2] < 10 * costs[1]  # and thirty times the orders.
