"""The endpoints of orders and order lists on spot and on margin."""

from __future__ import annotations

from typing import Final

from exchange.gateway.binance.calls import Handler, Route, Security, Weight
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.spot import cancelling, lists, looking, placing, replacing
from exchange.gateway.binance.spot.refusals import REFUSALS

ONE_SYMBOL: Final = 6
ALL_SYMBOLS: Final = 80
ONE_ORDER: Final = 5
ALL_TRADES: Final = 20
WITH_RATES: Final = 20


def weight_of_open(params: Params) -> int:
    """Open orders on every symbol weigh more."""
    return ONE_SYMBOL if params.has("symbol") else ALL_SYMBOLS


def weight_of_trades(params: Params) -> int:
    """The fills of one order weigh less."""
    return ONE_ORDER if params.has("orderId") else ALL_TRADES


def weight_of_trial(params: Params) -> int:
    """Telling what an order would cost weighs more than trying it."""
    return WITH_RATES if params.flag(placing.COMPUTE) else 1


def _spot(
    verb: str, path: str, handler: Handler, weight: Weight, security: Security, method: str
) -> Route:
    return Route(
        verb=verb,
        path=f"/api/v3/{path}",
        handler=handler,
        weight=weight,
        security=security,
        method=method,
        refusals=REFUSALS,
    )


def _margin(
    verb: str,
    path: str,
    handler: Handler,
    weight: int,
    security: Security,
    by_account: bool = False,
) -> Route:
    return Route(
        verb=verb,
        path=f"/sapi/v1/margin/{path}",
        handler=handler,
        weight=weight,
        security=security,
        by_account=by_account,
        refusals=REFUSALS,
    )


ROUTES: Final = (
    _spot("POST", "order", placing.place, 1, "T", "order.place"),
    _spot("POST", "order/test", placing.try_out, weight_of_trial, "T", "order.test"),
    _spot("GET", "order", looking.order, 4, "U", "order.status"),
    _spot("DELETE", "order", cancelling.cancel, 1, "T", "order.cancel"),
    _spot("POST", "order/cancelReplace", replacing.replace, 1, "T", "order.cancelReplace"),
    _spot("PUT", "order/amend/keepPriority", cancelling.amend, 4, "T", "order.amend.keepPriority"),
    _spot("GET", "openOrders", looking.open_orders, weight_of_open, "U", "openOrders.status"),
    _spot("DELETE", "openOrders", cancelling.cancel_all, 1, "T", "openOrders.cancelAll"),
    _spot("GET", "allOrders", looking.all_orders, 20, "U", "allOrders"),
    _spot("GET", "myTrades", looking.trades, weight_of_trades, "U", "myTrades"),
    _spot("GET", "myAllocations", looking.allocations, 20, "U", "myAllocations"),
    _spot("GET", "rateLimit/order", looking.order_counts, 40, "U", "account.rateLimits.orders"),
    _spot("POST", "orderList/oco", lists.place_oco, 1, "T", "orderList.place.oco"),
    _spot("POST", "orderList/oto", lists.place_oto, 1, "T", "orderList.place.oto"),
    _spot("POST", "orderList/otoco", lists.place_otoco, 1, "T", "orderList.place.otoco"),
    _spot("POST", "order/oco", lists.place_old_oco, 1, "T", "orderList.place"),
    _spot("GET", "orderList", lists.one, 4, "U", "orderList.status"),
    _spot("DELETE", "orderList", lists.cancel, 1, "T", "orderList.cancel"),
    _spot("GET", "openOrderList", lists.open_lists, 6, "U", "openOrderLists.status"),
    _spot("GET", "allOrderList", lists.all_lists, 20, "U", "allOrderLists"),
    _margin("POST", "order", placing.place, 6, "T", by_account=True),
    _margin("GET", "order", looking.order, 10, "U"),
    _margin("DELETE", "order", cancelling.cancel, 10, "T"),
    _margin("GET", "openOrders", looking.open_orders, 10, "U"),
    _margin("DELETE", "openOrders", cancelling.cancel_all, 1, "T"),
    _margin("GET", "allOrders", looking.all_orders, 200, "U"),
    _margin("GET", "myTrades", looking.trades, 10, "U"),
    _margin("GET", "rateLimit/order", looking.order_counts, 20, "U"),
    _margin("POST", "order/oco", lists.place_old_oco, 6, "T", by_account=True),
    _margin("POST", "order/oto", lists.place_oto, 6, "T", by_account=True),
    _margin("POST", "order/otoco", lists.place_otoco, 6, "T", by_account=True),
    _margin("GET", "orderList", lists.one, 10, "U"),
    _margin("DELETE", "orderList", lists.cancel, 1, "T"),
    _margin("GET", "openOrderList", lists.open_lists, 10, "U"),
    _margin("GET", "allOrderList", lists.all_lists, 200, "U"),
)
