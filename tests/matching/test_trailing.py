"""Tests of orders that follow the price: by what they wake, and how little a price costs them."""

from __future__ import annotations

from typing import Any

import pytest

import matching.trailing
from matching.trailing import Track, Trailing
from matching.types import Order, OrderType, Side, TriggerSource
from tests.matching.stories import BUY, SELL

LAST = TriggerSource.LAST


def trail(order_id: int, side: Side, bps: int, trigger_ticks: int = 0, **more: Any) -> Order:
    kind = OrderType.TRAILING_STOP
    more |= {"trailing_bps": bps, "trigger_ticks": trigger_ticks}
    return Order(order_id, 100, "BTC-USDT", side, kind, 0, 5, **more)


def told(trailing: Trailing, orders: dict[int, Order], *prices: int) -> list[list[int]]:
    """Whom each price wakes, sales and buys together."""
    woken: list[list[int]] = []
    for price in prices:
        found = [hit for side in Side for hit in trailing.woken(LAST, side, price, calm=True)]
        trailing.follow(LAST, price, orders)
        trailing.check()
        woken.append([order_id for _, order_id in sorted(found)])
    return woken


def test_s4_a_sale_wakes_at_its_distance_below_the_highest_price() -> None:
    order = trail(1, SELL, 1_000)
    trailing = Trailing(1)
    trailing.add(order)
    # High 200: it wakes at 200 x 0.9 = 180, inclusively; before, 181 and 195 are no reason to.
    assert told(trailing, {1: order}, 150, 200, 181, 195, 180) == [[], [], [], [], [1]]


def test_s4_a_buy_wakes_at_its_distance_above_the_lowest_price() -> None:
    order = trail(1, BUY, 1_000)
    trailing = Trailing(1)
    trailing.add(order)
    # Low 101: 101 x 1.1 = 111.1, which 111 does not reach (111 x 10,000 < 101 x 11,000).
    assert told(trailing, {1: order}, 150, 101, 111, 112) == [[], [], [], [1]]


def test_s4_tracking_begins_at_the_first_price_that_reaches_the_trigger() -> None:
    order = trail(1, SELL, 1_000, trigger_ticks=120)  # A sale begins once the price rose to 120.
    trailing = Trailing(1)
    trailing.add(order)
    assert told(trailing, {1: order}, 110, 90) == [[], []]
    assert trailing.extreme_e8(order) == 0
    assert told(trailing, {1: order}, 125, 113, 112) == [[], [], [1]]  # 125 x 0.9 = 112.5


def test_an_order_that_goes_leaves_nothing_behind() -> None:
    orders = {i: trail(i, SELL, 100 * i) for i in (1, 2, 3)}
    trailing = Trailing(1)
    for order in orders.values():
        trailing.add(order)
    trailing.remove(orders.pop(2))
    told(trailing, orders, 1_000)
    trailing.remove(orders.pop(1))
    assert trailing.ids() == [3]
    assert told(trailing, orders, 980, 970) == [[], [3]]
    assert trailing.ids() == []


def test_groups_that_a_price_overtakes_become_one() -> None:
    track = Track(SELL)
    for order_id, price in ((1, 300), (2, 200), (3, 100)):
        track.begin(trail(order_id, SELL, 1_000 * order_id), price)
    track.follow(200)
    track.check()
    assert [track.extreme_e8(i) for i in (1, 2, 3)] == [300, 200, 200]
    track.follow(400)
    track.check()
    assert [track.extreme_e8(i) for i in (1, 2, 3)] == [400, 400, 400]


@pytest.mark.parametrize("count", [10, 100, 1_000])
def test_a_price_costs_the_same_however_many_follow_it(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted are the stops worked out: the one thing a price does to each group it concerns."""
    work: list[int] = []
    stop = matching.trailing._stop

    def counted(extreme: int, bps: int) -> int:
        work.append(bps)
        return stop(extreme, bps)

    track = Track(SELL)
    for order_id in range(1, count + 1):  # All from one extreme, each at its own distance.
        track.begin(trail(order_id, SELL, 100 + order_id), 10**9)
    monkeypatch.setattr(matching.trailing, "_stop", counted)
    for price in (10**9 - 1, 10**9 + 1, 10**9 + 2):
        assert track.woken(price) == []
        track.follow(price)
    assert len(work) == 4  # Two new extremes, each the old head and the new one of one group.
    monkeypatch.undo()
    falling = Track(SELL)
    for order_id in range(1, count + 1):  # Each from an extreme of its own.
        falling.begin(trail(order_id, SELL, 2_000), 10**9 - order_id)
    work.clear()
    monkeypatch.setattr(matching.trailing, "_stop", counted)
    price = 10**9 - count - 1
    assert falling.woken(price) == []
    falling.follow(price)
    assert work == []  # It passed no extreme and reached nobody.


def test_many_groups_merge_into_one_in_any_steps() -> None:
    track = Track(SELL)
    for order_id in range(1, 257):
        track.begin(trail(order_id, SELL, 2_000), 10**9 - order_id)
    for price in range(10**9 - 256, 10**9, 48):
        track.follow(price)
        track.check()
        assert [track.extreme_e8(i) for i in (1, 256)] == [10**9 - 1, price]
    track.follow(10**9)
    assert {track.extreme_e8(i) for i in range(1, 257)} == {10**9}
