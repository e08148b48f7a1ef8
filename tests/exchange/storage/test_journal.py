"""The journal: what was synced stays, whatever the disk does."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.storage.frames import GENESIS, HEADER_BYTES
from exchange.storage.journal import Journal, JournalFailed
from exchange.storage.segments import JournalPruned, SegmentFile, segments_in
from tests.exchange.storage.journals import Group, fill, groups_of, made, payload


class BrokenDisk:
    """A disk that fails the next write or sync when told to."""

    def __init__(self) -> None:
        self.room: int | None = None
        self.sync_fails = False
        self.syncs = 0

    def open(self, path: Path) -> SegmentFile:
        return BrokenFile(path, self)


class BrokenFile(SegmentFile):
    def __init__(self, path: Path, disk: BrokenDisk) -> None:
        super().__init__(path)
        self.disk = disk

    def write(self, data: bytes, offset: int) -> None:
        if self.disk.room is not None and self.disk.room < len(data):
            super().write(data[: self.disk.room], offset)
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(data, offset)

    def sync(self) -> None:
        self.disk.syncs += 1
        if self.disk.sync_fails:
            raise OSError(errno.EIO, "Input/output error")
        super().sync()


def test_a_new_journal_is_empty(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "deep" / "journal")
    assert (journal.first_seq, journal.last_seq, journal.synced_seq) == (1, 0, 0)
    assert journal.chain == GENESIS
    assert groups_of(journal) == []
    journal.close()


def test_what_was_synced_is_there_after_opening_again(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.append_and_sync(1, 2, b"one, two")
    journal.append_and_sync(3, 1, b"three")
    chain = journal.chain_hex
    journal.close()
    again = Journal.open(tmp_path)
    assert groups_of(again) == [(1, 2, b"one, two"), (3, 1, b"three")]
    assert (again.first_seq, again.last_seq, again.synced_seq) == (1, 3, 3)
    assert again.chain_hex == chain
    assert again.torn is None
    again.append_and_sync(4, 1, b"four")
    assert groups_of(again, 3) == [(3, 1, b"three"), (4, 1, b"four")]
    again.close()


def test_a_group_is_told_only_once_it_is_durable(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.append(1, 1, b"one")
    assert (journal.last_seq, journal.synced_seq) == (1, 0)
    assert groups_of(journal) == []
    journal.sync()
    assert journal.synced_seq == 1
    assert groups_of(journal) == [(1, 1, b"one")]
    journal.close()


def test_a_frame_is_written_only_when_the_one_before_is_synced(tmp_path: Path) -> None:
    disk = BrokenDisk()
    journal = Journal.open(tmp_path, open_segment=disk.open)
    journal.append(1, 1, b"one")
    journal.append(2, 1, b"two")
    assert (disk.syncs, journal.synced_seq) == (1, 1)
    journal.sync()
    journal.sync()  # Nothing is left to sync.
    assert (disk.syncs, journal.synced_seq) == (2, 2)
    journal.close()


def test_a_seq_out_of_order_is_a_bug(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    with pytest.raises(AssertionError):
        journal.append(2, 1, b"two")
    journal.append_and_sync(1, 3, b"one to three")
    with pytest.raises(AssertionError):
        journal.append(2, 1, b"two")
    journal.close()


def test_groups_may_be_appended_from_worker_threads(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    for seq in range(1, 6):
        worker = threading.Thread(target=journal.append_and_sync, args=(seq, 1, payload(seq)))
        worker.start()
        worker.join()
    assert journal.synced_seq == 5
    journal.close()


def test_equal_runs_leave_equal_bytes(tmp_path: Path) -> None:
    made(tmp_path / "one", 20, segment_bytes=300)
    made(tmp_path / "two", 20, segment_bytes=300)
    one, two = segments_in(tmp_path / "one"), segments_in(tmp_path / "two")
    assert len(one) > 3
    assert [(p.name, p.read_bytes()) for p in one] == [(p.name, p.read_bytes()) for p in two]


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 9), st.binary(max_size=90)), max_size=25),
    segment_bytes=st.integers(1, 400),
    reopen_every=st.integers(1, 9),
)
def test_every_journal_reads_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[tuple[int, bytes]],
    segment_bytes: int,
    reopen_every: int,
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    written: list[Group] = []
    journal = Journal.open(directory, segment_bytes=segment_bytes)
    for number, (count, data) in enumerate(sizes):
        if number % reopen_every == 0:
            journal.close()
            journal = Journal.open(directory, segment_bytes=segment_bytes)
        written.append((journal.last_seq + 1, count, data))
        journal.append_and_sync(*written[-1])
    assert groups_of(journal) == written
    for group in written:
        assert groups_of(journal, group[0]) == written[written.index(group) :]
    journal.close()


# A disk that fails.


def test_after_a_failed_sync_nothing_more_is_appended(tmp_path: Path) -> None:
    disk = BrokenDisk()
    journal = Journal.open(tmp_path, open_segment=disk.open)
    journal.append_and_sync(1, 1, b"one")
    disk.sync_fails = True
    with pytest.raises(JournalFailed, match=r"could not sync .* Input/output error"):
        journal.append_and_sync(2, 1, b"two")
    disk.sync_fails = False
    for deed in (journal.sync, lambda: journal.append(3, 1, b"three")):
        with pytest.raises(JournalFailed, match="could not sync"):
            deed()
    assert journal.failed is not None
    assert journal.synced_seq == 1
    assert groups_of(journal) == [(1, 1, b"one")]
    journal.close()


def test_opening_after_a_failed_sync_makes_the_last_frame_durable_itself(tmp_path: Path) -> None:
    disk = BrokenDisk()
    journal = Journal.open(tmp_path, open_segment=disk.open)
    disk.sync_fails = True
    with pytest.raises(JournalFailed):
        journal.append_and_sync(1, 1, b"one")
    journal.close()
    with pytest.raises(OSError, match="Input/output"):
        Journal.open(tmp_path, open_segment=disk.open)
    disk.sync_fails = False
    writes: list[tuple[int, bytes]] = []

    class Watched(BrokenFile):
        def write(self, data: bytes, offset: int) -> None:
            writes.append((offset, data))
            super().write(data, offset)

    syncs = disk.syncs
    again = Journal.open(tmp_path, open_segment=lambda path: Watched(path, disk))
    (segment,) = segments_in(tmp_path)
    assert writes == [(0, segment.read_bytes())]
    assert disk.syncs == syncs + 1
    assert (again.last_seq, again.synced_seq) == (1, 1)
    again.close()


@pytest.mark.parametrize("room", [0, 1, HEADER_BYTES, HEADER_BYTES + 1])
def test_a_full_disk_leaves_a_torn_end_that_opening_cuts(tmp_path: Path, room: int) -> None:
    disk = BrokenDisk()
    journal = Journal.open(tmp_path, open_segment=disk.open)
    journal.append_and_sync(1, 1, b"one")
    disk.room = room
    with pytest.raises(JournalFailed, match=r"could not write to .* No space left"):
        journal.append(2, 1, b"two")
    disk.room = None
    with pytest.raises(JournalFailed):
        journal.append(2, 1, b"two")
    journal.close()
    again = Journal.open(tmp_path, open_segment=disk.open)
    assert groups_of(again) == [(1, 1, b"one")]
    assert (again.torn is None) == (room == 0)
    again.append_and_sync(2, 1, b"two")
    again.close()


def test_a_segment_that_cannot_be_made_fails_the_journal(tmp_path: Path) -> None:
    def opener(path: Path) -> SegmentFile:
        if path.name != f"{1:020d}.segment":
            raise OSError(errno.EMFILE, "Too many open files")
        return SegmentFile(path)

    journal = Journal.open(tmp_path, segment_bytes=1, open_segment=opener)
    journal.append_and_sync(1, 1, b"one")
    with pytest.raises(JournalFailed, match="Too many open files"):
        journal.append(2, 1, b"two")
    journal.close()
    again = Journal.open(tmp_path)
    assert again.last_seq == 1
    again.close()


def test_a_closed_journal_appends_nothing(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.close()
    journal.close()
    with pytest.raises(JournalFailed, match="is closed"):
        journal.append(1, 1, b"one")


# Rotation and pruning.


def test_a_segment_is_followed_by_the_next_when_it_is_full(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes=200)
    fill(journal, 30)
    segments = segments_in(tmp_path)
    assert len(segments) > 5
    assert all(segment.stat().st_size <= 200 for segment in segments)
    assert journal.size_bytes == sum(segment.stat().st_size for segment in segments)
    kept = groups_of(journal)
    assert len(kept) == 30
    journal.close()
    again = Journal.open(tmp_path, segment_bytes=200)
    assert groups_of(again) == kept
    again.close()


def test_a_group_larger_than_a_segment_has_one_of_its_own(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes=100)
    for seq in (1, 2, 3):
        journal.append_and_sync(seq, 1, b"x" * (500 if seq == 2 else 5))
    assert [int(path.stem) for path in segments_in(tmp_path)] == [1, 2, 3]
    journal.close()


def pruned(journal: Journal, deed: Callable[[Journal], list[Path]]) -> list[int]:
    removed = deed(journal)
    assert not any(path.exists() for path in removed)
    return [int(path.stem) for path in removed]


@pytest.fixture
def five(tmp_path: Path) -> Journal:
    """Segments of one frame each: 1, 2, 3, 4, 5; 50 bytes each."""
    journal = Journal.open(tmp_path, segment_bytes=1)
    for seq in range(1, 6):
        journal.append_and_sync(seq, 1, b"ten bytes.")
    return journal


def test_pruning_removes_what_lies_wholly_before(five: Journal) -> None:
    assert pruned(five, lambda j: j.prune(4)) == [1, 2, 3]
    assert (five.first_seq, five.last_seq) == (4, 5)
    assert [seq for seq, _, _ in groups_of(five)] == [4, 5]
    with pytest.raises(JournalPruned, match="begins with seq 4; 1 is gone"):
        groups_of(five, 1)
    five.close()


def test_pruning_never_removes_the_last_frame(five: Journal) -> None:
    assert pruned(five, lambda j: j.prune(1_000)) == [1, 2, 3, 4]
    five.close()
    again = Journal.open(five.directory)
    assert (again.first_seq, again.last_seq) == (5, 5)
    again.append_and_sync(6, 1, b"six")
    again.close()


def test_pruning_keeps_the_last_durable_frame_while_the_next_is_not(five: Journal) -> None:
    five.append(6, 1, b"six")
    assert pruned(five, lambda j: j.prune(1_000)) == [1, 2, 3, 4]
    five.close()


def test_pruning_spares_what_may_stay_by_size(five: Journal) -> None:
    assert pruned(five, lambda j: j.prune(5, keep_bytes=150)) == [1, 2]
    assert pruned(five, lambda j: j.prune(5, keep_bytes=150)) == []
    five.close()


def test_pruning_by_age_removes_what_size_would_spare(five: Journal) -> None:
    for segment, written_s in zip(segments_in(five.directory), (10, 20, 30, 40, 50), strict=True):
        os.utime(segment, (written_s, written_s))
    assert pruned(five, lambda j: j.prune(5, keep_bytes=10**9, keep_after_s=25)) == [1, 2]
    five.close()


def test_a_frame_split_between_before_and_after_stays(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes=1)
    journal.append_and_sync(1, 5, b"one to five")
    journal.append_and_sync(6, 1, b"six")
    assert journal.prune(5) == []
    assert pruned(journal, lambda j: j.prune(6)) == [1]
    journal.close()
