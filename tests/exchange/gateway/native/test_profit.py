"""Profit split by its cause: the parts make up the whole."""

from __future__ import annotations

from exchange.gateway.native.profit import accrued_e16, equity_e16, pnl_say, prices_e8
from exchange.storage.rows import PnlRow
from risk.parameters import Grant
from tests.exchange.gateway.rig import Rig, Trader

UNIT = 10**8


async def test_what_is_owed_and_accrued_lowers_the_equity(rig: Rig, alice: Trader) -> None:
    fund = {"from": "spot", "to": "margin", "asset": "USDT", "amount": "40000"}
    await alice.ask("POST", "/v1/transfers", fund)
    await alice.ask("POST", "/v1/loans", {"wallet": "margin", "asset": "USDT", "amount": "10000"})
    risk = rig.doors.engine.risk
    account = risk.accounts[alice.account_id]
    prices = prices_e8(risk)
    assert prices["USDT"] == UNIT
    # 200,000 were given; the loan's first hour is 0.1, owed and not yet paid.
    assert equity_e16(risk, account, prices) == (200_000 * UNIT - UNIT // 10) * UNIT
    assert accrued_e16(account, prices) == UNIT // 10 * UNIT


async def test_the_parts_add_up_to_the_equity(rig: Rig, alice: Trader) -> None:
    risk = rig.doors.engine.risk
    account = risk.accounts[alice.account_id]
    rows = [
        PnlRow("spot", "USDT", "fee", -5 * UNIT),
        PnlRow("perp", "USDT", "funding", 2 * UNIT),
        PnlRow("margin", "BTC", "interest", -UNIT // 1_000),  # At 50,000: 50.
        PnlRow("perp", "USDT", "liquidation", -3 * UNIT),
        PnlRow("spot", "USDT", "transfer", -100 * UNIT),  # No part of profit.
    ]
    said = pnl_say(risk, account, rows, [Grant("spot", "USDT", 199_000 * UNIT)])
    assert (said.fees, said.funding, said.interest) == ("-5", "2", "-50")
    assert (said.liquidation, said.deposits, said.equity) == ("-3", "199000", "200000")
    # 200,000 - 199,000 + 5 - 2 + 50 + 3 = 1,056.
    assert said.price == "1056"
