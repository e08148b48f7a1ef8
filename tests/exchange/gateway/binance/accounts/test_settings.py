"""What an account may choose through the Binance door."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.exchange.gateway.binance.accounts.money import borrowed, moved, refused_code
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import Rig, running

BURN = "/sapi/v1/bnbBurn"
LEVERAGE = "/sapi/v1/margin/max-leverage"


def take_discounts(rig: Rig) -> None:
    """The venue offers fees in the discount asset from now on."""
    risk = rig.doors.engine.risk
    fees = msgspec.structs.replace(risk.venue.fees, asset="discount", discount_asset="BTC")
    risk.venue = msgspec.structs.replace(risk.venue, fees=fees)


async def test_the_discount_is_chosen_and_told(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        take_discounts(rig)
        bot = await bot_of(rig)
        off = {"spotBNBBurn": False, "interestBNBBurn": False}
        assert (await bot.signed("GET", BURN)).json == off
        for _ in range(2):  # Choosing it again does no harm.
            said = (await bot.signed("POST", BURN, spotBNBBurn="true")).json
            assert said == {"spotBNBBurn": True, "interestBNBBurn": False}
        assert rig.doors.engine.risk.accounts[bot.trader.account_id].fee_discount
        assert (await bot.signed("POST", BURN, spotBNBBurn="false")).json == off
        assert await refused_code(bot, "POST", BURN, interestBNBBurn="true") == -1130


async def test_a_venue_without_the_discount_refuses_it(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        assert await refused_code(bot, "POST", BURN, spotBNBBurn="true") == -1130


async def test_the_leverage_of_cross_margin_is_three_or_five(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        holder = rig.doors.engine.risk.accounts[bot.trader.account_id]
        assert (await bot.signed("POST", LEVERAGE, maxLeverage=5)).json == {"success": True}
        assert holder.margin_leverage == 5
        assert await refused_code(bot, "POST", LEVERAGE, maxLeverage=4) == -1130
        assert await refused_code(bot, "POST", LEVERAGE) == -1102


async def test_debts_may_forbid_the_lower_leverage(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await bot.signed("POST", LEVERAGE, maxLeverage=5)
        await moved(bot, "MAIN_MARGIN", "1000")
        await borrowed(bot, "USDT", "3600")
        # (1000 + 3600) / 3600 is 1.28, below 1.3, where an account at 3x is called.
        assert await refused_code(bot, "POST", LEVERAGE, maxLeverage=3) == -3006
