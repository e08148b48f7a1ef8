"""ccxt reads what has been on futures here unchanged: premiums, open interest, margin moved."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import Library
from tests.exchange.gateway.binance.clients.ccxt_futures import (
    FUTURES,
    LINEAR,
    Futures,
    by_each,
    ccxt_futures,
    funded,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE_MS = 60_000
ACCOUNTS = ("longAccount", "shortAccount")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    """Contracts that somebody opened a quarter of an hour ago, and more of them ten minutes ago."""
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        now_ms = found.rig.doors.board.time_ms
        await found.pass_time(-now_ms % (5 * MINUTE_MS))
        for _ in range(3):
            for futures in FUTURES:
                await found.trade(futures.symbol, "50000", "0.1" if futures is LINEAR else "30")
            await found.pass_time(5 * MINUTE_MS)
        await found.kept()
        yield found


@by_each
async def test_candles_of_the_premium(market: Venue, futures: Futures, library: Library) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        candles = await client.fetch_premium_index_ohlcv(futures.unified, "5m", limit=3)
        assert len(candles) == 3
        # The maker's quotes lie on both sides of the index: there is no premium.
        assert {value for candle in candles for value in candle[1:5]} == {0}


@by_each
async def test_open_interest_period_by_period(
    market: Venue, futures: Futures, library: Library
) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        past = await client.fetch_open_interest_history(futures.unified, "5m", limit=3)
        steps = [0.1, 0.2, 0.3] if futures is LINEAR else [30, 60, 90]
        assert [each["openInterestAmount"] for each in past] == pytest.approx(steps)
        times = [each["timestamp"] for each in past]
        assert times == [times[0] + at * 5 * MINUTE_MS for at in range(3)]


@by_each
async def test_accounts_that_are_long_by_those_that_are_short(
    market: Venue, futures: Futures, library: Library
) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        past = await client.fetch_long_short_ratio_history(futures.unified, "5m", None, 3)
        # All the while one account is long, and one short.
        assert [each["longShortRatio"] for each in past] == [1, 1, 1]


@by_each
async def test_top_traders_by_the_names_of_paths(
    market: Venue, futures: Futures, library: Library
) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        asked, named, positions = (
            {"pair": "BTCUSD"},
            "dapiDataGet",
            ("longPosition", "shortPosition"),
        )
        if futures is LINEAR:
            asked, named, positions = {"symbol": "BTCUSDT"}, "fapiDataGet", ACCOUNTS
        # Of the two who hold as much one is on top.
        for what, names in (("Account", ACCOUNTS), ("Position", positions)):
            ask = getattr(client, f"{named}TopLongShort{what}Ratio")
            past = await ask({**asked, "period": "5m", "limit": 3})
            assert [{each[name] for name in names} for each in past] == [{"1.0000", "0.0000"}] * 3


@by_each
async def test_margin_that_was_added_and_taken_back(
    market: Venue, futures: Futures, library: Library
) -> None:
    symbol, amount = futures.unified, futures.margin
    async with ccxt_futures(futures, library, await funded(market)) as client:
        await client.set_margin_mode("isolated", symbol)
        await client.create_order(symbol, "market", "buy", futures.qty)
        await client.add_margin(symbol, amount)
        await client.reduce_margin(symbol, amount / 2)
        await market.kept()
        changes = await client.fetch_margin_adjustment_history(symbol)
        by_hand = [each for each in changes if each["info"]["deltaType"] == "USER_ADJUST"]
        assert [(each["type"], abs(each["amount"])) for each in by_hand] == [
            ("add", amount),
            ("reduce", amount / 2),
        ]
        assert {each["code"] for each in changes} == {futures.settle}
