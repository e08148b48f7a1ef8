"""Market data is reached by path and, where Binance has one, by method."""

from __future__ import annotations

from exchange.gateway.binance.market.routes import ROUTES


def test_the_websocket_api_of_spot_asks_the_same_handlers() -> None:
    methods = {route.method: route.path for route in ROUTES if route.method and route.api == "api"}
    assert methods == {
        "exchangeInfo": "/api/v3/exchangeInfo",
        "depth": "/api/v3/depth",
        "ticker.book": "/api/v3/ticker/bookTicker",
        "trades.recent": "/api/v3/trades",
        "trades.historical": "/api/v3/historicalTrades",
        "trades.aggregate": "/api/v3/aggTrades",
        "klines": "/api/v3/klines",
        "uiKlines": "/api/v3/uiKlines",
        "ticker.24hr": "/api/v3/ticker/24hr",
        "ticker.price": "/api/v3/ticker/price",
        "avgPrice": "/api/v3/avgPrice",
        "ticker": "/api/v3/ticker",
        "ticker.tradingDay": "/api/v3/ticker/tradingDay",
    }


def test_that_of_futures_has_books_and_prices() -> None:
    for api in ("fapi", "dapi"):
        methods = {route.method for route in ROUTES if route.method and route.api == api}
        assert methods == {"depth", "ticker.book", "ticker.price"}


def test_only_old_trades_of_futures_ask_for_a_key() -> None:
    keyed = {route.path for route in ROUTES if route.security != "N"}
    assert keyed == {"/fapi/v1/historicalTrades", "/dapi/v1/historicalTrades"}
