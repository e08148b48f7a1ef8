"""Tests of verify and replay: they see everything, and touch nothing."""

from pathlib import Path

import msgspec
import pytest

from exchange.commands import PlaceOrder
from exchange.engine import Engine
from exchange.groups import encode_group
from exchange.recovery import SNAPSHOTS, RecoveryFailed
from exchange.storage.journal import Journal
from exchange.storage.segments import JournalCorrupt, segments_in
from exchange.storage.snapshots import SnapshotStore
from exchange.verify import SnapshotVerdict, replay, verify
from matching.invariants import hold
from tests.exchange.tapes import START_MS, Tape, an_hour_at_the_market, journal_of, order


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    tape = Tape(tmp_path)
    an_hour_at_the_market(tape)
    return tape


def everything(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_sound_directory_is_found_sound_and_left_as_it_is(tape: Tape) -> None:
    tape.snapshot()
    half = tape.engine.seq
    tape.do(order("49000"))
    tape.snapshot()
    tape.do(order("49001"))
    # Still open: it runs beside a server, whose next snapshot is half written.
    (tape.directory / SNAPSHOTS / f"{99:020d}.snapshot.new").write_bytes(b"half")
    before = everything(tape.directory)
    report = verify(tape.directory)
    assert report.ok, report.problems
    assert (report.from_seq, report.to_seq) == (0, tape.engine.seq)
    assert report.commands == tape.engine.seq
    assert report.time_ms == tape.engine.time_ms
    assert report.digest == tape.engine.digest()
    assert report.chain == tape.journal.chain_hex
    assert report.snapshots == [SnapshotVerdict(half, True), SnapshotVerdict(half + 1, True)]
    assert everything(tape.directory) == before
    tape.close()


def test_a_snapshot_that_the_replay_does_not_come_to_is_a_problem(tape: Tape) -> None:
    state = tape.snapshot()
    tape.do(order("49000"))
    store = SnapshotStore(tape.directory / SNAPSHOTS)
    store.write(tape.engine.seq, state.read_bytes(), bytes(16), chain=tape.journal.chain)
    tape.close()
    report = verify(tape.directory)
    assert not report.ok
    assert report.snapshots[-1] == SnapshotVerdict(
        tape.engine.seq, False, "the replay comes to another digest"
    )


def test_a_snapshot_of_another_chain_is_a_problem(tape: Tape) -> None:
    store = SnapshotStore(tape.directory / SNAPSHOTS)
    store.write(tape.engine.seq, b"", bytes(16), chain=bytes(16))
    tape.close()
    (verdict,) = verify(tape.directory).snapshots
    assert (verdict.ok, verdict.why) == (False, "it belongs to another journal")


def test_a_snapshot_inside_a_group_is_a_problem(tape: Tape) -> None:
    tape.do(order("49000"), order("49001"))
    store = SnapshotStore(tape.directory / SNAPSHOTS)
    store.write(tape.engine.seq - 1, b"", bytes(16), chain=bytes(16))
    tape.close()
    (problem,) = verify(tape.directory).problems
    assert "no frame that ends there" in problem


def test_a_damaged_snapshot_is_a_problem(tape: Tape) -> None:
    path = tape.snapshot()
    path.write_bytes(path.read_bytes()[:-1])
    tape.close()
    (verdict,) = verify(tape.directory).snapshots
    assert not verdict.ok


def test_a_flipped_bit_is_named_with_its_file(tape: Tape) -> None:
    tape.close()
    segment = segments_in(journal_of(tape.directory))[-1]
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.write_bytes(raw)
    (problem,) = verify(tape.directory).problems
    assert segment.name in problem


def test_a_frame_that_is_being_written_is_no_problem(tape: Tape) -> None:
    whole = tape.engine.seq
    tape.do(order("49000"))
    tape.close()
    segment = segments_in(journal_of(tape.directory))[-1]
    segment.write_bytes(segment.read_bytes()[:-3])
    report = verify(tape.directory)
    assert report.ok
    assert (report.to_seq, report.digest) == (whole, tape.digests[whole])


def test_where_the_beginning_was_pruned_it_starts_from_the_oldest_snapshot(tape: Tape) -> None:
    tape.close()
    tape.journal = Journal.open(journal_of(tape.directory), segment_bytes=1)
    tape.do(order("49000"))
    tape.snapshot()
    seq = tape.engine.seq
    tape.do(order("49001"))
    tape.snapshot()
    tape.journal.prune(seq)
    tape.close()
    report = verify(tape.directory)
    assert report.ok, report.problems
    assert (report.from_seq, report.commands) == (seq, 1)
    assert report.snapshots == [SnapshotVerdict(seq + 1, True)]
    assert report.digest == tape.engine.digest()


def test_a_directory_without_a_journal_is_a_problem(tmp_path: Path) -> None:
    (problem,) = verify(tmp_path).problems
    assert "holds no journal" in problem


def test_progress_ends_with_everything_done(tape: Tape) -> None:
    tape.close()
    told: list[tuple[int, int]] = []
    verify(tape.directory, lambda done, total: told.append((done, total)))
    size = sum(path.stat().st_size for path in segments_in(journal_of(tape.directory)))
    assert told[-1] == (size, size)


def test_a_replay_stops_where_it_is_told(tape: Tape) -> None:
    tape.snapshot()
    old = tape.engine.seq
    tape.do(order("49000"), order("49001"), order("49002"))
    tape.snapshot()
    tape.do(order("49000"))
    tape.close()
    assert replay(tape.directory).engine.digest() == tape.engine.digest()
    for seq, digest in tape.digests.items():
        assert replay(tape.directory, to_seq=seq).engine.digest() == digest
    # In the middle of a group, and from the newest snapshot that is not behind it.
    middle = replay(tape.directory, to_seq=old + 2)
    assert (middle.engine.seq, middle.from_seq, middle.commands) == (old + 2, old, 2)


def test_a_replay_stops_at_a_time(tape: Tape) -> None:
    tape.close()
    # The first order came 10 + 10 + 700 ms after the start.
    before = replay(tape.directory, to_time_ms=START_MS + 719)
    assert not before.engine.books["BTC-USDT"].orders
    after = replay(tape.directory, to_time_ms=START_MS + 720)
    assert len(after.engine.books["BTC-USDT"].orders) == 5


def test_a_replay_to_before_what_is_kept_is_refused(tape: Tape) -> None:
    tape.close()
    tape.journal = Journal.open(journal_of(tape.directory), segment_bytes=1)
    tape.do(order("49000"))
    tape.snapshot()
    tape.journal.prune(tape.engine.seq)
    tape.close()
    with pytest.raises(RecoveryFailed, match="nothing from so early"):
        replay(tape.directory, to_seq=3)


def test_a_replay_names_a_frame_it_cannot_read(tape: Tape) -> None:
    last = tape.engine.seq
    odd = msgspec.structs.replace(PlaceOrder(), seq=last + 2, time_ms=tape.engine.time_ms)
    tape.journal.append_and_sync(last + 1, 1, encode_group([odd]))
    tape.close()
    with pytest.raises(RecoveryFailed, match=f"seq {last + 1}"):
        replay(tape.directory)
    assert not verify(tape.directory).ok


def test_a_replay_of_a_damaged_journal_fails(tape: Tape) -> None:
    tape.close()
    segment = segments_in(journal_of(tape.directory))[-1]
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.write_bytes(raw)
    with pytest.raises(JournalCorrupt):
        replay(tape.directory)


def breaking(monkeypatch: pytest.MonkeyPatch, at_seq: int) -> None:
    """From that command on an invariant does not hold."""

    def check(engine: Engine) -> None:
        hold("I3", engine.seq < at_seq, "BTC-USDT-PERP", "planted")

    monkeypatch.setattr(Engine, "check", check)


def test_paranoid_names_the_first_command_behind_which_an_invariant_is_broken(
    tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape.close()
    breaking(monkeypatch, 5)
    (problem,) = verify(tape.directory, paranoid=True).problems
    assert problem.startswith("an invariant does not hold behind seq 5: I3 (")
    with pytest.raises(RecoveryFailed, match=r"behind seq 5: I3 .* BTC-USDT-PERP: planted"):
        replay(tape.directory, paranoid=True)
    assert replay(tape.directory, to_seq=4, paranoid=True).engine.seq == 4
    (problem,) = verify(tape.directory).problems  # At the end alone.
    assert problem.startswith(f"an invariant does not hold behind seq {tape.engine.seq}: I3 (")
