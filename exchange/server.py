"""The composition root: clocks, journals, sources and doors are made here, and nowhere else.

`run` is the program: it starts, says where it is, and ends at Ctrl-C. `start` is what it does
inside, for tests. Starting is recovering (`exchange.recovery`); then the doors open.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from exchange import process
from exchange.alarm import Alarm
from exchange.audit import auditing
from exchange.config import Config, ConfigError, Storage, admin_key, venue_of
from exchange.deep_history import deepened
from exchange.gateway.doors import Doors, Opened
from exchange.groups import encode_venue
from exchange.health import Health, watch
from exchange.house import House
from exchange.housekeeping import Housekeeping
from exchange.market.market import prehistory
from exchange.market.prehistory import Prehistory
from exchange.market.tape import Tape
from exchange.opening import first_ms, is_trading, tapes_of
from exchange.ports import PortRefused, Ports
from exchange.recovery import SNAPSHOTS, Recovery, RecoveryFailed, begin
from exchange.restoring import restore_board
from exchange.sequencing import sequencer_of
from exchange.storage.frames import hashed
from exchange.storage.history import History
from exchange.storage.journal import JournalFailed
from exchange.storage.keys import KeyFileVersion, KeyStore
from exchange.storage.lock import DirectoryInUse, DirectoryLock
from exchange.storage.redis_log import RedisEvents
from exchange.storage.segments import JournalCorrupt, JournalPruned, JournalVersion
from exchange.storage.snapshots import SnapshotStore
from exchange.storage.tables import HistoryVersion
from risk.parameters import Venue

REDIS_DRAIN_S: Final = 0.4
HISTORY_CLOSES_WITHIN_S: Final = 1.0
TRADING_WITHIN_S: Final = 10.0  # Then the doors count as open, whatever the market does.
LOOK_EVERY_S: Final = 0.02
SAY_EVERY_S: Final = 2.0

OnOpen = Callable[[Opened], Awaitable[None]]

log = logging.getLogger(__name__)


class StartFailed(Exception):
    """The exchange cannot be started; the text says why, and what to do, in one line."""


# What stops a start without being a bug: each says in one line what is wrong.
_REFUSALS: Final = (
    DirectoryInUse,
    HistoryVersion,
    JournalCorrupt,
    JournalFailed,
    JournalPruned,
    JournalVersion,
    KeyFileVersion,
    PortRefused,
    RecoveryFailed,
    StartFailed,
)


def run(config: Config, on_open: OnOpen | None = None) -> int:
    """Run the exchange until Ctrl-C or SIGTERM; answers the exit code: 0, or 1 over a fault.

    `on_open` is awaited once the doors are open. ConfigError for a configuration that cannot be.
    """

    async def opened(running: Running) -> None:
        if on_open is not None:
            await on_open(running.opened)

    return process.run(lambda: start(config), opened, refusals=_REFUSALS)


# -- starting ----------------------------------------------------------------------------------


async def start(config: Config) -> Running:
    """Recover, open the doors, and answer the running exchange; `stop` ends it.

    ConfigError, or one of the exceptions that say in a line why it cannot start.
    """
    stack = contextlib.AsyncExitStack()
    try:
        return await _start(config, stack)
    except BaseException:
        await stack.aclose()
        raise


async def _start(config: Config, stack: contextlib.AsyncExitStack) -> Running:
    directory = _directory(config.storage, stack)
    tapes = tapes_of(config)
    with _naming(directory / "keys.db") as path:
        keys = KeyStore.open(path)
    stack.callback(keys.close)
    with _naming(directory / "history.db") as path:
        history = History.open(path)
    stack.callback(_close_in_time, history)
    recovery = begin(
        directory,
        lambda: venue_of(config, first_ms(config, tapes)),
        reached_seq=history.reached_seq,
    )
    stack.callback(recovery.journal.close)
    engine = recovery.engine
    house, past = await _recovered(config, recovery, history, tapes)
    sequencer = sequencer_of(config, engine, recovery.journal, house, tapes, is_new=recovery.is_new)
    housekeeping = Housekeeping(
        engine=engine,
        sequencer=sequencer,
        journal=recovery.journal,
        store=SnapshotStore(directory / SNAPSHOTS, keep=config.storage.snapshots_kept),
        history=history,
        clock=sequencer.clock,
        config=config.storage,
        saved_seq=recovery.footing.seq,
    )
    auditor = auditing(engine, config.audit, sequencer.listeners)
    health = Health(
        engine, sequencer, sequencer.clock, recovery.journal, history, housekeeping, auditor
    )
    watch(house.metrics, health, house.publisher, house.redis)
    doors = Doors(
        engine=engine,
        sequencer=sequencer,
        board=house.board,
        desk=house.desk,
        history=deepened(history, past, engine, config.storage.history_days),
        keys=keys,
        clock=sequencer.clock,
        config=config,
        admin_key=admin_key(config) or await asyncio.to_thread(keys.admin_key),
        metrics=house.metrics,
        auditor=auditor,
        health=health.say,
    )
    running = Running(doors, house, housekeeping, health, stack)
    await running.open(directory)
    return running


async def _recovered(
    config: Config, recovery: Recovery, history: History, tapes: dict[str, Tape]
) -> tuple[House, Prehistory | None]:
    """The house, once all that is kept has been told to it, and the past, if the venue has one."""
    engine, venue = recovery.engine, recovery.engine.venue
    _say_what_is_ignored(config, venue)
    house = House(engine, history, _redis(config, venue))
    past = prehistory(venue, tapes) if venue.market.get("history") else None
    await restore_board(house.board, engine, history, past)
    await _replay(recovery, house)
    _say_recovered(recovery)
    return house, past


async def _replay(recovery: Recovery, house: House) -> None:
    """Replay the tail, and listen to the signals meanwhile."""
    loop = asyncio.get_running_loop()
    said_s = breathed_s = loop.time()
    for seq in recovery.replaying(house.listeners):
        now_s = loop.time()
        if now_s - breathed_s >= LOOK_EVERY_S:
            await asyncio.sleep(0)
            breathed_s = loop.time()
        if now_s - said_s >= SAY_EVERY_S:
            log.info("replayed up to seq %d of %d", seq, recovery.journal.last_seq)
            said_s = now_s


# -- running -----------------------------------------------------------------------------------


class Running:
    """A running exchange: `opened` says where it is, `failed` that a fault ended it.

    `stop` may be called at any time, and again.
    """

    def __init__(
        self,
        doors: Doors,
        house: House,
        housekeeping: Housekeeping,
        health: Health,
        stack: contextlib.AsyncExitStack,
    ) -> None:
        self.doors = doors
        self.failed = False
        self.opened: Opened
        self._house = house
        self._housekeeping = housekeeping
        self._health = health
        self._stack = stack
        self._asked = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._ports = Ports(doors, house.publisher)
        self._sequencer = health.sequencer
        self._alarm = Alarm(doors.engine, self._sequencer, doors.clock)
        self._stopped = False

    async def open(self, directory: Path) -> None:
        """Begin to sequence, and open the doors. PortRefused where a port cannot be had."""
        try:
            await self._open()
        except BaseException:
            await self._end()
            raise
        self._health.status = "ok"
        storage = self.doors.config.storage
        self.opened = Opened(
            doors=self.doors,
            url=self._ports.url,
            fast_url=self._ports.fast_url,
            product_urls=self._ports.product_urls,
            data=directory,
            ephemeral=storage.ephemeral,
            data_is_default=storage.data == Storage().data and not storage.ephemeral,
        )
        log.info("open at %s, fast WebSocket at %s", self._ports.url, self._ports.fast_url)

    async def _open(self) -> None:
        self._begin(self._sequencer.run(), "sequencer")
        self._begin(self._alarm.run(), "alarm")
        if self._house.redis is not None:
            await self._house.redis.start()
        await self._ports.open()
        self._begin(self._house.publisher.run(), "publisher")
        self._begin(self._housekeeping.run(), "housekeeping")
        self._begin(self.doors.auditor.run(), "auditor")
        await self._until_trading()

    async def _until_trading(self) -> None:
        """A new market opens within moments; where its time stands, somebody has to move it."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + TRADING_WITHIN_S
        while not self._is_trading() and loop.time() < deadline_s:
            if any(task.done() for task in self._tasks):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    def _is_trading(self) -> bool:
        doors = self.doors
        if not doors.clock.speed:
            return self._sequencer.is_idle
        return is_trading(doors.engine, agents=doors.config.market.agents)

    @property
    def url(self) -> str:
        """Of the main port: http://host:port."""
        return self.opened.url

    @property
    def fast_url(self) -> str:
        """Of the fast port."""
        return self.opened.fast_url

    def ask_to_stop(self) -> None:
        """Let `wait` return."""
        self._asked.set()

    async def wait(self) -> None:
        """Return when a stop was asked for, or a fault ended the exchange; see `failed`."""
        await process.asked_or_ended(self._asked, *self._tasks)
        self._look_for_faults()

    async def stop(self) -> None:
        """Close the doors, finish the group under way, keep a snapshot, let go of everything."""
        if self._stopped:
            return
        self._stopped = True
        self._health.status = "stopping"
        self._look_for_faults()
        await self._end()
        if not self.failed:
            await self._housekeeping.finish()
        await self._stack.aclose()
        log.info("stopped at seq %d", self.doors.engine.seq)

    async def _end(self) -> None:
        """End every task and connection; nothing is applied any more after this."""
        await self._ports.close()
        self._sequencer.stop()
        sequencing, *others = self._tasks
        await asyncio.wait([sequencing])
        self._look_for_faults()
        for task in others:
            task.cancel()
        await self._ports.finish()
        if self._house.redis is not None:
            await self._house.redis.stop(drain_s=REDIS_DRAIN_S)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    def _look_for_faults(self) -> None:
        for task in self._tasks:
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is None:
                continue
            if not self.failed:
                log.error("the %s ended over a fault", task.get_name(), exc_info=error)
            self.failed = True
            self._health.status = "failed"


# -- parts -------------------------------------------------------------------------------------


def _directory(config: Storage, stack: contextlib.AsyncExitStack) -> Path:
    """The data directory, locked; one of its own that goes at the stop where nothing is kept."""
    if config.ephemeral:
        directory = Path(tempfile.mkdtemp(prefix="papertape-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
    else:
        directory = Path(config.data)
    try:
        lock = DirectoryLock.take(directory)
    except OSError as error:
        raise StartFailed(f"cannot use {directory}: {error.strerror}") from error
    stack.callback(lock.release)
    return directory


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[Path]:
    """A database file that cannot be opened is named."""
    try:
        yield path
    except sqlite3.Error as error:
        raise StartFailed(f"cannot open {path}: {error}") from error


def _redis(config: Config, venue: Venue) -> RedisEvents | None:
    if not config.server.redis:
        return None
    try:
        Redis.from_url(config.server.redis)
    except ValueError as error:
        raise ConfigError(f"redis: {error} - at `$.server.redis`") from error
    return RedisEvents(config.server.redis, run=hashed(encode_venue(venue)).hex())


def _say_what_is_ignored(config: Config, venue: Venue) -> None:
    """A venue is what it was made as: say so where the configuration would have it otherwise."""
    asked = venue_of(config, venue.start_ms)
    differing = [
        name
        for name in ("name", "seed", "prices", "instruments", "perps")
        if getattr(asked, name) != getattr(venue, name)
    ]
    if differing:
        log.warning(
            "the venue keeps what it was made with; give another --data to change: %s",
            ", ".join(differing),
        )


def _say_recovered(recovery: Recovery) -> None:
    directory = recovery.journal.directory.parent
    for why in recovery.passed_over:
        log.warning("passed over %s", why)
    torn = recovery.journal.torn
    if torn is not None:
        log.warning("cut a torn last frame of %d bytes off %s", torn.size, torn.path)
    if recovery.is_new:
        log.info("made a new venue in %s", directory)
        return
    log.info(
        "recovered %s: %d commands behind seq %d, now at seq %d",
        directory,
        recovery.replayed,
        recovery.footing.seq,
        recovery.engine.seq,
    )


def _close_in_time(history: History) -> None:
    """Close the history, but do not wait for ever: the journal has what it has not."""
    closing = threading.Thread(target=history.close, name="history closing", daemon=True)
    closing.start()
    closing.join(HISTORY_CLOSES_WITHIN_S)
    if closing.is_alive():
        log.warning("the history is %d rows behind; the next start refills it", history.backlog)
