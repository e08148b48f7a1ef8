"""API keys: kept secret, found fast, and changed under a running server."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.storage import keys as keys_module
from exchange.storage.keys import (
    KEYS_PER_ACCOUNT_MAX,
    PERMISSIONS,
    ApiKey,
    KeyFileVersion,
    KeyRefused,
    KeyStore,
)

NOW_MS = 1_700_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys.db"


@pytest.fixture
def store(path: Path) -> Iterator[KeyStore]:
    store = KeyStore.open(path, now_ms=lambda: NOW_MS)
    yield store
    store.close()


def pem_of(public: ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_a_key_is_found_as_it_was_made(store: KeyStore) -> None:
    made = store.create(
        7,
        permissions=["trade", "read"],
        ips=["127.0.0.1", "10.1.2.3/8", "::1"],
        expires_ms=NOW_MS + 1,
        label="my bot",
    )
    assert made == ApiKey(
        key=made.key,
        secret=made.secret,
        account_id=7,
        permissions=frozenset({"read", "trade"}),
        ips=("127.0.0.1", "10.0.0.0/8", "::1"),
        expires_ms=NOW_MS + 1,
        created_ms=NOW_MS,
        label="my bot",
        public_key=None,
    )
    assert store.get(made.key) == made
    assert store.get(made.key) == made  # From memory this time.
    assert store.get("nobody's") is None


def test_a_key_may_do_everything_unless_told_otherwise(store: KeyStore) -> None:
    assert store.create(1).permissions == PERMISSIONS


def test_no_two_keys_are_alike_and_secrets_are_long(store: KeyStore) -> None:
    made = [store.create(1) for _ in range(10)]
    assert len({key.key for key in made} | {key.secret for key in made}) == 20
    assert all(len(key.key) == len(key.secret) == 64 for key in made)


def test_a_secret_is_not_shown_by_accident(store: KeyStore) -> None:
    made = store.create(1)
    assert made.secret not in repr(made)


def test_keys_outlive_the_process(path: Path, store: KeyStore) -> None:
    made = store.create(1)
    again = KeyStore.open(path)
    assert again.get(made.key) == made
    again.close()


def test_only_the_owner_can_read_the_files(path: Path, store: KeyStore) -> None:
    store.create(1)
    files = sorted(path.parent.iterdir())
    assert path in files
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * len(files)


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    KeyStore.open(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_revoked_key_is_not_found_but_listed(store: KeyStore) -> None:
    made = store.create(1)
    assert store.get(made.key) is not None
    assert store.revoke(made.key)
    assert store.get(made.key) is None
    assert not store.revoke(made.key)
    assert not store.revoke("nobody's")
    assert store.list() == [replace(made, revoked=True)]


def test_keys_are_listed_by_account(store: KeyStore) -> None:
    one, two = store.create(1), store.create(2)
    assert store.list() == [one, two]
    assert store.list(2) == [two]
    assert store.list(3) == []


def test_another_process_s_changes_are_seen_at_once(path: Path, store: KeyStore) -> None:
    kept, ended = store.create(1), store.create(1)
    assert store.get(kept.key) == kept
    assert store.get(ended.key) == ended
    script = (
        "import sys; from pathlib import Path; from exchange.storage.keys import KeyStore\n"
        "store = KeyStore.open(Path(sys.argv[1])); store.revoke(sys.argv[2])\n"
        "print(store.create(5).key)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), ended.key],
        check=True,
        capture_output=True,
        text=True,
    )
    new = store.get(done.stdout.strip())
    assert new is not None
    assert new.account_id == 5
    assert store.get(ended.key) is None
    assert store.get(kept.key) == kept


def test_the_cache_is_bounded(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "CACHED_KEYS_MAX", 3)
    made = [store.create(1) for _ in range(5)]
    for key in made + made:
        assert store.get(key.key) == key
        assert len(store._cached) <= 3


def test_an_account_has_a_bounded_number_of_live_keys(store: KeyStore) -> None:
    made = [store.create(1) for _ in range(KEYS_PER_ACCOUNT_MAX)]
    with pytest.raises(KeyRefused, match="revoke one first"):
        store.create(1)
    store.create(2)
    store.revoke(made[0].key)
    store.create(1)


def test_an_ed25519_key_needs_no_secret(store: KeyStore) -> None:
    pem = pem_of(ed25519.Ed25519PrivateKey.generate().public_key())
    made = store.create(1, public_key=pem)
    assert (made.public_key, made.secret) == (pem, "")
    assert store.get(made.key) == made


def test_an_rsa_key_has_2048_bits_at_least(store: KeyStore) -> None:
    good, weak = (
        pem_of(rsa.generate_private_key(public_exponent=65_537, key_size=bits).public_key())
        for bits in (2_048, 1_024)
    )
    assert store.create(1, public_key=good).public_key == good
    with pytest.raises(KeyRefused, match="at least 2048 bits, not 1024"):
        store.create(1, public_key=weak)


def test_a_public_key_of_another_kind_is_refused(store: KeyStore) -> None:
    with pytest.raises(KeyRefused, match="Ed25519 or RSA"):
        store.create(1, public_key=pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()))
    for text in ("nonsense", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "ü"):
        with pytest.raises(KeyRefused, match="no PEM text"):
            store.create(1, public_key=text)
    with pytest.raises(KeyRefused, match="at most 4096"):
        store.create(1, public_key="x" * 4_097)
    assert store.list() == []


def test_what_makes_no_sense_is_refused(store: KeyStore) -> None:
    with pytest.raises(KeyRefused, match="read, trade, transfer, not withdraw"):
        store.create(1, permissions=["read", "withdraw"])
    with pytest.raises(KeyRefused, match="one or more of"):
        store.create(1, permissions=[])
    with pytest.raises(KeyRefused, match="'localhost' does not appear to be"):
        store.create(1, ips=["localhost"])
    with pytest.raises(KeyRefused, match="at most 30 addresses"):
        store.create(1, ips=["127.0.0.1"] * 31)
    with pytest.raises(KeyRefused, match="at most 64 characters"):
        store.create(1, label="x" * 65)
    with pytest.raises(KeyRefused, match="expired before"):
        store.create(1, expires_ms=NOW_MS)
    assert store.list() == []


def test_the_admin_key_is_made_once(path: Path, store: KeyStore) -> None:
    key = store.admin_key()
    assert len(key) == 64
    again = KeyStore.open(path)
    assert again.admin_key() == store.admin_key() == key
    again.close()


def test_the_demo_key_is_kept_until_it_is_revoked(path: Path, store: KeyStore) -> None:
    assert store.demo_key() is None
    made = store.create(1)
    store.store_demo_key(made)
    again = KeyStore.open(path)
    assert again.demo_key() == made
    again.revoke(made.key)
    assert again.demo_key() is None
    again.close()


def test_meta_is_kept(path: Path, store: KeyStore) -> None:
    assert store.meta("colour") is None
    store.set_meta("colour", "green")
    store.set_meta("colour", "blue")
    again = KeyStore.open(path)
    assert again.meta("colour") == "blue"
    again.close()


def test_a_file_of_a_newer_version_is_refused(path: Path, store: KeyStore) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(KeyFileVersion, match="version 9"):
        KeyStore.open(path)
