"""A core: it stands by as a replica of the log, leads while it holds the lease, and so on anew.

A core never trusts what it was: deposed, it drops engine and house and begins again from a
snapshot and the log, as it would after a crash. Its own directory holds the history, which takes
the rows of whatever it applies in either role.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from exchange.bounds import TAIL_COMMANDS_MIN
from exchange.clock import wall_ms
from exchange.cluster.answering import HistoryServer
from exchange.cluster.connecting import Connection, patiently
from exchange.cluster.handover import HISTORY, HandoverFailed, fetch_history, reached_in
from exchange.cluster.leading import Leader, renewing
from exchange.cluster.lease import TRY_EVERY_S, TTL_MS, Deposed, Lease
from exchange.cluster.log import LogLost, bounds_of, genesis_keeper
from exchange.cluster.names import Names
from exchange.cluster.replica import LogTrimmed, Replica, ReplicaBroken, VenueMissing, footings
from exchange.cluster.status import Status, told
from exchange.config import Config, venue_of
from exchange.engine import Engine
from exchange.groups import GENESIS_SEQ, encode_genesis, encode_venue
from exchange.housekeeping import DAY_MS, PRUNE_HISTORY_EVERY_S
from exchange.opening import first_ms, tapes_of
from exchange.process import asked_or_ended
from exchange.storage.durable import write_durably
from exchange.storage.frames import hashed
from exchange.storage.history import History, HistoryBroken
from exchange.storage.lock import DirectoryLock

DATA: Final = "./papertape-core-data"
VENUE_FILE: Final = "venue"  # Which venue the directory's history is of.
STOPS_WITHIN_S: Final = 15.0
GOODBYE_WITHIN_S: Final = 1.0
STATUS_EVERY_S: Final = 2.0

log = logging.getLogger(__name__)


class CoreRefused(Exception):
    """The core cannot be started; the text says why, and what to do, in one line."""


@dataclass(frozen=True)
class Place:
    """Where a core works: which Redis, which venue in it, which directory of its own."""

    connection: Connection
    names: Names
    directory: Path
    allow_forgetting: bool = False
    lease_ms: int = TTL_MS


class Core:
    """A running core; `role` is "starting", "standby", "leader" or "stopped". See `start`."""

    def __init__(self, place: Place, config: Config) -> None:
        self.failed = False
        self.role = "starting"
        self.epoch = 0  # Of its newest lease.
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.forgetful: str | None = None  # Why this Redis would forget.
        self.replica: Replica | None = None
        self.leader: Leader | None = None
        self._place = place
        self._config = config
        self._tapes = tapes_of(config)
        self._client: Redis = place.connection.client()
        self._asked = asyncio.Event()
        self._changed = asyncio.Event()  # The role has.
        self._stack = contextlib.AsyncExitStack()
        self._work: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._stopped = False

    @classmethod
    async def start(cls, place: Place, config: Config) -> Core:
        """Begin to stand by. CoreRefused, DirectoryInUse, RedisRefused or ConfigError."""
        core = cls(place, config)
        try:
            await core._start()
        except BaseException:
            await core._stack.aclose()
            await core._client.aclose()
            raise
        return core

    async def _start(self) -> None:
        place = self._place
        try:
            lock = DirectoryLock.take(place.directory)
        except OSError as error:
            raise CoreRefused(f"cannot use {place.directory}: {error.strerror}") from error
        self._stack.callback(lock.release)
        await place.connection.entered()
        self.forgetful = await place.connection.durability()
        if self.forgetful is not None:
            if not place.allow_forgetting:
                raise CoreRefused(
                    f"the Redis at {place.connection.shown} would forget: {self.forgetful}; "
                    "start it with --appendonly yes --appendfsync always, "
                    "or take the risk with --allow-forgetting"
                )
            log.warning("this Redis would forget: %s", self.forgetful)
        self._work = asyncio.create_task(self._serve(), name="core")
        self._telling = self._begin_beside(self._tell_for_ever(), "status")

    # -- what a process asks of it -------------------------------------------------------------

    def ask_to_stop(self) -> None:
        """Let `wait` return."""
        self._asked.set()

    async def wait(self) -> None:
        """Return when a stop was asked for, or a fault ended it; see `failed`."""
        assert self._work is not None
        await asked_or_ended(self._asked, self._work)
        self._look_for_faults()

    async def stop(self) -> None:
        """Let another core lead at once, and let go of everything."""
        if self._stopped:
            return
        self._stopped = True
        self._asked.set()
        assert self._work is not None
        if self.role == "leader":
            await asyncio.wait([self._work], timeout=STOPS_WITHIN_S)
        self._work.cancel()
        await asyncio.wait([self._work])
        self._look_for_faults()
        await self._say_goodbye()
        await self._client.aclose()
        await self._stack.aclose()

    async def _say_goodbye(self) -> None:
        """Leave word of where it ended; a Redis that is away is not waited for."""
        assert self._telling is not None
        self._telling.cancel()
        self.role = "failed" if self.failed else "stopped"
        replica = self.replica
        digest = None if replica is None or self.failed else replica.engine.digest()
        seq = 0 if replica is None else replica.seq
        log.info("stopped at seq %d of epoch %d, digest %s", seq, self.epoch, digest)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_WITHIN_S):
                await self._tell(digest)

    def _begin_beside(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """What goes on by itself: where it ends over a fault, the core hands over and ends."""

        def look(task: asyncio.Task[None]) -> None:
            error = None if task.cancelled() else task.exception()
            if error is not None:
                log.error("the %s ended over a fault", name, exc_info=error)
                self.failed = True
                self._asked.set()

        task = asyncio.create_task(work, name=name)
        task.add_done_callback(look)
        return task

    def _look_for_faults(self) -> None:
        work = self._work
        assert work is not None
        error = work.exception() if work.done() and not work.cancelled() else None
        if error is not None and not self.failed:
            is_told = isinstance(error, CoreRefused | LogLost | ReplicaBroken)
            log.error("the core has ended: %s", error, exc_info=None if is_told else error)
            self.failed = True

    # -- its life ------------------------------------------------------------------------------

    async def _serve(self) -> None:
        """Stand by and lead in turn, until told to stop."""
        await self._make_venue()
        while not self._asked.is_set():
            try:
                await self._stint()
            except Deposed as error:
                log.warning("deposed: %s; it begins anew as a standby", error)
            except LogTrimmed as error:
                log.warning("%s; it begins anew", error)

    async def _make_venue(self) -> None:
        """Write the genesis record where there is no log yet, under the lease."""
        names = self._place.names
        while not (await patiently(lambda: bounds_of(self._client, names), "the core"))[1]:
            lease = await self._take_lease()
            if lease is None:
                await asyncio.sleep(TRY_EVERY_S)
                continue
            venue = venue_of(self._config, first_ms(self._config, self._tapes))
            keeper = genesis_keeper(self._place.connection, lease)
            with contextlib.suppress(Deposed):
                if not (await patiently(lambda: bounds_of(self._client, names), "the core"))[1]:
                    genesis = encode_genesis(venue)
                    await asyncio.to_thread(keeper.append_and_sync, GENESIS_SEQ, 1, genesis)
                    log.info("made the venue %s", names.venue)
                await self._release(lease)
            keeper.release()

    async def _release(self, lease: Lease) -> None:
        await patiently(lambda: lease.release(self._client), "the lease")

    async def _take_lease(self) -> Lease | None:
        place = self._place
        lease = await patiently(
            lambda: Lease.take(self._client, place.names, self.name, place.lease_ms), "the lease"
        )
        if lease is not None:
            self.epoch = lease.epoch
        return lease

    async def _stint(self) -> None:
        """One life: a replica that follows, and where it gets the lease, leads."""
        self.role = "starting"
        await self._catch_up_history()
        async with self._history() as history:
            self.replica = replica = await self._begin(history)
            beside = [
                self._begin_beside(self._answerer(replica, history).run(), "answerer"),
                self._begin_beside(self._pruning(replica, history), "pruning"),
            ]
            try:
                lease = await self._stand_by(replica)
                if lease is not None:
                    await self._lead(replica, history, lease)
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.wait(beside)

    async def _pruning(self, replica: Replica, history: History) -> None:
        """Once an hour remove what is older than the history's days, of exchange time."""
        while True:
            await asyncio.sleep(PRUNE_HISTORY_EVERY_S)
            days = self._config.storage.history_days
            try:
                removed = await history.prune(replica.engine.time_ms - days * DAY_MS)
            except HistoryBroken as error:
                log.warning("the history could not be pruned: %s", error)
                continue
            if removed:
                log.info("pruned %d rows of the history", removed)

    def _answerer(self, replica: Replica, history: History) -> HistoryServer:
        answerer = HistoryServer(
            self._place.connection,
            self._place.names,
            history,
            core=self.name,
            seq=lambda: replica.seq,
            leads=lambda: self.role == "leader",
        )
        replica.house.listeners.append(answerer.on_group)  # A leader's sequencer takes it over.
        return answerer

    async def _catch_up_history(self) -> None:
        """Get the leader's history where the log no longer gives what this core's lacks."""
        connection, names = self._place.connection, self._place.names
        path = self._place.directory / HISTORY
        reached_seq = await asyncio.to_thread(reached_in, path)
        oldest_seq, last_seq = await patiently(
            lambda: footings(self._client, names), "reading the log"
        )
        is_far = not reached_seq and last_seq > TAIL_COMMANDS_MIN
        if oldest_seq <= reached_seq and not is_far:
            return
        try:
            seq = await fetch_history(connection, names, path)
        except HandoverFailed as error:
            log.error("%s", error)
            seq = None
        if seq is not None:
            log.info("got the leader's history up to seq %d", seq)
        elif oldest_seq > reached_seq:
            log.warning("the history lacks what was before seq %d", oldest_seq)

    @contextlib.asynccontextmanager
    async def _history(self) -> AsyncIterator[History]:
        """The core's own history, opened anew for every replica that tells it."""
        path = self._place.directory / HISTORY
        history = await asyncio.to_thread(History.open, path)
        try:
            yield history
        finally:
            closing = threading.Thread(target=history.close, name="history closing", daemon=True)
            closing.start()
            # At a stop it is not waited for: the log has what the history has not.
            within_s = GOODBYE_WITHIN_S if self._asked.is_set() else None
            await asyncio.to_thread(closing.join, within_s)
            if closing.is_alive():
                log.warning("the history is %d rows behind", history.backlog)

    async def _begin(self, history: History) -> Replica:
        """A replica at the end of the log as it is now, and its history as far."""
        gc.unfreeze()
        self.replica = None
        try:
            replica = await Replica.begin(
                self._place.connection,
                self._place.names,
                history=history,
                queries=history,
                wait=False,
                reached_seq=history.reached_seq,
                tapes=self._tapes,
                accept=self._accept,
            )
        except VenueMissing as error:
            raise CoreRefused("Redis has forgotten the venue; a new start makes another") from error
        if history.reached_seq > replica.seq:
            raise CoreRefused(
                f"the log ends with seq {replica.seq}, yet the history in {self._place.directory} "
                f"has reached {history.reached_seq}: Redis has forgotten part of it"
            )
        gc.collect()
        gc.freeze()  # What is there now stays; the collector need not look at it again.
        log.info("follows at seq %d, from a footing at %d", replica.seq, replica.footing_seq)
        return replica

    def _accept(self, engine: Engine) -> None:
        """CoreRefused where the directory holds the history of another venue."""
        engine.paranoid = self._config.audit.paranoid
        path = self._place.directory / VENUE_FILE
        mark = hashed(encode_venue(engine.venue)).hex().encode()
        if not path.exists():
            write_durably(path, mark)
        elif path.read_bytes() != mark:
            raise CoreRefused(
                f"{self._place.directory} holds the history of another venue; "
                "give another directory with --data"
            )

    async def _stand_by(self, replica: Replica) -> Lease | None:
        """Follow the log until the lease can be had; None where a stop was asked for."""
        self.role = "standby"
        following = asyncio.create_task(replica.follow())
        asked = asyncio.create_task(self._asked.wait())
        try:
            while not self._asked.is_set():
                lease = await self._take_lease()
                if lease is not None:
                    return lease
                await asyncio.wait(
                    [following, asked], timeout=TRY_EVERY_S, return_when=asyncio.FIRST_COMPLETED
                )
                if following.done():
                    following.result()
            return None
        finally:
            asked.cancel()
            following.cancel()
            await asyncio.wait([following])

    async def _lead(self, replica: Replica, history: History, lease: Lease) -> None:
        """Read the log to its end, where nothing old can come any more, and go on with it."""
        renewal = asyncio.create_task(renewing(self._place.connection, lease))
        try:
            await replica.catch_up()
            try:
                # In a thread, so that the lease is renewed meanwhile, however long it takes.
                await asyncio.to_thread(replica.engine.check)
            except AssertionError as error:
                raise ReplicaBroken(f"the state breaks an invariant: {error}") from error
            self.leader = Leader(
                self._place.connection,
                lease,
                replica,
                history,
                self._config,
                self._tapes,
                self._place.directory,
            )
            self.role = "leader"
            log.info("leads epoch %d from seq %d on", lease.epoch, replica.seq)
            self._changed.set()
            await self.leader.lead(self._asked, renewal)
        finally:
            self.role, self.leader = "starting", None
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    # -- status --------------------------------------------------------------------------------

    async def _tell_for_ever(self) -> None:
        while True:
            self._changed.clear()
            await self._tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STATUS_EVERY_S):
                    await self._changed.wait()

    async def _tell(self, digest: str | None = None) -> None:
        status = Status(
            core=self.name,
            role=self.role,
            epoch=self.epoch,
            seq=0 if self.replica is None else self.replica.seq,
            digest=digest,
            forgetful=self.forgetful,
            wall_ms=wall_ms(),
        )
        await patiently(lambda: told(self._client, self._place.names, status), "telling the status")
