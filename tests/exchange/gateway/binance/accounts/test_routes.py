"""Which endpoints of accounts there are, what they weigh, and what a key needs for them."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.accounts.routes import ROUTES
from exchange.gateway.binance.params import Params

NOTHING = Params(())
EXPECTED = {
    "GET /api/v3/account": (20, "U"),
    "GET /sapi/v1/capital/config/getall": (10, "U"),
    "GET /sapi/v1/margin/allPairs": (1, "K"),
    "GET /sapi/v1/margin/isolated/allPairs": (10, "K"),
    "GET /sapi/v1/margin/allAssets": (1, "K"),
    "GET /sapi/v1/asset/tradeFee": (1, "U"),
    "GET /sapi/v1/system/status": (1, "N"),
    "POST /sapi/v1/asset/transfer": (900, "M"),
    "GET /sapi/v1/margin/account": (10, "U"),
    "POST /sapi/v1/margin/borrow-repay": (1_500, "M"),
    "GET /sapi/v1/margin/maxBorrowable": (50, "U"),
    "GET /sapi/v1/margin/isolated/account": (10, "U"),
    "GET /sapi/v1/margin/priceIndex": (10, "K"),
    "GET /sapi/v1/margin/forceLiquidationRec": (1, "U"),
}


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items())
def test_an_endpoint_weighs_and_needs_what_clients_count_on(
    name: str, expected: tuple[int, str]
) -> None:
    (route,) = [each for each in ROUTES if f"{each.verb} {each.path}" == name]
    assert (route.weigh(NOTHING), route.security) == expected


def test_whatever_moves_money_needs_the_permission_and_weighs_on_the_account() -> None:
    moving = [each for each in ROUTES if each.security == "M"]
    assert {each.verb for each in moving} == {"POST"}
    assert len(moving) == 8
    assert all(each.by_account and each.refusals for each in moving)


def test_the_spot_account_is_served_by_websocket_too() -> None:
    assert [each.method for each in ROUTES if each.method] == [
        "account.status",
        "account.commission",
    ]
