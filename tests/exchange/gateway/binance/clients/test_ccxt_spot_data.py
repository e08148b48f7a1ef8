"""ccxt reads a spot market here unchanged: markets, books, trades, tickers, candles."""

from __future__ import annotations

from collections.abc import AsyncIterator

import ccxt
import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import (
    SPOT,
    Library,
    by_both,
    ccxt_rest,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue
from tests.exchange.gateway.rig import START_MS

pytestmark = pytest.mark.asyncio(loop_scope="module")

ETH = "ETH/USDT"
MINUTE_MS = 60_000
CLOSES = (2_500, 2_510, 2_520, 2_530)  # Of one minute each.


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    """The quoted pair, of which something was traded; and another, traded in four minutes."""
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        taker = await found.account(spot="BTC")
        await taker.order("BTC-USDT", "buy", "0.02")  # At 50,010,
        await taker.order("BTC-USDT", "sell", "0.01")  # and at 49,990.
        seller = await found.account(spot="ETH")
        # The next full minute: candles begin with it.
        now_ms = found.rig.doors.board.time_ms
        await found.pass_time(-now_ms % MINUTE_MS)
        for price in CLOSES:
            await seller.order("ETH-USDT", "sell", "0.1", price=str(price))
            await taker.order("ETH-USDT", "buy", "0.1", price=str(price))
            await found.pass_time(MINUTE_MS)
        yield found


@by_both
async def test_markets_currencies_time_and_status(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        markets = await client.load_markets()
        assert {SPOT, ETH, "BTC/USDT:USDT", "BTC/USD:BTC"} <= set(markets)
        pair = markets[SPOT]
        assert (pair["spot"], pair["margin"], pair["active"]) == (True, True, True)
        assert (pair["precision"]["price"], pair["precision"]["amount"]) == (0.01, 0.00001)
        assert pair["marginModes"] == {"cross": True, "isolated": True}
        assert pair["limits"]["cost"]["min"] > 0
        assert {each["symbol"] for each in await client.fetch_markets()} == set(markets)
        currencies = await client.fetch_currencies()
        bitcoin = currencies["BTC"]
        assert (bitcoin["active"], bitcoin["deposit"], bitcoin["withdraw"]) == (True, False, False)
        limits = await client.fetch_trading_limits([SPOT])
        assert limits[SPOT]["min"] == pair["limits"]["amount"]["min"]
        wall_ms = market.rig.doors.clock.wall_ms()
        assert abs(await client.fetch_time() - wall_ms) < MINUTE_MS
        assert (await client.fetch_status())["status"] == "ok"


@by_both
async def test_tickers_say_what_was_traded_and_what_is_quoted(
    market: Venue, library: Library
) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        ticker = await client.fetch_ticker(SPOT)
        assert (ticker["bid"], ticker["ask"]) == (49_990, 50_010)
        assert (ticker["open"], ticker["last"]) == (50_010, 49_990)
        assert (ticker["high"], ticker["low"], ticker["change"]) == (50_010, 49_990, -20)
        assert ticker["baseVolume"] == pytest.approx(0.03)
        # 0.02 at 50,010 and 0.01 at 49,990.
        assert ticker["quoteVolume"] == pytest.approx(1_000.2 + 499.9)
        tickers = await client.fetch_tickers()
        assert tickers[SPOT]["last"] == ticker["last"]
        assert tickers[ETH]["last"] == CLOSES[-1]
        assert set(await client.fetch_tickers([ETH])) == {ETH}
        quotes = await client.fetch_bids_asks()
        assert (quotes[SPOT]["bid"], quotes[SPOT]["ask"]) == (49_990, 50_010)
        assert quotes[SPOT]["askVolume"] == pytest.approx(0.98)  # 1, and 0.02 was taken.
        assert set(await client.fetch_bids_asks([SPOT])) == {SPOT}
        prices = await client.fetch_last_prices([SPOT, ETH])
        assert {name: each["price"] for name, each in prices.items()} == {
            SPOT: 49_990,
            ETH: CLOSES[-1],
        }


@by_both
async def test_a_book_is_read_in_every_depth(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        for limit in (None, 1, 5, 10, 20, 50, 100, 500, 1_000, 5_000):
            book = await client.fetch_order_book(SPOT, limit)
            asks = [[50_010, 0.98], [50_020, 1]][: limit or 2]
            assert book["asks"] == [pytest.approx(level) for level in asks]
            assert len(book["bids"]) == len(asks)
            assert book["nonce"] == market.rig.doors.board.depth.last_id("BTC-USDT")
        merged = await client.fetch_l2_order_book(SPOT)
        assert merged["bids"][0] == pytest.approx([49_990, 0.99])


@by_both
async def test_trades_by_each_of_the_three_endpoints(market: Venue, library: Library) -> None:
    methods = ("publicGetAggTrades", "publicGetTrades", "publicGetHistoricalTrades")
    async with ccxt_rest(library, await market.account()) as client:
        for method in methods:
            by = {"fetchTradesMethod": method}
            trades = await client.fetch_trades(SPOT, None, None, dict(by))
            assert [(each["side"], each["price"], each["amount"]) for each in trades] == [
                ("buy", 50_010, 0.02),
                ("sell", 49_990, 0.01),
            ]
            assert [each["timestamp"] for each in trades] == [trades[0]["timestamp"]] * 2
            (last,) = await client.fetch_trades(SPOT, None, 1, dict(by))
            assert last["id"] == trades[-1]["id"]
        before = {"until": START_MS - 1}
        assert await client.fetch_trades(SPOT, START_MS - MINUTE_MS, None, before) == []
        assert len(await client.fetch_trades(SPOT, START_MS, 10)) == 2


@by_both
async def test_candles_of_every_timeframe(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        for timeframe in client.timeframes:
            candles = await client.fetch_ohlcv(ETH, timeframe)
            times = [each[0] for each in candles]
            if timeframe != "1M":  # Months have no length.
                length_ms = ccxt.Exchange.parse_timeframe(timeframe) * 1_000
                assert times == list(range(times[0], times[-1] + 1, length_ms))
            assert candles[-1][4] == CLOSES[-1]
            assert sum(each[5] for each in candles) == pytest.approx(0.4)


@by_both
async def test_candles_since_until_and_by_pages(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        minutes = await client.fetch_ohlcv(ETH, "1m")
        first_ms = next(each[0] for each in minutes if each[5])
        span = [first_ms + n * MINUTE_MS for n in range(len(CLOSES))]
        assert [each[0] for each in await client.fetch_ohlcv(ETH, "1m", first_ms, 4)] == span
        two = await client.fetch_ohlcv(ETH, "1m", span[1], 2)
        # Each minute opens at the close before it, unless something was traded in it first.
        assert [(each[0], each[4]) for each in two] == [(span[1], 2_510), (span[2], 2_520)]
        until = {"until": span[2]}
        assert [each[0] for each in await client.fetch_ohlcv(ETH, "1m", span[0], None, until)] == (
            span[:3]
        )
        pages = {"paginate": True, "until": span[3], "paginationCalls": 2}
        paged = await client.fetch_ohlcv(ETH, "1m", first_ms, 2, pages)
        assert [each[0] for each in paged][:2] == span[:2]
