"""python-binance borrows, trades on margin, moves money and reads its wallets here unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import pytest
import pytest_asyncio
from binance import AsyncClient
from binance.exceptions import BinanceAPIException

from tests.exchange.gateway.binance.clients.pointing import python_binance
from tests.exchange.gateway.binance.clients.venue import Venue, give, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAIR: Final = {"symbol": "BTCUSDT"}
HOUR_MS: Final = 3_600_000
OLD_OCO: Final = PAIR | {
    "side": "SELL",
    "quantity": "0.01",
    "price": "52000",
    "stopPrice": "48000",
    "stopLimitPrice": "47900",
    "stopLimitTimeInForce": "GTC",
}
# 0.024 % a day, and the 24th part of it an hour.
DAILY: Final = 0.00024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("margin")) as found:
        yield found


async def cross(client: AsyncClient, asset: str) -> dict[str, float]:
    """What an account's cross margin holds and owes of an asset."""
    account = await client.get_margin_account()
    row = next(each for each in account["userAssets"] if each["asset"] == asset)
    return {key: float(row[key]) for key in ("free", "locked", "borrowed", "interest")}


async def isolated(client: AsyncClient) -> dict[str, Any]:
    """The isolated margin of the pair."""
    account = await client.get_isolated_margin_account(symbols="BTCUSDT")
    return dict(account["assets"][0])


async def test_money_is_borrowed_charged_for_and_repaid(spot: Venue) -> None:
    async with spot.bot() as client:
        await client.transfer_spot_to_margin(asset="USDT", amount="10000")
        first = await client.margin_borrow_repay(asset="USDT", amount="400", type="BORROW")
        await client.create_margin_loan(asset="USDT", amount="100")
        # The first hour of interest is due when it is borrowed: 500 x 0.00024 / 24.
        hourly = 500 * DAILY / 24
        usdt = await cross(client, "USDT")
        assert usdt == {"free": 10_500, "locked": 0, "borrowed": 500, "interest": hourly}
        await spot.pass_time(HOUR_MS)
        await spot.kept()
        assert (await cross(client, "USDT"))["interest"] == 2 * hourly
        told = await client.get_margin_interest_history(asset="USDT")
        assert told == await client.margin_interest_history(asset="USDT")
        assert sum(float(each["interest"]) for each in told["rows"]) == pytest.approx(2 * hourly)
        loans = await client.get_margin_loan_details(asset="USDT")
        borrowed = await client.margin_get_borrow_repay_records(asset="USDT", type="BORROW")
        assert loans["rows"] == borrowed["rows"]
        assert loans["rows"][-1]["txId"] == first["tranId"]
        await client.repay_margin_loan(asset="USDT", amount="200")
        await client.margin_borrow_repay(asset="USDT", amount=f"{300 + 2 * hourly}", type="REPAY")
        assert await cross(client, "USDT") == {
            "free": 10_500 - 500 - 2 * hourly,
            "locked": 0,
            "borrowed": 0,
            "interest": 0,
        }
        await spot.kept()
        repaid = (await client.get_margin_repay_details(asset="USDT"))["rows"]
        assert [float(each["amount"]) for each in repaid] == [300 + 2 * hourly, 200]


async def test_what_may_be_borrowed_and_what_it_costs(spot: Venue) -> None:
    async with spot.bot() as client:
        await client.transfer_spot_to_margin(asset="USDT", amount="1000")
        most = await client.get_max_margin_loan(asset="USDT")
        assert most == await client.margin_max_borrowable(asset="USDT")
        # Three times with five-fold leverage would be 4,000; the tier of an account allows three.
        assert float(most["amount"]) in {2_000, 4_000}
        assert float((await client.get_max_margin_transfer(asset="USDT"))["amount"]) == 1_000
        assert await client.set_margin_max_leverage(maxLeverage=5) == {"success": True}
        assert float((await client.get_max_margin_loan(asset="USDT"))["amount"]) == 4_000
        rates = await client.margin_interest_rate_history(asset="USDT")
        assert float(rates[0]["dailyInterestRate"]) == DAILY
        asked = {"assets": "BTC,USDT", "isIsolated": "FALSE"}
        hourly = await client.margin_next_hourly_interest_rate(**asked)
        assert hourly == await client.get_future_hourly_interest_rate(**asked)
        assert {each["asset"]: float(each["nextHourlyInterestRate"]) for each in hourly} == {
            "BTC": 0.000003,
            "USDT": DAILY / 24,
        }
        data = {each["coin"]: each for each in await client.get_cross_margin_data()}
        assert float(data["USDT"]["dailyInterest"]) == DAILY
        ratios = await client.get_cross_margin_collateral_ratio()
        assert {name for each in ratios for name in each["assetNames"]} >= {"USDT", "BTC"}
        inventory = await client.margin_v1_get_margin_available_inventory(type="MARGIN")
        assert float(inventory["assets"]["USDT"]) > 1_000_000
        assert (await client.get_margin_force_liquidation_rec())["total"] == 0


async def test_margin_orders_borrow_rest_and_are_cancelled(spot: Venue) -> None:
    async with spot.bot() as client:
        await client.transfer_spot_to_margin(asset="USDT", amount="4000")
        bought = await client.create_margin_order(
            **PAIR, side="BUY", type="MARKET", quantity="0.1", sideEffectType="MARGIN_BUY"
        )
        # 0.1 x 50,010 is 5,001: 1,001 more than there was.
        assert (bought["status"], float(bought["marginBuyBorrowAmount"])) == ("FILLED", 1_001)
        assert (await cross(client, "USDT"))["borrowed"] == 1_001
        resting = await client.create_margin_order(
            **PAIR, side="SELL", type="LIMIT", timeInForce="GTC", price="51000", quantity="0.01"
        )
        name = PAIR | {"orderId": resting["orderId"]}
        (opened,) = await client.get_open_margin_orders(**PAIR)
        assert opened == await client.get_margin_order(**name)
        gone = await client.cancel_margin_order(**name)
        assert (gone["status"], gone["isIsolated"]) == ("CANCELED", False)
        await client.create_margin_order(
            **PAIR, side="SELL", type="STOP_LOSS", stopPrice="48000", quantity="0.01"
        )
        assert len(await client.cancel_all_open_margin_orders(**PAIR)) == 1
        sold = await client.create_margin_order(
            **PAIR, side="SELL", type="MARKET", quantity="0.05", sideEffectType="AUTO_REPAY"
        )
        assert sold["status"] == "FILLED"
        assert (await cross(client, "USDT"))["borrowed"] == 0
        await spot.kept()
        trades = await client.get_margin_trades(**PAIR)
        assert [each["orderId"] for each in trades] == [bought["orderId"], sold["orderId"]]
        assert len(await client.get_all_margin_orders(**PAIR)) == 4
        counts = await client.margin_v1_get_margin_rate_limit_order()
        assert [each["count"] for each in counts] == [4, 4]


async def test_lists_on_margin(spot: Venue) -> None:
    async with spot.bot() as client:
        await client.transfer_spot_to_margin(asset="USDT", amount="4000")
        await client.create_margin_order(**PAIR, side="BUY", type="MARKET", quantity="0.05")
        placed = await client.create_margin_oco_order(**OLD_OCO)
        name = {"orderListId": placed["orderListId"]}
        (opened,) = await client.get_open_margin_oco_orders()
        assert opened == await client.get_margin_oco_order(**name)
        assert (await cross(client, "BTC"))["locked"] == 0.01
        await client.cancel_margin_oco_order(**PAIR, **name)
        assert await client.get_open_margin_oco_orders() == []
        await spot.kept()
        (past,) = await client.margin_v1_get_margin_all_order_list()
        assert past["listOrderStatus"] == "ALL_DONE"


async def test_an_isolated_pair_is_opened_traded_and_closed(spot: Venue) -> None:
    async with spot.bot() as client:
        assert (await client.enable_isolated_margin_account(**PAIR))["success"]
        await client.transfer_spot_to_isolated_margin(**PAIR, asset="USDT", amount="1000")
        limits = await client.get_enabled_isolated_margin_account_limit()
        assert limits == {"enabledAccount": 1, "maxAccount": 2}
        own = PAIR | {"isIsolated": "TRUE"}
        bought = await client.create_margin_order(
            **own, side="BUY", type="MARKET", quantity="0.03", sideEffectType="MARGIN_BUY"
        )
        assert bought["isIsolated"] is True
        pair = await isolated(client)
        # 0.03 x 50,010 is 1,500.30: half a thousand is borrowed.
        assert float(pair["quoteAsset"]["borrowed"]) == 500.3
        assert 1.4 < float(pair["marginLevel"]) < 3.1
        await client.create_margin_order(
            **own, side="SELL", type="MARKET", quantity="0.02997", sideEffectType="AUTO_REPAY"
        )
        left = (await isolated(client))["quoteAsset"]["free"]
        await client.transfer_isolated_margin_to_spot(**PAIR, asset="USDT", amount=left)
        assert (await client.disable_isolated_margin_account(**PAIR))["success"]
        moved = (await client.margin_v1_get_margin_isolated_transfer(**PAIR))["rows"]
        assert [each["transTo"] for each in moved] == ["SPOT", "ISOLATED_MARGIN"]
        tiers = await client.get_isolated_margin_tier_data(**PAIR)
        assert [each["tier"] for each in tiers][:2] == [1, 2]
        (fees,) = await client.get_isolated_margin_fee_data(**PAIR)
        assert {each["coin"] for each in fees["data"]} == {"BTC", "USDT"}


async def test_what_may_be_margined(spot: Venue) -> None:
    async with spot.bot() as client:
        pairs = await client.get_margin_all_pairs()
        assert {each["symbol"] for each in pairs} == {"BTCUSDT", "ETHUSDT"}
        assert (await client.get_margin_symbol(**PAIR))["base"] == "BTC"
        apart = await client.get_all_isolated_margin_symbols()
        assert {each["symbol"] for each in apart} == {"BTCUSDT", "ETHUSDT"}
        assert await client.get_isolated_margin_symbol(**PAIR) in apart
        assets = await client.get_margin_all_assets()
        assert await client.get_margin_asset(asset="BTC") in assets
        index = await client.get_margin_price_index(**PAIR)
        assert float(index["price"]) == 50_000


async def test_money_is_moved_between_wallets(spot: Venue) -> None:
    trader = await spot.account(spot="BTC")
    async with python_binance(trader) as client:
        await client.transfer_spot_to_margin(asset="USDT", amount="100")
        await client.transfer_margin_to_spot(asset="USDT", amount="40")
        out, into = (await client.get_margin_transfer_history(asset="USDT"))["rows"]
        assert (out["type"], into["type"]) == ("ROLL_OUT", "ROLL_IN")
        first = await client.make_universal_transfer(type="MAIN_UMFUTURE", asset="USDT", amount="5")
        await client.universal_transfer(type="UMFUTURE_MAIN", asset="USDT", amount="5")
        last = await client.futures_account_transfer(type=3, asset="BTC", amount="1")
        await spot.kept()
        moved = await client.query_universal_transfer_history(type="MAIN_UMFUTURE")
        assert moved == await client.new_transfer_history(type="MAIN_UMFUTURE")
        assert [each["tranId"] for each in moved["rows"]] == [first["tranId"]]
        (row,) = (await client.transfer_history(asset="BTC", startTime=1))["rows"]
        assert (row["tranId"], row["type"]) == (last["tranId"], "3")
        wallets = {
            each["walletName"]: float(each["balance"])
            for each in await client.margin_v1_get_asset_wallet_balance()
        }
        # In coins: 9 and 99,940 / 50,000 on spot; 60 / 50,000 on margin; one on COIN-M.
        assert wallets["Spot"] == pytest.approx(9 + 99_940 / 50_000)
        assert wallets["Cross Margin"] == 0.0012
        assert wallets["COIN-M Futures"] == 1


SETTLED: Final[dict[str, Callable[[Any], bool]]] = {
    "get_deposit_history": lambda said: said == [],
    "get_withdraw_history": lambda said: said == [],
    "funding_wallet": lambda said: said == [],
    "get_account_status": lambda said: said == {"data": "Normal"},
    "get_account_api_permissions": lambda said: said["enableFutures"] is True,
    "get_trade_fee": lambda said: float(said[0]["takerCommission"]) == 0.001,
    "get_bnb_burn_spot_margin": lambda said: said["spotBNBBurn"] is False,
    "get_user_asset": lambda said: {each["asset"] for each in said} == {"USDT"},
    "get_all_coins_info": lambda said: {each["coin"] for each in said} >= {"USDT", "BTC"},
}


@pytest.mark.parametrize("method", SETTLED)
async def test_what_an_account_is_told_of_itself(spot: Venue, method: str) -> None:
    async with spot.bot() as client:
        assert SETTLED[method](await getattr(client, method)())


async def test_what_is_not_dust_stays_and_what_is_goes(spot: Venue) -> None:
    trader = await spot.account()
    await spot.rig.set_index("BTC-USDT", "50000")  # What stood an hour ago is no price to sell at.
    async with python_binance(trader) as client:
        await give(trader, "spot", "BTC", "0.000009")  # Less than the lot of 0.00001.
        swept = await client.transfer_dust(asset="BTC")
        assert swept["transferResult"][0]["fromAsset"] == "BTC"
        assert float((await client.get_asset_balance("BTC"))["free"]) == 0
        await spot.kept()
        (sold,) = (await client.get_dust_log())["userAssetDribblets"]
        assert sold["userAssetDribbletDetails"][0]["fromAsset"] == "BTC"
        await give(trader, "spot", "BTC", "1")
        with pytest.raises(BinanceAPIException) as refused:
            await client.transfer_dust(asset="BTC")
        assert refused.value.code == -1000


async def test_a_fee_in_another_coin_is_refused_by_name(spot: Venue) -> None:
    async with spot.bot() as client:
        assert await client.toggle_bnb_burn_spot_margin(spotBNBBurn="false") == {
            "spotBNBBurn": False,
            "interestBNBBurn": False,
        }
        with pytest.raises(BinanceAPIException) as refused:
            await client.toggle_bnb_burn_spot_margin(spotBNBBurn="true")
        assert refused.value.code == -1130


@pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")  # The client's own.
async def test_listen_keys_and_tokens_of_margin(spot: Venue) -> None:
    async with spot.bot() as client:
        key = await client.margin_stream_get_listen_key()
        assert await client.margin_stream_keepalive(key) == {}
        assert await client.margin_stream_close(key) == {}
        await client.enable_isolated_margin_account(**PAIR)
        other = await client.isolated_margin_stream_get_listen_key("BTCUSDT")
        assert await client.isolated_margin_stream_keepalive("BTCUSDT", other) == {}
        assert await client.isolated_margin_stream_close("BTCUSDT", other) == {}
        token = await client.margin_create_listen_token()
        assert token["expirationTime"] > (await client.get_server_time())["serverTime"]
