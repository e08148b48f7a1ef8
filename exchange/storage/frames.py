"""A frame: one group of commands as bytes, checked by a checksum and chained by a hash.

A frame is a header of 40 bytes, little-endian, and its payload:

    magic 3 | version 1 | payload length 4 | first seq 8 | count 4 | previous 16 | crc 4 | payload

`previous` is the hash (BLAKE2b, 16 bytes) of the whole frame before, or GENESIS for the first;
`crc` is the CRC-32 of all that goes before it and of the payload (docs/decisions/0004). The
checksum tells whether a frame was written whole, the chain whether it stands in its place.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

MAGIC: Final = b"\xc1PT"  # 0xC1 begins no UTF-8 character and no MessagePack value.
VERSION: Final = 1
PAYLOAD_BYTES_MAX: Final = 256 * 1024 * 1024
HASH_BYTES: Final = 16

_UNCHECKED = struct.Struct("<3sBIQI16s")
_CRC = struct.Struct("<I")
HEADER_BYTES: Final = _UNCHECKED.size + _CRC.size


class BadFrame(Exception):
    """These bytes are no whole frame; the text says in what way."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One group of commands, `first_seq` to `last_seq`, and its place in the chain."""

    first_seq: int
    count: int
    payload: bytes
    previous: bytes
    chain: bytes

    @property
    def last_seq(self) -> int:
        """The seq of the group's last command."""
        return self.first_seq + self.count - 1

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return HEADER_BYTES + len(self.payload)


def hashed(data: bytes) -> bytes:
    """A link of the chain: the hash of one whole frame."""
    return hashlib.blake2b(data, digest_size=HASH_BYTES).digest()


GENESIS: Final = hashed(b"papertape journal, before the first frame")


def encoded(first_seq: int, count: int, payload: bytes, previous: bytes) -> bytes:
    """The frame as it stands on disk."""
    assert first_seq >= 1
    assert count >= 1
    assert len(payload) <= PAYLOAD_BYTES_MAX
    assert len(previous) == HASH_BYTES
    unchecked = _UNCHECKED.pack(MAGIC, VERSION, len(payload), first_seq, count, previous)
    return unchecked + _CRC.pack(zlib.crc32(payload, zlib.crc32(unchecked))) + payload


def read_frame(file: BinaryIO) -> Frame | None:
    """The frame at the file's position; None at the file's end; BadFrame if it is not whole."""
    header = file.read(HEADER_BYTES)
    if not header:
        return None
    if len(header) < HEADER_BYTES:
        raise BadFrame(f"the header has {len(header)} of {HEADER_BYTES} bytes")
    magic, version, length, first_seq, count, previous = _UNCHECKED.unpack_from(header)
    if magic != MAGIC:
        raise BadFrame("no frame begins here")
    if version != VERSION:
        raise BadFrame(f"the frame's version is {version}, not {VERSION}")
    if length > PAYLOAD_BYTES_MAX:
        raise BadFrame(f"a payload of {length} bytes is past the limit")
    payload = file.read(length)
    if len(payload) < length:
        raise BadFrame(f"the payload has {len(payload)} of {length} bytes")
    unchecked = header[: _UNCHECKED.size]
    if header[_UNCHECKED.size :] != _CRC.pack(zlib.crc32(payload, zlib.crc32(unchecked))):
        raise BadFrame("the checksum does not match")
    if not (first_seq and count):
        raise BadFrame(f"{count} commands from seq {first_seq} are no group")
    return Frame(first_seq, count, payload, previous, hashed(header + payload))


def next_frame_at(file: BinaryIO, offset: int) -> int | None:
    """Where the first whole frame at or behind `offset` begins, or None if there is none.

    O(bytes left), and more only where frames' beginnings lie in the payload of a damaged one.
    """
    file.seek(offset)
    rest = file.read()
    at = rest.find(MAGIC)
    while at >= 0:
        file.seek(offset + at)
        try:
            read_frame(file)
        except BadFrame:
            at = rest.find(MAGIC, at + 1)
        else:
            return offset + at
    return None
