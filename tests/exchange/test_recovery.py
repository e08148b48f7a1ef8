"""Tests of starting: whatever is left of a directory, the same state or a clear refusal."""

import shutil
from pathlib import Path

import pytest

from exchange import recovery
from exchange.commands import Tick
from exchange.events import AnyEvent, Traded
from exchange.groups import encode_group
from exchange.recovery import RecoveryFailed, begin, recover
from exchange.storage.journal import Journal
from exchange.storage.segments import JournalCorrupt, segments_in
from exchange.storage.snapshots import snapshots_in
from risk.parameters import Venue
from tests.exchange.tapes import START_MS, Tape, an_hour_at_the_market, journal_of, order, venue


def never() -> Venue:
    raise AssertionError("the genesis record is there already")


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    tape = Tape(tmp_path / "data")
    an_hour_at_the_market(tape)
    return tape


@pytest.fixture
def short_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from the newest snapshot, however short the tail."""
    monkeypatch.setattr(recovery, "TAIL_COMMANDS_MIN", 0)


def test_a_new_directory_gets_its_genesis_record_and_a_first_tick(tmp_path: Path) -> None:
    recovered = recover(tmp_path, venue)
    assert recovered.is_new
    assert recovered.engine.venue == venue()
    assert (recovered.engine.seq, recovered.engine.time_ms) == (1, START_MS)
    assert recovered.journal.last_seq == 1
    recovered.journal.close()


def test_the_venue_is_that_of_the_first_start(tape: Tape) -> None:
    tape.close()
    recovered = recover(tape.directory, never)
    assert recovered.engine.venue == venue()
    assert not recovered.is_new
    recovered.journal.close()


def test_a_replay_from_the_first_command_comes_to_the_same_state(tape: Tape) -> None:
    tape.close()
    recovered = recover(tape.directory, never)
    assert recovered.engine.digest() == tape.engine.digest()
    assert (recovered.from_seq, recovered.replayed) == (0, tape.engine.seq)
    recovered.journal.close()


@pytest.mark.usefixtures("short_tail")
def test_a_start_from_a_snapshot_replays_the_tail_alone(tape: Tape) -> None:
    tape.snapshot()
    seq = tape.engine.seq
    tape.do(order("49000"), order("49001"))
    tape.close()
    recovered = recover(tape.directory, never)
    assert recovered.engine.digest() == tape.engine.digest()
    assert (recovered.from_seq, recovered.replayed) == (seq, 2)
    recovered.journal.close()


def test_listeners_are_told_again_what_the_tail_brought_about(tape: Tape) -> None:
    tape.do(Tick(), ms=1_000)
    tape.snapshot()
    live = tape.do(order("49001", 30), order("49002", 40), ms=700)
    tape.close()
    told: list[list[AnyEvent]] = []
    whole = recover(tape.directory, never, [told.extend])
    assert len(told) == whole.replayed == tape.engine.seq
    assert told[-2:] == live
    # Two makers on the spot book, one on the perpetual's.
    assert sum(isinstance(event, Traded) for events in told for event in events) == 3
    whole.journal.close()


def test_an_older_snapshot_is_taken_so_that_enough_is_told_again(
    tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "TAIL_COMMANDS_MIN", 3)
    tape.snapshot()
    old = tape.engine.seq
    tape.do(order("49000"), order("49001"))
    tape.snapshot()
    tape.do(order("49002"), order("49000"))
    tape.close()
    # Behind the newer one lie 2 commands, behind the older one 4.
    recovered = recover(tape.directory, never)
    assert (recovered.from_seq, recovered.replayed) == (old, 4)
    recovered.journal.close()


@pytest.mark.usefixtures("short_tail")
def test_what_the_history_has_not_got_is_replayed_for_it(tape: Tape) -> None:
    tape.snapshot()
    old = tape.engine.seq
    tape.do(order("49000"))
    tape.snapshot()
    tape.close()
    begun = begin(tape.directory, never, reached_seq=old)
    assert begun.footing.seq == old
    begun.journal.close()
    begun = begin(tape.directory, never, reached_seq=old + 1)
    assert begun.footing.seq == old + 1
    begun.journal.close()


@pytest.mark.usefixtures("short_tail")
def test_a_damaged_snapshot_is_passed_over(tape: Tape) -> None:
    tape.snapshot()
    old = tape.engine.seq
    tape.do(order("49000"))
    newest = tape.snapshot()
    tape.close()
    raw = bytearray(newest.read_bytes())
    raw[len(raw) // 2] ^= 1
    newest.write_bytes(raw)
    recovered = recover(tape.directory, never)
    assert recovered.from_seq == old
    assert recovered.engine.digest() == tape.engine.digest()
    (passed_over,) = recovered.passed_over
    assert "checksum" in passed_over
    recovered.journal.close()


@pytest.mark.usefixtures("short_tail")
def test_a_pruned_journal_starts_from_a_snapshot(tape: Tape) -> None:
    tape.close()
    directory = tape.directory
    reopened = Journal.open(journal_of(directory), segment_bytes=1)  # A segment a frame.
    tape.journal = reopened
    tape.do(order("49000"))
    tape.snapshot()
    tape.do(order("49001"))
    assert reopened.prune(tape.engine.seq - 1)  # Behind the snapshot.
    tape.close()
    recovered = recover(directory, never)
    assert recovered.engine.digest() == tape.engine.digest()
    assert recovered.replayed == 1
    recovered.journal.close()


def test_a_pruned_journal_without_its_snapshots_is_refused(tape: Tape) -> None:
    tape.close()
    tape.journal = Journal.open(journal_of(tape.directory), segment_bytes=1)
    tape.do(order("49000"))
    assert tape.journal.prune(tape.engine.seq)
    tape.close()
    with pytest.raises(RecoveryFailed, match="no snapshot can be started from"):
        recover(tape.directory, never)


def test_a_torn_last_frame_is_cut_and_what_was_whole_is_there(tape: Tape) -> None:
    whole = tape.engine.seq
    tape.do(order("49000"))
    tape.close()
    segment = segments_in(journal_of(tape.directory))[-1]
    segment.write_bytes(segment.read_bytes()[:-3])
    recovered = recover(tape.directory, never)
    assert recovered.engine.seq == whole
    assert recovered.engine.digest() == tape.digests[whole]
    assert recovered.journal.torn is not None
    recovered.journal.close()


def test_a_flipped_bit_in_the_middle_stops_the_start(tape: Tape) -> None:
    tape.close()
    segment = segments_in(journal_of(tape.directory))[-1]
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.write_bytes(raw)
    with pytest.raises(JournalCorrupt, match=segment.name):
        recover(tape.directory, never)


def test_a_journal_that_lost_its_end_is_refused(tape: Tape) -> None:
    tape.do(order("49000"))
    tape.snapshot()
    tape.close()
    segment = segments_in(journal_of(tape.directory))[-1]
    segment.write_bytes(segment.read_bytes()[:-3])
    with pytest.raises(RecoveryFailed, match="part of the journal is lost"):
        recover(tape.directory, never)


def test_snapshots_without_their_journal_are_refused(tape: Tape) -> None:
    tape.snapshot()
    tape.close()
    shutil.rmtree(journal_of(tape.directory))
    with pytest.raises(RecoveryFailed, match="part of the journal is lost"):
        recover(tape.directory, venue)


@pytest.mark.usefixtures("short_tail")
def test_a_snapshot_of_another_journal_is_refused(tape: Tape, tmp_path: Path) -> None:
    tape.do(order("49000", 11))
    tape.snapshot()
    tape.close()
    other = Tape(tmp_path / "other")
    an_hour_at_the_market(other)
    other.do(order("49000", 12))
    other.close()
    shutil.copytree(tape.directory / "snapshots", other.directory / "snapshots")
    with pytest.raises(RecoveryFailed, match="does not belong to this journal"):
        recover(other.directory, never)


def test_a_command_that_the_engine_cannot_take_stops_the_start(tape: Tape) -> None:
    tape.close()
    tape.journal = Journal.open(journal_of(tape.directory))
    last = tape.engine.seq
    backwards = Tick(seq=last + 1, time_ms=START_MS - 1)
    tape.journal.append_and_sync(last + 1, 1, encode_group([backwards]))
    tape.close()
    with pytest.raises(RecoveryFailed, match=f"behind seq {last} cannot be replayed"):
        recover(tape.directory, never)


def test_a_start_that_fails_lets_go_of_the_journal(tape: Tape, tmp_path: Path) -> None:
    tape.snapshot()
    tape.close()
    moved = tmp_path / "moved"
    journal_of(tape.directory).rename(moved)
    with pytest.raises(RecoveryFailed):
        recover(tape.directory, venue)
    shutil.rmtree(journal_of(tape.directory))
    moved.rename(journal_of(tape.directory))
    recovered = recover(tape.directory, never)
    assert recovered.engine.digest() == tape.engine.digest()
    recovered.journal.close()
    assert len(snapshots_in(tape.directory / "snapshots")) == 1
