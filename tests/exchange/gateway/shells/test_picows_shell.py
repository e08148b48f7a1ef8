"""What the fast port's shell does alone; the rest is in test_both_shells."""

from __future__ import annotations

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from exchange.gateway.session import JSON_PROTOCOL, PACKED_PROTOCOL, PROTOCOLS
from exchange.gateway.shells.picows_shell import agreed_protocol
from tests.exchange.gateway.shells.doorway import CONNECTIONS_MAX, open_door, until

STRANGER = Origin("https://evil.example")


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        ("", ""),
        (PACKED_PROTOCOL, PACKED_PROTOCOL),
        (f"chat, {JSON_PROTOCOL},{PACKED_PROTOCOL}", JSON_PROTOCOL),
        ("chat, superchat", ""),
    ],
)
def test_the_first_protocol_spoken_here_is_agreed_on(offered: str, agreed: str) -> None:
    assert agreed_protocol(offered, PROTOCOLS) == agreed


async def test_the_protocol_agreed_on_is_said_in_the_handshake() -> None:
    async with open_door("picows") as door, door.client(packed=True) as client:
        assert client.socket.subprotocol == PACKED_PROTOCOL


async def test_one_address_cannot_take_all_connections() -> None:
    async with open_door("picows") as door:
        clients = [door.client() for _ in range(CONNECTIONS_MAX)]
        for client in clients:
            await client.__aenter__()
        with pytest.raises(ConnectionClosed) as refused:
            await door.client().__aenter__()
        assert refused.value.rcvd is not None
        assert refused.value.rcvd.code == 1013
        for client in clients:
            await client.__aexit__(None, None, None)
        await until(lambda: door.publisher.sessions == 0)
        async with door.client() as again:
            assert (await again.ask(op="ping"))["ok"]


async def test_strangers_and_other_paths_are_turned_away() -> None:
    async with open_door("picows") as door:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(door.url, proxy=None, origin=STRANGER):
                raise AssertionError("a stranger got in")
        assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus) as unknown:
            async with connect(door.url.replace("/v1/ws", "/v2/ws"), proxy=None):
                raise AssertionError("there is no such path")
        assert unknown.value.response.status_code == 404
        async with door.client() as client:
            assert (await client.ask(op="ping"))["ok"]


async def test_who_asks_too_often_is_hung_up_on() -> None:
    async with open_door("picows") as door:
        door.calm = False
        with pytest.raises(ConnectionClosed) as refused:
            await door.client().__aenter__()
        assert refused.value.rcvd is not None
        assert refused.value.rcvd.code == 1013
        door.calm = True
        async with door.client() as client:
            assert (await client.ask(op="ping"))["ok"]
