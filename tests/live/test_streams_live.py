"""The streams of a running exchange: on both ports, over a kill, and against what REST says."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect

from clients.signing import Signer
from exchange.wire import PRIVATE_CHANNELS
from tests.live.exchanges import Client, Exchange, serving

PATIENCE_S = 20


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Ear:
    """One connection, logged in; it keeps every push."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.pushes: list[dict[str, Any]] = []

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """The reply; what is pushed before it is kept."""
        await self._socket.send(json.dumps({"id": op, "op": op, **fields}))
        while True:
            message = await self._next()
            if "ch" not in message:
                assert message["ok"], message
                result: dict[str, Any] = message["result"]
                return result
            self.pushes.append(message)

    async def hear(self, until_seq: int) -> None:
        """Listen until the private event of that number has come."""
        while not any(seq >= until_seq for seq, _ in self.links):
            self.pushes.append(await self._next())

    @property
    def links(self) -> list[tuple[int, int]]:
        """(number, the one before) of each private event, as they came."""
        return [(push["seq"], push["prev"]) for push in self.pushes if "prev" in push]

    async def end(self) -> int | None:
        """The code it is hung up on with."""
        async with asyncio.timeout(PATIENCE_S):
            await self._socket.wait_closed()
        return self._socket.close_code

    async def _next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            message: dict[str, Any] = json.loads(await self._socket.recv())
        return message


@contextlib.asynccontextmanager
async def listening(url: str, client: Client, *channels: str) -> AsyncIterator[Ear]:
    """An ear on a port, for the client's account."""
    address = url.replace("http", "ws", 1) + "/v1/ws"
    async with connect(address, compression=None, proxy=None) as socket:
        ear = Ear(socket)
        opened = client.opened
        now_ms = (await client.ask("GET", "/v1/time"))["wall_time"]
        signature = Signer(opened["api_key"], opened["api_secret"]).sign(now_ms, "GET", "/v1/ws")
        login = {"key": opened["api_key"], "timestamp": now_ms, "signature": signature}
        await ear.ask("login", **login)
        await ear.ask("subscribe", channels=channels)
        yield ear


def ports(exchange: Exchange) -> tuple[str, str]:
    return exchange.url, exchange.fast_url


async def test_what_a_kill_cut_off_comes_once_and_in_order_on_either_port(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    with serving(tmp_path) as exchange:
        client = await Client.open(http, exchange.url)
        async with listening(exchange.url, client, *PRIVATE_CHANNELS) as ear:
            await client.order("40000")
            await ear.hear(until_seq=(await client.ask("GET", "/v1/account"))["last_seq"])
        last_seq = ear.links[-1][0]
        for price in ("41000", "42000", "43000"):
            await client.order(price)
        now_seq = (await client.ask("GET", "/v1/account"))["last_seq"]
        await asyncio.to_thread(exchange.kill)
    assert now_seq >= last_seq + 3
    with serving(tmp_path) as exchange:
        client = client.at(exchange.url)
        for url in ports(exchange):
            async with listening(url, client, *PRIVATE_CHANNELS) as ear:
                resumed = await ear.ask("resume", last_seq=last_seq)
                missed = [(seq, seq - 1) for seq in range(last_seq + 1, now_seq + 1)]
                assert ear.links == missed
                assert resumed == {"events": len(missed), "seq": now_seq}


async def test_a_book_folded_from_either_port_is_the_book_that_rest_shows(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    with serving(tmp_path) as exchange:
        client = await Client.open(http, exchange.url)
        await client.order("40000")
        main, fast = ports(exchange)
        async with (
            listening(main, client, "book.BTC-USDT", "orders") as one,
            listening(fast, client, "book.BTC-USDT", "orders") as other,
        ):
            placed = [await client.order(f"4{number:04}") for number in range(1_000, 1_060)]
            for order in placed[::2]:
                await client.ask("DELETE", f"/v1/orders/{order['order_id']}")
            now_seq = (await client.ask("GET", "/v1/account"))["last_seq"]
            for ear in (one, other):
                await ear.hear(until_seq=now_seq - 1)  # The last of all is a balance.
                await ear.ask("ping")
            shown = await client.ask("GET", "/v1/book/BTC-USDT?limit=1000")
        assert len(shown["bids"]) == 1 + 30
        assert folded(one) == folded(other) == (shown["last_id"], shown["bids"])
        assert one.links == other.links


def folded(ear: Ear) -> tuple[int, list[list[str]]]:
    """(last id, bids best first) after every push of the book, which follow each other."""
    last_id, bids = 0, dict[str, str]()
    for push in ear.pushes:
        if push["ch"] != "book.BTC-USDT":
            continue
        data = push["data"]
        if "first_id" in data:
            assert data["first_id"] == last_id + 1
        else:
            bids.clear()
        last_id = data["last_id"]
        assert push["seq"] == last_id
        bids.update(data["bids"])
    best_first = sorted(bids.items(), key=lambda level: -float(level[0]))
    return last_id, [[price, qty] for price, qty in best_first if qty != "0"]


async def test_a_revoked_key_loses_its_open_connections_on_either_port(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    with serving(tmp_path) as exchange:
        client = await Client.open(http, exchange.url)
        for url in ports(exchange):
            made = await client.ask("POST", "/v1/keys", {"permissions": ["read"]})
            reader = Client(http, exchange.url, client.opened | made)
            async with listening(url, reader, "orders") as ear:
                await client.ask("DELETE", f"/v1/keys?api_key={made['api_key']}")
                assert await ear.end() == 4001
