"""Tests of `bench fanout`: everybody hears everything, on both ports and in both forms."""

from __future__ import annotations

import argparse
import json

import pytest

from exchange.bench import fanout

SMALL = ("--readers", "5", "--messages", "20", "--in-flight", "3")


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    fanout.add_arguments(parser)
    return fanout.main(parser.parse_args([*SMALL, *words]))


@pytest.mark.parametrize("words", [("--port", "fast", "--packed"), ("--port", "main")])
def test_every_trade_reaches_every_reader(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*words, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["bench"], report["port"]) == ("fanout", words[1])
    assert report["commands"] == 20
    for name in ("seconds", "rate_per_s", "broadcast_per_s", "ratio_to_broadcast", "bytes"):
        assert report[name] > 0, name
    assert report["packed"] == ("--packed" in words)
    assert "20 trades to 5 readers" in fanout.text(report)


def test_nothing_is_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--readers", "0") == 2
    assert "at least 1" in capsys.readouterr().err
