"""Starting is recovering: a snapshot, the journal's tail behind it, the invariants; then the doors.

There is one way to a running engine. A new directory gets its genesis record as the journal's
first frame and is then recovered like any other. The snapshot taken is the newest that leaves
enough of the tail to be told again: views, the rings of private events and the history are fed by
the replay, as they were by the commands when they came.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from exchange.bounds import TAIL_COMMANDS_MAX, TAIL_COMMANDS_MIN
from exchange.engine import Engine
from exchange.events import AnyEvent
from exchange.groups import GENESIS_SEQ, BadGroup, commands_in, encode_genesis, venue_in
from exchange.sequencer import Listener
from exchange.snapshot import BadState, restored
from exchange.storage.frames import GENESIS as GENESIS_CHAIN
from exchange.storage.frames import Frame
from exchange.storage.journal import Journal
from exchange.storage.segments import JournalPruned
from exchange.storage.snapshots import BadSnapshot, read_snapshot, snapshots_in
from matching.invariants import InvariantBroken
from risk.parameters import Venue

JOURNAL: Final = "journal"
SNAPSHOTS: Final = "snapshots"


class RecoveryFailed(Exception):
    """The directory cannot be started from; the text says why, in one line."""


@dataclass(frozen=True)
class Footing:
    """An engine to replay upon: the state behind `seq` (0: before the first command).

    `chain` is the hash of the journal's frame that ends there.
    """

    engine: Engine
    seq: int
    chain: bytes


@dataclass
class Recovery:
    """A directory whose journal is open, and the engine its tail is yet to be replayed upon."""

    journal: Journal
    footing: Footing
    is_new: bool
    passed_over: list[str] = field(default_factory=list)  # Snapshots that could not be used.

    @property
    def engine(self) -> Engine:
        """The engine: that of the snapshot, and after `replay` that of the last command kept."""
        return self.footing.engine

    def replay(self, listeners: Sequence[Listener] = ()) -> int:
        """Apply the tail and tell `listeners` of it, then check; answers how many commands.

        RecoveryFailed where the journal does not fit the engine, or an invariant broke.
        """
        for _ in self.replaying(listeners):
            pass
        return self.replayed

    def replaying(self, listeners: Sequence[Listener] = ()) -> Iterator[int]:
        """The same in steps, a group each: gives the seq it has come to."""
        engine = self.engine
        for groups in replayed(engine, behind(self.journal.frames, self.footing)):
            for listener in listeners:
                listener(groups)
            yield engine.seq
        try:
            engine.check()
        except AssertionError as error:
            raise RecoveryFailed(f"the recovered state breaks an invariant: {error}") from error
        assert engine.seq == self.journal.last_seq, (engine.seq, self.journal.last_seq)

    @property
    def replayed(self) -> int:
        """How many commands were replayed so far."""
        return self.engine.seq - self.footing.seq


@dataclass(frozen=True)
class Recovered:
    """A venue as it was when the last command was kept."""

    engine: Engine
    journal: Journal
    is_new: bool
    from_seq: int  # Of the snapshot it started from; 0 for the genesis record.
    replayed: int
    passed_over: list[str]


def recover(
    directory: Path, venue_factory: Callable[[], Venue], listeners: Sequence[Listener] = ()
) -> Recovered:
    """Open a data directory and bring its engine to the last command kept; see `begin`."""
    recovery = begin(directory, venue_factory)
    count = recovery.replay(listeners)
    return Recovered(
        recovery.engine,
        recovery.journal,
        recovery.is_new,
        recovery.footing.seq,
        count,
        recovery.passed_over,
    )


def begin(
    directory: Path, venue_factory: Callable[[], Venue], *, reached_seq: int | None = None
) -> Recovery:
    """Open the journal, write the genesis record into a new one, and choose where to start from.

    `reached_seq` is how far the history has come: what lies behind it is replayed for its sake.
    The caller holds the directory's lock. RecoveryFailed, or the errors of `Journal.open`.
    """
    journal = Journal.open(directory / JOURNAL)
    try:
        snapshots = snapshots_in(directory / SNAPSHOTS)
        is_new = journal.last_seq == 0
        if is_new and not snapshots:
            journal.append_and_sync(GENESIS_SEQ, 1, encode_genesis(venue_factory()))
        newest_seq = max(snapshots, default=0)
        if newest_seq > journal.last_seq:
            raise RecoveryFailed(
                f"the journal ends with seq {journal.last_seq}, yet there is a snapshot of seq "
                f"{newest_seq}: part of the journal is lost"
            )
        passed_over: list[str] = []
        wanted_seq = journal.last_seq - TAIL_COMMANDS_MIN
        if reached_seq is not None:
            wanted_seq = min(wanted_seq, reached_seq)
        for seq in in_order(journal.first_seq, journal.last_seq, list(snapshots), wanted_seq):
            try:
                footing = footing_at(seq, snapshots.get(seq), journal.frames)
            except (BadState, BadSnapshot, JournalPruned, OSError) as error:
                passed_over.append(f"the snapshot of seq {seq}: {error}")
            else:
                return Recovery(journal, footing, is_new, passed_over)
        raise RecoveryFailed("; ".join(["no snapshot can be started from", *passed_over]))
    except BaseException:
        journal.close()
        raise


def in_order(first_seq: int, last_seq: int, seqs: list[int], wanted_seq: int) -> list[int]:
    """Where to start from, the best first; 0 is the genesis record, where it is still kept.

    `first_seq` and `last_seq` are those of the journal, `seqs` those of the snapshots.
    The best is the newest that is no newer than wanted, then the oldest of the others. Far back
    beyond what a start may take, only what is left over is tried.
    """
    if first_seq == GENESIS_SEQ:
        seqs = [0, *seqs]
    enough = sorted((seq for seq in seqs if seq <= wanted_seq), reverse=True)
    others = sorted(seq for seq in seqs if seq > wanted_seq)
    far = [seq for seq in enough if seq < last_seq - TAIL_COMMANDS_MAX]
    return [*(seq for seq in enough if seq not in far), *others, *far]


Frames = Callable[[int | None], Iterator[Frame]]
"""The frames of a journal from the one that holds a seq, or from the first."""


def footing_at(seq: int, path: Path | None, frames: Frames) -> Footing:
    """The engine behind `seq`: of the snapshot at `path`, or with none of the genesis record.

    BadState, BadSnapshot or JournalPruned where it cannot be had, RecoveryFailed where the
    snapshot belongs to another journal.
    """
    if path is None:
        first = next(frames(GENESIS_SEQ))
        return Footing(Engine(_venue_in(first)), 0, GENESIS_CHAIN)
    snapshot = read_snapshot(path)
    frame = next(frames(seq))
    if frame.last_seq != seq or frame.chain != snapshot.chain:
        raise RecoveryFailed(f"{path} does not belong to this journal")
    return Footing(restored(snapshot.payload, snapshot.digest), seq, snapshot.chain)


def behind(frames: Frames, footing: Footing) -> Iterator[Frame]:
    """The frames behind a footing; RecoveryFailed where the chain does not go on there."""
    chain = footing.chain
    for frame in frames(footing.seq or None):
        if frame.last_seq <= footing.seq:
            continue
        if frame.previous != chain:
            raise RecoveryFailed(f"the frame of seq {frame.first_seq} does not follow its snapshot")
        chain = frame.chain
        yield frame


def replayed(engine: Engine, frames: Iterable[Frame]) -> Iterator[list[list[AnyEvent]]]:
    """Apply the commands of each frame in turn, and give their events, a group at a time."""
    # Events are many and short-lived, and none is part of a cycle.
    enabled = gc.isenabled()
    gc.disable()
    try:
        for frame in frames:
            try:
                commands = commands_in(frame)
            except BadGroup as error:
                raise RecoveryFailed(str(error)) from error
            try:
                groups = [engine.apply(command) for command in commands]
            except InvariantBroken as error:
                raise broken_behind(engine, error) from error
            except AssertionError as error:
                raise RecoveryFailed(
                    f"the command behind seq {engine.seq} cannot be replayed: {error}"
                ) from error
            yield groups
    finally:
        if enabled:
            gc.enable()


def broken_behind(engine: Engine, error: InvariantBroken) -> RecoveryFailed:
    """What a paranoid engine found behind a command."""
    return RecoveryFailed(f"an invariant does not hold behind seq {engine.seq}: {error}")


def _venue_in(frame: Frame) -> Venue:
    try:
        return venue_in(frame)
    except BadGroup as error:
        raise RecoveryFailed(str(error)) from error
