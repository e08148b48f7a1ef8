"""Forced orders of margin wallets, as their owner may look them up."""

from __future__ import annotations

from pathlib import Path

from exchange.clock import SteppedClock
from exchange.commands import Tick
from tests.exchange.gateway.binance.accounts.money import borrowed, moved
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import START_MS, running

RECORDS = "/sapi/v1/margin/forceLiquidationRec"


async def test_a_forced_sale_is_told_with_what_it_brought(tmp_path: Path) -> None:
    clock = SteppedClock(START_MS)
    async with running(tmp_path, clock=clock) as rig:
        await rig.set_index("BTC-USDT", "40000")
        bot, other = await bot_of(rig), await bot_of(rig)
        await moved(bot, "MAIN_ISOLATED_MARGIN", "1000", toSymbol="BTCUSDT")
        await borrowed(bot, "BTC", "0.2", isIsolated="TRUE", symbol="BTCUSDT")
        assert (await bot.signed("GET", RECORDS)).json == {"total": 0, "rows": []}
        await other.trader.order("BTC-USDT", "buy", "0.2", price="40000")
        await bot.trader.order("BTC-USDT", "sell", "0.2", margin="isolated")
        # 1000 + 8000 against 0.2 BTC: at 44000 the level is 9000 / 8800, and it is liquidated.
        await other.trader.order("BTC-USDT", "sell", "0.1", price="44000")
        await rig.set_index("BTC-USDT", "44000")
        clock.step(1_000)
        await rig.do(Tick())
        said = (await bot.signed("GET", RECORDS, isolatedSymbol="BTCUSDT")).json
        assert said["total"] >= 1
        forced = said["rows"][-1]
        assert (forced["symbol"], forced["side"], forced["isIsolated"]) == ("BTCUSDT", "BUY", True)
        assert forced["executedQty"] == "0.10000000"
        assert forced["avgPrice"] == "44000.00000000"
        assert (await bot.signed("GET", RECORDS)).json == said
        assert (await bot.signed("GET", RECORDS, isolatedSymbol="ETHUSDT")).json["total"] == 0
        assert (await other.signed("GET", RECORDS)).json["total"] == 0
