"""What the main port's shell does alone; the rest is in test_both_shells."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from exchange.gateway.session import PACKED_PROTOCOL
from tests.exchange.gateway.shells.doorway import CONNECTIONS_MAX, open_door, until


async def test_the_protocol_agreed_on_is_said_in_the_handshake() -> None:
    async with open_door("aiohttp") as door:
        async with door.client(packed=True) as client:
            assert client.socket.subprotocol == PACKED_PROTOCOL
        async with door.client() as client:
            assert client.socket.subprotocol is None


async def test_one_address_cannot_take_all_connections() -> None:
    async with open_door("aiohttp") as door:
        clients = [door.client() for _ in range(CONNECTIONS_MAX)]
        for client in clients:
            await client.__aenter__()
        with pytest.raises(InvalidStatus) as refused:
            await door.client().__aenter__()
        assert refused.value.response.status_code == 429
        for client in clients:
            await client.__aexit__(None, None, None)
        await until(lambda: door.publisher.sessions == 0)
        async with door.client() as again:
            assert (await again.ask(op="ping"))["ok"]
