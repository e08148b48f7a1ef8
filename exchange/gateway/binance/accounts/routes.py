"""Every endpoint of accounts, wallets and loans."""

from __future__ import annotations

from exchange.gateway.binance.accounts import capital, pairs, spot, status

ROUTES = (*spot.ROUTES, *capital.ROUTES, *status.ROUTES, *pairs.ROUTES)
