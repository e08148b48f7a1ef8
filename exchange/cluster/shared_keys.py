"""The API keys of a cluster: a hash in Redis, under its ACL, and a copy of it in every gateway.

A door asks about a key with each request, so it is answered from the copy. Whoever makes or
revokes a key changes the hash and tells the others by a stream; they follow within moments.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, Final

import msgspec
import redis
from redis.asyncio import Redis

from exchange.clock import wall_ms
from exchange.cluster.connecting import Connection, patiently
from exchange.cluster.names import Names
from exchange.storage.keys import PERMISSIONS, ApiKey, check_count, made_key

READ_WAIT_MS: Final = 250
CHANGES_KEPT: Final = 10_000
CHANGES_PER_READ: Final = 256
ADMIN_KEY: Final = "admin_key"
DEMO_KEY: Final = "demo_key"

# KEYS keys, changes; ARGV key, the record as it was read, the record now, changes kept.
# A record that is not what it was read as was changed by somebody else meanwhile.
_CHANGE: Final = """
local found = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if found ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'key', ARGV[1])
return 1
"""

_encode: Final = msgspec.msgpack.Encoder(order="sorted").encode
_decode: Final = msgspec.msgpack.Decoder(ApiKey).decode


class SharedKeys:
    """The keys of a venue; any thread may call. Make it with `begin`, and have `follow` run.

    See `exchange.storage.keys.Keyring`. What makes or revokes a key blocks, and raises what
    redis-py raises where Redis is away.
    """

    def __init__(
        self, connection: Connection, names: Names, *, now_ms: Callable[[], int] = wall_ms
    ) -> None:
        self._connection = connection
        self._names = names
        self._now_ms = now_ms
        self._client: redis.Redis = connection.sync_client()
        self._change = self._client.register_script(_CHANGE)
        self._keys: dict[str, ApiKey] = {}
        self._last_id = "0-0"

    @classmethod
    async def begin(
        cls, connection: Connection, names: Names, *, now_ms: Callable[[], int] = wall_ms
    ) -> SharedKeys:
        """With all keys that there are."""
        keys = cls(connection, names, now_ms=now_ms)
        client = connection.client()
        try:
            await patiently(lambda: keys._read_all(client), "reading the keys")
        finally:
            await client.aclose()
        return keys

    async def follow(self) -> None:
        """Learn of what others change, for ever."""
        client = self._connection.client()
        try:
            while True:
                await patiently(lambda: self._read_changes(client), "following the keys")
        finally:
            await client.aclose()

    def create(
        self,
        account_id: int,
        *,
        permissions: Collection[str] = PERMISSIONS,
        public_key: str | None = None,
        ips: Collection[str] = (),
        expires_ms: int | None = None,
        label: str = "",
    ) -> ApiKey:
        """Make a key and keep it, durably. KeyRefused where it cannot be."""
        made = made_key(
            account_id,
            permissions=permissions,
            public_key=public_key,
            ips=ips,
            expires_ms=expires_ms,
            label=label,
            now_ms=self._now_ms(),
        )
        check_count(sum(not each.revoked for each in self.list(account_id)))
        self._changed(b"", made)
        return made

    def get(self, key: str) -> ApiKey | None:
        """The key, unless it is unknown or revoked; from memory."""
        found = self._keys.get(key)
        return None if found is None or found.revoked else found

    def list(self, account_id: int | None = None) -> list[ApiKey]:
        """Every key, or an account's, oldest first; the revoked ones too."""
        found = [
            each
            for each in list(self._keys.values())
            if account_id is None or each.account_id == account_id
        ]
        return sorted(found, key=lambda each: (each.account_id, each.created_ms, each.key))

    def revoke(self, key: str) -> bool:
        """End a key for good, durably; False where there was none to end."""
        while True:
            found: Any = self._client.hget(self._names.keys, key)
            if found is None:
                return False
            known = _decode(found)
            if known.revoked:
                self._keys[key] = known
                return False
            if self._changed(found, replace(known, revoked=True)):
                return True

    def admin_key(self) -> str:
        """The admin key, made at the first call."""
        self._client.hsetnx(self._names.meta, ADMIN_KEY, secrets.token_hex(32))
        found: Any = self._client.hget(self._names.meta, ADMIN_KEY)
        return str(found.decode())

    def demo_key(self) -> ApiKey | None:
        """The key that the demo and one-line trading use, if one was stored and still lives."""
        found: Any = self._client.hget(self._names.meta, DEMO_KEY)
        return None if found is None else self.get(found.decode())

    def store_demo_key(self, key: ApiKey) -> None:
        """Use this key for the demo and one-line trading from now on."""
        self._client.hset(self._names.meta, DEMO_KEY, key.key)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _changed(self, before: bytes, now: ApiKey) -> bool:
        """Keep a record in place of what it was; False where somebody else was first."""
        done = self._change(
            [self._names.keys, self._names.keys_changed],
            [now.key, before, _encode(now), CHANGES_KEPT],
        )
        if done:
            self._keys[now.key] = now
        return bool(done)

    async def _read_all(self, client: Redis) -> None:
        newest: Any = await client.xrevrange(self._names.keys_changed, count=1)
        found: Any = await client.hgetall(self._names.keys)
        self._keys = {key.decode(): _decode(record) for key, record in found.items()}
        self._last_id = newest[0][0].decode() if newest else "0-0"

    async def _read_changes(self, client: Redis) -> None:
        stream = self._names.keys_changed
        found: Any = await client.xread(
            {stream: self._last_id}, count=CHANGES_PER_READ, block=READ_WAIT_MS
        )
        if not found:
            return
        entries = found[0][1]
        if len(entries) == CHANGES_PER_READ:  # Perhaps more were missed than are still told of.
            await self._read_all(client)
            return
        changed = [fields[b"key"] for _, fields in entries]
        records: Any = await client.hmget(self._names.keys, changed)
        for key, record in zip(changed, records, strict=True):
            self._keys[key.decode()] = _decode(record)
        self._last_id = entries[-1][0].decode()
