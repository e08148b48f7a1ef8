"""Every endpoint of public market data."""

from __future__ import annotations

from exchange.gateway.binance.market import (
    books,
    exchange_info,
    futures_info,
    klines,
    marks,
    sentiment,
    tickers,
    trades,
)

ROUTES = (
    *exchange_info.ROUTES,
    *futures_info.ROUTES,
    *books.ROUTES,
    *trades.ROUTES,
    *klines.ROUTES,
    *tickers.ROUTES,
    *marks.ROUTES,
    *sentiment.ROUTES,
)
