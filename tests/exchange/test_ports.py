"""Tests of the ports: what is told of them; that both carry the same is seen in test_server."""

from pathlib import Path

import aiohttp
import msgspec
import pytest

from exchange.config import Binance
from exchange.ports import PortRefused, url_of
from exchange.server import start
from tests.exchange.test_server import config, running


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("localhost", "http://localhost:80"),
        # Who listens on all addresses is reached at this machine's own.
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("fe80::1", "http://[fe80::1]:80"),
    ],
)
def test_an_address_is_written_as_browsers_read_it(host: str, url: str) -> None:
    assert url_of(host, 80) == url


async def test_both_ports_carry_the_same_sessions(tmp_path: Path) -> None:
    async with running(config(tmp_path)) as made, aiohttp.ClientSession() as http:
        said = []
        for url in (made.url, made.fast_url):
            async with http.ws_connect(f"{url}/v1/ws") as socket:
                await socket.receive_json()
                await socket.send_json({"id": 7, "op": "instruments.get"})
                said.append(await socket.receive_json())
        assert said[0] == said[1]
        assert said[0]["ok"]


async def test_sockets_of_both_dialects_on_both_ports_are_counted(tmp_path: Path) -> None:
    async with running(config(tmp_path)) as made, aiohttp.ClientSession() as http:
        sockets = []
        for url in (f"{made.url}/v1/ws", f"{made.url}/ws", f"{made.fast_url}/ws-api/v3"):
            sockets.append(await http.ws_connect(url))
            number = len(sockets)
            async with http.get(f"{made.url}/metrics") as answer:
                assert f"papertape_connections {number}.0\n" in await answer.text()


async def test_a_stop_hangs_up_on_readers_of_the_main_port(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        async with running(config(tmp_path)) as made:
            socket = await http.ws_connect(f"{made.url}/v1/ws")
            await socket.receive_json()
        message = await socket.receive(timeout=30)
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        await socket.close()


async def test_a_product_port_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    async with running(config(tmp_path / "one")) as made:
        taken = int(made.url.rpartition(":")[2])
        given = msgspec.structs.replace(config(tmp_path / "two"), binance=Binance(um_port=taken))
        with pytest.raises(PortRefused, match="choose another with --um-port"):
            await start(given)
