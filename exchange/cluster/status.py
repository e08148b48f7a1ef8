"""What the cores of a cluster say of themselves: a hash in Redis, a field a core."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from exchange.cluster.names import Names

FORGETFUL: Final = "forgetful"  # In `names.meta`: why this Redis would forget.
FORGOTTEN_AFTER_MS: Final = 24 * 3_600_000


class Status(msgspec.Struct, frozen=True):
    """One core; `digest` is that of its state where it ended well, `wall_ms` when it said so."""

    core: str
    role: str
    epoch: int
    seq: int
    digest: str | None
    forgetful: str | None
    wall_ms: int


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Status).decode


async def told(client: Redis, names: Names, status: Status) -> None:
    """Say it, and forget those that have said nothing for a day."""
    pipeline = client.pipeline(transaction=False)
    pipeline.hset(names.status, status.core, _encode(status))
    if status.forgetful is None:
        pipeline.hdel(names.meta, FORGETFUL)
    else:
        pipeline.hset(names.meta, FORGETFUL, status.forgetful)
    await pipeline.execute()
    for other in await cores(client, names):
        if other.wall_ms < status.wall_ms - FORGOTTEN_AFTER_MS:
            await client.hdel(names.status, other.core)


async def cores(client: Redis, names: Names) -> list[Status]:
    """What each core said last, the newest first."""
    found: dict[Any, Any] = await client.hgetall(names.status)
    said = []
    for value in found.values():
        try:
            said.append(_decode(value))
        except msgspec.DecodeError:
            continue  # A newer version's.
    return sorted(said, key=lambda status: status.wall_ms, reverse=True)
