"""Tests of the ports that are one product's: whose streams a path without a prefix opens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from exchange.commands import OpenAccount
from exchange.config import Binance
from exchange.events import Answered
from exchange.gateway import auth
from exchange.gateway.binance.homes import product_ports
from exchange.server import Running, start
from tests.exchange.test_server import config

SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
NAMES = {"spot": "BTCUSDT", "um": "BTCUSDT", "cm": "BTCUSD_PERP"}


def test_ports_are_opened_for_the_products_that_have_one() -> None:
    assert product_ports(Binance()) == {}
    assert product_ports(Binance(um_port=0, spot_port=9)) == {"spot": 9, "um": 0}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("homes")
    given = config(folder, symbols=SYMBOLS)
    ports = Binance(spot_port=0, um_port=0, cm_port=0)
    made = await start(msgspec.structs.replace(given, binance=ports))
    yield made
    await made.stop()


@asynccontextmanager
async def socket(url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as opened:
        yield opened


async def asked(url: str) -> Any:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return await answer.json()


async def best_of(url: str, name: str) -> dict[str, Any]:
    """The first bookTicker of a socket that subscribes to it."""
    async with socket(url) as opened:
        wanted = {"method": "SUBSCRIBE", "params": [f"{name.lower()}@bookTicker"], "id": 1}
        await opened.send_json(wanted)
        while "data" not in (said := await opened.receive_json(timeout=10)) and "s" not in said:
            assert "error" not in said
    return dict(said.get("data", said))


def sockets_of(made: Running, product: str) -> str:
    return made.opened.product_urls[product].replace("http", "ws", 1)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("product", ["spot", "um", "cm"])
@pytest.mark.parametrize("path", ["/ws", "/stream", "/public/ws", "/market/stream", "/ws/0"])
async def test_a_path_without_prefix_is_of_the_ports_product(
    made: Running, product: str, path: str
) -> None:
    said = await best_of(sockets_of(made, product) + path, NAMES[product])
    assert said["s"] == NAMES[product]
    # That of spot has no name, that of COIN-M tells its pair.
    assert (said.get("e"), "ps" in said) == {
        "spot": (None, False),
        "um": ("bookTicker", False),
        "cm": ("bookTicker", True),
    }[product]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_prefix_is_heeded_on_every_port(made: Running) -> None:
    said = await best_of(f"{sockets_of(made, 'spot')}/um/ws", "BTCUSDT")
    assert said["e"] == "bookTicker"
    assert "e" not in await best_of(made.url.replace("http", "ws") + "/ws", "BTCUSDT")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("product", "path"),
    [("spot", "/api/v3"), ("um", "/fapi/v1"), ("cm", "/dapi/v1")],
)
async def test_rest_and_the_websocket_api_are_there_too(
    made: Running, product: str, path: str
) -> None:
    url = made.opened.product_urls[product]
    listed = [each["symbol"] for each in (await asked(f"{url}{path}/exchangeInfo"))["symbols"]]
    assert listed == [NAMES[product]]
    api = {"spot": "/ws-api/v3", "um": "/ws-fapi/v1", "cm": "/ws-dapi/v1"}[product]
    async with socket(sockets_of(made, product) + api) as opened:
        await opened.send_json({"id": "a", "method": "ticker.price"})
        said = await opened.receive_json(timeout=10)
    assert [each["symbol"] for each in said["result"]] == [NAMES[product]]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("product", "api"), [("um", "/fapi/v1"), ("cm", "/dapi/v1")])
@pytest.mark.parametrize("path", ["/ws/{}", "/stream?streams={}", "/private/ws?listenKey={}"])
async def test_a_listen_key_is_of_the_ports_product(
    made: Running, product: str, api: str, path: str
) -> None:
    answered = (await made.doors.sequencer.submit(OpenAccount()))[-1]
    assert isinstance(answered, Answered)
    key = made.doors.keys.create(answered.result_id)
    url = made.opened.product_urls[product]
    headers = {"X-MBX-APIKEY": key.key}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(f"{url}{api}/listenKey") as answer:
            listen_key = (await answer.json())["listenKey"]
        fields = f"symbol={NAMES[product]}&leverage=7&timestamp={made.doors.clock.wall_ms()}"
        signature = auth.hmac_signature(key.secret, fields.encode())
        async with socket(sockets_of(made, product) + path.format(listen_key)) as opened:
            async with http.post(f"{url}{api}/leverage?{fields}&signature={signature}") as answer:
                assert answer.status == 200, await answer.text()
            said = await opened.receive_json(timeout=10)
    told = said.get("data", said)
    assert (told["e"], told["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": NAMES[product], "l": 7})
