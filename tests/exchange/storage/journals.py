"""Journals for tests: filled, closed, and read back."""

from __future__ import annotations

from pathlib import Path

from exchange.storage.journal import Journal

Group = tuple[int, int, bytes]


def payload(seq: int) -> bytes:
    return b"command %06d " % seq * (1 + seq % 3)


def fill(journal: Journal, groups: int) -> None:
    """Groups of 1, 2, 3, 1, 2, 3 ... commands behind what is there."""
    for _ in range(groups):
        seq = journal.last_seq + 1
        journal.append_and_sync(seq, 1 + seq % 3, payload(seq))


def groups_of(journal: Journal, from_seq: int | None = None) -> list[Group]:
    return [(f.first_seq, f.count, f.payload) for f in journal.frames(from_seq)]


def made(directory: Path, groups: int, *, segment_bytes: int = 1 << 20) -> list[Group]:
    journal = Journal.open(directory, segment_bytes=segment_bytes)
    fill(journal, groups)
    kept = groups_of(journal)
    journal.close()
    return kept
