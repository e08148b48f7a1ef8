"""Tests of what the exchange says of itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exchange.audit import Auditor
from exchange.clock import ScaledClock, SteppedClock
from exchange.commands import OpenAccount
from exchange.config import Storage
from exchange.health import Health, watch
from exchange.house import House
from exchange.housekeeping import Housekeeping
from exchange.recovery import SNAPSHOTS, recover
from exchange.sequencer import Sequencer
from exchange.storage.history import History
from exchange.storage.snapshots import SnapshotStore
from risk.ledger import FEES
from tests.exchange.tapes import START_MS, venue


class Made:
    """An exchange without doors, which a test may run."""

    def __init__(self, directory: Path, clock: Any) -> None:
        recovered = recover(directory, venue)
        self.journal = recovered.journal
        self.history = History.open(directory / "history.db")
        self.house = House(recovered.engine, self.history)
        self.sequencer = Sequencer(recovered.engine, recovered.journal, clock)
        self.housekeeping = Housekeeping(
            engine=recovered.engine,
            sequencer=self.sequencer,
            journal=recovered.journal,
            store=SnapshotStore(directory / SNAPSHOTS),
            history=self.history,
            clock=clock,
            config=Storage(),
        )
        self.health = Health(
            recovered.engine,
            self.sequencer,
            clock,
            recovered.journal,
            self.history,
            self.housekeeping,
            Auditor(recovered.engine),
        )


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Made]:
    made = Made(tmp_path, SteppedClock(START_MS))
    yield made
    made.journal.close()
    await asyncio.to_thread(made.history.close)


async def test_it_says_where_it_stands(made: Made) -> None:
    task = asyncio.create_task(made.sequencer.run())
    await made.sequencer.submit(OpenAccount())
    made.health.status = "ok"
    said = made.health.say()
    assert (said["status"], said["seq"], said["exchange_time"]) == ("ok", 2, START_MS)
    assert (said["speed"], said["speed_max"]) == (0.0, 0.0)
    assert (said["behind_ms"], said["backlog"], said["catching_up"]) == (0, 0, False)
    made.sequencer.stop()
    await task


async def test_work_that_is_due_and_not_done_is_a_lag(tmp_path: Path) -> None:
    now_ns = [0]
    clock = ScaledClock(1.0, START_MS, lead_ms=60_000, monotonic_ns=lambda: now_ns[0])
    made = Made(tmp_path, clock)
    now_ns[0] = 5_000_000_000
    # The first grid point was due one second behind the start.
    assert made.health.say()["behind_ms"] == 4_000
    made.journal.close()
    await asyncio.to_thread(made.history.close)


async def test_what_does_not_stop_it_is_told(made: Made) -> None:
    assert made.health.say()["problems"] == []
    made.housekeeping.error = "No space left on device"
    (problem,) = made.health.say()["problems"]
    assert problem == "the last snapshot was not kept: No space left on device"


async def test_a_broken_invariant_degrades_it_and_does_not_stop_it(made: Made) -> None:
    made.health.status = "ok"
    auditor = made.health.auditor
    auditor.begin()
    assert made.health.say()["status"] == "ok"
    made.health.engine.risk.ledger.house(FEES, "USDT").minor += 1
    assert not auditor.look().ok
    said = made.health.say()
    assert said["status"] == "degraded"
    assert said["problems"] == [
        "an invariant is broken: I1: USDT: the pockets add up to 1 units, not to zero"
    ]
    watch(made.house.metrics, made.health, made.house.publisher, None)
    text = made.house.metrics.text().decode()
    assert "papertape_audit_ok 0.0" in text
    assert "papertape_audit_violations_total 1.0" in text
    made.health.status = "stopping"
    assert made.health.say()["status"] == "stopping"


async def test_the_metrics_show_it_too(made: Made) -> None:
    watch(made.house.metrics, made.health, made.house.publisher, None)
    text = made.house.metrics.text().decode()
    assert "papertape_seq 1.0" in text
    assert f"papertape_journal_bytes {float(made.journal.size_bytes)}" in text
    assert "papertape_sessions 0.0" in text
    assert "redis" not in text
