"""Dust sold to the house through the Binance door."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from exchange.commands import Deposit
from tests.exchange.gateway.binance.accounts.money import refused_code
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import running

DUST = "/sapi/v1/asset/dust"


async def test_dust_becomes_quote_and_its_parts_are_told(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("ETH-USDT", "2000")
        bot = await bot_of(rig)
        me = bot.trader.account_id
        held = rig.doors.engine.risk.accounts[me].minor("spot", "ETH")
        assert held == 0
        # 0.00001 ETH at 2000 are 0.02, and 2 % of that is 0.0004.
        await rig.do(Deposit(account_id=me, wallet="spot", asset="ETH", amount_minor=1_000))
        said = (await bot.signed("POST", DUST, asset="ETH")).json
        (sold,) = said["transferResult"]
        assert sold["fromAsset"] == "ETH"
        assert sold["amount"] == "0.00001000"
        assert sold["serviceChargeAmount"] == "0.00040000"
        assert sold["transferedAmount"] == "0.01960000"
        assert said["totalTransfered"] == "0.01960000"
        assert said["totalServiceCharge"] == "0.00040000"
        account = rig.doors.engine.risk.accounts[me]
        assert Decimal(account.minor("spot", "USDT")) / 10**8 == Decimal("100000.0196")


async def test_what_is_no_dust_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        assert await refused_code(bot, "POST", DUST, asset="XYZ") == -3027
        assert await refused_code(bot, "POST", DUST) == -1102
        answer = await bot.signed("POST", DUST, asset="ETH")
        assert (answer.status, answer.json["code"]) == (400, -1000)
        assert "no dust" in answer.json["msg"]


async def test_what_was_sold_is_told_again(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("ETH-USDT", "2000")
        bot = await bot_of(rig)
        me = bot.trader.account_id
        path = "/sapi/v1/asset/dribblet"
        assert (await bot.signed("GET", path)).json == {"total": 0, "userAssetDribblets": []}
        sold = []
        for _ in range(2):
            await rig.do(Deposit(account_id=me, wallet="spot", asset="ETH", amount_minor=1_000))
            sold.append((await bot.signed("POST", DUST, asset="ETH")).json)
        assert await rig.doors.history.caught_up(60.0)
        said = (await bot.signed("GET", path)).json
        assert said["total"] == 2
        for each, was in zip(said["userAssetDribblets"], sold[::-1], strict=True):
            (result,) = was["transferResult"]
            assert each["transId"] == result["tranId"]
            # 0.02 for 0.00001 ETH at 2000, and 2 % of that is 0.0004.
            assert each["totalTransferedAmount"] == was["totalTransfered"] == "0.01960000"
            assert each["totalServiceChargeAmount"] == "0.00040000"
            (detail,) = each["userAssetDribbletDetails"]
            assert (detail["fromAsset"], detail["targetAsset"]) == ("ETH", "USDT")
            assert detail["amount"] == "0.00001000"
        span = {"startTime": said["userAssetDribblets"][0]["operateTime"] + 1}
        assert (await bot.signed("GET", path, **span)).json["total"] == 0
        assert (await bot.signed("GET", path, accountType="MARGIN")).json["total"] == 0
