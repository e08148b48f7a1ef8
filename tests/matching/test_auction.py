"""Tests of the call auction's price against brute force, and of the fills at it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.auction import Uncross, crossing, uncross_price
from matching.book import Book
from matching.types import Fill, Order, Prevention, SelfTrade, Side, Status
from tests.matching.stories import BUY, SELL, limit

LEVELS = st.dictionaries(st.integers(1, 14), st.integers(1, 6), max_size=8)


def collected(*orders: Order) -> Book:
    book = Book()
    book.collecting = True
    for order in orders:
        assert book.place(order) == []
    book.check()
    return book


def uncrossed(book: Book, price_ticks: int) -> list[Fill | Prevention]:
    happened: list[Fill | Prevention] = []
    while (step := crossing(book, price_ticks)) is not None:
        happened.append(step)
        book.check()
    return happened


def brute_force(
    bids: dict[int, int], asks: dict[int, int], reference_e8: int, tick_e8: int
) -> Uncross | None:
    """Every tick weighed by itself, as S14 says it."""
    candidates = []
    for ticks in range(20):
        demand = sum(lots for price, lots in bids.items() if price >= ticks)
        supply = sum(lots for price, lots in asks.items() if price <= ticks)
        if min(demand, supply):
            candidates.append(Uncross(ticks, min(demand, supply), demand - supply))
    if not candidates:
        return None
    most = max(each.lots for each in candidates)
    candidates = [each for each in candidates if each.lots == most]
    least = min(abs(each.imbalance_lots) for each in candidates)
    candidates = [each for each in candidates if abs(each.imbalance_lots) == least]
    if all(each.imbalance_lots > 0 for each in candidates):
        return max(candidates)
    if all(each.imbalance_lots < 0 for each in candidates):
        return min(candidates)
    return min(candidates, key=lambda at: (abs(at[0] * tick_e8 - reference_e8), at[0]))


@given(LEVELS, LEVELS, st.integers(0, 160), st.sampled_from([1, 3, 10]))
def test_s14_the_price_is_that_of_brute_force(
    bids: dict[int, int], asks: dict[int, int], reference_e8: int, tick_e8: int
) -> None:
    found = uncross_price(
        sorted(bids.items(), reverse=True), sorted(asks.items()), reference_e8, tick_e8
    )
    assert found == brute_force(bids, asks, reference_e8, tick_e8)


@given(LEVELS, LEVELS)
def test_i6_behind_an_uncross_nothing_crosses(bids: dict[int, int], asks: dict[int, int]) -> None:
    sides = [(BUY, *level) for level in bids.items()] + [(SELL, *level) for level in asks.items()]
    orders = [limit(number, *each) for number, each in enumerate(sides, 1)]
    book = collected(*orders)
    found = uncross_price(book.levels(BUY, 99), book.levels(SELL, 99), 0, 1)
    if found is None:
        assert crossing(book, 7) is None
    else:
        fills = [each for each in uncrossed(book, found.price_ticks) if isinstance(each, Fill)]
        assert sum(fill.lots for fill in fills) == found.lots
        assert {fill.price_ticks for fill in fills} == {found.price_ticks}
        assert all(fill.auction for fill in fills)
    book.collecting = False
    book.check()  # Not crossed, and whole.
    assert all(each.lots == each.filled_lots + each.open_lots for each in orders)


def test_s14_buyers_left_over_pay_the_highest_price_and_sellers_the_lowest() -> None:
    # 5 against 3 at 98, 99 and 100 alike: 2 too many to buy, so 100.
    assert uncross_price([(100, 5)], [(98, 3)], 0, 1) == (100, 3, 2)
    assert uncross_price([(100, 3)], [(98, 5)], 0, 1) == (98, 3, -2)


def test_s14_a_tie_goes_to_the_price_nearest_to_the_reference_and_of_two_to_the_lower() -> None:
    levels = [(100, 10)], [(97, 10)]
    prices = {e1: uncross_price(*levels, e1, 10) for e1 in (0, 985, 986, 2_000)}
    # A reference of 98.5 ticks lies halfway between 98 and 99.
    assert [found and found.price_ticks for found in prices.values()] == [97, 98, 99, 100]


def test_a_side_that_is_empty_or_beyond_trades_nothing() -> None:
    assert uncross_price([], [(1, 1)], 0, 1) is None
    assert uncross_price([(1, 1)], [], 0, 1) is None
    assert uncross_price([(99, 1)], [(100, 1)], 0, 1) is None


def test_s14_fills_come_in_price_time_order_at_one_price() -> None:
    first, second = limit(1, BUY, 101, 2), limit(2, BUY, 101, 2)
    best, ask = limit(3, BUY, 102, 2), limit(4, SELL, 100, 5)
    fills = uncrossed(collected(first, second, best, ask), 101)
    assert [(each.maker.order_id, each.taker.order_id) for each in fills] == [
        (3, 4),
        (1, 4),
        (2, 4),
    ]
    assert [order.filled_lots for order in (first, second, best, ask)] == [2, 1, 2, 5]
    assert (second.status, ask.status) == (Status.PARTIALLY_FILLED, Status.FILLED)
    assert ask.filled_units == 5 * 101


@pytest.mark.parametrize(
    ("mode", "bid", "ask"),
    [
        # (filled, prevented, open) of a bid of 3 and a later ask of 5 by the same account.
        (SelfTrade.NONE, (3, 0, 0), (3, 0, 2)),
        (SelfTrade.EXPIRE_TAKER, (0, 0, 3), (0, 5, 0)),
        (SelfTrade.EXPIRE_MAKER, (0, 3, 0), (0, 0, 5)),
        (SelfTrade.EXPIRE_BOTH, (0, 3, 0), (0, 5, 0)),
        (SelfTrade.DECREMENT, (0, 3, 0), (0, 3, 2)),
    ],
)
def test_s8_the_later_order_decides_what_self_trade_prevention_does(
    mode: SelfTrade, bid: tuple[int, int, int], ask: tuple[int, int, int]
) -> None:
    maker = limit(1, BUY, 101, 3, account=7)
    taker = limit(2, SELL, 100, 5, account=7, stp=mode)
    book = collected(maker, taker)
    (step,) = uncrossed(book, 100)
    for order, expected in ((maker, bid), (taker, ask)):
        assert (order.filled_lots, order.prevented_lots, order.open_lots) == expected
        ended = order.prevented_lots and not order.open_lots
        assert (order.status is Status.EXPIRED_IN_MATCH) is bool(ended)
    if isinstance(step, Prevention):
        expired = (step.maker_expired, step.taker_expired)
        assert expired == (not maker.open_lots, not taker.open_lots)
    else:
        assert mode is SelfTrade.NONE


def test_a_book_that_collects_foresees_no_fill() -> None:
    book = collected(limit(1, SELL, 100, 5))
    more: dict[str, Any] = {"fills_max": 9}
    assert book.fillable_lots(limit(2, BUY, 101, 5), **more) == 0
    assert book.first(Side.SELL) is not None
    assert book.first(Side.BUY) is None
