"""A gateway: the doors of a venue whose core is another process, around a replica of its log.

It keeps nothing. It applies what the log says to an engine of its own, so everything a door reads
is here; what changes something goes to the core, and what the history knows is asked of the cores.
Any number of gateways serve the same venue, and a client that lost one resumes with another.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis

from exchange import __version__, build
from exchange.audit import auditing
from exchange.clock import FollowingClock
from exchange.cluster.asking import RemoteHistory
from exchange.cluster.connecting import AWAY, Connection
from exchange.cluster.log import LogEntry
from exchange.cluster.names import Names
from exchange.cluster.replica import LogTrimmed, Replica
from exchange.cluster.shared_keys import SharedKeys
from exchange.cluster.status import FORGETFUL
from exchange.cluster.submitting import Submitter
from exchange.config import Config, admin_key
from exchange.deep_history import deepened
from exchange.gateway.doors import Doors
from exchange.opening import tapes_of
from exchange.ports import Ports
from exchange.process import asked_or_ended, ended
from exchange.sequencer import Groups

LOOK_EVERY_S: Final = 0.5
LEADERLESS_S: Final = 2.5  # A standby leads within that; longer, and nobody seems to.
NAME_BYTES: Final = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Address:
    """Which Redis, and which venue in it."""

    connection: Connection
    names: Names


class Gateway:
    """A running gateway; `url` and `fast_url` are where its doors are. Make it with `start`."""

    def __init__(self, address: Address, config: Config) -> None:
        self.failed = False
        self.name = secrets.token_hex(NAME_BYTES)
        self.doors: Doors
        self.status = "starting"
        self._address = address
        self._config = config
        self._asked = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()
        self._client: Redis = address.connection.client()
        self._forgetful: str | None = None
        self._stopped = False

    @classmethod
    async def start(cls, address: Address, config: Config) -> Gateway:
        """Wait for a venue, follow its log to the end, and open the doors.

        RedisRefused, ReplicaBroken, PortRefused or ConfigError where it cannot be.
        """
        gateway = cls(address, config)
        try:
            await gateway._start()
        except BaseException:
            await gateway._end()
            raise
        return gateway

    async def _start(self) -> None:
        connection, names = self._address.connection, self._address.names
        await connection.entered()
        self._keys = keys = await SharedKeys.begin(connection, names)
        self._stack.callback(keys.close)
        history = RemoteHistory(connection, names, gateway=self.name, seq=lambda: 0)
        self._stack.push_async_callback(history.close)
        self._begin(history.listen(), "answers of the history")
        history.patient = True
        self._replica = replica = await Replica.begin(
            connection,
            names,
            history=None,
            queries=history,
            wait=True,
            tapes=tapes_of(self._config),
        )
        history.patient = False
        history.seq = lambda: replica.seq
        self._submitter = Submitter(
            connection, names, replica.engine, replica.house.listeners, gateway=self.name
        )
        self._clock = FollowingClock(lambda: replica.engine.time_ms)
        await self._open(history)

    async def _open(self, history: RemoteHistory) -> None:
        replica, house = self._replica, self._replica.house
        auditor = auditing(replica.engine, self._config.audit, house.listeners)
        self.doors = Doors(
            engine=replica.engine,
            sequencer=self._submitter,
            board=house.board,
            desk=house.desk,
            history=deepened(
                history, replica.past, replica.engine, self._config.storage.history_days
            ),
            keys=self._keys,
            clock=self._clock,
            config=self._config,
            admin_key=admin_key(self._config) or await asyncio.to_thread(self._keys.admin_key),
            metrics=house.metrics,
            auditor=auditor,
            health=self.health,
        )
        house.publisher.is_replica = True
        self._ports = Ports(self.doors, house.publisher)
        house.listeners.append(house.metrics.on_group)
        self._watch()
        replica.listeners.append(self._on_entry)
        self._begin(replica.follow(), "replica")
        self._begin(self._keys.follow(), "keys")
        self._begin(self._submitter.run(), "submitter")
        await self._look()
        self._begin(self._look_for_ever(), "look-out")
        await self._ports.open()
        self._begin(house.publisher.run(), "publisher")
        self._begin(auditor.run(), "auditor")
        self.status = "ok"
        log.info("gateway %s open at %s, fast WebSocket at %s", self.name, self.url, self.fast_url)

    @property
    def url(self) -> str:
        """Of the main port: http://host:port."""
        return self._ports.url

    @property
    def fast_url(self) -> str:
        """Of the fast port."""
        return self._ports.fast_url

    def health(self) -> dict[str, Any]:
        """The body of /healthz; "paused" while nobody leads."""
        engine, paused = self._replica.engine, self._submitter.paused
        return {
            "status": "paused" if self.status == "ok" and paused else self.status,
            "env": "paper",
            "version": __version__,
            "build": build.running(),
            "role": "gateway",
            "gateway": self.name,
            "venue": self._address.names.venue,
            "speed": round(self._clock.achieved_speed(), 2),
            "seq": engine.seq,
            "exchange_time": engine.time_ms,
            "wall_time": self._clock.wall_ms(),
            "backlog": self._submitter.backlog,
            "problems": self._problems(),
        }

    # -- what a process asks of it -------------------------------------------------------------

    def ask_to_stop(self) -> None:
        """Let `wait` return."""
        self._asked.set()

    async def wait(self) -> None:
        """Return when a stop was asked for, or something ended it; see `failed`."""
        await asked_or_ended(self._asked, *self._tasks)
        self._look_for_faults()

    async def stop(self) -> None:
        """Close the doors, and let go of everything."""
        if self._stopped:
            return
        self._stopped = True
        self.status = "stopping"
        self._look_for_faults()
        await self._ports.close()
        self._submitter.stop()
        await self._ports.finish()
        await self._end()
        log.info("gateway %s stopped at seq %d", self.name, self._replica.seq)

    async def _end(self) -> None:
        await ended(*self._tasks)
        await self._client.aclose()
        await self._stack.aclose()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    def _look_for_faults(self) -> None:
        for task in self._tasks:
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is None or self.failed:
                continue
            if isinstance(error, LogTrimmed):
                log.error("%s; start the gateway again", error)
            else:
                log.error("the %s ended over a fault", task.get_name(), exc_info=error)
            self.failed = True
            self.status = "failed"

    # -- what it looks out for -----------------------------------------------------------------

    def _on_entry(self, entry: LogEntry, groups: Groups) -> None:
        self._clock.hold(self._replica.engine.time_ms)
        self._submitter.on_entry(entry, groups)

    async def _look_for_ever(self) -> None:
        """Is there a leader? Nothing is taken while there is none: it would wait unseen."""
        loop = asyncio.get_running_loop()
        led_s = loop.time()
        while True:
            if await self._look():
                led_s = loop.time()
            if loop.time() - led_s < LEADERLESS_S:
                paused = None
            else:
                paused = "no core leads this venue, or Redis is away; nothing is taken until it is"
            if paused != self._submitter.paused:
                log.warning("paused: %s", paused) if paused else log.info("goes on")
                self._submitter.paused = paused
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> bool:
        names = self._address.names
        try:
            async with asyncio.timeout(LEADERLESS_S):
                led = await self._client.exists(names.leader)
                found: Any = await self._client.hget(names.meta, FORGETFUL)
        except (*AWAY, TimeoutError):
            return False
        self._forgetful = None if found is None else found.decode()
        return bool(led)

    def _problems(self) -> list[str]:
        found = [
            f"an invariant is broken: {each.invariant}: {each.says}"
            for each in self.doors.auditor.violations.values()
        ]
        if self._submitter.paused:
            found.append(self._submitter.paused)
        if self._forgetful:
            found.append(f"this Redis would forget: {self._forgetful}")
        return found

    def _watch(self) -> None:
        """Show the numbers that are read when somebody looks."""
        metrics, house = self._replica.house.metrics, self._replica.house
        metrics.watch("seq", "The last command obeyed.", lambda: self._replica.seq)
        metrics.watch(
            "backlog_commands", "Commands not answered yet.", lambda: self._submitter.backlog
        )
        metrics.watch("speed", "Exchange seconds a second.", self._clock.achieved_speed)
        metrics.watch("paused", "1 while no core leads.", lambda: bool(self._submitter.paused))
        metrics.watch("accounts", "Accounts.", lambda: len(self._replica.engine.risk.accounts))
        metrics.watch("sessions", "Open WebSocket connections.", lambda: house.publisher.sessions)
        metrics.watch_count(
            "market_dropped",
            "Market data that readers were too slow for.",
            lambda: house.publisher.dropped,
        )
        metrics.watch_count(
            "readers_closed",
            "Readers closed for not keeping up with their private events.",
            lambda: house.publisher.private_closes,
        )
