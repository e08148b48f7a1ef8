"""ccxt reads the markets of futures here unchanged: books, trades, tickers, candles, marks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import ccxt
import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import Library
from tests.exchange.gateway.binance.clients.ccxt_futures import (
    INVERSE,
    LINEAR,
    Futures,
    by_each,
    ccxt_futures,
    funded,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
CLOSES = (49_995, 50_000, 50_005)  # Of one minute each.


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    """Both perpetuals, traded in three minutes after a funding."""
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        now_ms = found.rig.doors.board.time_ms
        await found.pass_time(-now_ms % (8 * HOUR_MS))
        for price in CLOSES:
            for futures in (LINEAR, INVERSE):
                qty = "0.1" if futures is LINEAR else "30"
                await found.trade(futures.symbol, str(price), qty)
            await found.pass_time(MINUTE_MS)
        await found.kept()
        yield found


@by_each
async def test_markets_currencies_time_and_status(
    market: Venue, futures: Futures, library: Library
) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        markets = await client.load_markets()
        contract = markets[futures.unified]
        assert (contract["id"], contract["swap"], contract["active"]) == (futures.name, True, True)
        assert (contract["linear"], contract["inverse"]) == (futures is LINEAR, futures is INVERSE)
        assert contract["settle"] == futures.settle
        assert contract["contractSize"] == (1 if futures is LINEAR else 100)
        assert contract["precision"]["price"] == 0.1
        assert contract["precision"]["amount"] == (0.001 if futures is LINEAR else 1)
        assert {each["symbol"] for each in await client.fetch_markets()} == set(markets)
        limits = await client.fetch_trading_limits([futures.unified])
        assert limits[futures.unified]["min"] == contract["limits"]["amount"]["min"]
        assert "BTC" in await client.fetch_currencies()
        wall_ms = market.rig.doors.clock.wall_ms()
        assert abs(await client.fetch_time() - wall_ms) < MINUTE_MS
        assert (await client.fetch_status())["status"] == "ok"


@by_each
async def test_tickers_say_what_was_traded_and_what_is_quoted(
    market: Venue, futures: Futures, library: Library
) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        symbol = futures.unified
        ticker = await client.fetch_ticker(symbol)
        assert (ticker["open"], ticker["last"], ticker["change"]) == (49_995, 50_005, 10)
        assert (ticker["high"], ticker["low"]) == (50_005, 49_995)
        # Three trades of 0.1 coins; or of 30 contracts, 3,000 USD each.
        coins = 0.3 if futures is LINEAR else sum(3_000 / close for close in CLOSES)
        assert ticker["baseVolume"] == pytest.approx(coins, rel=1e-6)
        assert (await client.fetch_tickers())[symbol]["last"] == 50_005
        assert (await client.fetch_last_prices([symbol]))[symbol]["price"] == 50_005
        quotes = (await client.fetch_bids_asks([symbol]))[symbol]
        assert (quotes["bid"], quotes["ask"]) == (49_990, 50_010)


@by_each
async def test_books_and_trades(market: Venue, futures: Futures, library: Library) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        symbol, depth = futures.unified, market.rig.doors.board.depth
        for book in (
            await client.fetch_order_book(symbol),
            await client.fetch_order_book(symbol, 5),
            await client.fetch_l2_order_book(symbol),
        ):
            assert [level[0] for level in book["bids"]] == [49_990, 49_980]
            assert [level[0] for level in book["asks"]] == [50_010, 50_020]
            assert book["nonce"] == depth.last_id(futures.symbol)
            assert book["timestamp"] == market.rig.doors.board.time_ms
        trades = await client.fetch_trades(symbol)
        assert [each["price"] for each in trades] == list(CLOSES)
        assert {each["side"] for each in trades} == {"buy"}
        since = await client.fetch_trades(symbol, trades[1]["timestamp"])
        assert [each["id"] for each in since] == [each["id"] for each in trades[1:]]


@by_each
async def test_candles_of_trades_marks_and_indexes(
    market: Venue, futures: Futures, library: Library
) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        symbol = futures.unified
        candles = await client.fetch_ohlcv(symbol, "1m", limit=4)
        assert [candle[4] for candle in candles] == [*CLOSES, CLOSES[-1]]
        # ccxt tells the volume of both in coins: 0.1 of them, or 30 contracts of 100 USD each.
        coins = [0.1 if futures is LINEAR else 3_000 / close for close in CLOSES]
        assert [candle[5] for candle in candles[:3]] == pytest.approx(coins, rel=1e-6)
        first_ms = candles[1][0]
        since = await client.fetch_ohlcv(symbol, "1m", first_ms, 2)
        assert [candle[0] for candle in since] == [first_ms, first_ms + MINUTE_MS]
        marks = await client.fetch_mark_ohlcv(symbol, "1m", limit=3)
        assert all(49_990 <= candle[4] <= 50_010 for candle in marks)
        indexes = await client.fetch_index_ohlcv(symbol, "1m", limit=3)
        assert [candle[4] for candle in indexes] == [50_000] * 3


@by_each
async def test_marks_and_funding(market: Venue, futures: Futures, library: Library) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        symbol = futures.unified
        mark = await client.fetch_mark_price(symbol)
        assert mark["info"]["symbol"] == futures.name
        assert (await client.fetch_mark_prices([symbol]))[symbol]["markPrice"] == mark["markPrice"]
        assert mark["indexPrice"] == 50_000
        rate = await client.fetch_funding_rate(symbol)
        now_ms = market.rig.doors.board.time_ms
        assert rate["fundingTimestamp"] == now_ms - now_ms % (8 * HOUR_MS) + 8 * HOUR_MS
        assert (await client.fetch_funding_rates([symbol]))[symbol]["indexPrice"] == 50_000
        (charged,) = await client.fetch_funding_rate_history(symbol)
        assert charged["timestamp"] == now_ms - now_ms % (8 * HOUR_MS)
        assert abs(charged["fundingRate"]) <= 0.003
        assert (await client.fetch_funding_intervals([symbol]))[symbol]["interval"] == "8h"
        assert (await client.fetch_funding_interval(symbol))["interval"] == "8h"


@by_each
async def test_open_interest_is_what_all_hold_long(
    market: Venue, futures: Futures, library: Library
) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        interest = await client.fetch_open_interest(futures.unified)
        # Three buyers opened 0.1 coins each, or 30 contracts, from as many sellers.
        expected = 0.3 if futures is LINEAR else 90
        assert interest["openInterestAmount"] == pytest.approx(expected)


@by_each
async def test_tiers_and_fees(market: Venue, futures: Futures, library: Library) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        symbol = futures.unified
        tiers = (await client.fetch_leverage_tiers([symbol]))[symbol]
        assert tiers[0]["maxLeverage"] == 125
        leverages = [tier["maxLeverage"] for tier in tiers]
        assert leverages == sorted(leverages, reverse=True)
        assert [tier["minNotional"] for tier in tiers[1:]] == [
            tier["maxNotional"] for tier in tiers[:-1]
        ]
        assert await client.fetch_market_leverage_tiers(symbol) == tiers
        fee = await client.fetch_trading_fee(symbol)
        assert 0 < fee["maker"] < fee["taker"] < 0.001
        # ccxt tells the fees of a tier from tables of its own.
        params = {"type": "swap", "subType": futures.account}
        assert symbol in await client.fetch_trading_fees(params)


async def test_the_class_of_spot_reads_contracts_too(market: Venue) -> None:
    swap = LINEAR._replace(kind="binance")
    options = {"options": {"defaultType": "swap"}}
    async with ccxt_futures(swap, "ccxt", await funded(market), **options) as client:
        assert (await client.fetch_ticker("BTC/USDT:USDT"))["last"] == 50_005
        assert (await client.fetch_ticker("BTC/USD:BTC"))["last"] == 50_005
        assert (await client.fetch_balance())["USDT"]["total"] == 100_000
        assert set(await client.fetch_tickers()) == {"BTC/USDT:USDT", "ETH/USDT:USDT"}
        inverse = await client.fetch_tickers(None, {"subType": "inverse"})
        assert set(inverse) == {"BTC/USD:BTC"}
        with pytest.raises(ccxt.BadSymbol):
            await client.fetch_ticker("DOGE/USDT:USDT")
