"""Windows of weights and orders: what is counted, refused, and told."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.limits import Limits, Rule, Window

WEIGHT = Rule("REQUEST_WEIGHT", "MINUTE", 1, 10)
ORDERS = (Rule("ORDERS", "SECOND", 10, 2), Rule("ORDERS", "DAY", 1, 3))


def test_a_window_begins_anew_and_forgets_the_longest_unused_name() -> None:
    window = Window(WEIGHT, names_max=1)
    assert window.add("a", 59_999, 4) == 4
    assert window.add("a", 60_000, 4) == 4
    window.add("b", 60_000, 1)
    assert window.used("a", 60_000) == 0


def test_weight_over_the_limit_is_429_and_going_on_is_418() -> None:
    limits = Limits(WEIGHT, ORDERS)
    assert limits.take_weight("a", 1_000, 10) == 10
    with pytest.raises(BinanceError, match="-1003") as over:
        limits.take_weight("a", 1_000, 1)
    assert (over.value.status, over.value.retry_s) == (429, 59)
    with pytest.raises(BinanceError) as banned:  # 11 + 20 is more than three times 10.
        limits.take_weight("a", 1_000, 20)
    assert banned.value.status == 418
    assert limits.take_weight("b", 1_000, 1) == 1  # Another's is another's.
    assert limits.take_weight("a", 60_000, 1) == 1


def test_requests_are_counted_whatever_they_weigh() -> None:
    raw = Rule("RAW_REQUESTS", "MINUTE", 5, 2)
    limits = Limits(WEIGHT, ORDERS, raw)
    assert limits.rules == (WEIGHT, *ORDERS, raw)
    for _ in range(2):
        limits.take_weight("a", 0, 1)
    with pytest.raises(BinanceError, match="current limit is 2 requests per 5 MINUTE") as over:
        limits.take_weight("a", 60_000, 1)  # Another minute of the same five.
    assert (over.value.status, over.value.retry_s) == (429, 240)
    assert limits.take_weight("b", 60_000, 1) == 1
    assert limits.take_weight("a", 300_000, 1) == 1


def test_orders_count_against_every_window_and_refused_ones_against_none() -> None:
    limits = Limits(WEIGHT, ORDERS)
    limits.take_orders(100, 0, 2)
    with pytest.raises(BinanceError, match="current limit is 2 orders per 10 SECOND"):
        limits.take_orders(100, 0, 1)
    limits.take_orders(100, 10_000, 1)
    with pytest.raises(BinanceError, match="current limit is 3 orders per DAY"):
        limits.take_orders(100, 20_000, 1)
    assert [used for _, used in limits.orders_used(100, 10_000)] == [1, 3]


def test_a_rule_is_told_as_exchange_info_has_it() -> None:
    said = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 10}
    assert WEIGHT.say() == said
    assert WEIGHT.say(used=4) == {**said, "count": 4}
    assert Rule("ORDERS", "DAY", 1, 0).say()["limit"] == 2**31 - 1  # Lifted.
    assert not Window(Rule("ORDERS", "DAY", 1, 0)).is_over(10**9)


def test_of_limits_the_weight_comes_first() -> None:
    limits = Limits(WEIGHT, ORDERS)
    assert limits.rules == (WEIGHT, *ORDERS)
    limits.take_weight("a", 0, 3)
    assert limits.weight_used("a", 0) == (WEIGHT, 3)
