"""Two bots with coins and money on spot and margin, BTC at 50,000: where these tests begin."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from exchange.commands import Deposit
from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.rig import Rig, running

WALLETS = ("spot", "margin", "isolated:BTC-USDT")
BTC_MINOR = 10 * 10**8
USDT_MINOR = 100_000 * 10**8
ORDER = "/api/v3/order"
MARGIN_ORDER = "/sapi/v1/margin/order"


@contextlib.asynccontextmanager
async def two_bots(folder: Path) -> AsyncIterator[tuple[Rig, Bot, Bot]]:
    """Each wallet of each bot gets 10 BTC and 100,000 USDT on top of the faucet's."""
    async with running(folder) as rig:
        await rig.set_index("BTC-USDT", "50000")
        bots = [await bot_of(rig), await bot_of(rig)]
        for bot in bots:
            for wallet in WALLETS:
                for asset, amount_minor in (("BTC", BTC_MINOR), ("USDT", USDT_MINOR)):
                    account_id = bot.trader.account_id
                    await rig.do(
                        Deposit(
                            account_id=account_id,
                            wallet=wallet,
                            asset=asset,
                            amount_minor=amount_minor,
                        )
                    )
        yield rig, bots[0], bots[1]


def limit(
    side: str = "BUY", price: str = "49000", qty: str = "0.01", **more: Any
) -> dict[str, Any]:
    """The fields of a limit order."""
    fields = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC"}
    return {**fields, "price": price, "quantity": qty, **more}


async def done(bot: Bot, verb: str, target: str, **fields: Any) -> Any:
    """What a request that succeeds answers."""
    answer = await bot.signed(verb, target, **fields)
    assert answer.status == 200, answer.body
    return answer.json


async def refused(bot: Bot, verb: str, target: str, **fields: Any) -> tuple[int, str]:
    """The code and the text of a refusal."""
    answer = await bot.signed(verb, target, **fields)
    assert answer.status == 400, answer.body
    return answer.json["code"], answer.json["msg"]
