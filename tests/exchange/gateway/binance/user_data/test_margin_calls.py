"""Owners of positions that come near their liquidation are called, once each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exchange.commands import Tick
from exchange.gateway.binance.user_data.margin_calls import MarginCalls, margin_call
from tests.exchange.gateway.binance.binance_rig import Bot
from tests.exchange.gateway.binance.user_data.test_contract_events import (
    PAIR,
    PERP,
    key_of,
    rich,
)
from tests.exchange.gateway.binance.ws_api.socket_rig import connected
from tests.exchange.gateway.rig import Rig, running


async def long_and_isolated(rig: Rig) -> Bot:
    """Long 0.1 BTC at 50,000 and ten times: a margin of 500."""
    await rig.set_index(PAIR, "50000")
    bot, other = await rich(rig), await rich(rig)
    for path, fields in (
        ("marginType", {"marginType": "ISOLATED"}),
        ("leverage", {"leverage": 10}),
    ):
        said = await bot.signed("POST", f"/fapi/v1/{path}", symbol="BTCUSDT", **fields)
        assert said.status == 200, said.body
    await other.trader.order(PERP, "sell", "0.1", price="50000")
    await bot.trader.order(PERP, "buy", "0.1", price="50000")
    return bot


async def test_a_call_is_told_when_it_is_near_and_again_only_after_it_recovered(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as rig:
        bot = await long_and_isolated(rig)
        calls: list[dict[str, Any]] = []
        async with connected(rig, await key_of(bot)) as socket:
            # At 45,300 there are 500 - 470 = 30, and 0.4 % of 4,530 = 18.12 are needed: 60 %.
            # At 45,220 there are 22, and 18.088 are needed: 82 %.
            for price in ("45300", "45220", "45219", "46000", "45220"):
                await rig.set_index(PAIR, price)
            await socket.ask("LIST_SUBSCRIPTIONS")  # Whatever was told before is heard by now.
            calls = [each for each in socket.events if each["e"] == "MARGIN_CALL"]
        assert [each["p"][0]["mp"] for each in calls] == ["45220", "45220"]
        assert list(calls[0]) == ["e", "E", "p"]
        assert calls[0]["p"] == [
            {
                "s": "BTCUSDT",
                "ps": "BOTH",
                "pa": "0.100",
                "mt": "ISOLATED",
                "iw": "500.00000000",
                "mp": "45220",
                "up": "-478.00000000",
                "mm": "18.08800000",
            }
        ]


async def test_the_call_of_a_cross_wallet_tells_what_is_in_it(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index(PAIR, "50000")
        bot, other = await rich(rig), await rich(rig)
        await other.trader.order(PERP, "sell", "0.01", price="50000")
        await bot.trader.order(PERP, "buy", "0.01", price="50000")
        await rig.do(Tick())
        risk = rig.doors.engine.risk
        account = risk.accounts[bot.trader.account_id]
        said = margin_call(risk, account, "perp", 5)
        assert list(said) == ["e", "E", "cw", "p"]
        assert said["cw"] == "104999.75000000"  # 105,000 less a fee of 0.05 % of 500.
        assert (said["p"][0]["mt"], said["p"][0]["iw"]) == ("CROSSED", "0")
        # It is far from its end, and there is nothing of the other product.
        for product in ("um", "cm"):
            assert MarginCalls().news(risk, account, product, 5) == []
