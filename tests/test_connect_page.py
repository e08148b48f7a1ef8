"""The page that connects bots: every block runs as it stands, and its table is no older than us."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from exchange.config import Binance
from exchange.server import start
from tests.binance_table import PAGE, page
from tests.exchange.gateway.binance.clients.quoted import SYMBOLS, quoted
from tests.exchange.gateway.rig import Rig, running
from tests.exchange.test_server import config

BLOCKS = {
    title.strip(): "\n".join(
        re.sub(r"^ {4}", "", line) for line in body.splitlines() if line[:4] in ("    ", "")
    )
    for title, body in re.findall(
        r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.M | re.S
    )
    if "\n    " in body
}
CLIENTS = ("ccxt", "ccxt.pro", "python-binance", "The official SDK")
HOSTS = "A bot that lets you change nothing but hosts"
URL = "http://127.0.0.1:8080"


def test_the_table_of_endpoints_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.binance_table"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with running(tmp_path_factory.mktemp("venue"), symbols=SYMBOLS) as rig:
        yield rig


def quoted_in(begin: str, end: str) -> list[str]:
    """What stands between backticks from one text of the page to another."""
    part = PAGE.read_text("utf-8").split(begin, 1)[1].split(end, 1)[0]
    return re.findall("`([^`]+)`", part)


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_not_served_answers_as_the_page_says(venue: Rig) -> None:
    asked = quoted_in("## What is not served", "Methods that answer")
    assert len(asked) > 20
    for each in asked:
        answer = await venue.ask(*each.split())
        assert answer.status == 404, each
        assert answer.json == {"code": -5000, "msg": f"Path {each} is invalid."}


@pytest.mark.asyncio(loop_scope="module")
async def test_methods_that_are_not_served_answer_as_the_page_says(venue: Rig) -> None:
    methods = quoted_in("Methods that answer -1020", "Streams that can be")
    assert methods
    async with venue.http.ws_connect(f"{venue.url}/ws-api/v3") as socket:
        for method in methods:
            await socket.send_json({"id": method, "method": method})
            said = await socket.receive_json(timeout=10)
            assert (said["status"], said["error"]["code"]) == (400, -1020), method


@pytest.mark.parametrize("path", ["/ws", "/um/ws", "/cm/ws"])
@pytest.mark.asyncio(loop_scope="module")
async def test_streams_that_are_not_served_stay_silent(venue: Rig, path: str) -> None:
    names = quoted_in("Streams that can be", "## What is served")
    assert names
    async with venue.http.ws_connect(venue.url + path) as socket:
        wanted = {"method": "SUBSCRIBE", "params": names, "id": 1}
        await socket.send_json(wanted)
        assert await socket.receive_json(timeout=10) == {"result": None, "id": 1}
        await venue.set_index("BTC-USDT", "50000")
        await venue.doors.sequencer.step(5_000)
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
        # Whatever had been told meanwhile would come before the answer.
        assert await socket.receive_json(timeout=10) == {"result": names, "id": 2}


def test_every_client_has_its_block() -> None:
    assert list(BLOCKS) == [*CLIENTS, HOSTS]


async def test_the_block_of_hosts_runs_as_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports, code = BLOCKS[HOSTS].split("import asyncio", 1)
    asked = msgspec.toml.decode(ports)["binance"]
    assert list(asked) == ["spot_port", "um_port", "cm_port"]
    free = msgspec.convert(dict.fromkeys(asked, 0), Binance)
    made = await start(msgspec.structs.replace(config(tmp_path), binance=free))
    try:
        await made.doors.sequencer.step(5_000)  # Until there is a mark.
        own = made.opened.product_urls["um"].removeprefix("http://")
        code = code.replace(f"127.0.0.1:{asked['um_port']}", own)
        await asyncio.to_thread(exec, compile("import asyncio" + code, HOSTS, "exec"), {})
    finally:
        await made.stop()
    rest, stream = capsys.readouterr().out.splitlines()
    assert "'lastFundingRate'" in rest
    assert "'markPriceUpdate'" in stream


@pytest.mark.parametrize("title", CLIENTS)
async def test_a_block_runs_as_it_stands(
    tmp_path: Path, title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        await quoted(rig)
        trader = await rig.open_account()
        code = (
            BLOCKS[title]
            .replace(URL, rig.url)
            .replace(URL.replace("http", "ws"), rig.url.replace("http", "ws"))
        )
        code = code.replace("your key", trader.key).replace("your secret", trader.secret)
        names: dict[str, Any] = {"__name__": "block"}
        await asyncio.to_thread(exec, compile(code, title, "exec"), names)
    assert capsys.readouterr().out.strip()
