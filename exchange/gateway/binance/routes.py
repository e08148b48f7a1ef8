"""Every endpoint of the Binance door, and how one is found by its path or its method."""

from __future__ import annotations

from typing import Final

from exchange.gateway.binance import general
from exchange.gateway.binance.accounts import routes as accounts
from exchange.gateway.binance.calls import Api, Route
from exchange.gateway.binance.futures import routes as futures
from exchange.gateway.binance.market import routes as market
from exchange.gateway.binance.spot import orders as spot
from exchange.gateway.binance.user_data import routes as user_data

ROUTES: Final[tuple[Route, ...]] = (
    *general.ROUTES,
    *accounts.ROUTES,
    *market.ROUTES,
    *futures.ROUTES,
    *spot.ROUTES,
    *user_data.ROUTES,
)

BY_PATH: Final = {(route.verb, route.path): route for route in ROUTES}
BY_METHOD: Final[dict[tuple[Api, str], Route]] = {
    (route.api, route.method): route for route in ROUTES if route.method
}

assert len(BY_PATH) == len(ROUTES), "each endpoint is served once"
