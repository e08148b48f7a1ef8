"""Pairs are listed with the filters that the engine holds orders to."""

from __future__ import annotations

from tests.exchange.gateway.binance.market.conftest import Market


async def test_every_pair_is_listed_and_one_where_one_is_named(market: Market) -> None:
    said = await market.get("/api/v3/exchangeInfo")
    assert [pair["symbol"] for pair in said["symbols"]] == ["BTCUSDT", "ETHUSDT"]
    assert (said["timezone"], said["exchangeFilters"]) == ("UTC", [])
    assert [(rule["rateLimitType"], rule["limit"]) for rule in said["rateLimits"]] == [
        ("REQUEST_WEIGHT", 6_000),
        ("ORDERS", 100),
        ("ORDERS", 200_000),
        ("RAW_REQUESTS", 61_000),
    ]
    for question in ("symbol=ethusdt", "symbols=%5B%22ETHUSDT%22%5D"):
        (pair,) = (await market.get(f"/api/v3/exchangeInfo?{question}"))["symbols"]
        assert pair["symbol"] == "ETHUSDT"


async def test_a_pair_is_chosen_in_one_way_at_a_time(market: Market) -> None:
    path = "/api/v3/exchangeInfo"
    assert await market.code(f"{path}?symbol=XXXYYY") == -1121
    assert await market.code(f"{path}?symbol=BTCUSDT&symbols=%5B%22ETHUSDT%22%5D") == -1128
    assert await market.code(f"{path}?symbol=BTCUSDT&permissions=SPOT") == -1128
    assert await market.code(f"{path}?symbols=BTCUSDT") == -1102
    assert await market.code(f"{path}?symbols=%5B%5D") == -1102


async def test_permissions_choose_pairs(market: Market) -> None:
    path = "/api/v3/exchangeInfo"
    assert len((await market.get(f"{path}?permissions=MARGIN"))["symbols"]) == 2
    assert len((await market.get(f"{path}?permissions=%5B%22SPOT%22,%22X%22%5D"))["symbols"]) == 2
    assert (await market.get(f"{path}?permissions=LEVERAGED"))["symbols"] == []
    (pair,) = (await market.get(f"{path}?symbol=BTCUSDT&showPermissionSets=false"))["symbols"]
    assert "permissionSets" not in pair
    assert (await market.get(f"{path}?symbolStatus=HALT"))["symbols"] == []


async def test_s9_the_filters_of_a_pair_are_its_own_bounds(market: Market) -> None:
    (pair,) = (await market.get("/api/v3/exchangeInfo?symbol=BTCUSDT"))["symbols"]
    filters = {each.pop("filterType"): each for each in pair["filters"]}
    # A tick of 0.01 up to 10^9 of them; a lot of 0.00001 up to 4 x 10^9 of them.
    assert filters["PRICE_FILTER"] == {
        "minPrice": "0.01000000",
        "maxPrice": "10000000.00000000",
        "tickSize": "0.01000000",
    }
    assert filters["LOT_SIZE"] == filters["MARKET_LOT_SIZE"]
    assert filters["LOT_SIZE"]["minQty"] == filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
    assert filters["PERCENT_PRICE_BY_SIDE"] == {
        "bidMultiplierUp": "1.2000",
        "bidMultiplierDown": "0.2000",
        "askMultiplierUp": "5.0000",
        "askMultiplierDown": "0.8000",
        "avgPriceMins": 5,
    }
    assert filters["MAX_NUM_ORDERS"] == {"maxNumOrders": 200}
    assert filters["MAX_NUM_ALGO_ORDERS"] == {"maxNumAlgoOrders": 20}
    assert filters["ICEBERG_PARTS"] == {"limit": 10}
    assert filters["TRAILING_DELTA"]["maxTrailingBelowDelta"] == 2_000
    assert pair["permissionSets"] == [["SPOT", "MARGIN"]]
    assert pair["permissions"] == []
    assert (pair["status"], pair["isMarginTradingAllowed"]) == ("TRADING", True)


async def test_a_halted_pair_says_so(market: Market) -> None:
    market.rig.doors.board.states["BTC-USDT"] = "halt"
    (pair,) = (await market.get("/api/v3/exchangeInfo?symbol=BTCUSDT"))["symbols"]
    assert pair["status"] == "HALT"
