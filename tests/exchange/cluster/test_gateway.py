"""A gateway's doors, with a core beside it in this process and a real Redis between the two."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from clients.api import Papertape
from clients.errors import PapertapeError
from exchange.cluster import gateway as gateway_module
from exchange.cluster.connecting import Connection
from exchange.cluster.gateway import Address, Gateway
from exchange.cluster.lease import Lease
from exchange.cluster.names import Names
from exchange.config import Config, Limits, Market, Server
from tests.exchange.cluster.cores import STILL, core, digest_of, until

ADMIN_KEY = "the-admin-key-of-the-tests"
CONFIG = Config(
    server=Server(port=0, fast_port=0, admin_key=ADMIN_KEY), limits=Limits(accounts_per_minute=0)
)
PERP = "BTC-USDT-PERP"
START_MS = 1_700_000_040_000


@contextlib.asynccontextmanager
async def gateway(connection: Connection, names: Names) -> AsyncIterator[Gateway]:
    running = await Gateway.start(Address(connection, names), CONFIG)
    try:
        yield running
    finally:
        await running.stop()


@contextlib.asynccontextmanager
async def account(running: Gateway) -> AsyncIterator[Papertape]:
    """A new account's client of a gateway."""
    async with Papertape(running.url) as pt:
        opened = await pt.open_account()
    async with Papertape(running.url, opened.api_key, opened.api_secret, admin_key=ADMIN_KEY) as pt:
        yield pt


async def fetched(url: str) -> Any:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return await answer.json()


async def test_two_gateways_are_one_exchange(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with (
        core(connection, names, tmp_path) as leading,
        gateway(connection, names) as here,
        gateway(connection, names) as there,
        account(here) as maker,
        account(there) as taker,
    ):
        await maker.set_index("BTC-USDT", "50000")
        heard = maker.subscribe("orders", "fills")
        placed = await maker.place(PERP, "sell", "0.1", price="50000")
        await until(lambda: there.doors.engine.seq == here.doors.engine.seq)
        book = await taker.book(PERP)  # What was placed at one stands in the book of the other.
        assert [tuple(level) for level in book.asks] == [("50000.0", "0.100")]
        (fill,) = (await taker.place(PERP, "buy", "0.1")).fills
        assert fill.price == "50000.0"
        async for event in heard:
            if event.channel == "fills":
                break
        # Closed orders and fills are the history's: a core answers.
        (order,) = [each for each in await maker.orders(status="all")]
        assert (order.order_id, order.status) == (placed.order.order_id, "filled")
        assert [each.order_id for each in await maker.fills()] == [placed.order.order_id]
        assert (await taker.why("fill", f"{PERP}:{fill.trade_id}")).kind == "fill"
        await until(lambda: len({e.doors.engine.seq for e in (here, there)}) == 1)
        digests = {here.doors.engine.digest(), there.doors.engine.digest(), digest_of(leading)}
        assert len(digests) == 1


async def test_a_key_revoked_at_one_gateway_opens_nothing_at_another(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with (
        core(connection, names, tmp_path),
        gateway(connection, names) as here,
        gateway(connection, names) as there,
    ):
        async with Papertape(here.url) as pt:
            opened = await pt.open_account()
        await until(lambda: there.doors.keys.get(opened.api_key) is not None)
        await until(lambda: there.doors.engine.seq == here.doors.engine.seq)
        async with Papertape(there.url, opened.api_key, opened.api_secret) as pt:
            assert (await pt.account()).account_id == opened.account_id
            await asyncio.to_thread(here.doors.keys.revoke, opened.api_key)
            await until(lambda: there.doors.keys.get(opened.api_key) is None)
            with pytest.raises(PapertapeError, match="UNKNOWN_KEY"):
                await pt.account()


async def test_while_nobody_leads_it_takes_nothing_and_says_so(
    connection: Connection, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "LOOK_EVERY_S", 0.02)
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(contextlib.AsyncExitStack())
        await first.enter_async_context(core(connection, names, tmp_path / "a"))
        running = await stack.enter_async_context(gateway(connection, names))
        pt = await stack.enter_async_context(account(running))
        await until(lambda: running.health()["status"] == "ok")
        await first.aclose()
        with monkeypatch.context() as patch:  # Where somebody leads, so little could be a hiccup.
            patch.setattr(gateway_module, "LEADERLESS_S", 0.2)
            await until(lambda: running.health()["status"] == "paused")
            said = await fetched(f"{running.url}/healthz")
            assert "no core leads" in said["problems"][0]
            with pytest.raises(PapertapeError, match="NOT_READY"):
                await pt.place(PERP, "buy", "0.1", price="49000", client_id="x")
            book = await fetched(f"{running.url}/v1/book/{PERP}")  # What is known is told on.
            assert book["symbol"] == PERP
        await stack.enter_async_context(core(connection, names, tmp_path / "b"))
        await until(lambda: running.health()["status"] == "ok")
        await pt.set_index("BTC-USDT", "50000")
        placed = await pt.place(PERP, "buy", "0.1", price="49000", client_id="x")
        assert placed.order.status == "new"


async def test_the_time_is_the_core_s_to_set(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with (
        core(connection, names, tmp_path),
        gateway(connection, names) as running,
        account(running) as pt,
    ):
        with pytest.raises(PapertapeError, match="kept by the core"):
            await pt.set_clock(step_ms=1_000)


async def test_both_doors_of_a_gateway_speak_both_dialects(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    async with core(connection, names, tmp_path), gateway(connection, names) as running:
        pair = await fetched(f"{running.url}/api/v3/exchangeInfo?symbol=BTCUSDT")
        assert pair["symbols"][0]["symbol"] == "BTCUSDT"
        async with account(running) as pt:
            await pt.set_index("BTC-USDT", "50000")
            async with aiohttp.ClientSession() as http:
                stream = running.fast_url.replace("http", "ws", 1) + "/ws/btcusdt@bookTicker"
                async with http.ws_connect(stream) as socket:
                    await pt.place("BTC-USDT", "buy", "0.1", price="49000")
                    said = {"b": ""}
                    while not said["b"].startswith("49000.00"):
                        said = await socket.receive_json(timeout=30)
                    assert said["s"] == "BTCUSDT"


async def test_the_past_before_the_first_moment_is_reached_from_a_gateway(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    aged = msgspec.structs.replace(
        STILL, market=msgspec.structs.replace(STILL.market, history=True)
    )
    async with (
        core(connection, names, tmp_path, aged),
        gateway(connection, names) as running,
    ):
        # Memory holds some three years of days, and of their minutes those of one.
        start_ms = running.doors.engine.venue.start_ms - 90 * 24 * 3_600_000
        path = "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=3&startTime="
        rows = await fetched(f"{running.url}{path}{start_ms}")
        first_ms = -(-start_ms // 60_000) * 60_000
        assert [row[0] for row in rows] == [first_ms, first_ms + 60_000, first_ms + 120_000]


async def test_what_the_cores_say_of_a_forgetful_redis_stands_in_the_health(
    connection: Connection, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "LOOK_EVERY_S", 0.02)
    async with core(connection, names, tmp_path), gateway(connection, names) as running:
        assert running.health()["problems"] == []
        with connection.sync_client() as client:
            client.hset(names.meta, "forgetful", "it runs without appendonly yes")
        await until(lambda: running.health()["problems"])
        assert "would forget: it runs without" in running.health()["problems"][0]


async def test_a_gateway_waits_for_a_venue(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    starting = asyncio.create_task(Gateway.start(Address(connection, names), CONFIG))
    client = connection.client()
    lease = await Lease.take(client, names, "nobody", 60_000)
    assert lease is not None
    assert not starting.done()
    await lease.release(client)
    await client.aclose()
    async with core(connection, names, tmp_path):
        running = await starting
        assert running.health()["venue"] == names.venue
        await running.stop()


async def test_a_gateway_knows_the_past_of_a_tape(
    connection: Connection, names: Names, tmp_path: Path
) -> None:
    """What was before the tape begins is made up to meet its first price, everywhere alike."""
    tape = tmp_path / "eth-minutes.csv"
    rows = [f"{START_MS + n * 60_000},2000.0,2010.0,1990.0,2001.0,1000" for n in range(5)]
    tape.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    market = Market(prices="tape", tape=str(tape), symbols=("ETH-USDT",), agents=False)
    given = msgspec.structs.replace(CONFIG, speed=0, market=market)
    async with core(connection, names, tmp_path / "core", given) as leading:
        running = await Gateway.start(Address(connection, names), given)
        assert leading.replica is not None
        boards = leading.replica.house.board, running.doors.board
        past = [list(board.candles.get("ETH-USDT", "1m", limit=100)) for board in boards]
        assert len(past[0]) == 100
        assert [(each.open_ms, each.close) for each in past[0]] == [
            (each.open_ms, each.close) for each in past[1]
        ]
        await running.stop()
