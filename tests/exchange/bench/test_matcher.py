"""Tests of `bench matcher`: it plays a flow, proves the digest, and fails when it differs."""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from exchange.bench import matcher
from exchange.bench.flow import CANCEL, NEW_GTC, NEW_IOC, NEW_MARKET, RECORD

GENERATOR = Path(__file__).resolve().parents[4] / "shared" / "bench" / "flow.py"

RECORDS = [
    (NEW_GTC, 1, 5, 0, 1, 100, 5),  # Sell 5 at 100: rests.
    (NEW_GTC, 1, 5, 0, 2, 101, 5),  # Sell 5 at 101: rests.
    (NEW_IOC, 0, 5, 0, 3, 100, 7),  # Buy 7 at 100, same owner: takes 5 of order 1.
    (NEW_MARKET, 0, 5, 0, 4, 1, 2),  # Buy 2 at any price (the 1 is ignored): takes 2 of order 2.
    (CANCEL, 0, 0, 0, 1, 0, 0),  # Filled already: refused.
    (NEW_GTC, 0, 5, 0, 5, 99, 4),  # Buy 4 at 99: rests.
    (CANCEL, 0, 0, 0, 5, 0, 0),  # Gone.
]
# Hash: 1*31 + 3*17 + 100*7 + 5 = 787; 787*1000003 + 2*31 + 4*17 + 101*7 + 2 = 787003200.
DIGEST = {"trades": 2, "qty": 7, "notional_mod64": 702, "trade_hash": 787_003_200}
AT_THE_END = {"resting": 1, "resting_qty": 3, "cancel_rejects": 1, "best_bid": 0, "best_ask": 101}


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.bin"
    path.write_bytes(b"".join(RECORD.pack(*record) for record in RECORDS))
    return path


def expecting(folder: Path, digest: object) -> Path:
    path = folder / "digest.json"
    path.write_text(json.dumps(digest), "utf-8")
    return path


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    matcher.add_arguments(parser)
    return matcher.main(parser.parse_args(words))


def test_a_run_reports_what_every_benchmark_must(flow: Path) -> None:
    report = matcher.run(flow)
    assert report["bench"] == "matcher"
    assert report["build"] in ("pure", "compiled")
    assert report["commands"] == 7
    for name in ("seconds", "rate_per_s", "peak_rss_mb", "calibration_per_s"):
        assert float(str(report[name])) > 0, name


def test_a_run_yields_the_digest_done_by_hand(flow: Path) -> None:
    digest: Any = matcher.run(flow)["digest"]
    expected = DIGEST | AT_THE_END
    assert {name: digest[name] for name in expected} == expected


def test_the_expected_digest_makes_it_pass(
    flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expect = expecting(tmp_path, {**DIGEST, "mean_resting": 1})
    assert call("--flow", str(flow), "--expect", str(expect), "--json") == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["verified"] is True
    assert report["mismatches"] == {}
    assert said.err == ""


def test_another_digest_makes_it_fail_and_names_the_difference(
    flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expect = expecting(tmp_path, {**DIGEST, "trade_hash": 1, "qty": 8})
    assert call("--flow", str(flow), "--expect", str(expect), "--json") == 1
    said = capsys.readouterr()
    assert "digest differs: trade_hash is 787003200, expected 1" in said.err
    assert "digest differs: qty is 7, expected 8" in said.err
    assert json.loads(said.out)["mismatches"].keys() == {"trade_hash", "qty"}


def test_a_person_reads_a_sentence(flow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--flow", str(flow)) == 0
    said = capsys.readouterr().out
    assert said.startswith("tiny.bin: 7 commands in ")
    assert said.endswith("digest not compared with any\n")


def test_what_cannot_be_read_is_told_and_fails(
    flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--flow", str(tmp_path / "none.bin")) == 1
    assert "none.bin" in capsys.readouterr().err
    assert call("--flow", str(flow), "--expect", str(expecting(tmp_path, {"trades": 2}))) == 1
    assert "is no digest" in capsys.readouterr().err
    flow.write_bytes(b"short")
    assert call("--flow", str(flow)) == 1
    assert "ends within a record" in capsys.readouterr().err


@pytest.mark.parametrize(("seed", "prefill"), [(20240607, 5_000), (777, 20_000)])
def test_the_standard_flow_gives_the_generators_own_digest(
    seed: int, prefill: int, tmp_path: Path
) -> None:
    if not GENERATOR.exists():
        pytest.skip("the flow's generator does not lie beside the project")
    spec = importlib.util.spec_from_file_location("standard_flow", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    data, digest = generator.generate(
        n=60_000, seed=seed, target=prefill, mean_dist=60, prefill=prefill
    )
    path = tmp_path / "flow.bin"
    path.write_bytes(data)
    report = matcher.run(path, expecting(tmp_path, digest))
    assert report["verified"] is True
    assert report["mismatches"] == {}
    assert digest["trades"] > 1_000
