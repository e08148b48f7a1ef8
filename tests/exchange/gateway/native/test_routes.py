"""The table of operations."""

from __future__ import annotations

import re

import msgspec
import pytest

from exchange.gateway.native.fields import NUMBERED
from exchange.gateway.native.routes import BY_OP, REST_ROUTES, ROUTES, Route

# The rows of the design page that a first market needs, as "METHOD path": op.
WANTED = {
    "POST /v1/accounts": "account.open",
    "POST /v1/accounts/reset": "account.reset",
    "GET /v1/keys": "keys.list",
    "POST /v1/keys": "keys.create",
    "DELETE /v1/keys": "keys.revoke",
    "GET /v1/time": "time.get",
    "GET /v1/instruments": "instruments.get",
    "GET /v1/fees": "fees.get",
    "GET /v1/book/{symbol}": "book.get",
    "GET /v1/trades/{symbol}": "trades.get",
    "GET /v1/candles/{symbol}": "candles.get",
    "GET /v1/ticker/{symbol}": "ticker.get",
    "GET /v1/mark/{symbol}": "mark.get",
    "GET /v1/funding/{symbol}": "funding.get",
    "POST /v1/faucet": "faucet",
    "POST /v1/transfers": "transfer",
    "POST /v1/dust": "dust.convert",
    "POST /v1/orders": "order.place",
    "POST /v1/orders/batch": "order.batch",
    "POST /v1/orders/replace": "order.replace",
    "POST /v1/orders/list": "order.list_place",
    "POST /v1/orders/list/cancel": "order.list_cancel",
    "GET /v1/order_lists": "order.lists",
    "GET /v1/order_lists/{list}": "order.list_status",
    "POST /v1/orders/cancel_all_after": "cancel_all_after",
    "POST /v1/orders/preview": "order.preview",
    "GET /v1/orders": "order.list",
    "GET /v1/orders/{id}": "order.status",
    "PATCH /v1/orders/{id}": "order.amend",
    "DELETE /v1/orders/{id}": "order.cancel",
    "DELETE /v1/orders": "order.cancel_all",
    "POST /v1/loans": "loan.borrow",
    "POST /v1/loans/repay": "loan.repay",
    "GET /v1/loans": "loan.list",
    "GET /v1/loans/limits": "loan.limits",
    "PUT /v1/settings": "settings.set",
    "GET /v1/account": "account.get",
    "GET /v1/fills": "fills.get",
    "GET /v1/ledger": "ledger.get",
    "GET /v1/pnl": "pnl.get",
    "GET /v1/why/{kind}/{of}": "why",
    "GET /v1/compare": "compare.get",
    "GET /v1/audit": "audit.get",
    "PUT /v1/admin/index/{pair}": "admin.index",
    "POST /v1/admin/clock": "admin.clock",
    "POST /v1/admin/symbols/{symbol}/state": "admin.state",
}


def test_every_row_of_the_design_page_is_there_and_no_other() -> None:
    assert {route.address: route.op for route in REST_ROUTES} == WANTED


def test_settings_have_operations_of_their_own_on_the_websocket() -> None:
    without = {route.op for route in ROUTES if not route.address}
    assert without == {
        "leverage.set",
        "margin_mode.set",
        "position_mode.set",
        "multi_asset.set",
        "margin.leverage",
        "position.margin",
        "fee_discount.set",
    }
    assert all(BY_OP[op].websocket for op in without)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.op)
def test_what_changes_something_says_so_and_asks_for_a_permission(route: Route) -> None:
    if route.address and route.method != "GET":
        assert route.mutates or route.op == "order.preview"
    if route.security == "signed":
        assert route.permission is not None
        assert (route.permission == "read") is not route.mutates
    if route.security in {"admin", "open"}:
        assert not route.websocket  # The admin key travels in a header.


@pytest.mark.parametrize("route", REST_ROUTES, ids=lambda route: route.op)
def test_the_names_in_a_path_are_fields_of_the_request(route: Route) -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(route.ask)}
    for name in re.findall(r"\{(\w+)\}", route.path):
        assert name in fields or {NUMBERED[name], "client_id"} <= fields


def test_safe_to_repeat_is_only_what_carries_a_client_id() -> None:
    for route in ROUTES:
        if route.safe_to_repeat and route.op not in {"order.batch", "order.replace"}:
            assert "client_id" in {field.name for field in msgspec.structs.fields(route.ask)}
    # An amendment's client id names the order: sent again, it could undo a later one.
    assert not BY_OP["order.amend"].safe_to_repeat
