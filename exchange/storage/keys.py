"""API keys: who may speak for which account, kept in a SQLite file only its owner can read.

The journal carries key ids alone; secrets are here. Several processes may have the file open: the
command line works on it beside a running server, which sees a change at the next `get`.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from exchange.clock import wall_ms

PERMISSIONS: Final = frozenset({"read", "trade", "transfer"})
KEYS_PER_ACCOUNT_MAX: Final = 30  # Live ones.
IPS_PER_KEY_MAX: Final = 30
LABEL_CHARS_MAX: Final = 64
PEM_CHARS_MAX: Final = 4_096
RSA_BITS_MIN: Final = 2_048
CACHED_KEYS_MAX: Final = 100_000

SCHEMA_VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE keys (
    key TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    permissions TEXT NOT NULL,
    ips TEXT NOT NULL,
    expires_ms INTEGER,
    created_ms INTEGER NOT NULL,
    label TEXT NOT NULL,
    public_key TEXT,
    revoked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX keys_by_account ON keys (account_id, created_ms);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class KeyRefused(ValueError):
    """A key that cannot be made as asked; the text says why, for the one who asked."""


class KeyFileVersion(Exception):
    """The file was written by a newer version of Papertape."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One API key. `secret` is empty where `public_key` (PEM, Ed25519 or RSA) checks signatures.

    `ips` are addresses or networks the key may be used from, any where there are none;
    `expires_ms` and `created_ms` are wall time.
    """

    key: str
    secret: str = field(repr=False)
    account_id: int
    permissions: frozenset[str]
    ips: tuple[str, ...]
    expires_ms: int | None
    created_ms: int
    label: str
    public_key: str | None
    revoked: bool = False


Row = tuple[str, str, int, str, str, int | None, int, str, str | None, int]


class Keyring(Protocol):
    """What a door asks about keys, wherever they are kept; any thread may call."""

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

    def get(self, key: str) -> ApiKey | None:
        """The key, unless it is unknown or revoked; from memory."""

    def list(self, account_id: int | None = None) -> Sequence[ApiKey]:
        """Every key, or an account's, oldest first; the revoked ones too."""

    def revoke(self, key: str) -> bool:
        """End a key for good, durably; False where there was none to end."""

    def demo_key(self) -> ApiKey | None:
        """The key that the demo and one-line trading use, if one was stored and still lives."""

    def store_demo_key(self, key: ApiKey) -> None:
        """Use this key for the demo and one-line trading from now on."""


class KeyStore:
    """The keys of a data directory; any thread may call. Make it with `KeyStore.open`."""

    def __init__(self, path: Path, *, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        # A connection sees in its data_version what others wrote, never what it wrote itself:
        # so one only writes, and the one that reads learns of every change in the same way.
        self._writer = _connected(path)
        self._reader = _connected(path)
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._cached: dict[str, ApiKey] = {}
        self._cached_version = -1

    @classmethod
    def open(cls, path: Path, *, now_ms: Callable[[], int] = wall_ms) -> KeyStore:
        """Open or create the file; its mode is 0600 from the first byte on.

        `now_ms` is wall time. Raises KeyFileVersion, or sqlite3.Error where the file is none.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        _prepare(path)
        return cls(path, now_ms=now_ms)

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
        """Make a key and keep it, durably. Blocks for a sync. KeyRefused where it cannot be."""
        made = made_key(
            account_id,
            permissions=permissions,
            public_key=public_key,
            ips=ips,
            expires_ms=expires_ms,
            label=label,
            now_ms=self._now_ms(),
        )
        with self._write_lock, self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            live = "SELECT count(*) FROM keys WHERE account_id = ? AND NOT revoked"
            (count,) = self._writer.execute(live, (account_id,)).fetchone()
            check_count(count)
            insert = "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            self._writer.execute(insert, _to_row(made))
        return made

    def get(self, key: str) -> ApiKey | None:
        """The key, unless it is unknown or revoked. Expiry and addresses are the caller's to judge.

        About 2 µs, from memory unless the file changed.
        """
        with self._read_lock:
            (version,) = self._reader.execute("PRAGMA data_version").fetchone()
            if version != self._cached_version or len(self._cached) >= CACHED_KEYS_MAX:
                self._cached.clear()
                self._cached_version = version
            found = self._cached.get(key)
            if found is None:
                found = self._read(key)
                if found is not None:
                    self._cached[key] = found
        return found

    def list(self, account_id: int | None = None) -> list[ApiKey]:
        """Every key, or an account's, oldest first; the revoked ones too."""
        where = "" if account_id is None else "WHERE account_id = :account_id"
        query = f"SELECT * FROM keys {where} ORDER BY account_id, created_ms, key"
        with self._read_lock:
            rows = self._reader.execute(query, {"account_id": account_id}).fetchall()
        return [_to_key(row) for row in rows]

    def revoke(self, key: str) -> bool:
        """End a key for good, durably; False where there was none to end."""
        with self._write_lock, self._writer:
            revoke = "UPDATE keys SET revoked = 1 WHERE key = ? AND NOT revoked"
            return self._writer.execute(revoke, (key,)).rowcount == 1

    def meta(self, name: str) -> str | None:
        """What was kept under a name."""
        with self._read_lock:
            row = self._reader.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        """Keep a value under a name, durably."""
        with self._write_lock, self._writer:
            self._writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def admin_key(self) -> str:
        """The admin key, made at the first call."""
        with self._write_lock, self._writer:
            insert = "INSERT OR IGNORE INTO meta VALUES ('admin_key', ?)"
            self._writer.execute(insert, (secrets.token_hex(32),))
        key = self.meta("admin_key")
        assert key is not None
        return key

    def demo_key(self) -> ApiKey | None:
        """The key that the demo and one-line trading use, if one was stored and still lives."""
        key = self.meta("demo_key")
        return None if key is None else self.get(key)

    def store_demo_key(self, key: ApiKey) -> None:
        """Use this key for the demo and one-line trading from now on."""
        self.set_meta("demo_key", key.key)

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()
        self._reader.close()

    def _read(self, key: str) -> ApiKey | None:
        live = "SELECT * FROM keys WHERE key = ? AND NOT revoked"
        row = self._reader.execute(live, (key,)).fetchone()
        return None if row is None else _to_key(row)


def made_key(
    account_id: int,
    *,
    permissions: Collection[str],
    public_key: str | None,
    ips: Collection[str],
    expires_ms: int | None,
    label: str,
    now_ms: int,
) -> ApiKey:
    """A new key, not kept anywhere yet. KeyRefused where it cannot be."""
    made = ApiKey(
        key=secrets.token_hex(32),
        secret="" if public_key else secrets.token_hex(32),
        account_id=account_id,
        permissions=checked_permissions(permissions),
        ips=checked_ips(ips),
        expires_ms=expires_ms,
        created_ms=now_ms,
        label=label,
        public_key=checked_public_key(public_key) if public_key else None,
    )
    if len(label) > LABEL_CHARS_MAX:
        raise KeyRefused(f"a label has at most {LABEL_CHARS_MAX} characters")
    if expires_ms is not None and expires_ms <= made.created_ms:
        raise KeyRefused("the key would have expired before it is made")
    return made


def check_count(count: int) -> None:
    """KeyRefused where an account that has `count` live keys may not have another."""
    if count >= KEYS_PER_ACCOUNT_MAX:
        raise KeyRefused(f"the account has {count} keys already; revoke one first")


def checked_permissions(permissions: Collection[str]) -> frozenset[str]:
    """The permissions as a set; KeyRefused where one is unknown or none is given."""
    unknown = sorted(set(permissions) - PERMISSIONS)
    if unknown or not permissions:
        raise KeyRefused(
            f"permissions are one or more of {', '.join(sorted(PERMISSIONS))}"
            + (f", not {', '.join(unknown)}" if unknown else "")
        )
    return frozenset(permissions)


def checked_ips(ips: Collection[str]) -> tuple[str, ...]:
    """The addresses and networks in their plain form; KeyRefused where one is none."""
    if len(ips) > IPS_PER_KEY_MAX:
        raise KeyRefused(f"a key has at most {IPS_PER_KEY_MAX} addresses")
    try:
        networks = [ipaddress.ip_network(ip, strict=False) for ip in ips]
    except ValueError as error:
        raise KeyRefused(str(error)) from None
    return tuple(
        str(network.network_address if network.num_addresses == 1 else network)
        for network in networks
    )


def checked_public_key(pem: str) -> str:
    """The PEM text itself; KeyRefused unless it is an Ed25519 key, or RSA of 2048 bits or more."""
    if len(pem) > PEM_CHARS_MAX:
        raise KeyRefused(f"a public key has at most {PEM_CHARS_MAX} characters")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused("the public key is no PEM text of a public key") from None
    if isinstance(key, RSAPublicKey):
        if key.key_size < RSA_BITS_MIN:
            raise KeyRefused(f"an RSA key has at least {RSA_BITS_MIN} bits, not {key.key_size}")
    elif not isinstance(key, Ed25519PublicKey):
        raise KeyRefused("a public key is Ed25519 or RSA")
    return pem


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _prepare(path: Path) -> None:
    connection = _connected(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # Two processes may start at once: the second waits here, and finds the tables made.
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise KeyFileVersion(f"{path} is of version {version}, not {SCHEMA_VERSION}")
        if version == 0:
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        connection.close()


def _to_row(key: ApiKey) -> Row:
    return (
        key.key,
        key.secret,
        key.account_id,
        ",".join(sorted(key.permissions)),
        json.dumps(key.ips),
        key.expires_ms,
        key.created_ms,
        key.label,
        key.public_key,
        int(key.revoked),
    )


def _to_key(row: Row) -> ApiKey:
    key, secret, account_id, permissions, ips, expires_ms, created_ms, label, pem, revoked = row
    return ApiKey(
        key=key,
        secret=secret,
        account_id=account_id,
        permissions=frozenset(permissions.split(",")),
        ips=tuple(json.loads(ips)),
        expires_ms=expires_ms,
        created_ms=created_ms,
        label=label,
        public_key=pem,
        revoked=bool(revoked),
    )
