"""Segment files: walking them, and judging what does not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.storage.frames import GENESIS, encoded, hashed
from exchange.storage.segments import (
    JournalCorrupt,
    JournalPruned,
    JournalVersion,
    SegmentFile,
    Torn,
    check_format,
    create_format,
    first_seq_of,
    frames_in,
    segment_path,
    segments_in,
    walk,
)


def lay(directory: Path, *segments: list[tuple[int, int]]) -> list[Path]:
    """Segments of groups (first seq, count), chained from the genesis."""
    create_format(directory)
    chain = GENESIS
    for groups in segments:
        raw = b""
        for first_seq, count in groups:
            frame = encoded(first_seq, count, b"group %d" % first_seq, chain)
            chain = hashed(frame)
            raw += frame
        segment_path(directory, groups[0][0]).write_bytes(raw)
    return segments_in(directory)


def seqs(segments: list[Path], from_seq: int | None = None, to_seq: int | None = None) -> list[int]:
    return [located.frame.first_seq for located in walk(segments, from_seq, to_seq)]


def test_a_segment_is_named_by_its_first_seq(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 4_711)
    assert path.name == "00000000000000004711.segment"
    assert first_seq_of(path) == 4_711


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    for name in ("FORMAT", "1.segment", "notes.txt", "0000000000000000000x.segment"):
        (tmp_path / name).touch()
    assert segments_in(tmp_path) == []


def test_a_walk_goes_from_segment_to_segment(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 3), (4, 1)], [(5, 2)], [(7, 1)])
    assert seqs(segments) == [1, 4, 5, 7]


def test_a_walk_begins_with_the_frame_that_holds_the_seq(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 3), (4, 1)], [(5, 2)], [(7, 1)])
    assert [seqs(segments, from_seq)[0] for from_seq in (1, 3, 4, 5, 6, 7)] == [1, 1, 4, 5, 5, 7]
    assert seqs(segments, 8) == []


def test_a_walk_ends_with_the_frame_that_holds_the_seq(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 3), (4, 1)], [(5, 2)], [(7, 1)])
    assert seqs(segments, 4, 5) == [4, 5]


def test_a_seq_before_the_first_segment_is_named_as_gone(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 3)], [(4, 1)])
    with pytest.raises(JournalPruned, match="begins with seq 4; 2 is gone"):
        seqs(segments[1:], 2)


def test_a_segment_removed_under_a_walk_is_named_as_pruned(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 3)], [(4, 1)])
    steps = walk(segments)
    next(steps)
    segments[1].unlink()
    with pytest.raises(JournalPruned, match=segments[1].name):
        next(steps)


def test_a_missing_segment_in_between_is_corrupt(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 3)], [(4, 1)], [(5, 1)])
    with pytest.raises(JournalCorrupt, match="seq 4 comes next") as caught:
        seqs([segments[0], segments[2]])
    assert (caught.value.path, caught.value.offset) == (segments[2], 0)


def test_a_whole_frame_in_the_wrong_place_is_corrupt(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 1), (2, 1), (3, 1)])
    raw = segments[0].read_bytes()
    size = len(raw) // 3
    segments[0].write_bytes(raw[:size] + raw[2 * size :])  # The second frame is cut out.
    with pytest.raises(JournalCorrupt, match="begins with seq 3, but 2 comes next") as caught:
        seqs(segments)
    assert caught.value.offset == size


def test_a_whole_frame_that_was_exchanged_breaks_the_chain(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 1), (2, 1), (3, 1)])
    raw = segments[0].read_bytes()
    size = len(raw) // 3
    other = encoded(2, 1, b"group X", hashed(raw[:size]))
    segments[0].write_bytes(raw[:size] + other + raw[2 * size :])
    with pytest.raises(JournalCorrupt, match="does not follow the one before") as caught:
        seqs(segments)
    assert caught.value.offset == 2 * size


def test_a_torn_end_is_reported_and_ends_the_walk(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 1), (2, 1)])
    raw = segments[0].read_bytes()
    segments[0].write_bytes(raw[:-1])
    torn: list[Torn] = []
    assert [step.frame.first_seq for step in walk(segments, report=torn.append)] == [1]
    size = len(raw) // 2
    assert torn == [Torn(segments[0], size, size - 1, "the payload has 6 of 7 bytes")]


def test_an_earlier_segment_must_end_whole(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 1), (2, 1)], [(3, 1)])
    segments[0].write_bytes(segments[0].read_bytes()[:-1])
    with pytest.raises(JournalCorrupt, match="this is not the last"):
        seqs(segments)


def test_looking_at_a_journal_changes_nothing(tmp_path: Path) -> None:
    segments = lay(tmp_path, [(1, 1), (2, 1)])
    segments[0].write_bytes(segments[0].read_bytes()[:-1])
    before = segments[0].read_bytes()
    assert [frame.first_seq for frame in frames_in(tmp_path)] == [1]
    assert segments[0].read_bytes() == before


def test_a_directory_without_a_format_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalVersion, match="no file FORMAT"):
        list(frames_in(tmp_path))


def test_a_directory_of_another_version_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "FORMAT").write_bytes(b"papertape journal 2\n")
    create_format(tmp_path)
    with pytest.raises(JournalVersion, match="journal 2"):
        check_format(tmp_path)


def test_segments_without_a_format_are_not_adopted(tmp_path: Path) -> None:
    lay(tmp_path, [(1, 1)])
    (tmp_path / "FORMAT").unlink()
    create_format(tmp_path)
    with pytest.raises(JournalVersion):
        check_format(tmp_path)


def test_a_segment_file_writes_where_it_is_told(tmp_path: Path) -> None:
    file = SegmentFile(tmp_path / "segment")
    file.write(b"abcdef", 0)
    file.write(b"XY", 1)
    assert file.size == 6
    file.cut(4)
    file.sync()
    assert file.size == 4
    file.close()
    assert (tmp_path / "segment").read_bytes() == b"aXYd"
    again = SegmentFile(tmp_path / "segment")
    assert again.size == 4
    again.close()
