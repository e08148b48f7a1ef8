"""Tests that flows are drawn as the standard ones are, and hold what their shape says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from exchange.bench.flow import CANCEL, NEW_GTC, NEW_MARKET, RECORD
from exchange.bench.flow_maker import STANDARD, FlowMaker, Shape

# The first commands of the standard flows, as their own generator wrote them.
BEGINNINGS = {
    "small": (
        30_000,
        "b92cb1fadb595039b763324b7a21f1dd11fdd2f9edbdf2a7c6cf46f58d4e86ca",
        {"trades": 4_982, "trade_hash": 14_372_550_507_048_742_605, "gtc_marketable": 243}
        | {"mean_resting": 4_376, "mean_levels_per_side": 251, "cancel_rejects": 220},
    ),
    "deep": (
        130_000,
        "a9b11a0375a556d20ef00c457bb7536f0020ffae1b41b3b9f186c73f79ac87a9",
        {"trades": 6_251, "trade_hash": 3_202_217_815_107_880_757, "gtc_marketable": 297}
        | {"mean_resting": 99_194, "mean_levels_per_side": 3_732, "cancel_rejects": 237},
    ),
}
SMALL = STANDARD["small"]


def drawn(shape: Shape) -> tuple[bytes, dict[str, int]]:
    """A whole flow and its digest."""
    maker = FlowMaker(shape)
    return b"".join(RECORD.pack(*record) for record in maker.records()), maker.digest()


@pytest.mark.parametrize("size", list(STANDARD))
def test_the_standard_flow_begins_as_it_does_byte_for_byte(size: str) -> None:
    commands, sha, expected = BEGINNINGS[size]
    flow, digest = drawn(msgspec.structs.replace(STANDARD[size], commands=commands))
    assert hashlib.sha256(flow).hexdigest() == sha
    assert digest["commands"] == commands
    assert {name: digest[name] for name in expected} == expected


def test_the_whole_standard_flow_comes_to_its_digest(shared_dir: Path) -> None:
    maker = FlowMaker(SMALL)
    assert sum(1 for _ in maker.records()) == SMALL.commands
    expected = (shared_dir / "bench" / "flow_small.digest.json").read_text("utf-8")
    assert maker.digest() == json.loads(expected)


def test_a_seed_is_a_flow_and_another_seed_another() -> None:
    short = msgspec.structs.replace(SMALL, commands=8_000, seed=1)
    assert drawn(short) == drawn(short)
    assert drawn(short)[0] != drawn(msgspec.structs.replace(short, seed=2))[0]


def test_what_comes_first_is_passive_and_the_rest_is_steered() -> None:
    shape = Shape(commands=6_000, seed=3, resting=400, distance=20, prefill=500)
    maker = FlowMaker(shape)
    records = list(maker.records())
    assert {record[0] for record in records[:500]} == {NEW_GTC}
    assert all(record[4] > 500 for record in records if record[0] == NEW_MARKET)
    ids = [record[4] for record in records if record[0] != CANCEL]
    assert ids == list(range(1, len(ids) + 1))
    assert all(record[5] > 0 < record[6] for record in records if record[0] == NEW_GTC)
    assert 200 < maker.digest()["resting"] < 800


def test_a_flow_that_would_cancel_what_is_not_there_places_instead() -> None:
    shape = Shape(commands=400, seed=4, resting=1, distance=2, prefill=1)
    maker = FlowMaker(shape)
    rejects = sum(1 for record in maker.records() if record[0] == CANCEL and not record[4])
    assert rejects == 0
    assert sum(maker.ops) == 400
