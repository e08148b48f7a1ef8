"""The futures endpoints are served on both products, over HTTP and as methods."""

from __future__ import annotations

from exchange.gateway.binance.futures.routes import ROUTES
from exchange.gateway.binance.params import Params

METHODS = {
    "order.place",
    "order.modify",
    "order.cancel",
    "order.status",
    "algoOrder.place",
    "algoOrder.cancel",
    "account.position",
    "account.balance",
    "account.status",
}


def test_the_websocket_methods_are_those_of_the_product() -> None:
    found = {(route.api, route.method) for route in ROUTES if route.method}
    newer = {"v2/account.position", "v2/account.balance", "v2/account.status"}
    assert {method for api, method in found if api == "fapi"} == METHODS | newer
    assert {method for api, method in found if api == "dapi"} == METHODS


def test_every_endpoint_is_signed_and_whoever_changes_something_may_trade() -> None:
    for route in ROUTES:
        assert route.security == ("U" if route.verb == "GET" else "T"), route.path


def test_all_symbols_weigh_more_than_one() -> None:
    listed = next(route for route in ROUTES if route.path == "/fapi/v1/openOrders")
    assert listed.weigh(Params([])) == 40
    assert listed.weigh(Params([("symbol", "BTCUSDT")])) == 1
