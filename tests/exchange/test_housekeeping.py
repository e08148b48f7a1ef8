"""Tests of housekeeping: when a snapshot is due, what it prunes, what a full disk does."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from exchange import housekeeping as module
from exchange.bounds import SNAPSHOT_EVERY_S
from exchange.clock import SteppedClock
from exchange.commands import OpenAccount
from exchange.config import Storage
from exchange.housekeeping import DAY_MS, PRUNE_HISTORY_EVERY_S, Housekeeping
from exchange.recovery import SNAPSHOTS
from exchange.sequencer import Sequencer
from exchange.snapshot import packed
from exchange.storage import durable
from exchange.storage.history import History
from exchange.storage.journal import Journal
from exchange.storage.rows import TradeRow
from exchange.storage.segments import segments_in
from exchange.storage.snapshots import SnapshotStore, snapshots_in
from exchange.verify import verify
from matching.invariants import InvariantBroken
from tests.exchange.tapes import START_MS, Tape, journal_of


class Watch:
    """A clock of the wall that a test sets."""

    def __init__(self) -> None:
        self.s = 0.0

    def now_s(self) -> float:
        return self.s


class Kept:
    """A sequencer with its housekeeping."""

    def __init__(self, directory: Path, storage: Storage) -> None:
        self.directory = directory
        tape = Tape(directory)
        tape.close()
        # A segment for each frame, so that all of them can be pruned.
        self.journal = Journal.open(journal_of(directory), segment_bytes=1)
        self.engine = tape.engine
        self.clock = SteppedClock(START_MS)
        self.sequencer = Sequencer(self.engine, self.journal, self.clock)
        self.history = History.open(directory / "history.db")
        self.store = SnapshotStore(directory / SNAPSHOTS, keep=storage.snapshots_kept)
        self.watch = Watch()
        self.task: asyncio.Task[None]
        self.housekeeping = Housekeeping(
            engine=self.engine,
            sequencer=self.sequencer,
            journal=self.journal,
            store=self.store,
            history=self.history,
            clock=self.clock,
            config=storage,
            saved_seq=self.engine.seq,
            now_s=self.watch.now_s,
        )

    async def commands(self, count: int) -> None:
        for _ in range(count):
            await self.sequencer.submit(OpenAccount())
            self.history.submit(self.engine.seq, [])


@asynccontextmanager
async def keeping(directory: Path, **storage: Any) -> AsyncIterator[Kept]:
    kept = Kept(directory, Storage(**storage))
    kept.task = asyncio.create_task(kept.sequencer.run())
    try:
        yield kept
    finally:
        kept.sequencer.stop()
        await kept.task
        await asyncio.to_thread(kept.history.close)
        kept.journal.close()


async def test_a_snapshot_is_due_after_so_many_commands(tmp_path: Path) -> None:
    async with keeping(tmp_path, snapshot_every_commands=3) as kept:
        await kept.commands(2)
        assert not kept.housekeeping.is_snapshot_due()
        await kept.commands(1)
        assert kept.housekeeping.is_snapshot_due()
        await kept.housekeeping.look()
        assert kept.housekeeping.saved_seq == kept.engine.seq == 4
        assert not kept.housekeeping.is_snapshot_due()


async def test_a_snapshot_is_due_after_a_while_if_anything_happened(tmp_path: Path) -> None:
    async with keeping(tmp_path) as kept:
        kept.watch.s = SNAPSHOT_EVERY_S
        assert not kept.housekeeping.is_snapshot_due()
        await kept.commands(1)
        assert kept.housekeeping.is_snapshot_due()
        await kept.housekeeping.look()
        await kept.commands(1)
        assert not kept.housekeeping.is_snapshot_due()
        kept.watch.s += SNAPSHOT_EVERY_S
        assert kept.housekeeping.is_snapshot_due()


async def test_what_was_kept_verifies(tmp_path: Path) -> None:
    async with keeping(tmp_path, keep_journal=True) as kept:
        for _ in range(3):
            await kept.commands(2)
            await kept.housekeeping.snapshot()
    report = verify(tmp_path)
    assert report.problems == []
    # The genesis is seq 1, and two commands follow before each snapshot.
    assert [verdict.seq for verdict in report.snapshots] == [3, 5, 7]


async def test_i13_a_paranoid_exchange_brings_its_snapshots_back_to_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(tmp_path) as kept:
        await kept.commands(1)
        kept.engine.paranoid = True
        kept.housekeeping.packed_here_max = 0  # Nor is it left to a copy of the process.
        await kept.housekeeping.snapshot()
        assert kept.housekeeping.saved_seq == kept.engine.seq
        await kept.commands(1)
        state = packed(kept.engine)
        wrong = state._replace(digest=bytes(16))
        monkeypatch.setattr(module, "packed", lambda engine: wrong)
        with pytest.raises(InvariantBroken, match=r"I13 .* snapshot of seq 3: its digest"):
            await kept.housekeeping.snapshot()


async def test_the_journal_behind_the_oldest_snapshot_goes_by_age_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MEGABYTE", 0)
    async with keeping(tmp_path, snapshots_kept=2) as kept:
        for _ in range(3):
            await kept.commands(2)
            await kept.history.caught_up()
            await kept.housekeeping.snapshot()
        first, *_ = segments_in(journal_of(tmp_path))
        # Snapshots of seqs 5 and 7 are left; the frame that ends with 5 is needed for its chain.
        assert list(snapshots_in(tmp_path / SNAPSHOTS)) == [5, 7]
        assert kept.journal.first_seq == 5
        assert first.name.startswith("00000000000000000005")
    assert verify(tmp_path).problems == []


async def test_what_the_history_has_not_got_is_not_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MEGABYTE", 0)
    async with keeping(tmp_path, snapshots_kept=1) as kept:
        await kept.commands(1)
        await kept.sequencer.submit(OpenAccount())
        await kept.sequencer.submit(OpenAccount())
        await kept.history.caught_up()
        await kept.housekeeping.snapshot()
        # The history has come to seq 2.
        assert kept.journal.first_seq == 2


@pytest.mark.parametrize("storage", [{"keep_journal": True}, {"journal_max_mb": 1}])
async def test_a_journal_that_is_small_or_to_be_kept_is_kept(
    tmp_path: Path, storage: dict[str, Any]
) -> None:
    async with keeping(tmp_path, snapshots_kept=1, **storage) as kept:
        await kept.commands(3)
        await kept.history.caught_up()
        await kept.housekeeping.snapshot()
        assert kept.journal.first_seq == 1


async def test_a_full_disk_is_told_and_the_exchange_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(tmp_path) as kept:
        await kept.commands(1)
        with monkeypatch.context() as full:
            full.setattr(durable, "sync_file", _no_space)
            taken = await kept.sequencer.between_groups(kept.housekeeping.take)
            await asyncio.to_thread(kept.housekeeping.keep, taken)
        assert kept.housekeeping.error is not None
        assert "No space left" in kept.housekeeping.error
        assert snapshots_in(tmp_path / SNAPSHOTS) == {}
        await kept.commands(1)
        await kept.housekeeping.snapshot()
        assert kept.housekeeping.error is None


def _no_space(fd: int) -> None:
    raise OSError(28, "No space left on device")


async def test_a_large_state_is_kept_by_a_copy_of_the_process(tmp_path: Path) -> None:
    async with keeping(tmp_path, keep_journal=True) as kept:
        kept.housekeeping.packed_here_max = 0
        await kept.commands(3)
        await kept.housekeeping.snapshot()
        assert kept.housekeeping.saved_seq == kept.engine.seq == 4
        await kept.commands(1)
    report = verify(tmp_path)
    assert report.problems == []
    assert [verdict.seq for verdict in report.snapshots] == [4]


async def test_a_copy_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with keeping(tmp_path) as kept:
        kept.housekeeping.packed_here_max = 0
        await kept.commands(1)
        with monkeypatch.context() as full:
            full.setattr(durable, "sync_file", _no_space)
            taken = await kept.sequencer.between_groups(kept.housekeeping._take_aside)
        await asyncio.to_thread(kept.housekeeping.keep, taken)
        assert kept.housekeeping.error is not None
        assert "ended with code 1" in kept.housekeeping.error
        assert snapshots_in(tmp_path / SNAPSHOTS) == {}


async def test_old_rows_of_the_history_go_once_an_hour(tmp_path: Path) -> None:
    async with keeping(tmp_path, history_days=2) as kept:
        old, young = (START_MS - days * DAY_MS for days in (3, 1))
        rows = [TradeRow("BTC-USDT", n, 1, 1, 0, 1, 2, ms) for n, ms in ((1, old), (2, young))]
        kept.history.submit(2, [("trades", row) for row in rows])
        await kept.housekeeping.look()
        assert len(await kept.history.trades("BTC-USDT")) == 2
        kept.watch.s = PRUNE_HISTORY_EVERY_S
        await kept.housekeeping.look()
        assert await kept.history.trades("BTC-USDT") == [rows[1]]


async def test_the_end_leaves_a_snapshot_unless_it_would_take_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(tmp_path) as kept:
        await kept.commands(2)
        kept.sequencer.stop()
        await kept.task
        with monkeypatch.context() as large:
            large.setattr(module, "PACKED_AT_END_MAX", 0)
            await kept.housekeeping.finish()
            assert snapshots_in(tmp_path / SNAPSHOTS) == {}
        for _ in range(2):
            await kept.housekeeping.finish()
            assert list(snapshots_in(tmp_path / SNAPSHOTS)) == [3]


async def test_the_end_does_not_wait_for_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(tmp_path) as kept:
        await kept.commands(1)
        kept.housekeeping.packed_here_max = 0
        with monkeypatch.context() as slow:
            # In the copy only: it would write for ever.
            slow.setattr(SnapshotStore, "write", lambda *_, **__: threading.Event().wait())
            writing = asyncio.create_task(kept.housekeeping.snapshot())
            async with asyncio.timeout(30):
                while kept.housekeeping._copied is None:  # noqa: ASYNC110 - It tells nobody.
                    await asyncio.sleep(0)
        kept.sequencer.stop()
        await kept.task
        await kept.housekeeping.finish()
        await writing
        assert list(snapshots_in(tmp_path / SNAPSHOTS)) == [2]


async def test_it_ends_quietly_with_the_sequencer(tmp_path: Path) -> None:
    async with keeping(tmp_path) as kept:
        await kept.commands(1)
        kept.sequencer.stop()
        await kept.task
        await kept.housekeeping.snapshot()
        assert snapshots_in(tmp_path / SNAPSHOTS) == {}
