"""Assets of the wallet product as Binance tells them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from exchange.commands import SetLeverage, SetMarginMode, Transfer
from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.rig import running


async def test_every_coin_is_told_with_a_network_that_is_shut(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        answer = await bot.signed("GET", "/sapi/v1/capital/config/getall")
        assert answer.headers["X-SAPI-USED-IP-WEIGHT-1M"] == "10"
        coins = {each["coin"]: each for each in answer.json}
        assert set(coins) == set(rig.doors.engine.risk.assets)
        assert coins["USDT"]["free"] == "100000.00000000"
        (network,) = coins["USDT"]["networkList"]
        assert network["withdrawIntegerMultiple"] == "0.00000001"
        assert not network["depositEnable"]
        assert not network["withdrawEnable"]


async def test_fees_are_a_list_for_all_pairs_and_for_one(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        everything = (await bot.signed("GET", "/sapi/v1/asset/tradeFee")).json
        assert [each["symbol"] for each in everything] == ["BTCUSDT", "ETHUSDT"]
        one = (await bot.signed("GET", "/sapi/v1/asset/tradeFee", symbol="ETHUSDT")).json
        assert one == [
            {
                "symbol": "ETHUSDT",
                "makerCommission": "0.00100000",
                "takerCommission": "0.00100000",
            }
        ]


async def test_user_assets_are_those_there_is_something_of(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "40000")
        bot = await bot_of(rig)
        said = (await bot.signed("POST", "/sapi/v3/asset/getUserAsset", asset="USDT")).json
        assert [each["asset"] for each in said] == ["USDT"]
        assert said[0]["btcValuation"] == "0.00000000"
        said = await bot.signed(
            "POST", "/sapi/v3/asset/getUserAsset", asset="USDT", needBtcValuation="true"
        )
        # 100000 / 40000 = 2.5.
        assert said.json[0]["btcValuation"] == "2.50000000"
        said = (await bot.signed("POST", "/sapi/v3/asset/getUserAsset", asset="XYZ")).json
        assert said["code"] == -3027


async def test_wallets_are_told_by_their_worth(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "40000")
        bot = await bot_of(rig)
        for target, units in (("margin", 4_000), ("isolated:ETH-USDT", 400), ("perp", 200)):
            await rig.do(
                Transfer(
                    account_id=bot.trader.account_id,
                    source="spot",
                    target=target,
                    asset="USDT",
                    amount_minor=units * 10**8,
                )
            )
        said = (await bot.signed("GET", "/sapi/v1/asset/wallet/balance")).json
        worth = {each["walletName"]: each["balance"] for each in said}
        assert worth["Cross Margin"] == "0.10000000"  # 4000 / 40000
        assert worth["Isolated Margin"] == "0.01000000"  # 400 / 40000
        assert worth["Funding"] == "0.00000000"
        perp = rig.doors.engine.risk.accounts[bot.trader.account_id].minor("perp", "USDT")
        in_quote = await bot.signed("GET", "/sapi/v1/asset/wallet/balance", quoteAsset="USDT")
        worth = {each["walletName"]: each["balance"] for each in in_quote.json}
        assert Decimal(worth["USDⓈ-M Futures"]) == Decimal(perp) / 10**8


async def test_the_margin_of_an_isolated_position_counts_to_its_product(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "40000")
        bot, other = await bot_of(rig), await bot_of(rig)
        for each in (bot, other):
            who = each.trader.account_id
            await rig.do(
                Transfer(
                    account_id=who,
                    source="spot",
                    target="perp",
                    asset="USDT",
                    amount_minor=5_000 * 10**8,
                )
            )
            await rig.do(SetMarginMode(account_id=who, symbol="BTC-USDT-PERP", isolated=True))
            await rig.do(SetLeverage(account_id=who, symbol="BTC-USDT-PERP", leverage=10))
        before = await _futures(bot)
        await other.trader.order("BTC-USDT-PERP", "sell", "0.1", price="40000")
        await bot.trader.order("BTC-USDT-PERP", "buy", "0.1", price="40000")
        holder = rig.doors.engine.risk.accounts[bot.trader.account_id]
        assert holder.minor("perp/BTC-USDT-PERP", "USDT") > 0
        (held,) = rig.doors.desk.account(holder.id).positions
        # The taker's fee left the product, and the position's profit at the mark came to it.
        fee = Decimal(40_000) * Decimal("0.1") * Decimal("0.0005")
        assert await _futures(bot) == before - fee + Decimal(held.unrealised)


async def _futures(bot: Bot) -> Decimal:
    said = await bot.signed("GET", "/sapi/v1/asset/wallet/balance", quoteAsset="USDT")
    return next(
        Decimal(each["balance"]) for each in said.json if each["walletName"] == "USDⓈ-M Futures"
    )


async def test_there_is_no_funding_wallet_and_nothing_came_by_a_network(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        assert (await bot.signed("POST", "/sapi/v1/asset/get-funding-asset")).json == []
        assert (await bot.signed("GET", "/sapi/v1/capital/deposit/hisrec")).json == []
        assert (await bot.signed("GET", "/sapi/v1/capital/withdraw/history")).json == []
