"""Tests of what the journal's frames hold."""

import pytest

from exchange.commands import AnyCommand, OpenAccount, Tick
from exchange.groups import BadGroup, commands_in, encode_genesis, encode_group, venue_in
from exchange.storage.frames import GENESIS, Frame, hashed
from tests.exchange.tapes import START_MS, venue


def frame(first_seq: int, count: int, payload: bytes) -> Frame:
    return Frame(first_seq, count, payload, GENESIS, hashed(payload))


def test_the_first_frame_holds_the_venue_and_a_tick_at_its_first_moment() -> None:
    first = frame(1, 1, encode_genesis(venue()))
    assert venue_in(first) == venue()
    assert commands_in(first) == [Tick(seq=1, time_ms=START_MS)]


def test_a_group_comes_back_as_it_was_written() -> None:
    group: list[AnyCommand] = [
        OpenAccount(seq=7, time_ms=START_MS, label="a"),
        Tick(seq=8, time_ms=START_MS),
    ]
    assert commands_in(frame(7, 2, encode_group(group))) == group


@pytest.mark.parametrize(
    ("first_seq", "count", "payload"),
    [
        (7, 1, b"\xc1"),  # No MessagePack.
        (7, 1, encode_group([[99, 7, START_MS]])),  # No command has that tag.
        (7, 2, encode_group([Tick(seq=7, time_ms=START_MS)])),  # One is missing.
        (7, 1, encode_group([Tick(seq=8, time_ms=START_MS)])),  # It belongs elsewhere.
        (7, 1, encode_group([])),
        (1, 1, encode_group([Tick(seq=1, time_ms=START_MS)])),  # No genesis record.
    ],
)
def test_what_is_no_group_of_its_frame_is_refused(
    first_seq: int, count: int, payload: bytes
) -> None:
    with pytest.raises(BadGroup):
        commands_in(frame(first_seq, count, payload))


def test_a_first_frame_without_a_venue_is_refused() -> None:
    with pytest.raises(BadGroup, match="genesis"):
        venue_in(frame(1, 1, encode_group([b"{}", []])))
