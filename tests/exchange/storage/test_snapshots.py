"""Snapshots: whole or passed over, and the newest few kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.storage import durable
from exchange.storage.snapshots import (
    HEADER_BYTES,
    Snapshot,
    SnapshotStore,
    read_snapshot,
    snapshots_in,
)

CHAIN = bytes(range(16))


def good_seqs(store: SnapshotStore) -> list[int]:
    return [snapshot.seq for snapshot in store.good()]


def test_a_new_store_holds_nothing(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "deep" / "snapshots")
    assert store.newest() is None
    assert store.oldest_seq is None


def test_the_newest_is_what_was_written_last(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.write(7, b"seven", b"d7", chain=CHAIN)
    store.write(12, b"twelve", b"d12", chain=CHAIN)
    assert store.newest() == Snapshot(12, b"twelve", b"d12", CHAIN)
    assert SnapshotStore(tmp_path).newest() == Snapshot(12, b"twelve", b"d12", CHAIN)


@settings(max_examples=50, deadline=None)
@given(seq=st.integers(0, 2**63), payload=st.binary(max_size=999), digest=st.binary(max_size=64))
def test_a_snapshot_reads_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, seq: int, payload: bytes, digest: bytes
) -> None:
    store = SnapshotStore(tmp_path_factory.mktemp("snapshots"))
    store.write(seq, payload, digest, chain=CHAIN)
    assert store.newest() == Snapshot(seq, payload, digest, CHAIN)


def test_only_the_newest_few_are_kept(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, keep=3)
    for seq in (5, 10, 15, 20, 100):
        store.write(seq, b"state", b"digest", chain=CHAIN)
    assert good_seqs(store) == [100, 20, 15]
    assert store.oldest_seq == 15


def test_every_flipped_bit_is_seen_and_the_one_before_is_used(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.write(1, b"old", b"d1", chain=CHAIN)
    path = store.write(2, b"new state", b"d2", chain=CHAIN)
    raw = path.read_bytes()
    for bit in range(len(raw) * 8):
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert store.newest() == Snapshot(1, b"old", b"d1", CHAIN)
        assert [report.path for report in store.damaged] == [path]


def test_a_snapshot_cut_anywhere_is_passed_over_with_a_reason(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    path = store.write(1, b"state", b"d1", chain=CHAIN)
    raw = path.read_bytes()
    for size in range(len(raw)):
        path.write_bytes(raw[:size])
        assert store.newest() is None
        (report,) = store.damaged
        assert ("header has" in report.why) == (size < HEADER_BYTES)
    path.write_bytes(raw)
    assert store.newest() is not None
    assert store.damaged == []


def test_a_snapshot_of_another_version_is_named(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    path = store.write(1, b"state", b"d1", chain=CHAIN)
    raw = bytearray(path.read_bytes())
    raw[3] = 8
    path.write_bytes(raw)
    assert store.newest() is None
    assert store.damaged[0].why == "its version is 8, not 1"


def test_a_snapshot_under_another_name_is_passed_over(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    path = store.write(1, b"state", b"d1", chain=CHAIN)
    path.rename(path.with_name(f"{2:020d}.snapshot"))
    assert store.newest() is None
    assert store.damaged[0].why == "it holds seq 1, not the one of its name"


def test_a_write_cut_short_by_a_crash_leaves_nothing(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.write(1, b"state", b"d1", chain=CHAIN)
    unfinished = tmp_path / f"{2:020d}.snapshot.new"
    unfinished.write_bytes(b"half a sta")
    assert good_seqs(SnapshotStore(tmp_path)) == [1]
    assert not unfinished.exists()


def test_a_failed_write_leaves_the_earlier_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SnapshotStore(tmp_path, keep=1)
    store.write(1, b"state", b"d1", chain=CHAIN)

    def failing_sync(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "sync_file", failing_sync)
    with pytest.raises(OSError, match="No space left"):
        store.write(2, b"state", b"d2", chain=CHAIN)
    assert good_seqs(store) == [1]


def test_a_stranger_s_file_is_left_alone(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, keep=1)
    notes = tmp_path / "before-the-upgrade.snapshot"
    notes.write_bytes(b"?")
    store.write(1, b"state", b"d1", chain=CHAIN)
    store.write(2, b"state", b"d2", chain=CHAIN)
    assert good_seqs(store) == [2]
    assert store.damaged == []
    assert notes.exists()


def test_a_directory_that_is_only_looked_at_keeps_what_is_being_written(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    for seq in (7, 3):
        store.write(seq, b"state", b"digest", chain=CHAIN)
    unfinished = tmp_path / f"{9:020d}.snapshot.new"
    unfinished.write_bytes(b"half a sta")
    found = snapshots_in(tmp_path)
    assert list(found) == [3, 7]
    assert read_snapshot(found[7]) == Snapshot(7, b"state", b"digest", CHAIN)
    assert unfinished.exists()
