"""ccxt borrows, trades and repays on margin here unchanged, cross and isolated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import ccxt
import pytest
import pytest_asyncio

from risk.parameters import DAY_MS, HOUR_MS
from tests.exchange.gateway.binance.clients.ccxt_drivers import (
    SPOT,
    Library,
    by_both,
    ccxt_rest,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue
from tests.exchange.gateway.rig import START_MS

pytestmark = pytest.mark.asyncio(loop_scope="module")

CROSS: Final = {"marginMode": "cross"}
ISOLATED: Final = {"marginMode": "isolated"}
BOTH: Final = (CROSS, ISOLATED)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


async def in_margin(client: Any, amount: float) -> None:
    """So much USDT in the cross wallet, and in that of the pair."""
    await client.transfer("USDT", amount, "spot", "margin")
    await client.transfer("USDT", amount, "spot", "isolated", {"symbol": SPOT})


async def owned(client: Any, mode: dict[str, str], asset: str) -> dict[str, Any]:
    """What the account says of an asset of a wallet, debt and all."""
    if mode is CROSS:
        rows = (await client.sapi_get_margin_account())["userAssets"]
    else:
        (pair,) = (await client.sapi_get_margin_isolated_account({"symbols": "BTCUSDT"}))["assets"]
        rows = [pair["baseAsset"], pair["quoteAsset"]]
    (found,) = [row for row in rows if row["asset"] == asset]
    return {name: float(found[name]) for name in ("free", "locked", "borrowed", "interest")}


@by_both
async def test_a_loan_is_taken_charged_and_repaid(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        await in_margin(client, 1_000)
        cross = await client.borrow_cross_margin("USDT", 500)
        pair = await client.borrow_isolated_margin(SPOT, "USDT", 600)
        assert (cross["currency"], pair["currency"]) == ("USDT", "USDT")
        for mode, lent in ((CROSS, 500), (ISOLATED, 600)):
            usdt = await owned(client, mode, "USDT")
            # An hour is charged at once, at a day's 0.00024: 500 x 0.00024 / 24 = 0.005.
            assert usdt["free"] == 1_000 + lent
            assert usdt["interest"] == pytest.approx(lent * 0.00024 / 24)
        await market.kept()
        (first,) = await client.fetch_borrow_interest("USDT")
        assert (first["interest"], first["amountBorrowed"]) == (pytest.approx(0.005), 500)
        (isolated,) = await client.fetch_borrow_interest("USDT", SPOT)
        # ccxt leaves the pair as it was told.
        assert (isolated["symbol"], isolated["marginMode"]) == ("BTCUSDT", "isolated")
        await market.pass_time(HOUR_MS)
        await market.kept()
        assert len(await client.fetch_borrow_interest("USDT")) == 2
        assert len(await client.fetch_borrow_interest("USDT", None, None, 1)) == 1
        debts = {}
        for mode, lent in ((CROSS, 500), (ISOLATED, 600)):
            debts[lent] = lent + (await owned(client, mode, "USDT"))["interest"]
        await client.repay_cross_margin("USDT", debts[500])
        await client.repay_isolated_margin(SPOT, "USDT", debts[600])
        for mode in BOTH:
            usdt = await owned(client, mode, "USDT")
            assert (usdt["borrowed"], usdt["interest"]) == (0, 0)


@by_both
async def test_rates_of_borrowing(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        rate = await client.fetch_cross_borrow_rate("USDT")
        assert (rate["rate"], rate["period"]) == (0.00024, 86_400_000)
        one = await client.fetch_isolated_borrow_rate(SPOT)
        assert (one["base"], one["quote"], one["quoteRate"]) == ("BTC", "USDT", 0.00024)
        assert {SPOT, "ETH/USDT"} <= set(await client.fetch_isolated_borrow_rates())
        history = await client.fetch_borrow_rate_history("USDT")
        assert {each["rate"] for each in history} == {0.00024}
        since = START_MS - DAY_MS
        assert {
            each["rate"] for each in await client.fetch_borrow_rate_history("USDT", since, 5)
        } == {0.00024}
        limits = await client.sapi_get_margin_maxborrowable({"asset": "USDT"})
        assert float(limits["amount"]) == 0  # There is nothing in the wallet.


@by_both
@pytest.mark.parametrize("mode", BOTH, ids=("cross", "isolated"))
async def test_an_order_borrows_and_another_repays(
    market: Venue, library: Library, mode: dict[str, str]
) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        await in_margin(client, 1_000)
        borrowing = {**mode, "sideEffectType": "MARGIN_BUY"}
        bought = await client.create_order(SPOT, "market", "buy", 0.03, None, borrowing)
        assert (bought["status"], bought["filled"]) == ("closed", 0.03)
        # 0.03 x 50,010 less the 1,000 there are.
        assert (await owned(client, mode, "USDT"))["borrowed"] == pytest.approx(500.3)
        coins = await owned(client, mode, "BTC")
        assert coins["free"] == pytest.approx(0.03 * 0.999)
        # What ccxt calls reducing repays out of the proceeds.
        reducing = {**mode, "reduceOnly": True}
        await client.create_order(SPOT, "market", "sell", 0.02, None, reducing)
        assert (await owned(client, mode, "USDT"))["borrowed"] == 0


@by_both
@pytest.mark.parametrize("mode", BOTH, ids=("cross", "isolated"))
async def test_margin_orders_are_found_and_cancelled_apart_from_spot(
    market: Venue, library: Library, mode: dict[str, str]
) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        await in_margin(client, 5_000)
        order = await client.create_order(SPOT, "limit", "buy", 0.01, 48_000, dict(mode))
        other = await client.create_order(SPOT, "limit", "buy", 0.01, 47_000, dict(mode))
        assert await client.fetch_open_orders(SPOT) == []
        found = await client.fetch_open_orders(SPOT, None, None, dict(mode))
        assert [each["id"] for each in found] == [order["id"], other["id"]]
        one = await client.fetch_order(order["id"], SPOT, dict(mode))
        assert (one["price"], one["info"]["isIsolated"]) == (48_000, mode is ISOLATED)
        gone = await client.cancel_order(order["id"], SPOT, dict(mode))
        assert gone["status"] == "canceled"
        (last,) = await client.cancel_all_orders(SPOT, dict(mode))
        assert last["id"] == other["id"]
        await client.create_order(SPOT, "market", "buy", 0.01, None, dict(mode))
        await market.kept()
        (trade,) = await client.fetch_my_trades(SPOT, None, None, dict(mode))
        assert (trade["price"], trade["amount"]) == (50_010, 0.01)
        orders = await client.fetch_orders(SPOT, None, None, dict(mode))
        assert [each["status"] for each in orders] == ["canceled", "canceled", "closed"]
        assert await client.fetch_my_trades(SPOT) == []


@by_both
@pytest.mark.parametrize("mode", BOTH, ids=("cross", "isolated"))
async def test_every_type_of_order_on_margin(
    market: Venue, library: Library, mode: dict[str, str]
) -> None:
    asked: tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...] = (
        ("LIMIT_MAKER", ("limit", "buy", 0.01, 48_000), {"postOnly": True}),
        ("STOP_LOSS", ("market", "buy", 0.01, None), {"stopLossPrice": 52_000}),
        ("STOP_LOSS_LIMIT", ("limit", "buy", 0.01, 52_100), {"stopLossPrice": 52_000}),
        ("TAKE_PROFIT", ("market", "buy", 0.01, None), {"takeProfitPrice": 48_000}),
        ("TAKE_PROFIT_LIMIT", ("limit", "buy", 0.01, 48_100), {"takeProfitPrice": 48_000}),
        ("LIMIT", ("limit", "buy", 0.01, 48_000), {"icebergAmount": 0.001}),
    )
    async with ccxt_rest(library, await market.account()) as client:
        await in_margin(client, 5_000)
        for kind, wish, more in asked:
            placed = await client.create_order(SPOT, *wish, {**mode, **more})
            assert placed["info"]["type"] == kind
            found = await client.fetch_order(placed["id"], SPOT, dict(mode))
            assert (found["status"], found["info"]["type"]) == ("open", kind)
            await client.cancel_order(placed["id"], SPOT, dict(mode))
        edited = await client.create_order(SPOT, "limit", "buy", 0.01, 48_000, dict(mode))
        oco = {
            "symbol": "BTCUSDT",
            "isIsolated": "TRUE" if mode is ISOLATED else "FALSE",
            "side": "BUY",
            "quantity": "0.01",
            "price": "47000",
            "stopPrice": "52000",
            "stopLimitPrice": "52100",
            "stopLimitTimeInForce": "GTC",
        }
        pair = await client.sapi_post_margin_order_oco(oco)
        assert pair["contingencyType"] == "OCO"
        assert len(await client.fetch_open_orders(SPOT, None, None, dict(mode))) == 3
        await client.cancel_all_orders(SPOT, dict(mode))
        assert edited["status"] == "open"
        assert await client.fetch_open_orders(SPOT, None, None, dict(mode)) == []


@by_both
async def test_the_leverage_of_the_cross_wallet(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        await in_margin(client, 1_000)

        async def borrowable() -> float:
            limit = await client.sapi_get_margin_maxborrowable({"asset": "USDT"})
            return float(limit["amount"])

        await client.sapi_post_margin_max_leverage({"maxLeverage": 5})
        at_five = await borrowable()
        await client.sapi_post_margin_max_leverage({"maxLeverage": 3})
        # As many times what is owned, less what is owned itself.
        assert (at_five, await borrowable()) == (4_000, 2_000)


@by_both
async def test_no_margin_wallet_was_ever_liquidated(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        assert await client.fetch_my_liquidations(SPOT) == []
        assert await client.fetch_my_liquidations(None, 0, 10, {"type": "spot"}) == []


@by_both
async def test_what_may_be_pledged_and_borrowed(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        assets = await client.sapi_get_margin_allassets()
        assert {"BTC", "ETH", "USDT"} <= {each["assetName"] for each in assets}
        price = await client.sapi_get_margin_priceindex({"symbol": "BTCUSDT"})
        assert float(price["price"]) == 50_000
        (tier, *_) = await client.sapi_get_margin_isolatedmargintier({"symbol": "BTCUSDT"})
        assert int(tier["effectiveMultiple"]) > 1
        data = await client.sapi_get_margin_crossmargindata({"coin": "BTC"})
        assert data[0]["borrowable"] is True


@pytest.mark.parametrize("mode", BOTH, ids=("cross", "isolated"))
async def test_a_forced_sale_is_a_liquidation_of_the_account(
    tmp_path: Path, mode: dict[str, str]
) -> None:
    async with (
        venue(tmp_path) as market,
        ccxt_rest("ccxt.async_support", await market.account()) as client,
    ):
        await in_margin(client, 1_000)
        borrowing = {**mode, "sideEffectType": "MARGIN_BUY"}
        await client.create_order(SPOT, "market", "buy", 0.05, None, borrowing)
        # 0.05 x 31,000 = 1,550 against 1,500.5 that were borrowed.
        await market.rig.set_index("BTC-USDT", "31000")
        await market.pass_time(1_000)
        await market.kept()
        said = await client.sapi_get_margin_forceliquidationrec()
        assert [(each["symbol"], each["side"]) for each in said["rows"]] == [("BTCUSDT", "SELL")]
        if mode is CROSS:  # Which it can ask for only without a symbol, and then not read.
            with pytest.raises(ccxt.ArgumentsRequired, match="safeMarket"):
                await client.fetch_my_liquidations(None, None, None, {"type": "spot"})
            return
        (forced,) = await client.fetch_my_liquidations(SPOT, None, None, {"type": "spot"})
        assert (forced["symbol"], forced["price"], forced["side"]) == (SPOT, 49_990, "sell")
