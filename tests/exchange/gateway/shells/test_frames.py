"""Frames as bytes, and the last one to a reader who must go."""

from __future__ import annotations

import asyncio

import pytest

from exchange.gateway.shells.frames import BINARY, TEXT, Framer, frame_bytes, hang_up


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_frame_says_its_length_in_as_few_bytes_as_it_takes(length: int, head: bytes) -> None:
    # RFC 6455, section 5.2: up to 125 in 7 bits, up to 65,535 in 16, else in 64.
    assert frame_bytes(1, b"x" * length) == head + b"x" * length


def test_many_payloads_are_one_write() -> None:
    framer = Framer()
    assert framer.joined(TEXT, [b"a", b"bc"]) == b"\x81\x01a\x81\x02bc"
    assert framer.joined(TEXT, []) == b""


def test_the_same_payload_is_framed_once_for_all_readers_of_one_form() -> None:
    framer, payload = Framer(), b"told to all"
    first = framer.joined(TEXT, [payload])
    assert framer.joined(TEXT, [payload]) is first
    packed = framer.joined(BINARY, [payload])
    assert packed == b"\x82\x0btold to all"
    assert framer.joined(TEXT, [payload]) == first == b"\x81\x0btold to all"


def test_the_same_list_is_joined_once_and_another_is_not_taken_for_it() -> None:
    framer = Framer()
    one, two = b"one", b"two"
    both = framer.joined(TEXT, [one, two])
    packed = framer.joined(BINARY, [one, two])
    assert framer.joined(TEXT, [one, two]) is both
    assert framer.joined(BINARY, [one, two]) is packed
    assert framer.joined(TEXT, [one]) == b"\x81\x03one"
    assert framer.joined(TEXT, [one, two]) == both == b"\x81\x03one\x81\x03two"
    assert framer.joined(TEXT, [two, one]) == b"\x81\x03two\x81\x03one"


async def test_a_reader_who_does_not_read_is_cut_off_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("exchange.gateway.shells.frames.CLOSE_WAIT_S", 0.0)
    lost = asyncio.Event()

    class Talk(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"x" * 50_000_000)  # More than any socket takes at once.
            hang_up(transport, 4008)
            hang_up(transport, 4008)  # Already closing: no second goodbye.

        def connection_lost(self, exc: Exception | None) -> None:
            lost.set()

    server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await asyncio.wait_for(lost.wait(), 20)
    writer.close()
    server.close()
    await server.wait_closed()


async def test_a_reader_who_reads_is_told_why() -> None:
    class Talk(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            hang_up(transport, 4008)

    server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b"\x88\x02\x0f\xa8"  # 4008 is 0x0fa8.
    writer.close()
    server.close()
    await server.wait_closed()
