"""Tests of `bench flow`: what it writes, `bench matcher` proves."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from exchange.bench import flow_writer, matcher
from exchange.bench.flow import RECORD
from exchange.bench.flow_maker import STANDARD


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    flow_writer.add_arguments(parser)
    return flow_writer.main(parser.parse_args(words))


def test_the_book_reaches_the_digest_that_is_written_beside_the_flow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.bin"
    assert call("small", "--seed", "7", "--commands", "25000", "--out", str(out)) == 0
    assert f"{out}: 25000 commands" in capsys.readouterr().out
    assert out.stat().st_size == 25_000 * RECORD.size
    report = matcher.run(out, tmp_path / "mine.digest.json")
    assert (report["verified"], report["mismatches"]) == (True, {})


def test_for_machines_it_tells_the_shape_and_the_digest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "flow.bin"
    words = ("--commands", "900", "--resting", "50", "--distance", "9", "--prefill", "40")
    assert call("deep", *words, "--out", str(out), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    shape = {"commands": 900, "seed": 777, "resting": 50, "distance": 9, "prefill": 40}
    assert (told["bench"], told["shape"]) == ("flow", shape)
    assert told["digest"] == json.loads((tmp_path / "flow.digest.json").read_text("utf-8"))


def test_without_options_a_size_is_the_standard_flow() -> None:
    parser = argparse.ArgumentParser()
    flow_writer.add_arguments(parser)
    for size, shape in STANDARD.items():
        assert flow_writer.shape_of(parser.parse_args([size])) == shape


def test_a_place_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "nowhere" / "flow.bin"
    assert call("small", "--commands", "10", "--out", str(out)) == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("large",), ("small", "--commands", "0"), ("small", "--seed")])
def test_used_wrongly_it_exits_with_2(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        call(*words)
    assert ended.value.code == 2
