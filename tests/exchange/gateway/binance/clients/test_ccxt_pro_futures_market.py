"""ccxt.pro watches markets of futures here unchanged: every watch method that reads a market."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from exchange.commands import PlaceOrder
from matching.types import SelfTrade, Side
from tests.exchange.gateway.binance.clients.ccxt_futures import (
    LINEAR,
    Futures,
    by_product,
    funded,
    pro_futures,
)
from tests.exchange.gateway.binance.clients.venue import WITHIN_S, Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEP_MS = 250
SECOND_MS = 1_000
PRICES = (49_995, 50_000.5, 50_005)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


class Mover:
    """Somebody who trades a contract with himself, and lets a little time pass, until told."""

    def __init__(self, market: Venue, futures: Futures) -> None:
        self.market = market
        self.futures = futures

    async def run(self) -> None:
        """One price after another, all between the maker's quotes."""
        rig, symbol = self.market.rig, self.futures.symbol
        account_id = (await funded(self.market)).account_id
        instrument = rig.doors.board.instruments[symbol]
        lots, tick = instrument.lots("0.01" if self.futures is LINEAR else "5"), 10
        assert isinstance(lots, int)
        while True:
            for price in PRICES:
                for side in (Side.SELL, Side.BUY):
                    wish = PlaceOrder(
                        account_id=account_id,
                        symbol=symbol,
                        side=side,
                        lots=lots,
                        price_ticks=int(price * tick),
                        wallet="perp",
                        stp=SelfTrade.NONE,
                    )
                    await rig.do(wish)
                await self.market.pass_time(STEP_MS)


@contextlib.asynccontextmanager
async def moving(market: Venue, futures: Futures) -> AsyncIterator[None]:
    """While the contract is traded."""
    task = asyncio.create_task(Mover(market, futures).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def soon(wish: Any) -> Any:
    return await asyncio.wait_for(wish, WITHIN_S)


@by_product
async def test_trades_tickers_and_quotes_are_watched(market: Venue, futures: Futures) -> None:
    symbol = futures.unified
    async with pro_futures(futures, await funded(market)) as client, moving(market, futures):
        trades = await soon(client.watch_trades(symbol))
        assert trades[-1]["symbol"] == symbol
        assert trades[-1]["price"] in PRICES
        assert trades[-1]["amount"] == (0.01 if futures is LINEAR else 5)
        of_many = await soon(client.watch_trades_for_symbols([symbol]))
        assert of_many[-1]["side"] == "buy"
        ticker = await soon(client.watch_ticker(symbol))
        assert (ticker["symbol"], ticker["low"]) == (symbol, 49_995)
        assert (await soon(client.watch_tickers([symbol])))[symbol]["last"] <= 50_005
        quotes = (await soon(client.watch_bids_asks([symbol])))[symbol]
        assert quotes["bid"] < quotes["ask"]


@by_product
async def test_books_and_candles_are_watched(market: Venue, futures: Futures) -> None:
    symbol = futures.unified
    async with pro_futures(futures, await funded(market)) as client, moving(market, futures):
        book = await soon(client.watch_order_book(symbol))
        assert (book["bids"][0][0], book["asks"][-1][0]) == (49_990, 50_020)
        several = await soon(client.watch_order_book_for_symbols([symbol]))
        assert several["symbol"] == symbol
        candles = await soon(client.watch_ohlcv(symbol, "1m"))
        assert candles[-1][3] == 49_995
        found = await soon(client.watch_ohlcv_for_symbols([[symbol, "5m"]]))
        assert found[symbol]["5m"][-1][2] == 50_005


@by_product
async def test_marks_are_watched(market: Venue, futures: Futures) -> None:
    symbol = futures.unified
    async with pro_futures(futures, await funded(market)) as client, moving(market, futures):
        mark = await soon(client.watch_mark_price(symbol))
        assert (mark["symbol"], mark["indexPrice"]) == (symbol, 50_000)
        marks = await soon(client.watch_mark_prices([symbol]))
        assert 49_900 < marks[symbol]["markPrice"] < 50_100


@by_product
async def test_whole_markets_are_watched_at_once(market: Venue, futures: Futures) -> None:
    symbol = futures.unified
    async with pro_futures(futures, await funded(market)) as client, moving(market, futures):
        of_product = {"type": "swap", "subType": futures.account}
        for watch in (client.watch_tickers, client.watch_mark_prices, client.watch_bids_asks):
            found: dict[str, Any] = {}
            while symbol not in found:
                found = await soon(watch(None, of_product))


async def liquidated_until(market: Venue, client: Any, futures: Futures, seen: list[Any]) -> None:
    """Be liquidated again and again until all have seen it: who watches late sees the next."""
    symbol = futures.unified
    await client.load_markets()
    await client.set_leverage(125, symbol)
    await client.set_margin_mode("isolated", symbol)
    while not all(task.done() for task in seen):
        await client.create_order(symbol, "market", "buy", 0.01 if futures is LINEAR else 5)
        for index in ("48500", "50000"):  # At 125x three percent are too much.
            await market.rig.set_index("BTC-USDT", index)
            await market.pass_time(SECOND_MS)


@by_product
async def test_what_is_unwatched_can_be_watched_again(market: Venue, futures: Futures) -> None:
    symbol = futures.unified
    async with pro_futures(futures, await funded(market)) as client, moving(market, futures):
        pairs: list[tuple[Any, Any, tuple[Any, ...]]] = [
            (client.watch_trades, client.un_watch_trades, (symbol,)),
            (client.watch_trades_for_symbols, client.un_watch_trades_for_symbols, ([symbol],)),
            (client.watch_ticker, client.un_watch_ticker, (symbol,)),
            (client.watch_tickers, client.un_watch_tickers, ([symbol],)),
            (client.watch_order_book, client.un_watch_order_book, (symbol,)),
            (
                client.watch_order_book_for_symbols,
                client.un_watch_order_book_for_symbols,
                ([symbol],),
            ),
            (client.watch_ohlcv, client.un_watch_ohlcv, (symbol, "1m")),
            (
                client.watch_ohlcv_for_symbols,
                client.un_watch_ohlcv_for_symbols,
                ([[symbol, "1m"]],),
            ),
            (client.watch_bids_asks, client.un_watch_bids_asks, ([symbol],)),
            (client.watch_mark_price, client.un_watch_mark_price, (symbol,)),
            (client.watch_mark_prices, client.un_watch_mark_prices, ([symbol],)),
        ]
        for watch, un_watch, args in pairs:
            for _ in range(2):
                assert await soon(watch(*args))
                await soon(un_watch(*args))


@by_product
async def test_liquidations_are_watched_by_all_and_by_the_one(
    market: Venue, futures: Futures
) -> None:
    symbol, of_product = futures.unified, {"type": "swap", "subType": futures.account}
    async with pro_futures(futures, await funded(market)) as client:
        watched = [
            asyncio.create_task(wish)
            for wish in (
                client.watch_balance(),  # Without it ccxt stumbles over what becomes of balances.
                client.watch_liquidations(symbol),
                client.watch_liquidations_for_symbols([symbol]),
                client.watch_liquidations_for_symbols([], of_product),
                client.watch_my_liquidations(symbol),
                client.watch_my_liquidations_for_symbols([symbol]),
            )
        ]
        await soon(liquidated_until(market, client, futures, watched))
        for task in watched[1:]:
            (forced, *_) = task.result()
            assert (forced["symbol"], forced["side"]) == (symbol, "sell")
        await market.kept()
        assert (await client.fetch_my_liquidations(symbol))[0]["contracts"] > 0
