"""Frames: what is read is what was written, and damage never passes for a frame."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.storage.frames import (
    GENESIS,
    HEADER_BYTES,
    PAYLOAD_BYTES_MAX,
    BadFrame,
    Frame,
    encoded,
    hashed,
    next_frame_at,
    read_frame,
)

GROUPS = st.tuples(st.integers(1, 2**64 - 1), st.integers(1, 2**32 - 1), st.binary(max_size=300))


def frame_of(data: bytes) -> Frame | None:
    return read_frame(io.BytesIO(data))


def is_bad(data: bytes) -> bool:
    try:
        return frame_of(data) is None
    except BadFrame:
        return True


@given(group=GROUPS, previous=st.binary(min_size=16, max_size=16))
def test_a_frame_reads_as_it_was_written(group: tuple[int, int, bytes], previous: bytes) -> None:
    first_seq, count, payload = group
    raw = encoded(first_seq, count, payload, previous)
    frame = frame_of(raw)
    assert frame == Frame(first_seq, count, payload, previous, hashed(raw))
    assert frame.size == len(raw) == HEADER_BYTES + len(payload)
    assert frame.last_seq == first_seq + count - 1


@given(groups=st.lists(GROUPS, max_size=6))
def test_frames_read_one_after_another_to_the_end(groups: list[tuple[int, int, bytes]]) -> None:
    file = io.BytesIO(b"".join(encoded(*group, GENESIS) for group in groups))
    read = []
    while (frame := read_frame(file)) is not None:
        read.append((frame.first_seq, frame.count, frame.payload))
    assert read == groups


@given(group=GROUPS, data=st.data())
def test_one_flipped_bit_anywhere_is_seen(
    group: tuple[int, int, bytes], data: st.DataObject
) -> None:
    raw = bytearray(encoded(*group, GENESIS))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert is_bad(bytes(raw))


@given(group=GROUPS, data=st.data())
def test_a_frame_cut_anywhere_is_no_frame(
    group: tuple[int, int, bytes], data: st.DataObject
) -> None:
    raw = encoded(*group, GENESIS)
    assert is_bad(raw[: data.draw(st.integers(0, len(raw) - 1))])


@given(noise=st.binary(max_size=500))
def test_noise_is_never_a_frame_and_never_a_crash(noise: bytes) -> None:
    assert is_bad(noise)
    assert next_frame_at(io.BytesIO(noise), 0) is None


@given(noise=st.binary(max_size=200), group=GROUPS)
def test_a_whole_frame_is_found_behind_noise(noise: bytes, group: tuple[int, int, bytes]) -> None:
    file = io.BytesIO(noise + encoded(*group, GENESIS))
    assert next_frame_at(file, 0) == len(noise)
    assert next_frame_at(file, len(noise) + 1) is None


def test_a_length_past_the_limit_is_not_even_read() -> None:
    raw = bytearray(encoded(1, 1, b"x", GENESIS))
    raw[4:8] = (PAYLOAD_BYTES_MAX + 1).to_bytes(4, "little")
    with pytest.raises(BadFrame, match="past the limit"):
        frame_of(bytes(raw))


def test_a_frame_of_another_version_is_named() -> None:
    raw = bytearray(encoded(1, 1, b"x", GENESIS))
    raw[3] = 9
    with pytest.raises(BadFrame, match="version is 9"):
        frame_of(bytes(raw))


def test_equal_groups_make_equal_bytes() -> None:
    # A run is a tape: the layout below is what files of released versions hold.
    raw = encoded(7, 2, b"abc", bytes(range(16)))
    assert raw[:36].hex() == (
        "c150540103000000070000000000000002000000000102030405060708090a0b0c0d0e0f"
    )
    assert raw[40:] == b"abc"
    assert GENESIS.hex() == hashed(b"papertape journal, before the first frame").hex()
