"""A position guarded by a stop and a take-profit, over the WebSocket of a running exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.live.exchanges import Client, administer, serving
from tests.live.test_streams_live import PATIENCE_S, Ear, listening

PERP = "BTC-USDT-PERP"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def told(ear: Ear, order_id: int, status: str) -> dict[str, Any]:
    """Listen until the orders channel tells that status of an order."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for push in ear.pushes:
                data = push["data"]
                if push["ch"] != "orders" or data["order_id"] != order_id:
                    continue
                if data["status"] == status:
                    return dict(data)
            ear.pushes.append(await ear._next())


async def test_p16_the_price_falls_the_stop_closes_and_the_take_profit_goes(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Long 0.010 from 50,000; the index falls to 49,400, where somebody bids at 49,350."""
    with serving(tmp_path) as exchange:
        url = exchange.url
        me, other = await Client.open(http, url), await Client.open(http, url)
        perp: dict[str, Any] = {"symbol": PERP, "qty": "0.010"}
        async with listening(url, me, "orders", "positions") as ear:
            await priced(http, url, "50000")
            await other.order("50000", side="sell", **perp)
            await ear.ask("order.place", side="buy", type="limit", price="50000", **perp)
            guard = {"symbol": PERP, "side": "sell", "trigger": "mark", "close_position": True}
            loss, gain = [
                (await ear.ask("order.place", type=kind, trigger_price=price, **guard))["order"]
                for kind, price in (("stop", "49500"), ("take_profit", "52000"))
            ]
            assert (loss["status"], loss["qty"]) == ("pending_trigger", None)
            listed = await me.ask("GET", "/v1/orders")
            assert [each["trigger_price"] for each in listed] == ["52000.0", "49500.0"]
            await other.order("49350", side="buy", **perp)
            await priced(http, url, "49400")
            sold = await told(ear, loss["order_id"], "filled")
            assert (sold["filled_qty"], sold["average_price"]) == ("0.010", "49350")
            assert sold["triggered_ms"] is not None
            gone = await told(ear, gain["order_id"], "cancelled")
            assert gone["reason"] == "REDUCE_ONLY_TRIMMED"
        account = await me.ask("GET", "/v1/account")
        assert account["positions"] == []
        past = await me.ask("GET", "/v1/orders?status=all")
        kept = {each["order_id"]: each for each in past}
        assert kept[loss["order_id"]]["triggered_ms"] == sold["triggered_ms"]
        assert kept[gain["order_id"]]["close_position"] is True
        assert (await me.ask("GET", "/v1/audit"))["ok"] is True


async def priced(http: aiohttp.ClientSession, url: str, price: str) -> None:
    """An administrator's price."""
    await administer(http, url, "PUT", "/v1/admin/index/BTC-USDT", {"price": price})
