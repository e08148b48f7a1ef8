"""Leading: one core's time at the head, from the moment it holds the lease until it does not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from exchange.alarm import Alarm
from exchange.cluster.connecting import Connection, patiently
from exchange.cluster.depot import Depot
from exchange.cluster.handover import HISTORY, HistoryGiver
from exchange.cluster.intake import Intake
from exchange.cluster.lease import RENEW_EVERY_S, Deposed, Lease
from exchange.cluster.log import LogKeeper
from exchange.cluster.replica import Replica
from exchange.cluster.stock import Stock
from exchange.config import Config
from exchange.groups import GENESIS_SEQ
from exchange.market.tape import Tape
from exchange.process import asked_or_ended
from exchange.recovery import SNAPSHOTS
from exchange.sequencing import sequencer_of
from exchange.storage.history import History

LAST_GROUP_WITHIN_S: Final = 5.0  # Then a stop no longer waits for a Redis that is away.

log = logging.getLogger(__name__)


async def renewing(connection: Connection, lease: Lease) -> None:
    """Hold the lease until cancelled; Deposed where another core holds it."""
    client = connection.client()
    try:
        while True:
            await patiently(lambda: lease.renew(client), "the lease")
            await asyncio.sleep(RENEW_EVERY_S)
    finally:
        await client.aclose()


class Leader:
    """Everything that only the leader has: sequencer, market, intake, alarm and stock.

    It is made over a replica that stands at the end of the log, and leaves it unusable where it
    was deposed.
    """

    def __init__(
        self,
        connection: Connection,
        lease: Lease,
        replica: Replica,
        history: History,
        config: Config,
        tapes: Mapping[str, Tape],
        directory: Path,
    ) -> None:
        engine = replica.engine
        self.lease = lease
        self.keeper = LogKeeper(
            connection, lease, chain=replica.chain, at=replica.at, heard=replica.heard
        )
        self.sequencer = sequencer_of(
            config,
            engine,
            self.keeper,
            replica.house,
            tapes,
            is_new=engine.seq == GENESIS_SEQ,
        )
        self.sequencer.on_taken = self.keeper.on_taken
        self._client = connection.client()
        self._intake = Intake(connection, lease.names, self.sequencer, self.keeper)
        self._alarm = Alarm(engine, self.sequencer, self.sequencer.clock)
        self.stock = Stock(
            engine,
            self.sequencer,
            self.keeper,
            Depot(self._client, lease, keep=config.storage.snapshots_kept),
            history,
            config=config.storage,
            directory=directory / SNAPSHOTS,
        )
        self._giver = HistoryGiver(connection, lease, directory / HISTORY)
        self._tasks: list[asyncio.Task[Any]] = []

    async def lead(self, until: asyncio.Event, renewal: asyncio.Task[None]) -> None:
        """Lead until told to stop, leave a snapshot, and give the lease back.

        Deposed where another core leads; or what went wrong. Either way nothing more is kept.
        """
        self._begin(self.sequencer.run(), "sequencer")
        self._begin(self._intake.run(), "intake")
        self._begin(self._alarm.run(), "alarm")
        self._begin(self.stock.run(), "stock")
        self._begin(self._giver.run(), "hand-over")
        try:
            working = [renewal, *self._tasks]
            await asked_or_ended(until, *working)
            _raise_fault(working)
            await self._end_well()
            _raise_fault(working)
        finally:
            await self._let_go()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _end_well(self) -> None:
        """Finish the group under way, leave a snapshot behind, and let another lead at once."""
        sequencing, *others = self._tasks
        for task in others:
            task.cancel()
        self.sequencer.stop()
        await asyncio.wait([sequencing], timeout=LAST_GROUP_WITHIN_S)
        if not sequencing.done():
            log.warning("stopped while a group was on its way to a Redis that is away")
            return
        _raise_fault([sequencing])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_GROUP_WITHIN_S):
                await self.stock.finish()
                await self.lease.release(self._client)

    async def _let_go(self) -> None:
        """Whatever happened: nothing of this leadership goes on."""
        self.keeper.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self.keeper.release()
        await self._client.aclose()


def _raise_fault(tasks: list[asyncio.Task[Any]]) -> None:
    """What ended one of them, being deposed before anything else: the rest follows from it."""
    errors = [task.exception() for task in tasks if task.done() and not task.cancelled()]
    faults = sorted(filter(None, errors), key=lambda error: not isinstance(error, Deposed))
    if faults:
        raise faults[0]
