"""Looking at a data directory without touching it: is it sound, and what was its state when.

Both replay the journal through an engine of their own, read only, and may run beside the server
that writes it: what it appends meanwhile may or may not be seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from exchange.commands import AnyCommand
from exchange.engine import Engine
from exchange.groups import GENESIS_SEQ, BadGroup, commands_in
from exchange.recovery import (
    JOURNAL,
    SNAPSHOTS,
    Footing,
    RecoveryFailed,
    behind,
    broken_behind,
    footing_at,
    replayed,
)
from exchange.snapshot import BadState
from exchange.storage.frames import Frame
from exchange.storage.segments import (
    JournalCorrupt,
    JournalPruned,
    first_seq_of,
    frames_in,
    segments_in,
)
from exchange.storage.snapshots import BadSnapshot, read_snapshot, snapshots_in
from matching.invariants import InvariantBroken

PROGRESS_EVERY_BYTES: Final = 1024 * 1024

Progress = Callable[[int, int], None]
"""Told of the bytes of the journal that were read, and of those there were at the beginning."""


@dataclass(frozen=True)
class SnapshotVerdict:
    """A snapshot held against the replay; `why` says what is wrong with it."""

    seq: int
    ok: bool
    why: str = ""


@dataclass
class VerifyReport:
    """What `verify` found. `from_seq` is where the replay began, 0 at the genesis record."""

    directory: Path | str  # Or the address of a cluster's log.
    from_seq: int = 0
    to_seq: int = 0
    commands: int = 0
    time_ms: int = 0
    chain: str = ""  # The hash of the last frame.
    digest: str = ""  # Of the state behind the last command.
    snapshots: list[SnapshotVerdict] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Is there nothing wrong at all?"""
        return not self.problems

    def note(self, verdict: SnapshotVerdict) -> None:
        """A snapshot was judged."""
        self.snapshots.append(verdict)
        if not verdict.ok:
            self.problems.append(f"the snapshot of seq {verdict.seq}: {verdict.why}")

    def check(self, engine: Engine) -> None:
        """Assert the invariants of the state that the replay has come to."""
        try:
            engine.check()
        except AssertionError as error:
            self.problems.append(f"an invariant does not hold behind seq {engine.seq}: {error}")

    def end(self, engine: Engine) -> None:
        """The replay has come to its end."""
        self.to_seq, self.time_ms = engine.seq, engine.time_ms
        self.commands = engine.seq - self.from_seq
        self.digest = engine.digest()
        self.check(engine)


@dataclass(frozen=True)
class Replayed:
    """An engine as it stood behind `engine.seq`, and how many commands were replayed to it."""

    engine: Engine
    from_seq: int
    commands: int


def verify(
    directory: Path, progress: Progress | None = None, *, paranoid: bool = False
) -> VerifyReport:
    """Replay a data directory from the beginning, or from the oldest snapshot kept, and judge it.

    Checks every frame's checksum and place in the chain, that each snapshot's digest comes out
    again, and the invariants there and at the end, or with `paranoid` behind every command.
    RecoveryFailed where there is no journal.
    """
    started_s = time.monotonic()
    report = VerifyReport(directory)
    try:
        _verify(report, progress, paranoid)
    except (BadSnapshot, BadState, JournalCorrupt, JournalPruned, RecoveryFailed) as error:
        report.problems.append(str(error))
    report.seconds = time.monotonic() - started_s
    return report


def _verify(report: VerifyReport, progress: Progress | None, paranoid: bool) -> None:
    directory = Path(report.directory)
    frames = partial(frames_in, _journal_of(directory))
    snapshots = snapshots_in(directory / SNAPSHOTS)
    footing = _oldest_footing(directory, snapshots)
    engine = footing.engine
    engine.paranoid = paranoid
    report.from_seq = footing.seq
    report.chain = footing.chain.hex()
    told = _telling(report, behind(frames, footing), footing.seq, progress)
    judged = {seq: path for seq, path in snapshots.items() if seq > footing.seq}
    for _ in replayed(engine, told):
        path = judged.pop(engine.seq, None)
        if path is not None:
            _judge(report, engine, engine.seq, path)
    for seq in judged:
        report.note(SnapshotVerdict(seq, False, "the journal holds no frame that ends there"))
    report.end(engine)


def _telling(
    report: VerifyReport, frames: Iterator[Frame], from_seq: int, progress: Progress | None
) -> Iterator[Frame]:
    """The frames as they are, noting the chain and telling how far it is."""
    total = _size(Path(report.directory), from_seq)
    done = told = 0
    for frame in frames:
        report.chain = frame.chain.hex()
        done += frame.size
        if progress is not None and done - told >= PROGRESS_EVERY_BYTES:
            progress(done, max(total, done))
            told = done
        yield frame
    if progress is not None:
        progress(done, done)


def _judge(report: VerifyReport, engine: Engine, seq: int, path: Path) -> None:
    """Hold one snapshot against the replay."""
    try:
        snapshot = read_snapshot(path)
    except FileNotFoundError:
        return  # The server has dropped it meanwhile.
    except (BadSnapshot, OSError) as error:
        report.note(SnapshotVerdict(seq, False, str(error)))
        return
    if snapshot.chain.hex() != report.chain:
        report.note(SnapshotVerdict(seq, False, "it belongs to another journal"))
    elif snapshot.digest.hex() != engine.digest():
        report.note(SnapshotVerdict(seq, False, "the replay comes to another digest"))
    else:
        report.note(SnapshotVerdict(seq, True))
    report.check(engine)


def replay(
    directory: Path,
    *,
    to_seq: int | None = None,
    to_time_ms: int | None = None,
    progress: Progress | None = None,
    paranoid: bool = False,
) -> Replayed:
    """The engine behind `to_seq`, or behind the last command stamped up to `to_time_ms`, or last.

    It starts from the newest snapshot before that. RecoveryFailed or JournalCorrupt where it
    cannot be had, because it was pruned for example; with `paranoid` also behind the first command
    that leaves an invariant broken.
    """
    journal = _journal_of(directory)
    footing = _footing_before(directory, to_seq, to_time_ms)
    engine = footing.engine
    engine.paranoid = paranoid
    report = VerifyReport(directory)
    for frame in _telling(
        report, behind(partial(frames_in, journal), footing), footing.seq, progress
    ):
        try:
            commands = commands_in(frame)
        except BadGroup as error:
            raise RecoveryFailed(str(error)) from error
        for command in commands:
            if to_seq is not None and command.seq > to_seq:
                return Replayed(engine, footing.seq, engine.seq - footing.seq)
            if to_time_ms is not None and command.time_ms > to_time_ms:
                return Replayed(engine, footing.seq, engine.seq - footing.seq)
            _obey(engine, command)
    return Replayed(engine, footing.seq, engine.seq - footing.seq)


def _obey(engine: Engine, command: AnyCommand) -> None:
    try:
        engine.apply(command)
    except InvariantBroken as error:
        raise broken_behind(engine, error) from error


def _footing_before(directory: Path, to_seq: int | None, to_time_ms: int | None) -> Footing:
    """The newest place to start from that does not lie behind what is asked for."""
    journal = _journal_of(directory)
    frames = partial(frames_in, journal)
    snapshots = snapshots_in(directory / SNAPSHOTS)
    kept = [0, *snapshots] if _first_seq(journal) == GENESIS_SEQ else list(snapshots)
    for seq in reversed(kept):
        if to_seq is not None and seq > to_seq:
            continue
        try:
            footing = footing_at(seq, snapshots.get(seq), frames)
        except (BadSnapshot, BadState, JournalPruned, FileNotFoundError):
            continue
        if to_time_ms is None or footing.engine.time_ms <= to_time_ms or not seq:
            return footing
    raise RecoveryFailed(f"{directory} keeps nothing from so early")


def _oldest_footing(directory: Path, snapshots: dict[int, Path]) -> Footing:
    """The genesis record, or where it was pruned the oldest good snapshot."""
    journal = _journal_of(directory)
    frames = partial(frames_in, journal)
    if _first_seq(journal) == GENESIS_SEQ:
        return footing_at(0, None, frames)
    for seq, path in snapshots.items():
        try:
            return footing_at(seq, path, frames)
        except (JournalPruned, FileNotFoundError):
            continue  # The server went on meanwhile.
    raise RecoveryFailed(f"{directory} begins behind its genesis record and has no snapshot")


def _journal_of(directory: Path) -> Path:
    journal = directory / JOURNAL
    if not segments_in(journal):
        raise RecoveryFailed(f"{directory} holds no journal")
    return journal


def _first_seq(journal: Path) -> int:
    return first_seq_of(segments_in(journal)[0])


def _size(directory: Path, from_seq: int) -> int:
    """About how many bytes of the journal lie behind a seq."""
    segments = segments_in(directory / JOURNAL)
    later = [path for path in segments if first_seq_of(path) > from_seq]
    return sum(path.stat().st_size for path in segments[-len(later) - 1 :])
