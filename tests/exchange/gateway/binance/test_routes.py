"""The table of endpoints: what every row must have."""

from __future__ import annotations

from exchange.gateway.binance.calls import PRODUCTS
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.routes import BY_METHOD, BY_PATH, ROUTES


def test_every_endpoint_is_found_and_weighs_something_or_nothing() -> None:
    nothing = Params(())
    for route in ROUTES:
        assert BY_PATH[route.verb, route.path] is route
        assert route.verb in {"GET", "POST", "PUT", "DELETE"}
        assert route.api in PRODUCTS
        assert route.weigh(nothing) >= 0
        assert route.handler.__doc__, route.path


def test_what_trades_or_moves_money_is_signed() -> None:
    for route in ROUTES:
        if route.verb != "GET" and "istenKey" not in route.path and "istenToken" not in route.path:
            assert route.security in set("TMUS"), route.path


def test_methods_of_the_websocket_api_reach_the_handlers_of_rest() -> None:
    assert BY_METHOD["api", "ping"] is BY_PATH["GET", "/api/v3/ping"]
    assert BY_METHOD["fapi", "ping"] is BY_PATH["GET", "/fapi/v1/ping"]
