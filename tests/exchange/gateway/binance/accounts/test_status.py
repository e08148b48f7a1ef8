"""What the venue and a key are said to be able to do."""

from __future__ import annotations

from pathlib import Path

from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.rig import Trader, running


async def test_the_system_is_normal_while_the_exchange_trades(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        said = (await rig.ask("GET", "/sapi/v1/system/status")).json
        assert said == {"status": 0, "msg": "normal"}


async def test_the_system_is_under_maintenance_while_it_does_not(tmp_path: Path) -> None:
    async with running(tmp_path, health={"status": "recovering"}) as rig:
        said = (await rig.ask("GET", "/sapi/v1/system/status")).json
        assert said == {"status": 1, "msg": "system_maintenance"}


async def test_an_account_is_normal(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        assert (await bot.signed("GET", "/sapi/v1/account/status")).json == {"data": "Normal"}


async def test_a_key_is_told_what_it_may_do(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        said = (await bot.signed("GET", "/sapi/v1/account/apiRestrictions")).json
        assert said["enableReading"]
        assert said["enableSpotAndMarginTrading"]
        assert said["enableMargin"]
        assert said["permitsUniversalTransfer"]
        assert not said["enableWithdrawals"]
        assert not said["ipRestrict"]
        assert "tradingAuthorityExpirationTime" not in said


async def test_a_key_that_only_reads_is_told_so_and_refused_money(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        account_id = bot.trader.account_id
        expires_ms = rig.doors.clock.wall_ms() + 1_000_000
        made = rig.doors.keys.create(
            account_id, permissions=["read"], ips=["127.0.0.1"], expires_ms=expires_ms
        )
        reader = Bot(Trader(rig, account_id, made.key, made.secret))
        said = (await reader.signed("GET", "/sapi/v1/account/apiRestrictions")).json
        assert said["ipRestrict"]
        assert said["tradingAuthorityExpirationTime"] == expires_ms
        assert not said["enableSpotAndMarginTrading"]
        assert not said["enableMargin"]
        assert not said["permitsUniversalTransfer"]
