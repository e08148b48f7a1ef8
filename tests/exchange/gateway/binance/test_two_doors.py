"""One account through both doors: whatever one of them says of it the other says too."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.exchange.gateway.binance.binance_rig import Bot
from tests.exchange.gateway.binance.clients.test_ccxt import SYMBOLS, quoted
from tests.exchange.gateway.rig import running

STEPS = 120


async def trade_a_while(bot: Bot, random: Random) -> None:
    """Orders and cancellations, through whichever door."""
    for _ in range(STEPS):
        spot = random.random() < 0.5
        side = random.choice(("buy", "sell"))
        price = str(random.randrange(49_900, 50_100, 10))
        kind = random.random()
        if kind < 0.2:
            path = "/api/v3/openOrders" if spot else "/fapi/v1/allOpenOrders"
            await bot.signed("DELETE", path, symbol="BTCUSDT")
        elif kind < 0.6:
            path = "/api/v3/order" if spot else "/fapi/v1/order"
            fields = {"type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": price}
            await bot.signed("POST", path, symbol="BTCUSDT", side=side.upper(), **fields)
        else:
            symbol = "BTC-USDT" if spot else "BTC-USDT-PERP"
            fields = {"symbol": symbol, "side": side, "type": "limit", "qty": "0.01"}
            await bot.trader.ask("POST", "/v1/orders", fields | {"price": price})


def amounts(rows: list[dict[str, Any]], *names: str) -> set[tuple[Any, ...]]:
    return {tuple(Decimal(str(row[name])) for name in names) for row in rows}


@pytest.mark.parametrize("seed", [1, 2])
async def test_balances_positions_orders_and_fills_are_the_same(tmp_path: Path, seed: int) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        await quoted(rig)
        bot = Bot(await rig.open_account())
        coins = {"wallet": "spot", "asset": "BTC", "amount": "1"}
        assert (await bot.trader.ask("POST", "/v1/faucet", coins)).status == 200
        await trade_a_while(bot, Random(seed))
        account = (await bot.trader.ask("GET", "/v1/account")).json
        theirs = (await bot.signed("GET", "/api/v3/account")).json["balances"]
        mine = [each for each in account["balances"] if each["wallet"] == "spot"]
        told = {each["asset"]: Decimal(each["free"]) for each in theirs}
        for each in mine:
            assert told[each["asset"]] == Decimal(each["free"])
        positions = (await bot.signed("GET", "/fapi/v3/positionRisk")).json
        held = {Decimal(each["positionAmt"]) for each in positions} - {Decimal(0)}
        signs = {"long": 1, "short": -1}
        assert held == {Decimal(p["qty"]) * signs[p["side"]] for p in account["positions"]}
        for path, symbol in (("/api/v3", "BTC-USDT"), ("/fapi/v1", "BTC-USDT-PERP")):
            orders = (await bot.signed("GET", f"{path}/openOrders", symbol="BTCUSDT")).json
            ours = (await bot.trader.ask("GET", f"/v1/orders?symbol={symbol}")).json
            assert amounts(orders, "orderId", "price", "origQty", "executedQty") == amounts(
                ours, "order_id", "price", "qty", "filled_qty"
            )
            name = "myTrades" if path == "/api/v3" else "userTrades"
            trades = (await bot.signed("GET", f"{path}/{name}", symbol="BTCUSDT")).json
            fills = (await bot.trader.ask("GET", f"/v1/fills?symbol={symbol}&limit=500")).json
            assert fills
            assert amounts(trades, "id", "orderId", "price", "qty", "commission") == amounts(
                fills, "trade_id", "order_id", "price", "qty", "fee"
            )
