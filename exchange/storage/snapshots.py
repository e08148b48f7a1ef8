"""Snapshots on disk: the state at a seq, whole or not there, the newest few kept.

A file is a header and a payload; the header, little-endian:

    magic 3 | version 1 | seq 8 | payload length 8 | digest length 2 | chain 16 | crc 4

then the digest and the payload. `chain` is the hash of the journal's frame that ends with `seq`,
so a snapshot can be told to belong to its journal; `crc` is the CRC-32 of all the rest.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.storage.durable import sync_directory, write_durably
from exchange.storage.frames import HASH_BYTES

MAGIC: Final = b"\xc1PS"
VERSION: Final = 1
KEEP: Final = 3
SUFFIX: Final = ".snapshot"
SEQ_DIGITS: Final = 20  # So that names sort as seqs do.

_UNCHECKED = struct.Struct(f"<3sBQQH{HASH_BYTES}s")
_CRC = struct.Struct("<I")
HEADER_BYTES: Final = _UNCHECKED.size + _CRC.size


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state behind the command `seq`: its bytes, their digest, the journal's chain there."""

    seq: int
    payload: bytes
    digest: bytes
    chain: bytes


@dataclass(frozen=True, slots=True)
class Damaged:
    """A snapshot that was passed over, and why."""

    path: Path
    why: str


class BadSnapshot(Exception):
    """These bytes are no whole snapshot; the text says in what way."""


class SnapshotStore:
    """The snapshots in a directory, which is made if it is absent; they are one process's."""

    def __init__(self, directory: Path, *, keep: int = KEEP) -> None:
        assert keep >= 1
        self.directory = directory
        self.damaged: list[Damaged] = []
        self._keep = keep
        if not directory.is_dir():
            directory.mkdir(parents=True)
            sync_directory(directory.parent)
        for unfinished in directory.glob(f"*{SUFFIX}.new"):
            unfinished.unlink()

    def write(self, seq: int, payload: bytes, digest: bytes, *, chain: bytes) -> Path:
        """Put a snapshot in place, durably and whole, then drop those beyond the newest few.

        Blocks for a sync; for a worker thread. OSError leaves the earlier snapshots as they are.
        """
        path = self.path_of(seq)
        write_durably(path, *_encoded(Snapshot(seq, payload, digest, chain)))
        for old in self._paths()[self._keep :]:
            old.unlink()
        return path

    def path_of(self, seq: int) -> Path:
        """Where the snapshot of a seq lies, or would."""
        return self.directory / f"{seq:0{SEQ_DIGITS}d}{SUFFIX}"

    def newest(self) -> Snapshot | None:
        """The newest good snapshot, or None. Damaged ones are passed over: see `damaged`."""
        return next(self.good(), None)

    def good(self) -> Iterator[Snapshot]:
        """Every good snapshot, the newest first; what is passed over is left in `damaged`."""
        self.damaged = []
        for path in self._paths():
            try:
                yield read_snapshot(path)
            except (BadSnapshot, OSError) as error:
                self.damaged.append(Damaged(path, str(error)))

    @property
    def oldest_seq(self) -> int | None:
        """The seq of the oldest kept: the journal behind it lets any of them be used."""
        paths = self._paths()
        return _seq_of(paths[-1]) if paths else None

    def _paths(self) -> list[Path]:
        """Newest first."""
        paths = [path for path in self.directory.glob(f"*{SUFFIX}") if _is_snapshot(path)]
        return sorted(paths, reverse=True)


def snapshots_in(directory: Path) -> dict[int, Path]:
    """The snapshots of a directory that is only looked at, by their seq, oldest first."""
    paths = (path for path in directory.glob(f"*{SUFFIX}") if _is_snapshot(path))
    return {_seq_of(path): path for path in sorted(paths)}


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file; BadSnapshot where it is not whole, OSError where it is gone."""
    raw = memoryview(path.read_bytes())
    if len(raw) < HEADER_BYTES:
        raise BadSnapshot(f"the header has {len(raw)} of {HEADER_BYTES} bytes")
    magic, version, seq, length, digest_length, chain = _UNCHECKED.unpack_from(raw)
    if magic != MAGIC:
        raise BadSnapshot("it is no snapshot")
    if version != VERSION:
        raise BadSnapshot(f"its version is {version}, not {VERSION}")
    digest = raw[HEADER_BYTES : HEADER_BYTES + digest_length]
    payload = raw[HEADER_BYTES + digest_length :]
    if len(payload) != length:
        raise BadSnapshot(f"the payload has {len(payload)} of {length} bytes")
    unchecked = raw[: _UNCHECKED.size]
    if raw[_UNCHECKED.size : HEADER_BYTES] != _CRC.pack(_checksum(unchecked, digest, payload)):
        raise BadSnapshot("the checksum does not match")
    if seq != _seq_of(path):
        raise BadSnapshot(f"it holds seq {seq}, not the one of its name")
    return Snapshot(seq, bytes(payload), bytes(digest), chain)


def _is_snapshot(path: Path) -> bool:
    stem = path.name.removesuffix(SUFFIX)
    return len(stem) == SEQ_DIGITS and stem.isascii() and stem.isdigit()


def _seq_of(path: Path) -> int:
    return int(path.name.removesuffix(SUFFIX))


def _encoded(snapshot: Snapshot) -> tuple[bytes, bytes, bytes, bytes]:
    assert len(snapshot.chain) == HASH_BYTES
    unchecked = _UNCHECKED.pack(
        MAGIC,
        VERSION,
        snapshot.seq,
        len(snapshot.payload),
        len(snapshot.digest),
        snapshot.chain,
    )
    crc = _CRC.pack(_checksum(unchecked, snapshot.digest, snapshot.payload))
    return unchecked, crc, snapshot.digest, snapshot.payload


def _checksum(*parts: bytes | memoryview) -> int:
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc
