"""The spot account as Binance tells it."""

from __future__ import annotations

from pathlib import Path

from exchange.commands import SetFeeDiscount
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import running


async def test_the_account_tells_every_asset_of_the_spot_wallet(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        said = (await bot.signed("GET", "/api/v3/account")).json
        assert said["accountType"] == "SPOT"
        assert said["uid"] == bot.trader.account_id
        balances = {each["asset"]: each for each in said["balances"]}
        assert set(balances) == set(rig.doors.engine.risk.assets)
        assert balances["USDT"] == {
            "asset": "USDT",
            "free": "100000.00000000",
            "locked": "0.00000000",
        }


async def test_an_open_order_locks_what_it_may_cost(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await bot.trader.order("BTC-USDT", "buy", "0.01", price="50000")
        said = (await bot.signed("GET", "/api/v3/account", omitZeroBalances="true")).json
        (usdt,) = [each for each in said["balances"] if each["asset"] == "USDT"]
        # 0.01 x 50000 = 500.
        assert usdt["locked"] == "500.00000000"
        assert usdt["free"] == "99500.00000000"


async def test_zero_balances_are_omitted_where_that_is_asked_for(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        said = (await bot.signed("GET", "/api/v3/account", omitZeroBalances="TRUE")).json
        holder = rig.doors.engine.risk.accounts[bot.trader.account_id]
        held = {asset for (wallet, asset), each in holder.pockets.items() if wallet == "spot"}
        assert {each["asset"] for each in said["balances"]} == held
        assert len(held) < len(rig.doors.engine.risk.assets)


async def test_commissions_are_the_tiers_in_basis_points_and_as_rates(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        said = (await bot.signed("GET", "/api/v3/account")).json
        assert (said["makerCommission"], said["takerCommission"]) == (10, 10)  # 0.1 %.
        assert said["commissionRates"]["taker"] == "0.00100000"
        assert said["commissionRates"]["seller"] == "0.00000000"


async def test_the_commission_of_a_pair_tells_the_discount(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await rig.do(SetFeeDiscount(account_id=bot.trader.account_id, on=True))
        answer = await bot.signed("GET", "/api/v3/account/commission", symbol="BTCUSDT")
        said = answer.json
        assert said["symbol"] == "BTCUSDT"
        assert said["standardCommission"]["maker"] == "0.00100000"
        offered = rig.doors.engine.venue.fees.asset == "discount"
        assert said["discount"] == {
            "enabledForAccount": offered,
            "enabledForSymbol": offered,
            "discountAsset": "BNB",
            "discount": "0.75000000",  # What is left to pay: 1 - 0.25.
        }


async def test_the_commission_of_no_pair_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        answer = await bot.signed("GET", "/api/v3/account/commission", symbol="NOSUCH")
        assert (answer.status, answer.json["code"]) == (400, -1121)
        answer = await bot.signed("GET", "/api/v3/account/commission")
        assert answer.json["code"] == -1102


async def test_an_unsigned_request_learns_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        answer = await rig.ask("GET", "/api/v3/account")
        assert (answer.status, answer.json["code"]) == (401, -2014)
