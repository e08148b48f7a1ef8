"""The cross margin account as Binance tells it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange.gateway.binance.accounts.margin import level_status
from risk.account import Account, Job
from risk.margin_report import MarginReport
from risk.money import E12
from tests.exchange.gateway.binance.accounts.money import borrowed, moved
from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.rig import running


async def told(bot: Bot) -> Any:
    """The account."""
    return (await bot.signed("GET", "/sapi/v1/margin/account")).json


async def test_an_account_that_owes_nothing_is_at_999(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "40000")
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "4000")
        said = await told(bot)
        assert said["marginLevel"] == said["collateralMarginLevel"] == "999.00000000"
        assert said["totalAssetOfBtc"] == "0.10000000"  # 4000 / 40000
        assert said["totalLiabilityOfBtc"] == "0.00000000"
        assert said["totalNetAssetOfBtc"] == "0.10000000"
        assert said["totalCollateralValueInUSDT"] == "4000.00000000"
        assert [each["asset"] for each in said["userAssets"]] == list(rig.doors.engine.risk.assets)
        assert all(
            said[name] is True
            for name in ("created", "borrowEnabled", "tradeEnabled", "transferOutEnabled")
        )


async def test_a_loan_is_told_as_debt_interest_and_level(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "40000")
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "3000")
        await borrowed(bot, "USDT", "1000")
        said = await told(bot)
        (usdt,) = [each for each in said["userAssets"] if each["asset"] == "USDT"]
        interest = Decimal(usdt["interest"])
        assert usdt["borrowed"] == "1000.00000000"
        assert usdt["free"] == "4000.00000000"
        assert 0 < interest < 1
        assert Decimal(usdt["netAsset"]) == 3_000 - interest
        # 4000 / (1000 + interest), shown to eight places.
        level = Decimal(4_000) / (1_000 + interest)
        assert abs(Decimal(said["marginLevel"]) - level) < Decimal("0.0000001")
        # Debts are rounded up, what is left down: they never tell more than there is.
        parts = [Decimal(said[f"total{name}OfBtc"]) for name in ("Asset", "Liability", "NetAsset")]
        assert parts[0] - parts[1] <= parts[2] <= parts[0] - parts[1] + Decimal("0.00000001")


async def test_what_an_order_holds_is_locked(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "3000")
        await bot.trader.order("BTC-USDT", "buy", "0.01", price="50000", margin="cross")
        (usdt,) = [each for each in (await told(bot))["userAssets"] if each["asset"] == "USDT"]
        assert (usdt["free"], usdt["locked"]) == ("2500.00000000", "500.00000000")


@pytest.mark.parametrize(
    ("level", "status"),
    [
        (None, "EXCESSIVE"),
        ("2.000001", "EXCESSIVE"),
        ("2", "NORMAL"),
        ("1.300001", "NORMAL"),
        ("1.3", "MARGIN_CALL"),  # The bounds are on the bad side.
        ("1.1", "PRE_LIQUIDATION"),
    ],
)
def test_a_level_has_the_word_of_what_comes_of_it(level: str | None, status: str) -> None:
    level_e12 = None if level is None else int(Decimal(level) * E12)
    report = MarginReport(0, 0, 0, level_e12, None, E12 * 13 // 10, E12 * 11 // 10, 3, None, {}, {})
    account = Account(100, "user", "")
    assert level_status(account, "margin", report, 2 * E12) == status
    account.liquidating["margin"] = Job()
    assert level_status(account, "margin", report, 2 * E12) == "FORCE_LIQUIDATION"
