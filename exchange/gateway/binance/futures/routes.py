"""Every signed endpoint of the futures dialect, of USD-M and of COIN-M."""

from __future__ import annotations

from typing import Final

from exchange.gateway.binance.calls import Handler, Route, Security, Weight
from exchange.gateway.binance.errors import Refusal
from exchange.gateway.binance.futures import (
    accounts,
    algos,
    amendments,
    batches,
    orders,
    positions,
    records,
    refusals,
    settings,
)
from exchange.gateway.binance.params import Params
from matching.reasons import Reason

PRODUCTS: Final = ("fapi", "dapi")
ALL_SYMBOLS_WEIGHT: Final = 40


def _all_or_one(params: Params) -> int:
    """One symbol is cheap, all of them are not."""
    return 1 if params.has("symbol") or params.has("pair") else ALL_SYMBOLS_WEIGHT


def _route(
    verb: str,
    path: str,
    handler: Handler,
    security: Security,
    weight: Weight = 1,
    *,
    method: str = "",
    table: dict[Reason, Refusal] = refusals.ORDERS,
) -> Route:
    return Route(
        verb=verb,
        path=path,
        handler=handler,
        weight=weight,
        security=security,
        method=method,
        refusals=table,
    )


def _both(
    verb: str,
    path: str,
    handler: Handler,
    security: Security,
    weight: Weight = 1,
    *,
    method: str = "",
    table: dict[Reason, Refusal] = refusals.ORDERS,
) -> tuple[Route, ...]:
    """An endpoint that is the same on both products; `path` is what follows their names."""
    return tuple(
        _route(verb, f"/{product}/{path}", handler, security, weight, method=method, table=table)
        for product in PRODUCTS
    )


ORDERS: Final = (
    *_both("POST", "v1/order", orders.place, "T", method="order.place"),
    *_both("PUT", "v1/order", orders.modify, "T", method="order.modify"),
    *_both("GET", "v1/order", orders.status, "U", method="order.status"),
    *_both("DELETE", "v1/order", orders.cancel, "T", method="order.cancel"),
    _route("POST", "/fapi/v1/order/test", orders.try_out, "T"),
    *_both("GET", "v1/orderAmendment", amendments.amendments, "U"),
    *_both("GET", "v1/openOrder", orders.open_one, "U"),
    *_both("GET", "v1/openOrders", orders.open_all, "U", _all_or_one),
    *_both("GET", "v1/allOrders", orders.all_orders, "U", 5),
    *_both("DELETE", "v1/allOpenOrders", orders.cancel_all, "T"),
    *_both("POST", "v1/countdownCancelAll", orders.countdown, "T", 10),
)
BATCHES: Final = (
    *_both("POST", "v1/batchOrders", batches.place, "T", 5),
    *_both("PUT", "v1/batchOrders", batches.modify, "T", 5),
    *_both("DELETE", "v1/batchOrders", batches.cancel, "T"),
)
ALGOS: Final = (
    *_both("POST", "v1/algoOrder", algos.place, "T", method="algoOrder.place"),
    *_both("GET", "v1/algoOrder", algos.status, "U"),
    *_both("DELETE", "v1/algoOrder", algos.cancel, "T", method="algoOrder.cancel"),
    *_both("GET", "v1/openAlgoOrders", algos.open_all, "U", _all_or_one),
    *_both("GET", "v1/allAlgoOrders", algos.all_orders, "U", 5),
    *_both("DELETE", "v1/algoOpenOrders", algos.cancel_all, "T"),
)
RECORDS: Final = (
    *_both("GET", "v1/userTrades", records.trades, "U", 5),
    *_both("GET", "v1/income", records.income, "U", 30),
    *_both("GET", "v1/positionMargin/history", records.margin_changes, "U"),
    *_both("GET", "v1/forceOrders", records.forced_orders, "U", 20),
    _route("GET", "/fapi/v1/rateLimit/order", records.rate_limits, "U"),
)
ACCOUNT: Final = (
    _route("GET", "/fapi/v3/account", accounts.account_v3, "U", 5, method="v2/account.status"),
    _route("GET", "/fapi/v2/account", accounts.account_v2, "U", 5, method="account.status"),
    _route("GET", "/dapi/v1/account", accounts.account_coin, "U", 5, method="account.status"),
    _route("GET", "/fapi/v3/balance", accounts.balance, "U", 5, method="v2/account.balance"),
    _route("GET", "/fapi/v2/balance", accounts.balance, "U", 5, method="account.balance"),
    _route("GET", "/dapi/v1/balance", accounts.balance_coin, "U", method="account.balance"),
    _route("GET", "/fapi/v1/accountConfig", accounts.config, "U", 5),
    _route("GET", "/fapi/v3/positionRisk", positions.risk_v3, "U", 5, method="v2/account.position"),
    _route("GET", "/fapi/v2/positionRisk", positions.risk_v2, "U", 5, method="account.position"),
    _route("GET", "/dapi/v1/positionRisk", positions.risk_coin, "U", method="account.position"),
    *_both("GET", "v1/adlQuantile", positions.adl_quantile, "U", 5),
    *_both(
        "POST",
        "v1/positionMargin",
        positions.adjust_margin,
        "T",
        table=refusals.POSITION_MARGIN,
    ),
)
SETTINGS: Final = (
    *_both("POST", "v1/leverage", settings.leverage, "T", table=refusals.SETTINGS),
    *_both("POST", "v1/marginType", settings.margin_type, "T", table=refusals.MARGIN_TYPE),
    *_both(
        "POST",
        "v1/positionSide/dual",
        settings.set_position_mode,
        "T",
        table=refusals.POSITION_MODE,
    ),
    *_both("GET", "v1/positionSide/dual", settings.position_mode, "U", 30),
    _route(
        "POST",
        "/fapi/v1/multiAssetsMargin",
        settings.set_multi_assets,
        "T",
        table=refusals.SETTINGS,
    ),
    _route("GET", "/fapi/v1/multiAssetsMargin", settings.multi_assets, "U", 30),
    *_both("GET", "v1/commissionRate", settings.commission, "U", 20),
    _route("GET", "/fapi/v1/symbolConfig", settings.symbol_config, "U", 5),
    _route("GET", "/fapi/v1/leverageBracket", settings.brackets, "U"),
    _route("GET", "/dapi/v2/leverageBracket", settings.brackets, "U"),
    _route("GET", "/dapi/v1/leverageBracket", settings.brackets_by_pair, "U"),
)
ROUTES: Final = (*ORDERS, *BATCHES, *ALGOS, *RECORDS, *ACCOUNT, *SETTINGS)
