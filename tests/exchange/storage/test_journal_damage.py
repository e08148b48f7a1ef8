"""The journal after a crash, which is mended, and after damage, which is refused by name."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.storage.frames import HEADER_BYTES
from exchange.storage.journal import Journal
from exchange.storage.segments import JournalCorrupt, JournalVersion, Torn, segments_in
from tests.exchange.storage.journals import groups_of, made

# A kill in the middle of the work.

WRITER = """
import sys
from pathlib import Path
from exchange.storage.journal import Journal

journal = Journal.open(Path(sys.argv[1]), segment_bytes=2_000)
while True:
    seq = journal.last_seq + 1
    journal.append_and_sync(seq, 1, b"command %d" % seq)
    print(seq, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_told(tmp_path: Path) -> None:
    told = 0
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(40):
            told = int(writer.stdout.readline())
        writer.kill()
        for line in writer.stdout:
            told = int(line) if line.endswith("\n") else told
        writer.wait()
        writer.stdout.close()
        journal = Journal.open(tmp_path, segment_bytes=2_000)
        assert journal.last_seq >= told >= 40
        assert [f.first_seq for f in journal.frames()] == list(range(1, journal.last_seq + 1))
        journal.close()


# Torn ends: a kill or a power failure in the middle of a write.


def test_a_last_frame_cut_at_any_byte_is_cut_off_and_reported(tmp_path: Path) -> None:
    kept = made(tmp_path, 4)
    (segment,) = segments_in(tmp_path)
    raw = segment.read_bytes()
    last_size = HEADER_BYTES + len(kept[-1][2])
    whole = len(raw) - last_size
    for size in range(whole, len(raw)):
        segment.write_bytes(raw[:size])
        journal = Journal.open(tmp_path)
        assert groups_of(journal) == kept[:-1]
        if size == whole:
            assert journal.torn is None
        else:
            assert journal.torn is not None
            assert (journal.torn.path, journal.torn.offset) == (segment, whole)
            assert journal.torn.size == size - whole
        assert segment.stat().st_size == whole
        journal.append_and_sync(*kept[-1])
        assert segment.read_bytes() == raw
        journal.close()


def test_a_last_frame_of_zeros_or_noise_is_torn(tmp_path: Path) -> None:
    # A file's length may reach the medium before its bytes do.
    kept = made(tmp_path, 3)
    (segment,) = segments_in(tmp_path)
    raw = segment.read_bytes()
    for garbage in (bytes(90), b"\xff" * 90, random.Random(5).randbytes(90)):
        segment.write_bytes(raw + garbage)
        journal = Journal.open(tmp_path)
        assert groups_of(journal) == kept
        assert journal.torn == Torn(segment, len(raw), 90, "no frame begins here")
        journal.close()
        assert segment.read_bytes() == raw


def test_a_segment_whose_first_frame_is_torn_goes(tmp_path: Path) -> None:
    kept = made(tmp_path, 8, segment_bytes=1)
    last = segments_in(tmp_path)[-1]
    raw = last.read_bytes()
    for size in (0, 1, HEADER_BYTES, len(raw) - 1):
        last.write_bytes(raw[:size])
        journal = Journal.open(tmp_path, segment_bytes=1)
        before = groups_of(journal)
        assert before == kept[: len(before)]
        assert not last.exists()
        assert (journal.torn is None) == (size == 0)
        for group in kept[len(before) :]:
            journal.append_and_sync(*group)
        assert last.read_bytes() == raw
        journal.close()


def test_a_first_frame_ever_that_is_torn_leaves_an_empty_journal(tmp_path: Path) -> None:
    made(tmp_path, 1)
    (segment,) = segments_in(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-1])
    journal = Journal.open(tmp_path)
    assert journal.last_seq == 0
    assert journal.torn is not None
    journal.append_and_sync(1, 1, b"again")
    assert groups_of(journal) == [(1, 1, b"again")]
    journal.close()


# Damage: what no crash can have done.


def test_every_flipped_bit_before_the_last_frame_is_refused_by_name(tmp_path: Path) -> None:
    kept = made(tmp_path, 3)
    (segment,) = segments_in(tmp_path)
    raw = segment.read_bytes()
    starts = [0, HEADER_BYTES + len(kept[0][2])]
    ends = [starts[1], starts[1] + HEADER_BYTES + len(kept[1][2])]
    for bit in range(ends[1] * 8):
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << bit % 8
        segment.write_bytes(damaged)
        with pytest.raises(JournalCorrupt) as caught:
            Journal.open(tmp_path)
        assert caught.value.path == segment
        assert caught.value.offset == (starts[0] if bit // 8 < ends[0] else starts[1])
        assert f"{segment} at byte {caught.value.offset}" in str(caught.value)
        assert segment.read_bytes() == damaged  # A refusal cuts nothing.


def test_damage_in_an_earlier_segment_stops_the_reading(tmp_path: Path) -> None:
    made(tmp_path, 20, segment_bytes=300)
    generator = random.Random(7)
    for segment in segments_in(tmp_path)[:-1]:
        raw = segment.read_bytes()
        for _ in range(20):
            damaged = bytearray(raw)
            damaged[generator.randrange(len(raw))] ^= 1 << generator.randrange(8)
            segment.write_bytes(damaged)
            journal = Journal.open(tmp_path, segment_bytes=300)
            with pytest.raises(JournalCorrupt) as caught:
                groups_of(journal)
            assert caught.value.path == segment
            journal.close()
        segment.write_bytes(raw)


def test_a_segment_damaged_behind_a_snapshot_does_not_stop_the_tail(tmp_path: Path) -> None:
    kept = made(tmp_path, 20, segment_bytes=300)
    first, *_, last = segments_in(tmp_path)
    first.write_bytes(first.read_bytes()[:-5])
    journal = Journal.open(tmp_path, segment_bytes=300)
    tail = groups_of(journal, int(last.stem))
    assert tail == kept[-len(tail) :]
    journal.close()


def test_an_empty_last_segment_that_does_not_follow_is_corrupt(tmp_path: Path) -> None:
    made(tmp_path, 3)
    stray = tmp_path / f"{99:020d}.segment"
    stray.touch()
    with pytest.raises(JournalCorrupt, match="holds no frame"):
        Journal.open(tmp_path)
    assert stray.exists()


def test_a_journal_whose_segments_are_gone_but_one_empty_is_corrupt(tmp_path: Path) -> None:
    made(tmp_path, 8, segment_bytes=200)
    *earlier, last = segments_in(tmp_path)
    for segment in earlier:
        segment.unlink()
    last.write_bytes(b"")
    with pytest.raises(JournalCorrupt, match="holds no frame"):
        Journal.open(tmp_path)


def test_a_torn_segment_before_an_empty_one_is_corrupt(tmp_path: Path) -> None:
    # The earlier segment was synced before the later was made, so no crash can have torn it.
    made(tmp_path, 8, segment_bytes=200)
    *_, before, last = segments_in(tmp_path)
    before.write_bytes(before.read_bytes()[:-1])
    last.write_bytes(b"")
    with pytest.raises(JournalCorrupt, match="not the last"):
        Journal.open(tmp_path)


def test_a_directory_of_another_version_is_not_opened(tmp_path: Path) -> None:
    made(tmp_path, 3)
    (tmp_path / "FORMAT").write_bytes(b"papertape journal 7\n")
    with pytest.raises(JournalVersion, match="journal 7"):
        Journal.open(tmp_path)


def test_a_frame_of_another_version_stops_the_start(tmp_path: Path) -> None:
    made(tmp_path, 3)
    (segment,) = segments_in(tmp_path)
    raw = bytearray(segment.read_bytes())
    raw[3] = 2
    segment.write_bytes(raw)
    with pytest.raises(JournalCorrupt, match="version is 2, not 1"):
        Journal.open(tmp_path)
