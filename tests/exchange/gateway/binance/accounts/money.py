"""Money moved through the Binance door, for tests."""

from __future__ import annotations

from typing import Any

from tests.exchange.gateway.binance.binance_rig import Bot


async def moved(bot: Bot, kind: str, amount: str, asset: str = "USDT", **more: Any) -> int:
    """A transfer of a type; answers its number."""
    answer = await bot.signed(
        "POST", "/sapi/v1/asset/transfer", type=kind, asset=asset, amount=amount, **more
    )
    assert answer.status == 200, answer.body
    tran_id = answer.json["tranId"]
    assert isinstance(tran_id, int)
    return tran_id


async def refused_code(bot: Bot, verb: str, target: str, **fields: Any) -> int:
    """The code a request is refused with."""
    answer = await bot.signed(verb, target, **fields)
    assert answer.status == 400, answer.body
    return int(answer.json["code"])


async def borrowed(bot: Bot, asset: str, amount: str, **more: Any) -> int:
    """A loan; answers its number."""
    answer = await bot.signed(
        "POST",
        "/sapi/v1/margin/borrow-repay",
        type="BORROW",
        asset=asset,
        amount=amount,
        **more,
    )
    assert answer.status == 200, answer.body
    tran_id = answer.json["tranId"]
    assert isinstance(tran_id, int)
    return tran_id
