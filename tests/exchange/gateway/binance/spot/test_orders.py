"""Every endpoint of orders is served under its security, weight, and method of the other API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.gateway.binance.params import Params
from exchange.gateway.binance.spot.orders import (
    ROUTES,
    weight_of_open,
    weight_of_trades,
    weight_of_trial,
)
from tests.exchange.gateway.binance.spot.spot_scene import MARGIN_ORDER, limit, two_bots

METHODS = {
    *("order.place", "order.test", "order.status", "order.cancel", "order.cancelReplace"),
    *("order.amend.keepPriority", "openOrders.status", "openOrders.cancelAll", "allOrders"),
    *("myTrades", "orderList.place", "orderList.place.oco", "orderList.place.oto"),
    *("orderList.place.otoco", "orderList.status", "orderList.cancel", "openOrderLists.status"),
    *("allOrderLists", "account.rateLimits.orders", "myAllocations"),
}


def test_spot_has_its_methods_and_margin_none() -> None:
    methods = [route.method for route in ROUTES if route.method]
    assert sorted(methods) == sorted(METHODS)
    assert {route.api for route in ROUTES if route.method} == {"api"}


def test_what_changes_something_is_for_keys_that_trade() -> None:
    for route in ROUTES:
        assert route.security == ("U" if route.verb == "GET" else "T"), route.path


@pytest.mark.parametrize(
    ("weigh", "name", "weights"),
    [(weight_of_open, "symbol", (80, 6)), (weight_of_trades, "orderId", (20, 5))],
)
def test_a_narrower_question_weighs_less(
    weigh: Callable[[Params], int], name: str, weights: tuple[int, int]
) -> None:
    assert (weigh(Params([])), weigh(Params([(name, "1")]))) == weights


def test_a_trial_that_tells_its_costs_weighs_more() -> None:
    asked = [weight_of_trial(Params([("computeCommissionRates", said)])) for said in ("true", "")]
    assert asked == [20, 1]


async def test_orders_on_margin_weigh_on_the_account(tmp_path: Path) -> None:
    async with two_bots(tmp_path) as (_, bot, other):
        await bot.signed("POST", MARGIN_ORDER, **limit())
        answer = await bot.signed("POST", MARGIN_ORDER, **limit())
        assert answer.headers["X-SAPI-USED-UID-WEIGHT-1M"] == "12"
        answer = await other.signed("POST", MARGIN_ORDER, **limit())
        assert answer.headers["X-SAPI-USED-UID-WEIGHT-1M"] == "6"
