"""ccxt reads balances, fees and transfers here unchanged, and moves money between wallets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import (
    SPOT,
    Library,
    by_both,
    ccxt_rest,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

GIVEN = 100_000.0  # USDT, in spot and in perp.


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


@by_both
async def test_a_balance_tells_what_is_free_and_what_is_locked(
    market: Venue, library: Library
) -> None:
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        await client.create_market_buy_order(SPOT, 0.05)
        order = await client.create_limit_buy_order(SPOT, 0.01, 48_000)
        balance = await client.fetch_balance()
        # 0.05 x 50,010 was paid, 0.01 x 48,000 is held; a fee of 0.1 % was taken from the coins.
        assert balance["USDT"] == pytest.approx(
            {"free": GIVEN - 2_500.5 - 480, "used": 480, "total": GIVEN - 2_500.5}
        )
        assert balance["BTC"]["total"] == pytest.approx(10 + 0.05 * 0.999)
        await client.cancel_order(order["id"], SPOT)
        whole = await client.fetch_balance({"omitZeroBalances": True})
        assert whole["USDT"]["used"] == 0


@by_both
async def test_money_moves_between_wallets_and_is_found_there(
    market: Venue, library: Library
) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        moved = await client.transfer("USDT", 1_000, "spot", "margin")
        assert (moved["currency"], bool(moved["id"])) == ("USDT", True)
        await client.transfer("USDT", 2_000, "spot", "isolated", {"symbol": SPOT})
        await client.transfer("USDT", 3_000, "spot", "swap")
        await client.transfer("USDT", 400, "margin", "spot")
        await client.transfer("USDT", 500, "isolated", "spot", {"symbol": SPOT})
        await client.transfer("USDT", 50, "margin", "isolated", {"symbol": SPOT})
        await client.transfer("USDT", 600, "swap", "spot")
        await client.transfer("USDT", 70, "swap", "margin")
        spot = await client.fetch_balance({"type": "spot"})
        assert spot["USDT"]["free"] == GIVEN - 1_000 - 2_000 - 3_000 + 400 + 500 + 600
        for cross in ({"type": "margin"}, {"marginMode": "cross"}):
            assert (await client.fetch_balance(cross))["USDT"]["free"] == 1_000 - 400 - 50 + 70
        for pairs in ({}, {"symbols": [SPOT]}):
            isolated = await client.fetch_balance({"marginMode": "isolated", **pairs})
            assert isolated["USDT"]["free"] == 2_000 - 500 + 50
        swap = await client.fetch_balance({"type": "swap"})
        assert swap["USDT"]["free"] == GIVEN + 3_000 - 600 - 70
        # There is no funding wallet: it is empty.
        assert (await client.fetch_balance({"type": "funding"}))["total"] == {}


@by_both
async def test_transfers_are_listed_by_their_way(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        await client.load_markets()
        ids = [
            (await client.transfer("USDT", amount, "spot", "margin"))["id"]
            for amount in (10, 20, 30)
        ]
        await client.transfer("USDT", 40, "spot", "swap")
        await market.kept()
        way = {"fromAccount": "spot", "toAccount": "margin"}
        found = await client.fetch_transfers("USDT", None, None, dict(way))
        # All of one moment, the newest first.
        assert [each["id"] for each in found] == ids[::-1]
        assert [each["amount"] for each in found] == [30, 20, 10]
        assert {(each["fromAccount"], each["toAccount"]) for each in found} == {("spot", "margin")}
        assert {each["status"] for each in found} == {"ok"}
        (last,) = await client.fetch_transfers("USDT", None, 1, dict(way))
        assert last["id"] == ids[-1]
        later = market.rig.doors.board.time_ms + 1
        assert await client.fetch_transfers("USDT", later, None, dict(way)) == []
        (by_default,) = await client.fetch_transfers("USDT")
        assert (by_default["amount"], by_default["toAccount"]) == (40, "linear")


@by_both
async def test_fees_of_trades_and_of_moving_money_out(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        fee = await client.fetch_trading_fee(SPOT)
        assert (fee["maker"], fee["taker"]) == (0.001, 0.001)
        fees = await client.fetch_trading_fees()
        assert fees[SPOT]["taker"] == 0.001
        assert {SPOT, "ETH/USDT"} <= set(fees)
        # Nothing can be moved in or out; the one network there is says so.
        one = await client.fetch_deposit_withdraw_fee("BTC")
        assert (one["withdraw"]["fee"], list(one["networks"])) == (0, ["PAPER"])
        assert set(await client.fetch_deposit_withdraw_fees(["BTC"])) == {"BTC"}
        assert (await client.fetch_transaction_fee("BTC"))["withdraw"]["BTC"] == {"PAPER": 0}
        assert (await client.fetch_transaction_fees(["BTC"]))["withdraw"]["BTC"] == {"PAPER": 0}


@by_both
async def test_nothing_was_ever_deposited_or_withdrawn(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        assert await client.fetch_deposits() == []
        assert await client.fetch_deposits("BTC", 0, 10) == []
        assert await client.fetch_withdrawals() == []


@by_both
async def test_what_the_key_may_and_dust(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account(spot="BTC")) as client:
        may = await client.sapi_get_account_apirestrictions()
        assert (may["enableSpotAndMarginTrading"], may["enableWithdrawals"]) == (True, False)
        assert await client.sapi_get_account_status() == {"data": "Normal"}
        owned = await client.sapiv3_post_asset_getuserasset({"asset": "BTC"})
        assert [(each["asset"], float(each["free"])) for each in owned] == [("BTC", 10)]
        wallets = await client.sapi_get_asset_wallet_balance()
        assert {"Spot", "Cross Margin", "USDⓈ-M Futures"} <= {
            each["walletName"] for each in wallets
        }
        burn = await client.sapi_get_bnbburn()
        assert set(burn) == {"spotBNBBurn", "interestBNBBurn"}
