"""A futures account is told with sums that fit its assets and positions."""

from __future__ import annotations

from pathlib import Path

from tests.exchange.gateway.binance.futures.scenes import INVERSE, futures, give, order, trade


async def test_an_account_tells_what_it_has_and_what_it_uses(tmp_path: Path) -> None:
    async with futures(tmp_path) as (rig, (bot, maker)):
        await trade(bot, maker, "0.1", "50000")
        await order(bot, "BUY", "0.1", "49000")
        said = (await bot.signed("GET", "/fapi/v3/account")).json
        # 5,000 at ten times is 500; 0.1 more at 49,000 is 490 beyond it at its own price. The
        # taker fee of 0.05 % of 5,000 is 2.5; that of the order, 2.45, is kept back.
        assert said["totalPositionInitialMargin"] == "500.00000000"
        assert said["totalOpenOrderInitialMargin"] == "492.45000000"
        (asset,) = said["assets"]
        assert asset["asset"] == "USDT"
        assert asset["updateTime"] == rig.doors.board.time_ms
        assert asset["walletBalance"] == said["totalWalletBalance"]
        (position,) = said["positions"]
        assert (position["symbol"], position["positionAmt"]) == ("BTCUSDT", "0.100")
        assert (position["notional"], position["initialMargin"]) == (
            "5000.00000000",
            "992.45000000",
        )


async def test_the_older_account_lists_every_contract(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        said = (await bot.signed("GET", "/fapi/v2/account")).json
        assert (said["canTrade"], said["multiAssetsMargin"], said["feeTier"]) == (True, False, 0)
        assert [each["symbol"] for each in said["positions"]] == ["BTCUSDT", "ETHUSDT"]
        assert {each["leverage"] for each in said["positions"]} == {"10"}


async def test_a_balance_says_in_short_what_the_account_says(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "0.1", "50000")
        (asset,) = (await bot.signed("GET", "/fapi/v3/account")).json["assets"]
        (short,) = (await bot.signed("GET", "/fapi/v3/balance")).json
        assert short["balance"] == asset["walletBalance"]
        for name in ("crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount"):
            assert short[name] == asset[name]
        assert (
            short["accountAlias"]
            == (await bot.signed("GET", "/fapi/v2/balance")).json[0]["accountAlias"]
        )


async def test_the_margin_of_an_isolated_position_is_in_the_wallet_and_not_in_the_cross_one(
    tmp_path: Path,
) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await bot.signed("POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
        await trade(bot, maker, "0.1", "50000")
        (asset,) = (await bot.signed("GET", "/fapi/v3/account")).json["assets"]
        wallet, cross = float(asset["walletBalance"]), float(asset["crossWalletBalance"])
        assert wallet - cross == 500  # 5,000 at ten times.
        assert asset["positionInitialMargin"] == "500.00000000"


async def test_coins_are_told_one_by_one(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "100", "50000", api="dapi")
        said = (await bot.signed("GET", "/dapi/v1/account")).json
        (asset,) = said["assets"]
        # 100 contracts are 10,000 USD, 0.2 BTC at 50,000: 0.02 at ten times.
        assert (asset["asset"], asset["positionInitialMargin"]) == ("BTC", "0.02000000")
        assert asset["walletBalance"] == "1.99990000"  # A fee of 0.05 % of 0.2.
        (position,) = said["positions"]
        assert (position["symbol"], position["notionalValue"]) == (INVERSE, "0.20000000")
        (short,) = (await bot.signed("GET", "/dapi/v1/balance")).json
        assert short["balance"] == asset["walletBalance"]


async def test_in_multi_asset_mode_collateral_counts_in_the_sums(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        plain = (await bot.signed("GET", "/fapi/v3/account")).json
        await bot.signed("POST", "/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")
        await give(bot, "perp", "BTC", 1)
        said = (await bot.signed("GET", "/fapi/v3/account")).json
        assert [each["asset"] for each in said["assets"]] == ["USDT", "BTC"]
        more = float(said["totalWalletBalance"]) - float(plain["totalWalletBalance"])
        assert more == 50_000
        weighed = float(said["totalMarginBalance"]) - float(plain["totalMarginBalance"])
        assert weighed == 47_500  # The venue lends 95 % on it.


async def test_the_modes_of_an_account_are_told(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        await bot.signed("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
        said = (await bot.signed("GET", "/fapi/v1/accountConfig")).json
        assert (said["dualSidePosition"], said["multiAssetsMargin"]) == (True, False)
