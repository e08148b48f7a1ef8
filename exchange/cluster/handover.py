"""The hand-over of a history: a core that joins late gets a copy of the leader's file.

The joining core asks under a number of its own; the leader copies its file as it stands and pushes
it in parts to a list that never holds more than a few of them, so that Redis need not have room
for a history. Each part carries its number, and the first one what the whole must come out as.
Whoever of the two vanishes, what is left in Redis expires.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from redis.asyncio import Redis

from exchange.cluster.connecting import Connection, patiently
from exchange.cluster.lease import FENCE, Lease
from exchange.cluster.names import Names

PART_BYTES: Final = 512 * 1024
PARTS_WAITING_MAX: Final = 16
EXPIRES_MS: Final = 15_000
LOOK_EVERY_S: Final = 0.5
FULL_PAUSE_S: Final = 0.02
WAIT_S: Final = 2
NEXT_WITHIN_S: Final = 15.0
FIRST_WITHIN_S: Final = 120.0  # The leader copies its file first.
TRIES_MAX: Final = 3
NUMBER_BYTES: Final = 8
HISTORY: Final = "history.db"
GIVEN: Final = "history-given.db"
COMING: Final = "history-coming.db"

# KEYS epoch, parts; ARGV epoch, part, how many may wait, milliseconds until they expire.
_PUSH: Final = (
    FENCE
    + """
if redis.call('LLEN', KEYS[2]) >= tonumber(ARGV[3]) then return 'FULL' end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 'OK'
"""
)

log = logging.getLogger(__name__)


class HandoverFailed(Exception):
    """No copy came, or not as it should; the text says why."""


class Header(msgspec.Struct, frozen=True):
    """What the parts come out as: bytes, their digest, and the seq the history has reached."""

    seq: int
    size: int
    digest: bytes


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Header).decode


# -- the leader's end --------------------------------------------------------------------------


class HistoryGiver:
    """Gives copies of the history at `path` to those who ask; `run` until cancelled."""

    def __init__(self, connection: Connection, lease: Lease, path: Path) -> None:
        self._connection = connection
        self._lease = lease
        self._names = lease.names
        self._path = path

    async def run(self) -> None:
        """Look whether somebody asks, for ever. Deposed where another core leads."""
        client = self._connection.client()
        given = b""
        try:
            while True:
                asked = await patiently(lambda: self._asked(client), "the hand-over")
                if asked is not None and asked != given:
                    given = asked
                    await self._give(client, asked)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await client.aclose()

    async def _asked(self, client: Redis) -> bytes | None:
        asked: Any = await client.get(self._names.handover)
        return asked if isinstance(asked, bytes) else None

    async def _give(self, client: Redis, asked: bytes) -> None:
        """Push one copy, unless who asked goes away."""
        copy = self._path.with_name(GIVEN)
        try:
            header = await asyncio.to_thread(copied, self._path, copy)
            log.info("hands over the history up to seq %d, %d bytes", header.seq, header.size)
            with copy.open("rb") as file:
                for number, part in enumerate(parts(header, file)):
                    if not await self._push(client, asked, number, part):
                        log.info("nobody waits for the history any more")
                        return
        except (sqlite3.Error, OSError) as error:
            log.error("the history could not be handed over: %s", error)
        finally:
            copy.unlink(missing_ok=True)

    async def _push(self, client: Redis, asked: bytes, number: int, part: bytes) -> bool:
        """Push a part once there is room; False where nobody waits for it any more."""
        script: Any = client.register_script(_PUSH)
        keys = [self._names.epoch, self._names.handed(asked.decode())]
        numbered = number.to_bytes(NUMBER_BYTES, "big") + part
        arguments = [self._lease.epoch, numbered, PARTS_WAITING_MAX, EXPIRES_MS]
        while True:
            answer = await patiently(lambda: script(keys, arguments), "the hand-over")
            if self._lease.judge(answer) != b"FULL":
                return True
            if await patiently(lambda: self._asked(client), "the hand-over") != asked:
                return False
            await asyncio.sleep(FULL_PAUSE_S)


def copied(path: Path, copy: Path) -> Header:
    """Copy a history that is being written, as it stands at one moment; for a thread."""
    copy.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        (seq,) = target.execute("SELECT seq FROM reached").fetchone()
    with copy.open("rb") as file:
        digest = hashlib.file_digest(file, hashlib.blake2b).digest()
    return Header(int(seq), copy.stat().st_size, digest)


def parts(header: Header, file: BinaryIO) -> Iterator[bytes]:
    """The header, then the file in parts."""
    yield _encode(header)
    while part := file.read(PART_BYTES):
        yield part


# -- the joining core's end --------------------------------------------------------------------


def reached_in(path: Path) -> int:
    """The seq that the history in a file has reached; 0 where there is none."""
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            (seq,) = connection.execute("SELECT seq FROM reached").fetchone()
        except sqlite3.OperationalError:
            return 0  # The file was made, and its tables were not.
    return int(seq)


async def fetch_history(connection: Connection, names: Names, path: Path) -> int | None:
    """Replace the history at `path`, which is closed, by a copy of the leader's.

    Answers the seq it has reached; None where nobody leads who could give one. HandoverFailed
    where it did not come out well a few times.
    """
    client = connection.client()
    try:
        for _ in range(TRIES_MAX):
            try:
                return await _fetch(client, names, path)
            except HandoverFailed as error:
                log.warning("the hand-over of the history failed: %s", error)
        raise HandoverFailed("the leader's history did not come out whole")
    finally:
        await client.aclose()


async def _fetch(client: Redis, names: Names, path: Path) -> int | None:
    number = secrets.token_hex(8)
    coming = _Coming(client, names, number)
    copy = path.with_name(COMING)
    try:
        first = await coming.next()
        if first is None:
            return None
        header = _header(first)
        digest, size = hashlib.blake2b(), 0
        with copy.open("wb") as file:
            while size < header.size:
                part = await coming.next()
                if part is None:
                    raise HandoverFailed("the leader has gone")
                digest.update(part)
                size += len(part)
                await asyncio.to_thread(file.write, part)
        if size != header.size or digest.digest() != header.digest:
            raise HandoverFailed("the parts do not come out as they should")
        for old in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            old.unlink(missing_ok=True)
        copy.rename(path)
        return header.seq
    finally:
        copy.unlink(missing_ok=True)
        await coming.forget()


def _header(part: bytes) -> Header:
    try:
        return _decode(part)
    except msgspec.DecodeError as error:
        raise HandoverFailed(f"its header cannot be read: {error}") from error


class _Coming:
    """The parts as they come, in order; None once nobody leads."""

    def __init__(self, client: Redis, names: Names, number: str) -> None:
        self._client = client
        self._names = names
        self._number = number
        self._next = 0

    async def next(self) -> bytes | None:
        """The next part."""
        waits_since_s = time.monotonic()
        while True:
            found = await patiently(self._pop, "the hand-over")
            if found is not None:
                number = int.from_bytes(found[:NUMBER_BYTES], "big")
                if number == self._next:
                    self._next += 1
                    return found[NUMBER_BYTES:]
                if number > self._next:
                    raise HandoverFailed(f"part {self._next} is missing")
                continue  # It was pushed twice.
            if not await patiently(
                lambda: self._client.exists(self._names.leader), "the hand-over"
            ):
                return None
            within_s = NEXT_WITHIN_S if self._next else FIRST_WITHIN_S
            if time.monotonic() - waits_since_s > within_s:
                raise HandoverFailed("the leader does not give it")

    async def _pop(self) -> bytes | None:
        """Go on asking, and take what has come."""
        ask = self._names.handover
        if self._next or not await self._client.set(ask, self._number, px=EXPIRES_MS, nx=True):
            asked: Any = await self._client.get(ask)
            if asked == self._number.encode():
                await self._client.pexpire(ask, EXPIRES_MS)
        found: Any = await self._client.blpop([self._names.handed(self._number)], timeout=WAIT_S)
        return None if found is None else bytes(found[1])

    async def forget(self) -> None:
        """Let the next one ask."""

        async def forget() -> None:
            if await self._client.get(self._names.handover) == self._number.encode():
                await self._client.delete(self._names.handover)
            await self._client.delete(self._names.handed(self._number))

        await patiently(forget, "the hand-over")
