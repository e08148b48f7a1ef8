"""Trades one by one, and gathered by the order that took them."""

from __future__ import annotations

from typing import Any

from tests.exchange.gateway.binance.market.conftest import Market
from tests.exchange.gateway.rig import START_MS

AGGREGATES = "/api/v3/aggTrades?symbol=BTCUSDT"


async def swept(market: Market) -> None:
    """A taker meets two orders at one price and one at the next: trades 1 to 3; then trade 4."""
    for price, qty in (("50000", "0.01"), ("50000", "0.02"), ("50001", "0.03")):
        await market.maker.order("BTC-USDT", "sell", qty, price=price)
    await market.taker.order("BTC-USDT", "buy", "0.06", price="50001")
    await market.pass_time(1_000)
    await market.trade("50000", "0.01")


def ids(said: list[dict[str, Any]]) -> list[tuple[int, int, int]]:
    return [(each["a"], each["f"], each["l"]) for each in said]


async def test_trades_are_told_oldest_first(market: Market) -> None:
    await swept(market)
    said = await market.get("/api/v3/trades?symbol=BTCUSDT&limit=2")
    assert [each["id"] for each in said] == [3, 4]
    # 0.03 x 50,001 = 1,500.03.
    assert said[0] == {
        "id": 3,
        "price": "50001.00000000",
        "qty": "0.03000000",
        "quoteQty": "1500.03000000",
        "time": START_MS,
        "isBuyerMaker": False,
        "isBestMatch": True,
    }
    said = await market.get("/api/v3/historicalTrades?symbol=BTCUSDT&fromId=2&limit=2")
    assert [each["id"] for each in said] == [2, 3]
    said = await market.get("/api/v3/historicalTrades?symbol=BTCUSDT&limit=1")
    assert [each["id"] for each in said] == [4]


async def test_old_trades_of_futures_need_a_key(market: Market) -> None:
    answer = await market.rig.ask("GET", "/fapi/v1/historicalTrades?symbol=BTCUSDT")
    assert (answer.status, answer.json["code"]) == (401, -2014)


async def test_coin_m_tells_a_trade_in_contracts_and_base(market: Market) -> None:
    await market.trade("50000", "5", "BTC-USD-PERP")
    (said,) = await market.get("/dapi/v1/trades?symbol=BTCUSD_PERP")
    # 5 x 100 USD / 50,000 = 0.01 BTC.
    assert (said["qty"], said["baseQty"]) == ("5", "0.01000000")
    assert "isBestMatch" not in said


async def test_what_one_order_took_at_one_price_is_one_aggregate(market: Market) -> None:
    await swept(market)
    said = await market.get(AGGREGATES)
    assert ids(said) == [(1, 1, 2), (3, 3, 3), (4, 4, 4)]
    assert said[0] == {
        "a": 1,
        "p": "50000.00000000",
        "q": "0.03000000",
        "f": 1,
        "l": 2,
        "T": START_MS,
        "m": False,
        "M": True,
    }


async def test_aggregates_are_paged_by_id_without_repeats(market: Market) -> None:
    await swept(market)
    assert ids(await market.get(f"{AGGREGATES}&fromId=1&limit=2")) == [(1, 1, 2), (3, 3, 3)]
    # Trade 2 lies inside the first aggregate: the next one begins at 3.
    assert ids(await market.get(f"{AGGREGATES}&fromId=2")) == [(3, 3, 3), (4, 4, 4)]
    assert ids(await market.get(f"{AGGREGATES}&limit=1")) == [(4, 4, 4)]
    assert ids(await market.get(f"{AGGREGATES}&fromId=99")) == []


async def test_aggregates_within_a_time_include_both_its_ends(market: Market) -> None:
    await swept(market)
    second = START_MS + 1_000
    assert ids(await market.get(f"{AGGREGATES}&startTime={second}")) == [(4, 4, 4)]
    assert len(await market.get(f"{AGGREGATES}&startTime={START_MS}&endTime={second}")) == 3
    assert len(await market.get(f"{AGGREGATES}&startTime=0&endTime={second - 1}")) == 2
    assert ids(await market.get(f"{AGGREGATES}&endTime={START_MS}&limit=1")) == [(3, 3, 3)]
    assert await market.code(f"{AGGREGATES}&fromId=1&startTime=0") == -1128
