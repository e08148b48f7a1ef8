"""Every endpoint of accounts, wallets and loans."""

from __future__ import annotations

from exchange.gateway.binance.accounts import (
    capital,
    dust,
    isolated,
    liquidations,
    loans,
    margin,
    pairs,
    rates,
    settings,
    spot,
    status,
    transfers,
)

ROUTES = (
    *spot.ROUTES,
    *capital.ROUTES,
    *dust.ROUTES,
    *status.ROUTES,
    *pairs.ROUTES,
    *transfers.ROUTES,
    *loans.ROUTES,
    *margin.ROUTES,
    *isolated.ROUTES,
    *rates.ROUTES,
    *settings.ROUTES,
    *liquidations.ROUTES,
)
