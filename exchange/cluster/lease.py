"""The lease: who leads, for how long, and the number that fences off whoever led before.

A core takes the lease where nobody holds it, which raises the venue's epoch by one. Whatever a
leader writes goes through a script that first compares the epoch with its own, so from the moment
another core leads, nothing more of the old one gets in, however late it wakes up. That the key of
the lease expires decides only when another may try, never whether a write is good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis

from exchange.cluster.names import Names

TTL_MS: Final = 1_500  # Of a lease that is not renewed.
RENEW_EVERY_S: Final = 0.4
TRY_EVERY_S: Final = 0.2

assert 3 * RENEW_EVERY_S * 1_000 < TTL_MS  # Two renewals may come late.

FENCED: Final = b"FENCED"
DONE: Final = b"OK"

# The beginning of every script that a leader writes with: KEYS[1] is the epoch.
FENCE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
"""

_TAKE: Final = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local epoch = redis.call('INCR', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return epoch
"""

_RENEW: Final = (
    FENCE
    + """
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 'OK'
"""
)

_RELEASE: Final = (
    FENCE
    + """
if redis.call('GET', KEYS[2]) == ARGV[2] then redis.call('DEL', KEYS[2]) end
return 'OK'
"""
)


class Deposed(Exception):
    """Another core leads: nothing of this one is taken any more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of `holder` to write, until another takes the next epoch."""

    names: Names
    holder: str
    epoch: int
    ttl_ms: int = TTL_MS

    @classmethod
    async def take(
        cls, client: Redis, names: Names, holder: str, ttl_ms: int = TTL_MS
    ) -> Lease | None:
        """The lease, if nobody holds it. Holders have names of their own."""
        script = client.register_script(_TAKE)
        answer: Any = await script([names.epoch, names.leader], [holder, ttl_ms])
        return cls(names, holder, int(answer), ttl_ms) if answer else None

    async def renew(self, client: Redis) -> None:
        """Hold it for another moment; Deposed where another holds it."""
        script = client.register_script(_RENEW)
        keys = [self.names.epoch, self.names.leader]
        self.judge(await script(keys, [self.epoch, self.holder, self.ttl_ms]))

    async def release(self, client: Redis) -> None:
        """Let another take it at once; Deposed where one has already."""
        script = client.register_script(_RELEASE)
        keys = [self.names.epoch, self.names.leader]
        self.judge(await script(keys, [self.epoch, self.holder]))

    def judge(self, answer: Any) -> Any:
        """What a fenced script answered; Deposed where it did nothing."""
        if answer == FENCED:
            raise Deposed(f"another core leads since epoch {self.epoch}")
        return answer
