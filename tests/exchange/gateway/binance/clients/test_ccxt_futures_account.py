"""ccxt levers, holds, margins and closes positions on futures here unchanged, in both modes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import ccxt
import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import Library
from tests.exchange.gateway.binance.clients.ccxt_futures import (
    FUTURES,
    LINEAR,
    Futures,
    by_each,
    by_product,
    ccxt_futures,
    funded,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASYNC: Library = "ccxt.async_support"
REDUCE_ONLY = {"reduceOnly": True}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


def coins_or_dollars(futures: Futures, qty: float, price: float) -> float:
    """What a quantity comes to in the settle asset."""
    return qty * price if futures is LINEAR else qty * 100 / price


@by_each
async def test_leverage_margin_mode_and_the_position_under_them(
    market: Venue, futures: Futures, library: Library
) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, library, await funded(market)) as client:
        assert (await client.set_leverage(20, symbol))["leverage"] == 20
        leverage = (await client.fetch_leverages([symbol]))[symbol]
        assert (leverage["longLeverage"], leverage["marginMode"]) == (20, "cross")
        assert (await client.fetch_leverage(symbol))["shortLeverage"] == 20
        await client.set_margin_mode("isolated", symbol)
        assert (await client.fetch_margin_modes([symbol]))[symbol]["marginMode"] == "isolated"
        assert (await client.fetch_margin_mode(symbol))["marginMode"] == "isolated"
        await client.create_order(symbol, "market", "buy", qty)
        for held in (
            await client.fetch_positions([symbol]),
            await client.fetch_positions(),
            await client.fetch_positions_risk([symbol]),
        ):
            (position,) = held
            assert (position["side"], position["contracts"]) == ("long", qty)
            # The entry of an inverse contract follows from coins rounded to eight places.
            assert position["entryPrice"] == pytest.approx(50_010, rel=1e-7)
            assert position["marginMode"] == "isolated"
            assert position["liquidationPrice"] < 50_010
            assert position["markPrice"] == 50_000
            entry = coins_or_dollars(futures, qty, 50_010)
            assert position["initialMargin"] == pytest.approx(entry / 20, rel=0.01)
        # On USD-M ccxt asks for the third version, which tells no leverage; the second one does.
        (position,) = await client.fetch_positions([symbol], {"useV2": True})
        assert position["leverage"] == 20
        rank = await client.fetch_position_adl_rank(symbol)
        assert rank["symbol"] == symbol
        assert rank["rank"] in range(5)
        (only,) = await client.fetch_positions_adl_rank([symbol])
        assert only["rank"] == rank["rank"]


@by_each
async def test_margin_is_added_to_an_isolated_position_and_taken_back(
    market: Venue, futures: Futures, library: Library
) -> None:
    symbol, amount = futures.unified, futures.margin
    async with ccxt_futures(futures, library, await funded(market)) as client:
        await client.set_margin_mode("isolated", symbol)
        await client.create_order(symbol, "market", "sell", futures.qty)

        async def collateral() -> float:
            (position,) = await client.fetch_positions([symbol])
            return float(position["collateral"])

        before = await collateral()
        assert (await client.add_margin(symbol, amount))["status"] == "ok"
        assert await collateral() == pytest.approx(before + amount)
        assert (await client.reduce_margin(symbol, amount / 2))["type"] == "reduce"
        assert await collateral() == pytest.approx(before + amount / 2)


@by_product
async def test_hedge_mode_holds_both_sides_and_closes_them_apart(
    market: Venue, futures: Futures
) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, ASYNC, await funded(market)) as client:
        await client.load_markets()
        assert (await client.fetch_position_mode(symbol))["hedged"] is False
        await client.set_position_mode(True, symbol)
        assert (await client.fetch_position_mode(symbol))["hedged"] is True
        await client.create_order(symbol, "market", "buy", qty * 2, None, {"hedged": True})
        short = {"positionSide": "SHORT"}
        await client.create_order(symbol, "market", "sell", qty, None, short)

        async def legs() -> dict[str, float]:
            held = await client.fetch_positions([symbol])
            assert all(each["hedged"] for each in held)
            return {each["side"]: each["contracts"] for each in held}

        assert await legs() == {"long": qty * 2, "short": qty}
        with pytest.raises(ccxt.OperationRejected, match="-4061"):  # A side must be named.
            await client.create_order(symbol, "market", "buy", qty)
        # ccxt turns a reduce-only sell in hedge mode into one of the long leg.
        closing = {"hedged": True, "reduceOnly": True}
        await client.create_order(symbol, "market", "sell", qty * 2, None, closing)
        assert await legs() == {"short": qty}
        stop = {"positionSide": "SHORT", "stopPrice": 51_000, "closePosition": True}
        guard = await client.create_order(symbol, "STOP_MARKET", "buy", None, None, stop)
        assert guard["info"]["positionSide"] == "SHORT"
        with pytest.raises(ccxt.OperationRejected, match="-4068"):  # A position exists.
            await client.set_position_mode(False, symbol)
        await client.create_order(symbol, "market", "buy", qty, None, short)
        assert await legs() == {}
        await client.cancel_all_orders(symbol, {"trigger": True})
        await client.set_position_mode(False, symbol)


@by_each
async def test_balances_tell_what_is_free_and_what_is_used(
    market: Venue, futures: Futures, library: Library
) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, library, await funded(market)) as client:
        before = (await client.fetch_balance())[futures.settle]
        assert (before["free"], before["used"]) == (before["total"], 0)
        await client.set_leverage(10, symbol)
        await client.create_order(symbol, "limit", "buy", qty, 49_000)
        after = (await client.fetch_balance())[futures.settle]
        # A tenth of the order is margin (P4 reckons with the price that is higher).
        least = coins_or_dollars(futures, qty, 49_000) / 10
        assert after["used"] == pytest.approx(least, rel=0.03)
        assert after["total"] == before["total"]


async def test_multi_assets_mode(market: Venue) -> None:
    async with ccxt_futures(LINEAR, ASYNC, await funded(market)) as client:
        assert (await client.fapiPrivateGetMultiAssetsMargin())["multiAssetsMargin"] is False
        await client.fapiPrivatePostMultiAssetsMargin({"multiAssetsMargin": "true"})
        assert (await client.fapiPrivateGetMultiAssetsMargin())["multiAssetsMargin"] is True
        with pytest.raises(ccxt.ExchangeError):  # Isolated margin is of single-asset mode.
            await client.set_margin_mode("isolated", LINEAR.unified)
        await client.fapiPrivatePostMultiAssetsMargin({"multiAssetsMargin": "false"})


@by_product
async def test_a_countdown_cancels_what_a_dead_bot_leaves(market: Venue, futures: Futures) -> None:
    async with ccxt_futures(futures, ASYNC, await funded(market)) as client:
        await client.load_markets()
        armed: Any = getattr(
            client,
            "fapiPrivatePostCountdownCancelAll"
            if futures is LINEAR
            else "dapiPrivatePostCountdownCancelAll",
        )
        said = await armed({"symbol": futures.name, "countdownTime": 60_000})
        assert said == {"symbol": futures.name, "countdownTime": "60000"}
        assert (await armed({"symbol": futures.name, "countdownTime": 0}))["countdownTime"] == "0"


async def test_one_client_of_the_class_of_spot_trades_both_products(market: Venue) -> None:
    swap = LINEAR._replace(kind="binance")
    options = {"options": {"defaultType": "swap"}}
    async with ccxt_futures(swap, ASYNC, await funded(market), **options) as client:
        for futures in FUTURES:
            symbol, qty = futures.unified, futures.qty
            await client.set_leverage(7, symbol)
            bought = await client.create_order(symbol, "market", "buy", qty)
            assert (bought["status"], bought["filled"]) == ("closed", qty)
            # Here ccxt takes the product from the parameters, not from the symbol.
            of_product = {"type": "swap", "subType": futures.account}
            (position,) = await client.fetch_positions([symbol], of_product)
            assert (position["symbol"], position["contracts"]) == (symbol, qty)
            balance = (await client.fetch_balance(of_product))[futures.settle]
            assert balance["used"] > 0
            sold = await client.create_order(symbol, "market", "sell", qty, None, REDUCE_ONLY)
            assert (sold["filled"], sold["reduceOnly"]) == (qty, True)
            assert await client.fetch_positions([symbol], of_product) == []
