"""Tests of the filters: each bound, on it and beyond it, and the order they are tried in."""

from __future__ import annotations

from typing import Any

import pytest

from matching.filters import (
    iceberg_parts,
    refuse_amendment,
    refuse_cancel,
    refuse_iceberg,
    refuse_order,
    refuse_reduction,
    refuse_result,
    refuse_trigger_order,
)
from matching.reasons import Reason
from matching.types import Order, OrderType, TradingState, TriggerSource
from tests.matching.stories import BUY, FOK, GTD, IOC, SELL, instrument, limit, market

TRADING = TradingState.TRADING
# Tick and lot 0.01: 1 tick x 1 lot = 0.0001 quote, so 100.00 x 0.05 = 5 is the least notional.
MARKET = instrument()
FAIR_E8 = 100 * 10**8


def refused(order: Order, **more: Any) -> Reason | None:
    named = {"instrument": MARKET, "state": TRADING, "reference_e8": FAIR_E8, **more}
    return refuse_order(order=order, **named)


def test_an_ordinary_order_passes() -> None:
    assert refused(limit(1, BUY, 10_000, 100)) is None
    assert refused(market(1, SELL, 100)) is None
    assert refused(market(1, BUY, 0, quote_units=100_000)) is None


ADMITTED = {
    TradingState.TRADING: ("limit", "post", "market", "at once"),
    TradingState.LIMIT_ONLY: ("limit", "post", "at once"),
    TradingState.POST_ONLY: ("post",),
    TradingState.CANCEL_ONLY: (),
    TradingState.HALT: (),
    TradingState.PRE_OPEN: (),
    TradingState.AUCTION: ("limit",),
}


@pytest.mark.parametrize("state", list(TradingState), ids=lambda state: state.name)
def test_a_state_admits_what_it_is_named_for(state: TradingState) -> None:
    orders = {
        "limit": limit(1, BUY, 10_000, 100),
        "post": limit(1, BUY, 10_000, 100, post_only=True),
        "market": market(1, BUY, 100),
        "at once": limit(1, BUY, 10_000, 100, tif=IOC),
    }
    for name, order in orders.items():
        expected = None if name in ADMITTED[state] else Reason.SYMBOL_NOT_TRADING
        assert refused(order, state=state) is expected, name
    halted = state is TradingState.HALT
    assert (refuse_cancel(state) is Reason.SYMBOL_NOT_TRADING) is halted


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (limit(1, BUY, 10_000, 0), Reason.QTY_MISSING),
        (market(1, BUY, 0), Reason.QTY_MISSING),
        (market(1, BUY, 5, quote_units=5), Reason.COMBINATION_NOT_ALLOWED),
        (limit(1, BUY, 10_000, 0, quote_units=5), Reason.COMBINATION_NOT_ALLOWED),
        (limit(1, BUY, 10_000, 100, tif=IOC, post_only=True), Reason.COMBINATION_NOT_ALLOWED),
        (limit(1, BUY, 10_000, 100, tif=FOK, post_only=True), Reason.COMBINATION_NOT_ALLOWED),
        (market(1, BUY, 100, post_only=True), Reason.COMBINATION_NOT_ALLOWED),
        (limit(1, BUY, 10_000, 100, tif=GTD), Reason.EXPIRY_MISSING),
        (limit(1, BUY, 10_000, 100, tif=GTD, expire_ms=5, time_ms=5), Reason.EXPIRY_IN_PAST),
        (limit(1, BUY, 10_000, 100, tif=GTD, expire_ms=6, time_ms=5), None),
        (limit(1, BUY, 0, 100), Reason.PRICE_MISSING),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    order: Order, reason: Reason | None
) -> None:
    assert refused(order) is reason


def test_a_market_order_takes_no_price() -> None:
    order = market(1, BUY, 100)
    order.price_ticks = 10_000
    assert refused(order) is Reason.PRICE_NOT_ALLOWED


def test_prices_keep_within_the_instruments_range() -> None:
    narrow = instrument(ticks_max=12_000)
    assert refused(limit(1, BUY, 12_000, 100), instrument=narrow) is None
    beyond = limit(1, BUY, 12_001, 100)
    assert refused(beyond, instrument=narrow) is Reason.PRICE_OUT_OF_RANGE


def test_quantities_keep_within_the_instruments_range() -> None:
    narrow = instrument(lots_min=10, lots_max=50, market_lots_max=20)
    for lots, reason in ((9, Reason.QTY_OUT_OF_RANGE), (10, None), (50, None)):
        assert refused(limit(1, BUY, 10_000, lots), instrument=narrow) is reason
    assert refused(limit(1, BUY, 10_000, 51), instrument=narrow) is Reason.QTY_OUT_OF_RANGE
    assert refused(market(1, BUY, 20), instrument=narrow) is None
    assert refused(market(1, BUY, 21), instrument=narrow) is Reason.MARKET_QTY_OUT_OF_RANGE
    by_amount = market(1, BUY, 0, quote_units=100_000)
    assert refuse_result(narrow, by_amount, 20) is None
    assert refuse_result(narrow, by_amount, 0) is None  # Nobody is there: the book says so.
    assert refuse_result(narrow, by_amount, 9) is Reason.QTY_OUT_OF_RANGE
    assert refuse_result(narrow, by_amount, 21) is Reason.MARKET_QTY_OUT_OF_RANGE


def test_prices_have_a_least_and_triggers_too() -> None:
    narrow = instrument(ticks_min=8_000)
    assert refused(limit(1, BUY, 8_000, 100), instrument=narrow) is None
    below = refused(limit(1, BUY, 7_999, 100), instrument=narrow)
    assert below is Reason.PRICE_OUT_OF_RANGE
    assert asleep(stop(trigger_ticks=8_000), instrument=narrow) is None
    below = asleep(stop(trigger_ticks=7_999), instrument=narrow)
    assert below is Reason.PRICE_OUT_OF_RANGE


def test_max_asset_bounds_what_one_order_moves() -> None:
    # Lots of 0.01: 50 lots are 0.5 of the base. 50 lots at 100.00 are 50 of the quote.
    of_base = instrument(base_order_max_minor=5 * 10**7)
    assert refused(limit(1, BUY, 10_000, 50), instrument=of_base) is None
    assert refused(limit(1, BUY, 10_000, 51), instrument=of_base) is Reason.MAX_ASSET
    of_quote = instrument(quote_order_max_minor=50 * 10**8)
    assert refused(limit(1, BUY, 10_000, 50), instrument=of_quote) is None
    assert refused(limit(1, BUY, 10_001, 50), instrument=of_quote) is Reason.MAX_ASSET
    assert refused(market(1, SELL, 50), instrument=of_quote) is None  # At the reference of 100.
    assert refused(market(1, SELL, 51), instrument=of_quote) is Reason.MAX_ASSET
    by_amount = market(1, BUY, 0, quote_units=500_000)  # 0.0001 each: 50.
    assert refused(by_amount, instrument=of_quote) is None
    by_amount.quote_units += 1
    assert refused(by_amount, instrument=of_quote) is Reason.MAX_ASSET
    assert refuse_result(of_base, by_amount, 51) is Reason.MAX_ASSET


def test_an_order_is_changed_in_place_only_so_often() -> None:
    order = limit(1, BUY, 10_000, 100)
    order.amends = 2
    assert refuse_amendment(instrument(amends_max=3), order) is None
    assert refuse_amendment(instrument(), order) is None  # As often as one likes.
    narrow = instrument(amends_max=2)
    assert refuse_amendment(narrow, order) is Reason.MAX_AMENDS
    assert refuse_reduction(narrow, TRADING, order, 50) is Reason.MAX_AMENDS


def test_the_notional_has_a_floor() -> None:
    # 100.00 x 0.05 = 5.00 passes; 100.00 x 0.04 = 4.00 and 99.99 x 0.05 = 4.9995 do not.
    assert refused(limit(1, BUY, 10_000, 5)) is None
    assert refused(limit(1, BUY, 10_000, 4)) is Reason.NOTIONAL_TOO_SMALL
    assert refused(limit(1, BUY, 9_999, 5)) is Reason.NOTIONAL_TOO_SMALL


def test_the_notional_has_a_ceiling() -> None:
    narrow = instrument(notional_max_minor=1_000 * 10**8)  # 1000 quote: 100.00 x 10.00.
    assert refused(limit(1, BUY, 10_000, 1_000), instrument=narrow) is None
    over = limit(1, BUY, 10_000, 1_001)
    assert refused(over, instrument=narrow) is Reason.NOTIONAL_TOO_LARGE


def test_a_market_order_is_valued_at_the_reference_price() -> None:
    assert refused(market(1, BUY, 5)) is None  # 100 x 0.05 = 5
    assert refused(market(1, BUY, 5), reference_e8=FAIR_E8 - 1) is Reason.NOTIONAL_TOO_SMALL
    assert refused(market(1, BUY, 1), reference_e8=0) is None  # Nothing to value it at.
    # 50,000 units x 0.0001 = 5 quote.
    assert refused(market(1, BUY, 0, quote_units=50_000)) is None
    below = market(1, BUY, 0, quote_units=49_999)
    assert refused(below) is Reason.NOTIONAL_TOO_SMALL


def test_what_only_reduces_may_be_as_small_as_the_position() -> None:
    assert refused(limit(1, SELL, 10_000, 1, reduce_only=True)) is None


@pytest.mark.parametrize(
    ("side", "ticks", "reason"),
    [
        (BUY, 12_000, None),  # 100 x 1.2
        (BUY, 12_001, Reason.PERCENT_PRICE),
        (BUY, 2_000, None),  # 100 x 0.2
        (BUY, 1_999, Reason.PERCENT_PRICE),
        (SELL, 50_000, None),  # 100 x 5
        (SELL, 50_001, Reason.PERCENT_PRICE),
        (SELL, 8_000, None),  # 100 x 0.8
        (SELL, 7_999, Reason.PERCENT_PRICE),
    ],
)
def test_a_price_keeps_near_the_reference_by_side(
    side: Any, ticks: int, reason: Reason | None
) -> None:
    assert refused(limit(1, side, ticks, 100)) is reason
    assert refused(limit(1, side, ticks, 100), reference_e8=0) is None


def test_a_multiplier_of_zero_is_no_rule() -> None:
    free = instrument(bid_up_e4=0, bid_down_e4=0)
    assert refused(limit(1, BUY, 10**8, 100), instrument=free) is None
    assert refused(limit(1, BUY, 1, 10**6), instrument=free) is None


def test_an_account_has_so_many_orders_and_no_more() -> None:
    narrow = instrument(orders_max=3)
    order = limit(1, BUY, 10_000, 100)
    assert refused(order, instrument=narrow, open_orders=2) is None
    assert refused(order, instrument=narrow, open_orders=3) is Reason.MAX_ORDERS
    at_once = limit(1, BUY, 10_000, 100, tif=IOC)
    assert refused(at_once, instrument=narrow, open_orders=3) is None  # It will not rest.


def test_the_first_filter_that_refuses_gives_the_reason() -> None:
    wrong = {"instrument": instrument(ticks_max=20_000, lots_max=10, orders_max=1)}
    order = limit(1, BUY, 20_001, 11)
    assert refused(order, state=TradingState.HALT, **wrong) is Reason.SYMBOL_NOT_TRADING
    assert refused(order, open_orders=1, **wrong) is Reason.PRICE_OUT_OF_RANGE
    order.price_ticks = 20_000
    assert refused(order, open_orders=1, **wrong) is Reason.QTY_OUT_OF_RANGE
    order.lots = 1
    order.price_ticks = 100
    assert refused(order, open_orders=1, **wrong) is Reason.NOTIONAL_TOO_SMALL
    order.price_ticks, order.lots = 20_000, 10
    assert refused(order, open_orders=1, **wrong) is Reason.PERCENT_PRICE
    order.price_ticks = 10_000
    assert refused(order, open_orders=1, **wrong) is Reason.MAX_ORDERS


def test_a_liquidation_is_held_up_by_no_limit_made_for_users() -> None:
    order = limit(1, SELL, 1, 1, tif=IOC, forced=True)
    assert refused(order, open_orders=999) is None
    assert refused(order, state=TradingState.HALT) is Reason.SYMBOL_NOT_TRADING


def test_a_reduction_passes_the_filters_again() -> None:
    order = limit(1, BUY, 10_000, 100)
    assert refuse_reduction(MARKET, TRADING, order, 5) is None
    assert refuse_reduction(MARKET, TRADING, order, 4) is Reason.NOTIONAL_TOO_SMALL
    larger = instrument(lots_min=10)
    assert refuse_reduction(larger, TRADING, order, 9) is Reason.QTY_OUT_OF_RANGE
    for state in (TradingState.HALT, TradingState.CANCEL_ONLY):
        assert refuse_reduction(MARKET, state, order, 50) is Reason.SYMBOL_NOT_TRADING
    assert refuse_reduction(MARKET, TradingState.LIMIT_ONLY, order, 50) is None


def test_an_iceberg_shows_neither_too_little_nor_more_than_it_has() -> None:
    assert iceberg_parts(100, 30) == 4  # 30 + 30 + 30 + 10
    for shown_lots, refused in (
        (0, None),  # All of it.
        (10, None),  # 10 parts
        (9, Reason.ICEBERG_PARTS),  # 12 parts
        (101, Reason.QTY_OUT_OF_RANGE),
        (-1, Reason.QTY_OUT_OF_RANGE),
    ):
        order = limit(1, BUY, 10_000, 100, iceberg_lots=shown_lots)
        assert refuse_iceberg(MARKET, order) is refused
        assert refuse_order(MARKET, TRADING, order) is refused


def test_s6_only_a_limit_order_that_is_good_till_cancelled_is_an_iceberg() -> None:
    brief = limit(1, BUY, 10_000, 100, tif=IOC, iceberg_lots=10)
    assert refuse_order(MARKET, TRADING, brief) is Reason.ICEBERG_NOT_GTC
    at_market = market(1, BUY, 100, iceberg_lots=10)
    assert refuse_order(MARKET, TRADING, at_market) is Reason.COMBINATION_NOT_ALLOWED


# -- orders that wait for a price --------------------------------------------------------------


def stop(**more: Any) -> Order:
    """A stop to sell one lot times a hundred once 90.00 is traded."""
    fields: dict[str, Any] = {"type": OrderType.STOP, "price_ticks": 0, "lots": 100}
    fields |= {"trigger_ticks": 9_000, **more}
    return Order(1, 100, MARKET.symbol, SELL, **fields)


def asleep(order: Order, **more: Any) -> Reason | None:
    named = {"instrument": MARKET, "state": TRADING, "open_orders": 0, "asleep": 0, **more}
    return refuse_trigger_order(order=order, **named)


def test_s9_a_stop_far_from_the_market_may_sleep_though_its_limit_could_not_rest() -> None:
    """An ask at 70 is below 0.8 of 100: refused now, but judged only when it wakes."""
    assert refused(limit(1, SELL, 7_000, 100)) is Reason.PERCENT_PRICE
    limited = {"type": OrderType.STOP_LIMIT, "price_ticks": 7_000, "trigger_ticks": 7_100}
    assert asleep(stop(**limited)) is None
    assert asleep(stop()) is None


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"trigger_ticks": 0}, Reason.TRIGGER_MISSING),
        ({"trigger_ticks": MARKET.ticks_max + 1}, Reason.PRICE_OUT_OF_RANGE),
        ({"type": OrderType.MARKET}, Reason.TRIGGER_NOT_ALLOWED),
        ({"trigger": TriggerSource.MARK}, Reason.COMBINATION_NOT_ALLOWED),
        ({"price_protect": True}, Reason.COMBINATION_NOT_ALLOWED),
        ({"close_position": True, "lots": 0}, Reason.COMBINATION_NOT_ALLOWED),
        ({"lots": 0, "quote_units": 500_000}, Reason.COMBINATION_NOT_ALLOWED),
        ({"tif": IOC}, Reason.COMBINATION_NOT_ALLOWED),
        ({"lots": 5}, Reason.NOTIONAL_TOO_SMALL),  # 5 lots at 90.00 are 4.5.
        ({"tif": GTD}, Reason.EXPIRY_MISSING),
    ],
)
def test_s4_a_spot_stop_is_refused_for_what_it_cannot_be(
    wrong: dict[str, Any], reason: Reason
) -> None:
    assert asleep(stop(**wrong)) is reason


def test_s9_so_many_may_sleep_and_so_many_be_open() -> None:
    assert asleep(stop(), asleep=MARKET.algo_orders_max - 1) is None
    assert asleep(stop(), asleep=MARKET.algo_orders_max) is Reason.MAX_ALGO_ORDERS
    assert asleep(stop(), open_orders=MARKET.orders_max) is Reason.MAX_ORDERS


def test_an_order_that_waits_for_nothing_names_no_trigger() -> None:
    assert refused(limit(1, BUY, 10_000, 100, trigger_ticks=9_000)) is Reason.TRIGGER_NOT_ALLOWED
