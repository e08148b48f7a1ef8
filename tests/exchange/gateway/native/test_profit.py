"""Profit split by its cause: the parts make up the whole."""

from __future__ import annotations

from pathlib import Path

from exchange.gateway.native.profit import accrued_e16, equity_e16, pnl_say, prices_e8
from exchange.storage.rows import PnlRow
from risk.parameters import Grant
from tests.exchange.gateway.rig import Rig, Trader, running

UNIT = 10**8
USD_PERP = "BTC-USD-PERP"


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
    (perpetuals,) = said.perpetuals
    assert (perpetuals.asset, perpetuals.funding, perpetuals.liquidation) == ("USDT", "2", "-3")
    assert (perpetuals.realised, perpetuals.unrealised, perpetuals.fees) == ("0", "0", "0")


async def test_p1_coins_won_by_an_inverse_contract_are_told_in_coin(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=("BTC-USDT", USD_PERP)) as rig:
        await rig.set_index("BTC-USDT", "50000")
        alice, bob = await rig.open_account("alice"), await rig.open_account("bob")
        for each in (alice, bob):
            fund = {"wallet": "perp:BTC", "asset": "BTC", "amount": "1"}
            await each.ask("POST", "/v1/faucet", fund)
        await bob.order(USD_PERP, "sell", "100", price="50000")
        await alice.order(USD_PERP, "buy", "100")
        await rig.set_index("BTC-USDT", "51000")
        await bob.order(USD_PERP, "buy", "50", price="51000")
        await alice.order(USD_PERP, "sell", "50")
        said = (await alice.ask("GET", "/v1/pnl")).json
        held = (await alice.ask("GET", "/v1/account")).json
        (fill, *_) = (await alice.ask("GET", "/v1/fills")).json
    (coins,) = said["perpetuals"]
    # 50 x 100 USD: 0.1 BTC at 50,000, and 0.09803922 at 51,000.
    assert (coins["asset"], coins["realised"]) == ("BTC", "0.00196078")
    assert (fill["realised"], fill["realised_asset"]) == ("0.00196078", "BTC")
    # A taker's 0.05 % of 0.2 and of 0.09803922 BTC: 0.0001 + 0.00004902.
    assert coins["fees"] == "-0.00014902"
    assert coins["unrealised"] == held["positions"][0]["unrealised"]
    wallet = next(each for each in held["balances"] if each["wallet"] == "perp:BTC")
    assert wallet["total"] == "1.00181176"  # 1 + 0.00196078 - 0.00014902.
    parts = sum(float(said[name]) for name in ("price", "fees", "funding", "deposits"))
    assert abs(parts - float(said["equity"])) < 1e-6
