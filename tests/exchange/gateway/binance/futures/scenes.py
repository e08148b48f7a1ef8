"""Bots with money on futures, and somebody to trade with."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from exchange.commands import Deposit
from exchange.config import Config
from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.rig import Answer, Rig, running

SYMBOLS = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "ETH-USDT-PERP", "BTC-USD-PERP")
LINEAR, INVERSE = "BTCUSDT", "BTCUSD_PERP"
E8 = 10**8


@contextlib.asynccontextmanager
async def futures(
    folder: Path, *, config: Config | None = None, bots: int = 2
) -> AsyncIterator[tuple[Rig, list[Bot]]]:
    """A venue with marks of 50,000, and bots with 100,000 USDT and 2 BTC on futures each."""
    async with running(folder, config=config, symbols=SYMBOLS) as rig:
        for pair, price in (("BTC-USDT", "50000"), ("ETH-USDT", "2500")):
            await rig.set_index(pair, price)
        await rig.doors.sequencer.step(2_000)  # A grid point fixes the marks.
        made = [await bot_of(rig) for _ in range(bots)]
        for bot in made:
            await give(bot, "perp", "USDT", 100_000)
            await give(bot, "perp:BTC", "BTC", 2)
        yield rig, made


async def give(bot: Bot, wallet: str, asset: str, units: int) -> None:
    """Money from the faucet."""
    await bot.rig.do(
        Deposit(
            account_id=bot.trader.account_id, wallet=wallet, asset=asset, amount_minor=units * E8
        )
    )


async def order(bot: Bot, side: str, quantity: str, price: str = "", **more: Any) -> Answer:
    """A limit order at a price, else a market order, on USD-M unless `api` says dapi."""
    api = more.pop("api", "fapi")
    fields: dict[str, Any] = {"symbol": LINEAR if api == "fapi" else INVERSE, "side": side}
    if price:
        fields |= {"type": "LIMIT", "timeInForce": "GTC", "price": price}
    else:
        fields["type"] = "MARKET"
    fields |= {"quantity": quantity, **more}
    return await bot.signed("POST", f"/{api}/v1/order", **fields)


async def trade(buyer: Bot, seller: Bot, quantity: str, price: str, api: str = "fapi") -> None:
    """The seller's offer, taken by the buyer."""
    rested = await order(seller, "SELL", quantity, price, api=api)
    assert rested.status == 200, rested.body
    taken = await order(buyer, "BUY", quantity, api=api, newOrderRespType="RESULT")
    assert taken.json["status"] == "FILLED", taken.body
