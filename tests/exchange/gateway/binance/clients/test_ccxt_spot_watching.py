"""ccxt.pro watches a spot market here unchanged, stops watching, and again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import pytest
import pytest_asyncio

from exchange.gateway.binance.intervals import open_ms
from tests.exchange.gateway.binance.clients.ccxt_drivers import SPOT, soon, until
from tests.exchange.gateway.binance.clients.moving import while_lively
from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.binance.clients.venue import Venue, venue
from tests.exchange.gateway.rig import Trader

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("both_ports")]

ETH: Final = "ETH/USDT"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


async def lively(market: Venue, watch: Callable[[], Awaitable[Any]]) -> Any:
    """What somebody sees of the pair while it is traded."""
    return await while_lively(market.rig, market.maker, "BTC-USDT", watch)


async def test_trades_are_those_that_rest_tells(market: Venue) -> None:
    async with ccxt_client("binance", await market.account()) as client:

        async def watch() -> list[Any]:
            seen = await soon(client.watch_trades(SPOT))
            seen += await soon(client.watch_trades(SPOT, None, None, {"name": "aggTrade"}))
            return seen + await soon(client.watch_trades_for_symbols([SPOT, ETH]))

        seen = await lively(market, watch)
        told = await client.fetch_trades(
            SPOT, None, 1_000, {"fetchTradesMethod": "publicGetTrades"}
        )
        by_id = {each["id"]: each for each in told}
        assert seen
        for trade in seen:
            for field in ("price", "amount", "side", "timestamp", "symbol"):
                assert trade[field] == by_id[trade["id"]][field]


async def test_tickers_in_every_form(market: Venue) -> None:
    async with ccxt_client("binance", await market.account()) as client:

        async def watch() -> None:
            for name in ("ticker", "miniTicker", "ticker_1h", "ticker_4h", "ticker_1d"):
                for _ in range(2):
                    ticker = await soon(client.watch_ticker(SPOT, {"name": name}))
                    assert ticker["symbol"] == SPOT
                    assert ticker["low"] <= ticker["last"] <= ticker["high"]
                some = await soon(client.watch_tickers([SPOT, ETH], {"name": name}))
                assert set(some) <= {SPOT, ETH}
                everything = await soon(client.watch_tickers(None, {"name": name}))
                assert SPOT in everything
            quotes = await soon(client.watch_bids_asks([SPOT]))
            assert quotes[SPOT]["bid"] < quotes[SPOT]["ask"]

        await lively(market, watch)


async def test_candles_as_they_grow(market: Venue) -> None:
    async with ccxt_client("binance", await market.account()) as client:

        async def watch() -> None:
            for timeframe in client.timeframes:
                (*_, last) = await soon(client.watch_ohlcv(SPOT, timeframe))
                now_ms = market.rig.doors.board.time_ms
                assert last[0] == open_ms(timeframe, now_ms)
            wanted = [[SPOT, "1m"], [SPOT, "15m"]]
            seen = await soon(client.watch_ohlcv_for_symbols(wanted))
            assert set(seen[SPOT]) <= {"1m", "15m"}

        await lively(market, watch)


async def test_books_of_two_pairs_equal_rest(market: Venue) -> None:
    eth = await market.account(spot="ETH")
    async with ccxt_client("binance", await market.account()) as client:

        async def watch() -> None:
            for number in range(15):
                if number % 5 == 0:
                    await eth.order("ETH-USDT", "buy", "0.1", price=str(2_400 + number))
                await soon(client.watch_order_book_for_symbols([SPOT, ETH]))

        await lively(market, watch)
        await same_book(market, eth, client, ETH, 2_300)
        await same_book(market, market.maker, client, SPOT, 40_000)


async def same_book(market: Venue, trader: Trader, client: Any, unified: str, below: int) -> None:
    """Let the client see every change of a book; it then keeps what REST answers."""
    depth, symbol = market.rig.doors.board.depth, unified.replace("/", "-")
    await trader.order(symbol, "buy", "0.1", price=str(below))  # One event at least.
    await until(
        lambda: client.orderbooks[unified]["nonce"] == depth.last_id(symbol),
        lambda: client.watch_order_book_for_symbols([SPOT, ETH]),
    )
    told = await client.fetch_order_book(unified, 1_000)
    book = client.orderbooks[unified]
    assert book["nonce"] == told["nonce"]
    for side in ("bids", "asks"):
        assert [list(level) for level in book[side]] == told[side]


async def test_what_is_no_longer_watched_is_forgotten(market: Venue) -> None:
    async with ccxt_client("binance", await market.account()) as client:

        async def watch() -> None:
            await soon(client.watch_trades(SPOT))
            await soon(client.watch_ticker(SPOT))
            await soon(client.watch_tickers([SPOT]))
            await soon(client.watch_bids_asks([SPOT]))
            await soon(client.watch_ohlcv(SPOT, "1m"))
            await soon(client.watch_ohlcv_for_symbols([[SPOT, "5m"]]))
            await soon(client.watch_order_book(SPOT))
            assert await soon(client.un_watch_trades(SPOT))
            assert await soon(client.un_watch_ticker(SPOT))
            assert await soon(client.un_watch_tickers([SPOT]))
            assert await soon(client.un_watch_bids_asks([SPOT]))
            assert await soon(client.un_watch_ohlcv(SPOT, "1m"))
            assert await soon(client.un_watch_ohlcv_for_symbols([[SPOT, "5m"]]))
            assert await soon(client.un_watch_order_book(SPOT))
            assert SPOT not in client.orderbooks
            await soon(client.watch_trades_for_symbols([SPOT]))
            await soon(client.watch_order_book_for_symbols([SPOT]))
            assert await soon(client.un_watch_trades_for_symbols([SPOT]))
            assert await soon(client.un_watch_order_book_for_symbols([SPOT]))
            # And it can be watched again.
            assert await soon(client.watch_trades(SPOT))

        await lively(market, watch)
