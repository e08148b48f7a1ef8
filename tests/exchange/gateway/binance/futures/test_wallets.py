"""Figures of a futures wallet agree with the engine's own report."""

from __future__ import annotations

from pathlib import Path

import msgspec

from exchange.gateway.binance.futures.wallets import amount, number
from risk.perp_report import perp_report
from tests.exchange.gateway.binance.futures.scenes import LINEAR, futures, order, trade


def test_money_has_all_its_places_and_numbers_only_what_they_need() -> None:
    assert (amount(-150_000_000), amount(0)) == ("-1.50000000", "0.00000000")
    assert msgspec.json.encode([number(150_000_000), number(65, 4)]) == b"[1.5,0.0065]"


async def test_what_is_available_is_what_the_engine_lets_an_order_use(tmp_path: Path) -> None:
    async with futures(tmp_path) as (rig, (bot, maker)):
        await trade(bot, maker, "0.1", "50000")
        await order(bot, "BUY", "0.1", "49000")
        await rig.set_index("BTC-USDT", "49500")
        await rig.doors.sequencer.step(60_000)
        risk = rig.doors.engine.risk
        report = perp_report(risk, risk.accounts[bot.trader.account_id])
        (asset,) = (await bot.signed("GET", "/fapi/v3/account")).json["assets"]
        assert asset["availableBalance"] == amount(report.available_minor)
        assert asset["maxWithdrawAmount"] == amount(report.withdrawable_minor)
        # All of it is cross: the balance is the report's, in 10^-16.
        assert asset["marginBalance"] == amount(report.margin_balance_e16 // 10**8)
        (row,) = (await bot.signed("GET", "/fapi/v3/positionRisk", symbol=LINEAR)).json
        assert asset["unrealizedProfit"] == row["unRealizedProfit"]
        assert asset["initialMargin"] == row["initialMargin"]


async def test_before_the_first_trade_there_is_only_money(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        (asset,) = (await bot.signed("GET", "/dapi/v1/account")).json["assets"]
        assert (asset["walletBalance"], asset["availableBalance"]) == ("2.00000000", "2.00000000")
        assert asset["initialMargin"] == "0.00000000"
