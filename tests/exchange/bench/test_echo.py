"""The bare servers: back as it came, or to all others."""

from __future__ import annotations

import aiohttp
import pytest

from exchange.bench.echo import LIBRARIES
from exchange.bench.processes import bare_process


@pytest.mark.parametrize("library", LIBRARIES.values())
async def test_an_echo_comes_back_to_who_said_it(library: str) -> None:
    with bare_process(library) as bare:
        async with aiohttp.ClientSession() as http, http.ws_connect(bare.said["url"]) as socket:
            await socket.send_str("hello")
            assert await socket.receive_str(timeout=10) == "hello"


@pytest.mark.parametrize("library", LIBRARIES.values())
async def test_a_broadcast_comes_to_all_others(library: str) -> None:
    with bare_process(library, "broadcast") as bare:
        async with aiohttp.ClientSession() as http:
            speaker, *hearers = [await http.ws_connect(bare.said["url"]) for _ in range(3)]
            await speaker.send_str("hello")
            for socket in hearers:
                assert await socket.receive_str(timeout=10) == "hello"
            await hearers[0].send_str("thanks")
            assert await speaker.receive_str(timeout=10) == "thanks"
