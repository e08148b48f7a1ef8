"""What a frame of the journal holds: a group of stamped commands, and in the first one the venue.

The journal begins with a frame of one command, seq 1: a `Tick` at the venue's first moment, and
with it the genesis record. So seqs of commands and of frames are the same numbers, and the journal
alone, from its first frame on, is a tape that can be played anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from exchange.commands import AnyCommand, Tick
from exchange.storage.frames import Frame
from risk.parameters import Venue

GENESIS_SEQ: Final = 1

encode_group: Final = msgspec.msgpack.Encoder().encode
decode_group: Final = msgspec.msgpack.Decoder(list[AnyCommand]).decode


class BadGroup(ValueError):
    """A frame that is whole, but holds no group this version can read."""


class _Genesis(msgspec.Struct, frozen=True, array_like=True):
    """The genesis record as JSON, whose integers may have more than 64 bits, and the first Tick."""

    venue: bytes
    commands: list[AnyCommand]


_decode_genesis: Final = msgspec.msgpack.Decoder(_Genesis).decode
_decode_venue: Final = msgspec.json.Decoder(Venue).decode


def encode_venue(venue: Venue) -> bytes:
    """A genesis record as text."""
    return msgspec.json.encode(venue)


def decode_venue(text: bytes) -> Venue:
    """The genesis record back; msgspec.DecodeError where it is none."""
    return _decode_venue(text)


def encode_genesis(venue: Venue) -> bytes:
    """The payload of the journal's first frame."""
    first = Tick(seq=GENESIS_SEQ, time_ms=venue.start_ms)
    return encode_group(_Genesis(encode_venue(venue), [first]))


def venue_in(frame: Frame) -> Venue:
    """The genesis record in the journal's first frame; BadGroup where there is none."""
    assert frame.first_seq == GENESIS_SEQ
    try:
        return decode_venue(_decode_genesis(frame.payload).venue)
    except msgspec.DecodeError as error:
        raise BadGroup(f"the journal's first frame holds no genesis record: {error}") from error


def commands_in(frame: Frame) -> Sequence[AnyCommand]:
    """The commands of a frame, in order; BadGroup where they do not fit its seqs."""
    try:
        if frame.first_seq == GENESIS_SEQ:
            commands = _decode_genesis(frame.payload).commands
        else:
            commands = decode_group(frame.payload)
    except msgspec.DecodeError as error:
        raise BadGroup(f"the frame of seq {frame.first_seq} cannot be read: {error}") from error
    if len(commands) != frame.count or commands[0].seq != frame.first_seq:
        raise BadGroup(f"the frame of seq {frame.first_seq} does not hold what its header says")
    return commands
