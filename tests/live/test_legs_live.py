"""Hedge legs and an inverse contract over the WebSocket of a running exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.live.exchanges import CONFIG, Client, administer, serving
from tests.live.test_streams_live import Ear, listening

PERP, USD_PERP = "BTC-USDT-PERP", "BTC-USD-PERP"
HOUR_MS = 3_600_000
SYMBOLS = CONFIG.replace(f'"{PERP}"]', f'"{PERP}", "{USD_PERP}"]')


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def priced(http: aiohttp.ClientSession, url: str, price: str) -> None:
    """An administrator's price."""
    await administer(http, url, "PUT", "/v1/admin/index/BTC-USDT", {"price": price})


async def told(ear: Ear, channel: str, **wanted: Any) -> dict[str, Any]:
    """Listen until a channel says something with these values."""
    while True:
        for push in ear.pushes:
            data = push["data"]
            if push["ch"] == channel and all(data.get(n) == v for n, v in wanted.items()):
                return dict(data)
        ear.pushes.append(await ear._next())


async def test_p2_p10_two_legs_are_opened_funded_and_one_is_closed(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Long 0.020 and short 0.010 from 50,000; funding falls due; the long leg is closed."""
    with serving(tmp_path, "--speed", "2", config=SYMBOLS) as exchange:
        url = exchange.url
        me, other = await Client.open(http, url), await Client.open(http, url)
        await priced(http, url, "50000")
        async with listening(url, me, "orders", "positions", "margin") as ear:
            await ear.ask("position_mode.set", hedge=True)
            perp: dict[str, Any] = {"symbol": PERP, "type": "limit", "price": "50000"}
            for side, against, qty, leg in (
                ("buy", "sell", "0.020", "long"),
                ("sell", "buy", "0.010", "short"),
            ):
                await other.order("50000", symbol=PERP, side=against, qty=qty)
                await ear.ask("order.place", side=side, qty=qty, position_side=leg, **perp)
                held = await told(ear, "positions", position_side=leg)
                assert (held["side"], held["qty"], held["entry_price"]) == (leg, qty, "50000")
            await step_over_funding(http, url)
            paid = await told(ear, "margin", notice="funding", side="long")
            got = await told(ear, "margin", notice="funding", side="short")
            # Twice the size pays twice, but for a unit of rounding against each.
            assert abs(units(paid["amount"]) + 2 * units(got["amount"])) <= 2
            assert paid["rate"] == got["rate"] != "0"
            await priced(http, url, "51000")
            await other.order("51000", symbol=PERP, side="buy", qty="0.020")
            close = {"symbol": PERP, "side": "sell", "type": "market", "qty": "0.020"}
            placed = await ear.ask("order.place", position_side="long", **close)
            (fill,) = placed["fills"]
            # 0.020 x (51,000 - 50,000).
            assert (fill["realised"], fill["realised_asset"]) == ("20", "USDT")
            assert (placed["order"]["reduce_only"], fill["position_side"]) == (True, "long")
            await told(ear, "positions", position_side="long", side="flat")
        (left,) = (await me.ask("GET", "/v1/account"))["positions"]
        assert (left["position_side"], left["qty"]) == ("short", "0.010")
        kept = await me.ask("GET", "/v1/orders?status=all")
        assert [each["position_side"] for each in kept] == ["long", "short", "long"]
        assert (await me.ask("GET", "/v1/audit"))["ok"] is True


async def step_over_funding(http: aiohttp.ClientSession, url: str) -> None:
    """Pause exchange time and step to just behind the next funding."""
    clock = await administer(http, url, "POST", "/v1/admin/clock", {"pause": True})
    async with http.get(f"{url}/v1/mark/{PERP}") as response:
        due_ms = (await response.json())["next_funding"]
    step = {"step_ms": due_ms - clock["exchange_time"] + 2_000}
    await administer(http, url, "POST", "/v1/admin/clock", step)


async def test_p1_an_inverse_contract_is_won_in_coin_to_the_unit(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """A coin from the faucet; 10 contracts of 100 USD bought at 50,000 and sold at 50,500."""
    with serving(tmp_path, config=SYMBOLS) as exchange:
        url = exchange.url
        me, other = await Client.open(http, url), await Client.open(http, url)
        await priced(http, url, "50000")
        coin = {"wallet": "perp:BTC", "asset": "BTC", "amount": "1"}
        async with listening(url, me, "fills", "balances", "positions", "margin") as ear:
            for each in (me, other):
                await each.ask("POST", "/v1/faucet", coin)
            inverse: dict[str, Any] = {"symbol": USD_PERP, "qty": "10"}
            await other.order("50000", side="sell", **inverse)
            market = {**inverse, "type": "market"}
            await ear.ask("order.place", side="buy", leverage=5, **market)
            held = await told(ear, "positions", symbol=USD_PERP)
            assert (held["settle"], held["notional"], held["margin"]) == ("BTC", "0.02", "0.004")
            gauge = await told(ear, "margin", wallet="perp:BTC", settle="BTC")
            assert gauge["balance"] == "0.99999"  # The fee, 0.05 % of 0.02.
            await priced(http, url, "50500")
            await other.order("50500", side="buy", **inverse)
            placed = await ear.ask("order.place", side="sell", **market)
        (fill,) = placed["fills"]
        # 1,000 USD were 0.02 BTC, and are 0.01980198 now; the fee is 0.05 % of that, rounded up.
        assert (fill["realised"], fill["realised_asset"]) == ("0.00019802", "BTC")
        assert (fill["fee"], fill["fee_asset"]) == ("0.00000991", "BTC")
        account = await me.ask("GET", "/v1/account")
        total = {each["wallet"]: each["total"] for each in account["balances"]}
        assert total["perp:BTC"] == "1.00017811"  # 1 + 0.00019802 - 0.00001 - 0.00000991.
        (coins,) = (await me.ask("GET", "/v1/pnl"))["perpetuals"]
        assert (coins["asset"], coins["realised"]) == ("BTC", "0.00019802")
        assert coins["fees"] == "-0.00001991"
        assert (await me.ask("GET", "/v1/audit"))["ok"] is True


def units(amount: str) -> int:
    """An amount in 10^-8."""
    return round(float(amount) * 10**8)
