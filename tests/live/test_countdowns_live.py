"""The dead-man switch of a running exchange: it fires, and it outlives a kill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from exchange.verify import replay
from tests.live.exchanges import Client, administer, serving
from tests.live.test_streams_live import PATIENCE_S, listening
from tests.live.test_triggers_live import told

SWITCH = "/v1/orders/cancel_all_after"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def switched(client: Client) -> dict[str, int]:
    account = await client.ask("GET", "/v1/account")
    left: dict[str, int] = account["settings"]["cancel_all_after_ms"]
    return left


async def test_it_fires_and_the_orders_channel_tells(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    with serving(tmp_path) as exchange:
        url = exchange.url
        await administer(http, url, "PUT", "/v1/admin/index/BTC-USDT", {"price": "50000"})
        me, other = await Client.open(http, url), await Client.open(http, url)
        theirs = await other.order("49000")
        async with listening(exchange.fast_url, me, "orders") as ear:
            bid: dict[str, Any] = {"symbol": "BTC-USDT", "side": "buy", "type": "limit"}
            bid |= {"qty": "0.001", "price": "49000"}
            mine = (await ear.ask("order.place", **bid))["order"]
            await ear.ask("cancel_all_after", countdown_ms=86_400_000)
            assert set(await switched(me)) == {"all"}
            await ear.ask("cancel_all_after", countdown_ms=50)
            gone = await told(ear, mine["order_id"], "cancelled")
            assert gone["reason"] == "CANCEL_ALL_AFTER"
        assert await me.ask("GET", "/v1/orders") == []
        assert await switched(me) == {}
        assert [each["order_id"] for each in await other.ask("GET", "/v1/orders")] == [
            theirs["order_id"]
        ]


async def test_a_switch_that_was_set_before_a_kill_fires_after_it(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """One of two runs out, while the exchange is down or as soon as it is back."""
    with serving(tmp_path) as exchange:
        url = exchange.url
        await administer(http, url, "PUT", "/v1/admin/index/BTC-USDT", {"price": "50000"})
        me, other = await Client.open(http, url), await Client.open(http, url)
        mine, theirs = await me.order("49000"), await other.order("49000")
        await other.ask("POST", SWITCH, {"countdown_ms": 86_400_000})
        await me.ask("POST", SWITCH, {"countdown_ms": 3_000})
        await asyncio.to_thread(exchange.kill)
    killed = replay(tmp_path / "data").engine
    assert mine["order_id"] in killed.risk.accounts[me.account_id].orders
    with serving(tmp_path) as exchange:
        me, other = me.at(exchange.url), other.at(exchange.url)
        async with asyncio.timeout(PATIENCE_S):
            while await me.ask("GET", "/v1/orders"):  # noqa: ASYNC110 - It may be gone already.
                await asyncio.sleep(0.02)
        gone = await me.ask("GET", f"/v1/orders/{mine['order_id']}")
        assert (gone["status"], gone["reason"]) == ("cancelled", "CANCEL_ALL_AFTER")
        kept = await other.ask("GET", f"/v1/orders/{theirs['order_id']}")
        assert kept["status"] == "new"
        assert set(await switched(other)) == {"all"}
        assert (await me.ask("GET", "/v1/audit"))["ok"] is True
