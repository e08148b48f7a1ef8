"""Snapshots of the engine: its state as bytes, with a digest, and an engine from such bytes; pure.

A snapshot carries the genesis record too, since the journal's first frame, which holds it, may be
pruned one day.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

import msgspec

from exchange.engine import Engine
from exchange.groups import decode_venue, encode_venue

VERSION: Final = 1
DIGEST_BYTES: Final = 16

_encode: Final = msgspec.msgpack.Encoder().encode


class BadState(ValueError):
    """Bytes that are no snapshot of this version, or not of the state their digest names."""


class Packed(NamedTuple):
    """A state as bytes: what is behind the command `seq`, and the digest of it."""

    seq: int
    payload: bytes
    digest: bytes


class _Payload(msgspec.Struct, frozen=True, array_like=True):
    """Version, genesis record, and the state as it is digested."""

    version: int
    venue: bytes
    state: bytes


_decode_payload: Final = msgspec.msgpack.Decoder(_Payload).decode


def packed(engine: Engine) -> Packed:
    """The engine's state as it stands. O(accounts + orders)."""
    state = _encode(engine.state())
    payload = _encode(_Payload(VERSION, encode_venue(engine.venue), state))
    return Packed(engine.seq, payload, digest_of(state))


def restored(payload: bytes, digest: bytes) -> Engine:
    """The engine that was packed; BadState where it does not come out with the same digest."""
    try:
        found = _decode_payload(payload)
        state: Any = msgspec.msgpack.decode(found.state)
        venue = decode_venue(found.venue)
    except msgspec.DecodeError as error:
        raise BadState(f"it cannot be read: {error}") from error
    if found.version != VERSION:
        raise BadState(f"its version is {found.version}, not {VERSION}")
    if digest_of(found.state) != digest:
        raise BadState("its digest does not match")
    try:
        engine = Engine.restored(venue, state)
    except (AssertionError, LookupError, TypeError, ValueError) as error:
        raise BadState(f"its state is not of this version: {error!r}") from error
    if engine.digest() != digest.hex():
        raise BadState("the state that was restored from it has another digest")
    return engine


def digest_of(state: bytes) -> bytes:
    """The digest of an encoded state: the bytes of what `Engine.digest` spells."""
    return hashlib.blake2b(state, digest_size=DIGEST_BYTES).digest()
