"""Looking at a cluster's log without touching it: is it sound, and what does it come to.

Beyond what holds of a journal it holds that epochs and positions never run back, and that no
gateway's batch is there twice.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

from redis.asyncio import Redis

from exchange.cluster.connecting import Connection
from exchange.cluster.depot import BadStock, Stowed, fetched, kept
from exchange.cluster.log import BadEntry, Heard, LogEntry, bounds_of, entries_behind
from exchange.cluster.names import Names
from exchange.engine import Engine
from exchange.groups import GENESIS_SEQ, BadGroup, venue_in
from exchange.recovery import RecoveryFailed, replayed
from exchange.storage.frames import GENESIS
from exchange.verify import SnapshotVerdict, VerifyReport

Progress = Callable[[int, int], None]
"""Told of the seqs that were replayed, and of those there are."""


class NoLog(Exception):
    """There is nothing to verify."""


async def verify_log(
    connection: Connection,
    names: Names,
    progress: Progress | None = None,
    *,
    paranoid: bool = False,
) -> VerifyReport:
    """Replay a log from the genesis record, or from the oldest good snapshot, and judge it.

    NoLog where there is none; the errors of Redis where it is away.
    """
    started_s = time.monotonic()
    report = VerifyReport(f"{connection.shown} {names.venue}")
    async with connection.client() as client:
        try:
            await _Verifying(client, names, report).run(progress, paranoid=paranoid)
        except (BadEntry, BadGroup, BadStock, RecoveryFailed) as error:
            report.problems.append(str(error))
    report.seconds = time.monotonic() - started_s
    return report


class _Verifying:
    """One look at a log, and what has been seen of it so far."""

    def __init__(self, client: Redis, names: Names, report: VerifyReport) -> None:
        self._client = client
        self._names = names
        self._report = report
        self._chain = GENESIS
        self._at = (0, 0)
        self._epoch = 0
        self._heard = Heard()

    async def run(self, progress: Progress | None, *, paranoid: bool) -> None:
        report = self._report
        stowed = await kept(self._client, self._names)
        _, last_seq = await bounds_of(self._client, self._names)
        if not last_seq:
            raise NoLog(f"there is no log of a venue {self._names.venue!r} in this Redis")
        engine = await self._footing(stowed)
        engine.paranoid = paranoid
        report.from_seq = engine.seq
        report.chain = self._chain.hex()
        judged = {seq: each for seq, each in stowed.items() if seq > engine.seq}
        async for entry in self._entries(engine, last_seq):
            self._look_at(entry)
            for _ in replayed(engine, [entry.frame]):
                pass
            if engine.seq in judged:
                await self._judge(engine, judged.pop(engine.seq))
            if progress is not None:
                progress(engine.seq - report.from_seq, last_seq - report.from_seq)
        for seq in judged:
            report.note(SnapshotVerdict(seq, False, "the log holds no entry that ends there"))
        report.end(engine)

    async def _entries(self, engine: Engine, last_seq: int) -> AsyncIterator[LogEntry]:
        """The entries behind the engine, up to the last there was at the beginning."""
        while engine.seq < last_seq:
            found = await entries_behind(self._client, self._names, engine.seq)
            if not found:
                raise RecoveryFailed(f"the log holds nothing behind seq {engine.seq} any more")
            for entry in found:
                yield entry

    async def _footing(self, stowed: dict[int, Stowed]) -> Engine:
        """The genesis record, or the oldest good snapshot."""
        first = next(iter(await entries_behind(self._client, self._names, 0, count=1)))
        if first.first_seq == GENESIS_SEQ:
            return Engine(venue_in(first.frame))
        for each in stowed.values():
            try:
                engine = await fetched(self._client, self._names, each)
            except BadStock as error:
                self._report.note(SnapshotVerdict(each.seq, False, str(error)))
                continue
            self._chain, self._heard, self._at = each.chain, Heard(each.heard), _place(each.at)
            self._epoch = each.epoch
            return engine
        raise RecoveryFailed("the log begins behind its genesis record and has no good snapshot")

    def _look_at(self, entry: LogEntry) -> None:
        """Hold an entry against the one before."""
        problems, seq = self._report.problems, entry.first_seq
        if entry.frame.previous != self._chain:
            raise RecoveryFailed(f"the log's entry of seq {seq} does not follow the one before")
        if _place(entry.at) < self._at:
            problems.append(f"with seq {seq} the place in the command stream runs back")
        if entry.epoch < self._epoch:
            problems.append(f"with seq {seq} the epoch runs back to {entry.epoch}")
        for origin in entry.origins:
            if not self._heard.is_new(origin.gateway, origin.batch):
                problems.append(f"batch {origin.batch} of {origin.gateway} is there twice")
            self._heard.note(origin.gateway, origin.batch)
        self._chain, self._at, self._epoch = entry.frame.chain, _place(entry.at), entry.epoch
        self._report.chain = self._chain.hex()

    async def _judge(self, engine: Engine, stowed: Stowed) -> None:
        """Hold one snapshot against the replay."""
        report, seq = self._report, stowed.seq
        try:
            await fetched(self._client, self._names, stowed)
        except BadStock as error:
            if seq in await kept(self._client, self._names):  # The leader has not dropped it.
                report.note(SnapshotVerdict(seq, False, str(error)))
            return
        if stowed.chain != self._chain:
            report.note(SnapshotVerdict(seq, False, "it belongs to another log"))
        elif stowed.digest.hex() != engine.digest():
            report.note(SnapshotVerdict(seq, False, "the replay comes to another digest"))
        elif (_place(stowed.at), stowed.heard) != (self._at, self._heard.state()):
            report.note(SnapshotVerdict(seq, False, "it stands elsewhere in the command stream"))
        else:
            report.note(SnapshotVerdict(seq, True))
        report.check(engine)


def _place(at: str) -> tuple[int, int]:
    """An id of a stream, to be compared."""
    ms, _, number = at.partition("-")
    return int(ms), int(number or 0)
