"""Tests of orders that sleep until a price reaches their trigger, one of them against a twin."""

from fractions import Fraction
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
TICK = 10  # 10^-8 of the quote in a tick, so that a mark can lie between two.


def asleep(order_id: int, side: Side, kind: OrderType, trigger_ticks: int, **more: Any) -> Order:
    order = Order(order_id, 100, "BTC-USDT", side, kind, 0, 5, trigger_ticks=trigger_ticks, **more)
    order.status = Status.PENDING_TRIGGER
    return order


def triggers_of(*orders: Order) -> Triggers:
    triggers = Triggers(TICK)
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
    assert triggers.fired(LAST, sleeps_at * TICK) == []
    assert triggers.fired(LAST, wakes_at * TICK) == [1]


def test_i12_an_order_is_woken_once() -> None:
    triggers = triggers_of(asleep(1, SELL, STOP, 100))
    assert triggers.fired(LAST, 90 * TICK) == [1]
    assert triggers.fired(LAST, 80 * TICK) == []
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
    assert triggers.fired(LAST, 90 * TICK) == [2, 4, 1, 3]


def test_p16_each_source_wakes_its_own() -> None:
    triggers = triggers_of(asleep(1, SELL, STOP, 100, trigger=MARK), asleep(2, SELL, STOP, 100))
    assert triggers.fired(LAST, 90 * TICK) == [2]
    assert triggers.fired(MARK, 90 * TICK) == [1]


def test_a_mark_between_two_ticks_reaches_neither_from_the_wrong_side() -> None:
    # A mark of 99.5 ticks lies between 99 and 100.
    triggers = triggers_of(
        asleep(1, SELL, STOP, 99, trigger=MARK),
        asleep(2, SELL, STOP, 100, trigger=MARK),
        asleep(3, BUY, STOP, 100, trigger=MARK),
        asleep(4, BUY, STOP, 99, trigger=MARK),
    )
    assert triggers.fired(MARK, 995) == [4, 2]
    assert triggers.orders.keys() - triggers.due == {1, 3}


def test_p16_protected_orders_sleep_on_while_prices_are_not_calm() -> None:
    triggers = triggers_of(
        asleep(1, SELL, STOP, 100, price_protect=True), asleep(2, SELL, STOP, 99)
    )
    assert triggers.fired(LAST, 90 * TICK, calm=False) == [2]
    assert triggers.fired(LAST, 90 * TICK, calm=True) == [1]


def test_an_order_that_ends_asleep_leaves_nothing_behind() -> None:
    order = asleep(1, SELL, STOP, 100, tif=GTD, expire_ms=50)
    triggers = triggers_of(order)
    assert (triggers.next_expiry_ms, triggers.next_expiry_id) == (50, 1)
    triggers.end(order, Happening.EXPIRE, Reason.EXPIRED_BY_TIME)
    assert (order.status, order.reason) == (Status.EXPIRED, Reason.EXPIRED_BY_TIME)
    assert (order.open_lots, order.closed_lots) == (0, 5)
    assert not triggers.orders
    assert triggers.next_expiry_ms == 0
    assert triggers.fired(LAST, 1 * TICK) == []
    triggers.check()


def test_an_order_that_is_due_can_still_be_cancelled() -> None:
    order = asleep(1, SELL, STOP, 100)
    triggers = triggers_of(order)
    triggers.fired(LAST, 90 * TICK)
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
    triggers.fired(LAST, 99 * TICK)
    restored = Triggers.restore(TICK, triggers.state(), sorted(triggers.due), triggers.extremes())
    restored.check()
    assert restored.state() == triggers.state()
    assert restored.due == triggers.due == {1}
    for each in (triggers, restored):
        assert each.fired(LAST, 120 * TICK) == [3]
        assert each.fired(MARK, 80 * TICK) == [2]


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
        self.extremes: dict[int, int] = {}

    def fired(self, source: TriggerSource, price: int, calm: bool, fresh: bool) -> list[int]:
        rising: list[tuple[Fraction, int]] = []
        falling: list[tuple[Fraction, int]] = []
        for order in self.asleep.values():
            if order.trigger is not source or (order.price_protect and not calm):
                continue
            at = Fraction(order.trigger_ticks)
            up = (order.side is BUY) == (order.type in (OrderType.STOP, OrderType.STOP_LIMIT))
            if order.trailing_bps:
                extreme = self.extremes.get(order.order_id)
                up = order.side is BUY
                if extreme is None:
                    continue
                turn = order.trailing_bps if up else -order.trailing_bps
                at = Fraction(extreme * (10_000 + turn), 10_000)
            if up and price >= at:
                # What is reached is a whole price: the first that lies at it or beyond.
                rising.append((Fraction(-(-at.numerator // at.denominator)), order.order_id))
            elif not up and price <= at:
                falling.append((Fraction(-(at.numerator // at.denominator)), order.order_id))
        woken = [order_id for _, order_id in sorted(rising) + sorted(falling)]
        for order_id in woken:
            del self.asleep[order_id]
        if fresh:
            self.follow(source, price)
        return woken

    def follow(self, source: TriggerSource, price: int) -> None:
        for order in self.asleep.values():
            if order.trigger is not source or not order.trailing_bps:
                continue
            known = self.extremes.get(order.order_id)
            best = min if order.side is BUY else max
            if known is not None:
                self.extremes[order.order_id] = best(known, price)
            elif not order.trigger_ticks or (
                price >= order.trigger_ticks if order.rises else price <= order.trigger_ticks
            ):
                self.extremes[order.order_id] = price


TICKS = st.integers(1, 12)
ORDERS = st.tuples(
    st.just("add"),
    st.sampled_from(Side),
    st.sampled_from([STOP, TAKE, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT]),
    TICKS,
    st.sampled_from(TriggerSource),
    st.booleans(),
    st.just(0),
)
TRAILS = st.tuples(
    st.just("add"),
    st.sampled_from(Side),
    st.sampled_from([OrderType.TRAILING_STOP, STOP, OrderType.TAKE_PROFIT_LIMIT]),
    st.integers(0, 12),
    st.sampled_from(TriggerSource),
    st.booleans(),
    st.sampled_from([1_000, 1_500, 2_000, 3_333, 5_000]),
)
PRICES = st.tuples(
    st.just("price"), st.sampled_from(TriggerSource), TICKS, st.booleans(), st.booleans()
)
ENDS = st.tuples(st.just("end"), st.integers(0, 30))
KEPT = st.tuples(st.just("keep"))


@given(st.lists(st.one_of(ORDERS, TRAILS, PRICES, PRICES, ENDS, KEPT), max_size=60))
def test_i12_triggers_wake_as_their_naive_twin_does(steps: list[tuple[Any, ...]]) -> None:
    triggers, naive = Triggers(1), NaiveTriggers()
    for number, step in enumerate(steps, 1):
        if step[0] == "add":
            _, side, kind, ticks, source, protect, bps = step
            more = {"trigger": source, "price_protect": protect, "trailing_bps": bps}
            order = asleep(number, side, kind, ticks, **more)
            triggers.add(order)
            naive.asleep[number] = order
        elif step[0] == "price":
            _, source, price, calm, fresh = step
            woken = naive.fired(source, price, calm, fresh)
            assert triggers.fired(source, price, calm, fresh) == woken
        elif step[0] == "keep":
            kept = triggers.state(), sorted(triggers.due), triggers.extremes()
            triggers = Triggers.restore(1, *kept)
            assert (triggers.state(), sorted(triggers.due), triggers.extremes()) == kept
            naive.asleep = {i: triggers.orders[i] for i in naive.asleep}
        elif order_ := triggers.orders.get(step[1]):
            triggers.end(order_, Happening.CANCEL, Reason.CANCELLED_BY_USER)
            naive.asleep.pop(step[1], None)
        triggers.check()
    assert triggers.orders.keys() - triggers.due == naive.asleep.keys()
