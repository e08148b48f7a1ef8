"""What python-binance asks of markets: spot, USD-M and COIN-M, in the shapes it knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
from binance import AsyncClient
from binance.enums import HistoricalKlinesType

from tests.exchange.gateway.binance.clients.pointing import python_binance
from tests.exchange.gateway.binance.clients.venue import Venue, venue
from tests.exchange.gateway.rig import START_MS

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE_MS: Final = 60_000
PAIR, PERP, COIN = {"symbol": "BTCUSDT"}, {"symbol": "BTCUSDT"}, {"symbol": "BTCUSD_PERP"}
# Three trades in the first minute: 0.5 at 50,000, 0.25 at 50,005, 0.125 at 49,995.
TRADED: Final = (("50000", "0.5"), ("50005", "0.25"), ("49995", "0.125"))
VOLUME: Final = 0.875
QUOTED: Final = 25_000 + 12_501.25 + 6_249.375
CONTRACTS: Final = (("50000", "4"), ("50005", "2"), ("49995", "1"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def traded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    """A venue where three trades were made on each market, and two minutes went by since."""
    async with venue(tmp_path_factory.mktemp("market")) as found:
        for symbol in ("BTC-USDT", "BTC-USDT-PERP"):
            for price, qty in TRADED:
                await found.trade(symbol, price, qty)
        for price, qty in CONTRACTS:
            await found.trade("BTC-USD-PERP", price, qty)
        await found.pass_time(2 * MINUTE_MS)
        await found.kept()
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(traded: Venue) -> AsyncIterator[AsyncClient]:
    async with python_binance(await traded.account()) as found:
        yield found


class Asked(NamedTuple):
    """A method, what it is asked with, and what must hold of the answer."""

    method: str
    fields: dict[str, Any]
    holds: Callable[[Any], bool]

    def __str__(self) -> str:
        return self.method


def best(book: Any) -> tuple[float, ...]:
    """The best prices of a book and what lies there."""
    return tuple(float(each) for side in ("bids", "asks") for each in book[side][0])


def quoted(ticker: Any) -> tuple[float, float]:
    """The prices of a book ticker."""
    return float(ticker["bidPrice"]), float(ticker["askPrice"])


def told(candles: Any) -> bool:
    """The first minute's candle of the three trades, and a flat one behind it."""
    first, second = candles[0], candles[1]
    assert [float(each) for each in first[1:5]] == [50_000, 50_005, 49_995, 49_995]
    assert (float(first[5]), first[8]) in {(VOLUME, 3), (7, 3)}
    assert (second[0] - first[0], second[1], float(second[5])) == (MINUTE_MS, first[4], 0)
    return bool(first[6] == second[0] - 1 and len(first) == 12)


def steady(candles: Any) -> bool:
    """Candles of an index that has stood at 50,000."""
    assert [float(each) for each in candles[-1][1:5]] == [50_000] * 4
    return bool(candles[-1][6] - candles[-1][0] == MINUTE_MS - 1)


def sold(trades: Any) -> bool:
    """The three trades, each of which somebody bought who came second."""
    assert [float(each["price"]) for each in trades] == [50_000, 50_005, 49_995]
    assert [each["id"] for each in trades] == [1, 2, 3]
    return all(each["isBuyerMaker"] is False for each in trades)


def summed(trades: Any) -> bool:
    """The three trades as aggregates."""
    assert [(each["a"], each["f"], each["l"]) for each in trades] == [(n, n, n) for n in (1, 2, 3)]
    return [float(each["p"]) for each in trades] == [50_000, 50_005, 49_995]


def day(ticker: Any) -> bool:
    """The day's change is what its prices say."""
    change = float(ticker["lastPrice"]) - float(ticker["openPrice"])
    assert float(ticker["priceChange"]) == change == -5
    assert (float(ticker["highPrice"]), float(ticker["lowPrice"])) == (50_005, 49_995)
    return bool(ticker["count"] == 3 and ticker["firstId"] == 1)


def named(rows: Any, name: str, key: str = "symbol") -> Any:
    """The row of a symbol."""
    return next(row for row in rows if row[key] == name)


MINUTES: Final = {"interval": "1m", "startTime": START_MS}
SPOT: Final = (
    Asked("ping", {}, lambda said: said == {}),
    Asked("get_server_time", {}, lambda said: said["serverTime"] > START_MS),
    Asked(
        "get_exchange_info",
        {},
        lambda said: {each["symbol"] for each in said["symbols"]} == {"BTCUSDT", "ETHUSDT"},
    ),
    Asked(
        "get_symbol_info",
        PAIR,
        lambda said: named(said["filters"], "LOT_SIZE", "filterType")["stepSize"] == "0.00001000",
    ),
    Asked("get_order_book", PAIR, lambda said: best(said) == (49_990, 1, 50_010, 1)),
    Asked("get_recent_trades", PAIR, sold),
    Asked("get_historical_trades", PAIR | {"fromId": 1}, sold),
    Asked("get_aggregate_trades", PAIR, summed),
    Asked("get_klines", PAIR | MINUTES, told),
    Asked("get_ui_klines", PAIR | MINUTES, told),
    # Volume-weighted: 43,750.625 over 0.875.
    Asked("get_avg_price", PAIR, lambda said: float(said["price"]) == round(QUOTED / VOLUME, 8)),
    Asked("get_ticker", PAIR, lambda said: day(said) and float(said["quoteVolume"]) == QUOTED),
    Asked("get_symbol_ticker_window", PAIR | {"windowSize": "1h"}, day),
    Asked("v3_get_ticker_trading_day", PAIR, day),
    Asked("get_symbol_ticker", PAIR, lambda said: said["price"] == "49995.00000000"),
    Asked("get_all_tickers", {}, lambda said: named(said, "BTCUSDT")["price"] == "49995.00000000"),
    Asked("get_orderbook_ticker", PAIR, lambda said: quoted(said) == (49_990, 50_010)),
    Asked(
        "get_orderbook_tickers",
        {},
        lambda said: quoted(named(said, "BTCUSDT")) == (49_990, 50_010),
    ),
    Asked("get_system_status", {}, lambda said: said["status"] == 0),
)
PERPETUAL: Final = {"pair": "BTCUSDT", "contractType": "PERPETUAL"}
LINEAR: Final = (
    Asked("futures_ping", {}, lambda said: said == {}),
    Asked("futures_time", {}, lambda said: said["serverTime"] > START_MS),
    Asked(
        "futures_exchange_info",
        {},
        lambda said: named(said["symbols"], "BTCUSDT")["contractType"] == "PERPETUAL",
    ),
    Asked("futures_order_book", PERP, lambda said: best(said) == (49_990, 1, 50_010, 1)),
    Asked("futures_recent_trades", PERP, sold),
    Asked("futures_historical_trades", PERP, sold),
    Asked("futures_aggregate_trades", PERP, summed),
    Asked("futures_klines", PERP | MINUTES, told),
    Asked("futures_continuous_klines", PERPETUAL | MINUTES, told),
    Asked("futures_mark_price_klines", PERP | MINUTES, lambda said: len(said) >= 2),
    Asked("futures_index_price_klines", {"pair": "BTCUSDT"} | MINUTES, steady),
    Asked("futures_mark_price", PERP, lambda said: float(said["indexPrice"]) == 50_000),
    Asked("futures_ticker", PERP, lambda said: day(said) and "bidPrice" not in said),
    Asked("futures_symbol_ticker", PERP, lambda said: float(said["price"]) == 49_995),
    Asked("futures_orderbook_ticker", PERP, lambda said: quoted(said) == (49_990, 50_010)),
    Asked("futures_funding_rate", PERP, lambda said: said == []),  # Told by another test.
    Asked(
        "futures_v1_get_funding_info",
        {},
        lambda said: named(said, "BTCUSDT")["fundingIntervalHours"] == 8,
    ),
    # The three buyers are long 0.5, 0.25 and 0.125.
    Asked("futures_open_interest", PERP, lambda said: float(said["openInterest"]) == VOLUME),
)
COINED: Final = {"pair": "BTCUSD", "contractType": "PERPETUAL"}
INVERSE: Final = (
    Asked("futures_coin_ping", {}, lambda said: said == {}),
    Asked("futures_coin_time", {}, lambda said: said["serverTime"] > START_MS),
    Asked(
        "futures_coin_exchange_info",
        {},
        lambda said: named(said["symbols"], "BTCUSD_PERP")["contractSize"] == 100,
    ),
    Asked("futures_coin_order_book", COIN, lambda said: best(said) == (49_990, 500, 50_010, 500)),
    Asked("futures_coin_recent_trades", COIN, sold),
    Asked("futures_coin_historical_trades", COIN, sold),
    Asked("futures_coin_aggregate_trades", COIN, summed),
    Asked("futures_coin_klines", COIN | MINUTES, told),
    Asked("futures_coin_continous_klines", COINED | MINUTES, told),
    Asked("futures_coin_mark_price_klines", COIN | MINUTES, lambda said: len(said) >= 2),
    Asked("futures_coin_index_price_klines", {"pair": "BTCUSD"} | MINUTES, steady),
    Asked("futures_coin_mark_price", COIN, lambda said: float(said[0]["indexPrice"]) == 50_000),
    Asked("futures_coin_ticker", COIN, lambda said: day(said[0])),
    Asked("futures_coin_symbol_ticker", COIN, lambda said: float(said[0]["price"]) == 49_995),
    Asked("futures_coin_orderbook_ticker", COIN, lambda said: quoted(said[0]) == (49_990, 50_010)),
    Asked("futures_coin_funding_rate", COIN, lambda said: said == []),  # Told by another test.
    Asked(
        "futures_coin_v1_get_funding_info",
        {},
        lambda said: named(said, "BTCUSD_PERP")["fundingIntervalHours"] == 8,
    ),
    # The three buyers are long 4, 2 and 1 contracts.
    Asked("futures_coin_open_interest", COIN, lambda said: float(said["openInterest"]) == 7),
)


@pytest.mark.parametrize("asked", SPOT, ids=str)
async def test_what_spot_tells_of_its_market(client: AsyncClient, asked: Asked) -> None:
    assert asked.holds(await getattr(client, asked.method)(**asked.fields))


@pytest.mark.parametrize("asked", LINEAR, ids=str)
async def test_what_usd_m_tells_of_its_market(client: AsyncClient, asked: Asked) -> None:
    assert asked.holds(await getattr(client, asked.method)(**asked.fields))


@pytest.mark.parametrize("asked", INVERSE, ids=str)
async def test_what_coin_m_tells_of_its_market(client: AsyncClient, asked: Asked) -> None:
    assert asked.holds(await getattr(client, asked.method)(**asked.fields))


async def test_all_aggregates_are_walked_through(client: AsyncClient) -> None:
    walked = [each async for each in client.aggregate_trade_iter("BTCUSDT", last_id=1)]
    assert [each["a"] for each in walked] == [2, 3]
    assert summed([each async for each in client.aggregate_trade_iter("BTCUSDT")])


async def test_candles_of_the_past_are_found_from_any_start(client: AsyncClient) -> None:
    # It first asks for the oldest candle there is (startTime=0&limit=1), then for pages of them.
    candles = await client.get_historical_klines("BTCUSDT", "1m", START_MS - 10 * MINUTE_MS)
    assert candles[0][0] == START_MS
    assert told(candles)
    walked = await client.get_historical_klines_generator("BTCUSDT", "1m", START_MS, limit=2)
    assert [each async for each in walked] == candles
    kinds = (HistoricalKlinesType.FUTURES, HistoricalKlinesType.FUTURES_COIN)
    for kind, symbol in zip(kinds, ("BTCUSDT", "BTCUSD_PERP"), strict=True):
        assert told(await client.get_historical_klines(symbol, "1m", START_MS, klines_type=kind))
    assert told(await client.futures_historical_klines("BTCUSDT", "1m", START_MS))
    generator = await client.futures_historical_klines_generator("BTCUSDT", "1m", START_MS)
    assert told([each async for each in generator])


async def test_funding_that_was_paid_is_told(traded: Venue, client: AsyncClient) -> None:
    await traded.pass_time(16 * 60 * MINUTE_MS)  # Two instants of eight hours.
    await traded.kept()
    for method, symbol in (
        ("futures_funding_rate", "BTCUSDT"),
        ("futures_coin_funding_rate", "BTCUSD_PERP"),
    ):
        first, second = await getattr(client, method)(symbol=symbol)
        assert second["fundingTime"] - first["fundingTime"] == 8 * 60 * MINUTE_MS
        assert abs(float(first["fundingRate"])) <= 0.03
        assert float(first["markPrice"]) > 49_000


async def test_what_is_kept_by_period_is_told(traded: Venue, client: AsyncClient) -> None:
    await traded.pass_time(10 * MINUTE_MS)
    fives: dict[str, Any] = {"period": "5m", "limit": 1}
    (linear,) = await client.futures_open_interest_hist(**PERP, **fives)
    assert float(linear["sumOpenInterest"]) == VOLUME
    (holders,) = await client.futures_global_longshort_ratio(**PERP, **fives)
    # One account is long what another is short; the maker holds nothing.
    assert (holders["longAccount"], holders["longShortRatio"]) == ("0.5000", "1.0000")
    # Of these two one is on top, with all that the top holds.
    for of_top in (
        client.futures_top_longshort_account_ratio,
        client.futures_top_longshort_position_ratio,
    ):
        (top,) = await of_top(**PERP, **fives)
        assert {top["longAccount"], top["shortAccount"]} == {"1.0000", "0.0000"}
    (inverse,) = await client.futures_coin_open_interest_hist(**COINED, **fives)
    assert float(inverse["sumOpenInterest"]) == 7
    # Everybody bought who came second, in the first five minutes.
    (ratio,) = await client.futures_taker_longshort_ratio(**PERP, **fives, startTime=START_MS)
    assert (float(ratio["buyVol"]), float(ratio["sellVol"])) == (VOLUME, 0)
    for candles in (
        await client.futures_premium_index_klines(**PERP, interval="1m"),
        await client.futures_coin_premium_index_klines(**COIN, interval="1m"),
    ):
        # The book's middle lies at the index or below by a five-thousandth at most.
        assert abs(float(candles[-1][4])) <= 0.0002
