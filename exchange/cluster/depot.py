"""Snapshots in Redis: the state at a seq in chunks, told of only when all of them are there.

The hash of snapshots says what is kept; each has its bytes in a list of its own, which expires
until it is told of, so that a half of one leaves nothing behind. A leader writes, fenced.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from exchange.cluster.connecting import patiently
from exchange.cluster.lease import FENCE, Lease
from exchange.cluster.log import Heard, entry_id
from exchange.cluster.names import Names
from exchange.engine import Engine
from exchange.snapshot import BadState, Packed, restored
from exchange.storage.frames import hashed

CHUNK_BYTES: Final = 512 * 1024
CHUNKS_PER_READ: Final = 8
UNTOLD_EXPIRES_S: Final = 600
KEEP: Final = 3

# KEYS epoch, chunks; ARGV epoch, place of the chunk, chunk, seconds until it expires.
_STOW: Final = (
    FENCE
    + """
if ARGV[2] == '0' then redis.call('DEL', KEYS[2]) end
local there = redis.call('LLEN', KEYS[2])
if there == tonumber(ARGV[2]) then redis.call('RPUSH', KEYS[2], ARGV[3])
elseif there ~= tonumber(ARGV[2]) + 1 then return 'LOST' end
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 'OK'
"""
)

# KEYS epoch, snapshots, chunks, and those of snapshots that go;
# ARGV epoch, seq, what is known of it, how many chunks, and the seqs of those that go.
_TELL: Final = (
    FENCE
    + """
if redis.call('LLEN', KEYS[3]) ~= tonumber(ARGV[4]) then return 'LOST' end
redis.call('PERSIST', KEYS[3])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
for place = 4, #KEYS do
    redis.call('DEL', KEYS[place])
    redis.call('HDEL', KEYS[2], ARGV[place + 1])
end
return 'OK'
"""
)

# KEYS epoch, log, commands; ARGV epoch, oldest id of the log, oldest id of the commands.
_TRIM: Final = (
    FENCE
    + """
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[2])
redis.call('XTRIM', KEYS[3], 'MINID', ARGV[3])
return 'OK'
"""
)


class BadStock(Exception):
    """A snapshot in Redis that cannot be used; the text says why."""


class Stowed(msgspec.Struct, frozen=True):
    """What is known of a snapshot: the state behind `seq`, and the cluster's state beside it.

    `chain` is the hash of the log's frame that ends there, `digest` that of the state, `checksum`
    that of all the bytes; `at` and `heard` tell how far the command stream was used up.
    """

    seq: int
    chain: bytes
    digest: bytes
    checksum: bytes
    size: int
    chunks: int
    at: str
    heard: list[tuple[str, int]]
    epoch: int


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Stowed).decode


async def kept(client: Redis, names: Names) -> dict[int, Stowed]:
    """Every snapshot told of, by its seq, oldest first; what cannot be read is left out."""
    found: dict[Any, Any] = await client.hgetall(names.snapshots)
    stowed = []
    for value in found.values():
        try:
            stowed.append(_decode(value))
        except msgspec.DecodeError:
            continue  # A newer version's.
    return {each.seq: each for each in sorted(stowed, key=lambda each: each.seq)}


async def fetched(client: Redis, names: Names, stowed: Stowed) -> Engine:
    """The engine of a snapshot; BadStock where it is gone, or not what was stowed."""
    parts: list[bytes] = []
    for place in range(0, stowed.chunks, CHUNKS_PER_READ):
        last = min(place + CHUNKS_PER_READ, stowed.chunks) - 1
        found: list[Any] = await client.lrange(names.snapshot(stowed.seq), place, last)
        parts += found
    payload = b"".join(parts)
    if len(payload) != stowed.size or hashed(payload) != stowed.checksum:
        raise BadStock(f"the snapshot of seq {stowed.seq} is not whole")
    try:
        return await asyncio.to_thread(restored, payload, stowed.digest)
    except BadState as error:
        raise BadStock(f"the snapshot of seq {stowed.seq}: {error}") from error


class Depot:
    """Where a leader stows snapshots and trims what they make needless. Deposed where it is none.

    It waits while Redis is away; everything it does bears being done again.
    """

    def __init__(self, client: Redis, lease: Lease, *, keep: int = KEEP) -> None:
        assert keep >= 1
        self._client = client
        self._lease = lease
        self._names = lease.names
        self._keep = keep
        self._stow = client.register_script(_STOW)
        self._tell = client.register_script(_TELL)
        self._trim = client.register_script(_TRIM)

    async def stow(
        self, state: Packed, *, chain: bytes, at: str, heard: Heard
    ) -> dict[int, Stowed]:
        """Put a snapshot there and drop those beyond the newest few; answers what is kept now.

        BadStock where somebody else meddled with it.
        """
        payload = state.payload
        chunks = [payload[at_ : at_ + CHUNK_BYTES] for at_ in range(0, len(payload), CHUNK_BYTES)]
        stowed = Stowed(
            seq=state.seq,
            chain=chain,
            digest=state.digest,
            checksum=hashed(payload),
            size=len(payload),
            chunks=len(chunks),
            at=at,
            heard=heard.state(),
            epoch=self._lease.epoch,
        )
        here = self._names.snapshot(state.seq)
        for place, chunk in enumerate(chunks):
            arguments = [self._lease.epoch, place, chunk, UNTOLD_EXPIRES_S]
            await self._do(self._stow, [self._names.epoch, here], arguments)
        told = {**await self.kept(), stowed.seq: stowed}
        gone = sorted(told, reverse=True)[self._keep :]
        keys = [self._names.epoch, self._names.snapshots, here, *map(self._names.snapshot, gone)]
        arguments = [self._lease.epoch, stowed.seq, _encode(stowed), len(chunks), *gone]
        await self._do(self._tell, keys, arguments)
        return {seq: each for seq, each in told.items() if seq not in gone}

    async def kept(self) -> dict[int, Stowed]:
        """Every snapshot told of, by its seq, oldest first."""
        return await patiently(lambda: kept(self._client, self._names), "stowing a snapshot")

    async def trim(self, log_seq: int, commands_at: str) -> None:
        """Drop the log before the entry that ends with `log_seq`, and commands before an entry."""
        keys = [self._names.epoch, self._names.log, self._names.commands]
        await self._do(self._trim, keys, [self._lease.epoch, entry_id(log_seq), commands_at])

    async def _do(self, script: Any, keys: list[str], arguments: list[Any]) -> None:
        answer = await patiently(lambda: script(keys, arguments), "stowing a snapshot")
        if self._lease.judge(answer) == b"LOST":
            raise BadStock("the chunks of a snapshot are not as this core left them")
