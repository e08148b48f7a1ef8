"""Amounts, rates and worths as Binance writes them."""

from __future__ import annotations

from pathlib import Path

from exchange.gateway.binance.accounts.amounts import (
    daily,
    debt_worth_minor,
    eight,
    rate_eight,
    value_minor,
    worth_minor,
)
from tests.exchange.gateway.rig import running


def test_amounts_have_eight_places_and_a_day_of_interest_twelve() -> None:
    assert eight(-1) == "-0.00000001"
    assert rate_eight(10**9) == "0.00100000"
    assert rate_eight(15_000) == "0.00000002"  # 1.5 of the last place: to the even one.
    assert daily(1) == "0.000000000024"
    assert value_minor(150_000_000) == 2  # 1.5 as well.


async def test_worths_are_rounded_down_and_debts_up(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "40000")
        risk = rig.doors.engine.risk
        one_usdt_e16 = 10**16
        # 1 / 40000 = 0.000025, and the smallest value is not a unit of BTC.
        assert worth_minor(risk, one_usdt_e16) == 2_500
        assert worth_minor(risk, 1) == 0
        assert worth_minor(risk, one_usdt_e16, "USDT") == 10**8
        assert debt_worth_minor(risk, 1) == 1


async def test_without_a_price_there_is_no_worth(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=("ETH-USDT",)) as rig:
        risk = rig.doors.engine.risk
        assert "BTC" not in risk.assets or risk.price_e8("BTC") is None
        assert worth_minor(risk, 10**20) == 0
        assert debt_worth_minor(risk, 10**20) == 0
