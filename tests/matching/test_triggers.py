"""Tests of orders that sleep until a price reaches their trigger, one of them against a twin."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.reasons import Reason
from matching.triggers import Triggers
from matching.types import Happening, Order, OrderType, Side, Status, TriggerSource
from tests.matching.stories import BUY, GTD, SELL

LAST, MARK = TriggerSource.LAST, TriggerSource.MARK
STOP, TAKE = OrderType.STOP, OrderType.TAKE_PROFIT


def asleep(order_id: int, side: Side, kind: OrderType, trigger_ticks: int, **more: Any) -> Order:
    order = Order(order_id, 100, "BTC-USDT", side, kind, 0, 5, trigger_ticks=trigger_ticks, **more)
    order.status = Status.PENDING_TRIGGER
    return order


def triggers_of(*orders: Order) -> Triggers:
    triggers = Triggers()
    for order in orders:
        triggers.add(order)
    triggers.check()
    return triggers


@pytest.mark.parametrize(
    ("side", "kind", "sleeps_at", "wakes_at"),
    [
        (BUY, STOP, 99, 100),  # Bounds are inclusive: the trigger itself wakes.
        (SELL, TAKE, 99, 100),
        (SELL, STOP, 101, 100),
        (BUY, TAKE, 101, 100),
    ],
)
def test_s4_a_trigger_is_reached_inclusively_from_its_side(
    side: Side, kind: OrderType, sleeps_at: int, wakes_at: int
) -> None:
    triggers = triggers_of(asleep(1, side, kind, 100))
    assert triggers.fired(LAST, sleeps_at, sleeps_at) == []
    assert triggers.fired(LAST, wakes_at, wakes_at) == [1]


def test_i12_an_order_is_woken_once() -> None:
    triggers = triggers_of(asleep(1, SELL, STOP, 100))
    assert triggers.fired(LAST, 90, 90) == [1]
    assert triggers.fired(LAST, 80, 80) == []
    triggers.check()


def test_those_woken_come_by_price_reached_then_by_age() -> None:
    triggers = triggers_of(
        asleep(1, SELL, STOP, 95),
        asleep(2, SELL, STOP, 99),
        asleep(3, SELL, STOP, 95),
        asleep(4, SELL, STOP, 97, price_protect=True),
        asleep(5, SELL, STOP, 80),
    )
    # A fall to 90 passes 99 first, then 97, then 95, where 1 is older than 3; 80 is not reached.
    assert triggers.fired(LAST, 90, 90) == [2, 4, 1, 3]


def test_p16_each_source_wakes_its_own() -> None:
    triggers = triggers_of(asleep(1, SELL, STOP, 100, trigger=MARK), asleep(2, SELL, STOP, 100))
    assert triggers.fired(LAST, 90, 90) == [2]
    assert triggers.fired(MARK, 90, 90) == [1]


def test_a_mark_between_two_ticks_reaches_neither_from_the_wrong_side() -> None:
    # A mark of 99.5 ticks lies between 99 and 100.
    triggers = triggers_of(
        asleep(1, SELL, STOP, 99, trigger=MARK),
        asleep(2, SELL, STOP, 100, trigger=MARK),
        asleep(3, BUY, STOP, 100, trigger=MARK),
        asleep(4, BUY, STOP, 99, trigger=MARK),
    )
    assert triggers.fired(MARK, 99, 100) == [4, 2]
    assert triggers.orders.keys() - triggers.due == {1, 3}


def test_p16_protected_orders_sleep_on_while_prices_are_not_calm() -> None:
    triggers = triggers_of(
        asleep(1, SELL, STOP, 100, price_protect=True), asleep(2, SELL, STOP, 99)
    )
    assert triggers.fired(LAST, 90, 90, calm=False) == [2]
    assert triggers.fired(LAST, 90, 90, calm=True) == [1]


def test_an_order_that_ends_asleep_leaves_nothing_behind() -> None:
    order = asleep(1, SELL, STOP, 100, tif=GTD, expire_ms=50)
    triggers = triggers_of(order)
    assert (triggers.next_expiry_ms, triggers.next_expiry_id) == (50, 1)
    triggers.end(order, Happening.EXPIRE, Reason.EXPIRED_BY_TIME)
    assert (order.status, order.reason) == (Status.EXPIRED, Reason.EXPIRED_BY_TIME)
    assert (order.open_lots, order.closed_lots) == (0, 5)
    assert not triggers.orders
    assert triggers.next_expiry_ms == 0
    assert triggers.fired(LAST, 1, 1) == []
    triggers.check()


def test_an_order_that_is_due_can_still_be_cancelled() -> None:
    order = asleep(1, SELL, STOP, 100)
    triggers = triggers_of(order)
    triggers.fired(LAST, 90, 90)
    triggers.end(order, Happening.CANCEL, Reason.CANCELLED_BY_USER)
    assert order.status is Status.CANCELLED
    assert not triggers.due
    triggers.check()


def test_triggers_are_the_same_after_they_were_kept() -> None:
    triggers = triggers_of(
        asleep(1, SELL, STOP, 100),
        asleep(2, BUY, TAKE, 80, trigger=MARK, price_protect=True),
        asleep(3, BUY, STOP, 120, tif=GTD, expire_ms=9),
    )
    triggers.fired(LAST, 99, 99)
    restored = Triggers.restore(triggers.state(), sorted(triggers.due))
    restored.check()
    assert restored.state() == triggers.state()
    assert restored.due == triggers.due == {1}
    for each in (triggers, restored):
        assert each.fired(LAST, 120, 120) == [3]
        assert each.fired(MARK, 80, 80) == [2]


def test_check_sees_an_order_that_sleeps_nowhere() -> None:
    triggers = triggers_of(asleep(1, SELL, STOP, 100))
    triggers.orders[2] = asleep(2, SELL, STOP, 100)
    with pytest.raises(AssertionError):
        triggers.check()


# -- against a twin that looks at every order ---------------------------------------------------


class NaiveTriggers:
    """Every order asked in turn, as S4 says it."""

    def __init__(self) -> None:
        self.asleep: dict[int, Order] = {}

    def fired(self, source: TriggerSource, floor: int, ceiling: int, calm: bool) -> list[int]:
        rising: list[tuple[int, int]] = []
        falling: list[tuple[int, int]] = []
        for order in self.asleep.values():
            if order.trigger is not source or (order.price_protect and not calm):
                continue
            stop = order.type in (OrderType.STOP, OrderType.STOP_LIMIT)
            if (order.side is BUY) == stop:
                if order.trigger_ticks <= floor:
                    rising.append((order.trigger_ticks, order.order_id))
            elif order.trigger_ticks >= ceiling:
                falling.append((-order.trigger_ticks, order.order_id))
        woken = [order_id for _, order_id in sorted(rising) + sorted(falling)]
        for order_id in woken:
            del self.asleep[order_id]
        return woken


TICKS = st.integers(1, 12)
ORDERS = st.tuples(
    st.just("add"),
    st.sampled_from(Side),
    st.sampled_from([STOP, TAKE, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT]),
    TICKS,
    st.sampled_from(TriggerSource),
    st.booleans(),
)
PRICES = st.tuples(
    st.just("price"), st.sampled_from(TriggerSource), TICKS, st.booleans(), st.booleans()
)
ENDS = st.tuples(st.just("end"), st.integers(0, 30))


@given(st.lists(st.one_of(ORDERS, PRICES, ENDS), max_size=60))
def test_i12_triggers_wake_as_their_naive_twin_does(steps: list[tuple[Any, ...]]) -> None:
    triggers, naive = Triggers(), NaiveTriggers()
    for number, step in enumerate(steps, 1):
        if step[0] == "add":
            _, side, kind, ticks, source, protect = step
            order = asleep(number, side, kind, ticks, trigger=source, price_protect=protect)
            triggers.add(order)
            naive.asleep[number] = order
        elif step[0] == "price":
            _, source, ticks, between, calm = step
            bounds = (ticks, ticks + between)
            assert triggers.fired(source, *bounds, calm) == naive.fired(source, *bounds, calm)
        elif order_ := triggers.orders.get(step[1]):
            triggers.end(order_, Happening.CANCEL, Reason.CANCELLED_BY_USER)
            naive.asleep.pop(step[1], None)
        triggers.check()
    assert triggers.orders.keys() - triggers.due == naive.asleep.keys()
