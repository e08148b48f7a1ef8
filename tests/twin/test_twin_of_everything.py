"""Every kind of order on one venue: engine and twin, under seeds and under Hypothesis.

Fifty thousand commands are drawn by the tests of this folder; PAPERTAPE_TWIN_TIMES=20 asks for
twenty times as many. Both builds obey the same commands, and tell the same to the byte.
"""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from exchange import build
from exchange.commands import CancelOrder
from tests.twin.drawn_commands import Dice
from tests.twin.duel import Duel
from tests.twin.lives import (
    AMEND,
    LIST,
    STATE,
    TRADE,
    TRIGGER,
    at_least,
    fails,
    live,
    lives,
    shrunk,
)
from tests.twin.twin_commands import Twin

ALL = TRADE | AMEND | TRIGGER | LIST | STATE
EXPECTED = {
    "commands": 10_000,
    "PlaceList": 400,
    "order triggered": 80,
    "order LIST_ENDED": 20,
    "order amended": 60,
    "uncrossed": 8,
    "list DONE": 120,
}
TELL = "from tests.twin.test_twin_of_everything import tell; tell()"
TOLD_SEEDS = range(5_000_000, 5_000_006)


@pytest.mark.timeout(0)
def test_ten_thousand_commands_of_every_kind_are_told_as_the_twin_tells_them() -> None:
    at_least(lives(4_000_000, 10_000, ALL), EXPECTED)


# -- both builds -------------------------------------------------------------------------------


def digests() -> list[str]:
    """A fingerprint of all that lives of every kind told."""
    return [live(seed, ALL).digest.hexdigest() for seed in TOLD_SEEDS]


def tell() -> None:
    """Print which build runs, and the fingerprints."""
    print(build.running(), *digests())


def test_the_other_build_tells_the_same() -> None:
    other = "pure" if build.running() == "compiled" else "compiled"
    wrong = build.faults(build.ROOT, build.ROOT / build.BUILT)
    if other == "compiled" and wrong:
        pytest.skip(f"there is no other build: {wrong[0]}")
    environment = {**os.environ, build.VARIABLE: other}
    command = [sys.executable, "-c", TELL]
    run = subprocess.run(
        command, env=environment, cwd=build.ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [other, *digests()]


# -- a failure is made small -------------------------------------------------------------------


def test_commands_that_part_engine_and_twin_are_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A twin that cannot cancel is found out by a placed order and its cancellation."""
    commands = live(7, TRADE, 120).commands
    assert any(isinstance(each, CancelOrder) for each in commands)
    assert not fails(commands)
    monkeypatch.setattr(Twin, "_cancel", lambda *_: ("UNKNOWN_ORDER", 0))
    assert fails(commands)
    few = shrunk(commands)
    assert len(few) <= 4
    assert fails(few)


class AnyOrder(RuleBasedStateMachine):
    """Commands that Hypothesis chooses, and shrinks where engine and twin part."""

    @initialize()
    def begin(self) -> None:
        self.duel = Duel(people=3)

    @rule(name=st.sampled_from(sorted(ALL)), random=st.randoms(use_true_random=False))
    def do(self, name: str, random: Random) -> None:
        dice = Dice(random, self.duel, {name: 1})
        self.duel.do(dice.draw(), dice.wait_ms())

    def teardown(self) -> None:
        if hasattr(self, "duel"):
            self.duel.compare_whole()


@pytest.mark.timeout(1_200)
def test_no_order_of_commands_parts_engine_and_twin() -> None:
    """For longer under `--hypothesis-profile long`."""
    usual = settings.get_profile("ci").max_examples
    chosen = settings().max_examples
    options = settings(
        max_examples=40 if chosen == usual else chosen,
        stateful_step_count=50,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(AnyOrder, settings=options)
