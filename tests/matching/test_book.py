"""Tests of the book: who trades with whom, at what price, and what becomes of the rest."""

from __future__ import annotations

import gc

import pytest

from matching.book import Book
from matching.limits import LOTS_MAX, PRICE_TICKS_MAX
from matching.reasons import Reason
from matching.types import Fill, Happening, Order, Prevention, SelfTrade, Side, Status
from tests.matching.stories import (
    BUY,
    FOK,
    GTD,
    IOC,
    SELL,
    book_of,
    expire_due,
    limit,
    market,
    trades,
)


def fate(order: Order) -> tuple[Status, int, int]:
    """(status, prevented lots, open lots)."""
    return order.status, order.prevented_lots, order.open_lots


# Who trades first, and at what price (S1).


def test_the_earlier_of_two_equal_prices_trades_first() -> None:
    book = book_of(limit(1, SELL, 100, 5), limit(2, SELL, 100, 5))
    (fill,) = book.place(limit(3, BUY, 100, 5))
    assert fill.maker.order_id == 1


def test_the_better_price_trades_before_the_earlier_order() -> None:
    book = book_of(limit(1, SELL, 101, 5), limit(2, SELL, 100, 5))
    assert trades(book.place(limit(3, BUY, 101, 7))) == [(2, 100, 5), (1, 101, 2)]
    book = book_of(limit(1, BUY, 99, 5), limit(2, BUY, 100, 5))
    assert trades(book.place(limit(3, SELL, 99, 7))) == [(2, 100, 5), (1, 99, 2)]


def test_a_trade_is_made_at_the_makers_price() -> None:
    taker = limit(2, BUY, 150, 3)
    (fill,) = book_of(limit(1, SELL, 100, 5)).place(taker)
    assert (fill.price_ticks, fill.lots) == (100, 3)
    assert taker.filled_units == 300  # 100 ticks x 3 lots


def test_a_partly_filled_maker_keeps_its_place() -> None:
    first = limit(1, SELL, 100, 5)
    book = book_of(first, limit(2, SELL, 100, 5))
    book.place(limit(3, BUY, 100, 2))
    assert fate(first) == (Status.PARTIALLY_FILLED, 0, 3)
    assert trades(book.place(limit(4, BUY, 100, 4))) == [(1, 100, 3), (2, 100, 1)]
    assert fate(first) == (Status.FILLED, 0, 0)
    assert first.order_id not in book.orders


def test_what_is_left_of_a_limit_order_rests_behind_those_already_there() -> None:
    book = book_of(limit(1, SELL, 100, 2), limit(2, BUY, 99, 1))
    taker = limit(3, BUY, 100, 5)
    book.place(taker)
    assert taker.status is Status.PARTIALLY_FILLED
    assert book.levels(BUY, 9) == [(100, 3), (99, 1)]
    book.place(limit(4, BUY, 100, 1))
    assert [order.order_id for order in book.queue(BUY, 100)] == [3, 4]
    assert book.queue(SELL, 100) == []


def test_best_prices_are_zero_on_an_empty_side() -> None:
    book = Book()
    assert (book.best_bid_ticks, book.best_ask_ticks) == (0, 0)
    book.place(limit(1, BUY, 99, 1))
    book.place(limit(2, SELL, 101, 1))
    assert (book.best_bid_ticks, book.best_ask_ticks) == (99, 101)
    assert book.levels(BUY, 0) == []


# How long orders wait (S2).


def test_what_an_ioc_order_cannot_get_expires() -> None:
    taker = limit(2, BUY, 100, 5, tif=IOC)
    book = book_of(limit(1, SELL, 100, 3))
    book.place(taker)
    assert (taker.status, taker.reason) == (Status.EXPIRED, Reason.NO_LIQUIDITY)
    assert (taker.filled_lots, taker.closed_lots) == (3, 2)
    assert not book.orders


def test_a_fill_or_kill_order_is_filled_whole_or_leaves_the_book_untouched() -> None:
    book = book_of(limit(1, SELL, 100, 3), limit(2, SELL, 101, 3))
    killed = limit(3, BUY, 101, 7, tif=FOK)
    assert book.place(killed) == []
    assert (killed.status, killed.reason) == (Status.EXPIRED, Reason.FOK_UNFILLABLE)
    assert book.levels(SELL, 9) == [(100, 3), (101, 3)]
    assert len(book.place(limit(4, BUY, 101, 6, tif=FOK))) == 2
    assert not book.orders


@pytest.mark.parametrize("mode", [SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_BOTH])
def test_a_fill_or_kill_order_counts_nothing_behind_an_own_order(mode: SelfTrade) -> None:
    book = book_of(limit(1, SELL, 100, 3, account=7), limit(2, SELL, 100, 9))
    killed = limit(3, BUY, 100, 5, account=7, tif=FOK, stp=mode)
    assert book.place(killed) == []
    assert killed.reason is Reason.FOK_UNFILLABLE
    assert book.levels(SELL, 9) == [(100, 12)]


def test_a_fill_or_kill_order_counts_past_own_orders_that_will_be_gone() -> None:
    book = book_of(limit(1, SELL, 100, 3, account=7), limit(2, SELL, 100, 5))
    taker = limit(3, BUY, 100, 5, account=7, tif=FOK)
    happened = book.place(taker)
    assert [type(one) for one in happened] == [Prevention, Fill]
    assert taker.status is Status.FILLED


def test_a_fill_or_kill_order_needs_its_lots_within_the_price_range() -> None:
    book = book_of(limit(1, SELL, 100, 3), limit(2, SELL, 101, 3))
    assert book.place(limit(3, BUY, 101, 5, tif=FOK), worst_ticks=100) == []
    assert len(book.place(limit(4, BUY, 101, 3, tif=FOK), worst_ticks=100)) == 1


def test_a_dated_order_expires_when_its_time_has_come_and_not_before() -> None:
    late, early = (
        limit(1, BUY, 100, 1, tif=GTD, expire_ms=20),
        limit(2, BUY, 101, 1, tif=GTD, expire_ms=10),
    )
    book = book_of(late, early, limit(3, BUY, 102, 1))
    assert book.next_expiry_ms == 10
    assert expire_due(book, 9) == []
    assert expire_due(book, 10) == [early]
    assert (early.status, early.reason) == (Status.EXPIRED, Reason.EXPIRED_BY_TIME)
    assert book.next_expiry_ms == 20
    book.cancel(1)
    assert book.next_expiry_ms == 0


def test_a_post_only_order_that_would_take_is_rejected_and_never_repriced() -> None:
    book = book_of(limit(1, SELL, 100, 1))
    taker = limit(2, BUY, 100, 1, post_only=True)
    assert book.place(taker) == []
    assert (taker.status, taker.reason) == (Status.REJECTED, Reason.WOULD_TAKE)
    assert taker.closed_lots == 1
    maker = limit(3, BUY, 99, 1, post_only=True)
    book.place(maker)
    assert book.queue(BUY, 99) == [maker]


# Market orders (S2, S3).


def test_a_market_order_takes_any_price_and_never_rests() -> None:
    book = book_of(limit(1, SELL, 1, 1), limit(2, SELL, PRICE_TICKS_MAX, 1))
    taker = market(3, BUY, 3)
    assert trades(book.place(taker)) == [(1, 1, 1), (2, PRICE_TICKS_MAX, 1)]
    assert (taker.status, taker.reason) == (Status.EXPIRED, Reason.NO_LIQUIDITY)
    assert trades(book_of(limit(1, BUY, 1, 1)).place(market(2, SELL, 1))) == [(1, 1, 1)]


def test_a_market_order_on_an_empty_book_expires() -> None:
    for taker in (market(1, BUY, 3), market(2, SELL, 0, quote_units=100)):
        assert Book().place(taker) == []
        assert (taker.status, taker.reason) == (Status.EXPIRED, Reason.NO_LIQUIDITY)


def test_a_market_order_by_amount_never_overspends() -> None:
    book = book_of(limit(1, SELL, 100, 2), limit(2, SELL, 150, 5))
    taker = market(3, BUY, 0, quote_units=649)
    # 2 x 100 = 200; 449 left buy 2 at 150 = 300; 149 left buy none.
    assert trades(book.place(taker)) == [(1, 100, 2), (2, 150, 2)]
    assert (taker.filled_units, taker.status) == (500, Status.FILLED)
    assert taker.lots == taker.open_lots == taker.closed_lots == 0


def test_a_market_sale_by_amount_may_go_on_at_a_lower_price() -> None:
    book = book_of(limit(1, BUY, 100, 1), limit(2, BUY, 30, 9))
    taker = market(3, SELL, 0, quote_units=199)
    # 1 x 100; 99 left are less than another 100, but the next bid is 30: 3 x 30 = 90.
    assert trades(book.place(taker)) == [(1, 100, 1), (2, 30, 3)]
    assert taker.status is Status.FILLED


def test_a_market_sale_by_amount_does_not_trade_through_a_better_bid() -> None:
    book = book_of(limit(1, BUY, 100, 2), limit(2, BUY, 30, 9))
    taker = market(3, SELL, 0, quote_units=199)
    assert trades(book.place(taker)) == [(1, 100, 1)]  # One more at 100 still rests.
    assert taker.status is Status.FILLED


def test_an_amount_below_one_lot_buys_nothing() -> None:
    taker = market(2, BUY, 0, quote_units=99)
    assert book_of(limit(1, SELL, 100, 2)).place(taker) == []
    assert (taker.status, taker.reason) == (Status.EXPIRED, Reason.AMOUNT_BELOW_ONE_LOT)


def test_an_amount_that_empties_the_book_expires_with_what_it_bought() -> None:
    taker = market(2, BUY, 0, quote_units=1_000)
    book = book_of(limit(1, SELL, 100, 2))
    book.place(taker)
    assert (taker.filled_units, taker.status) == (200, Status.EXPIRED)
    assert taker.reason is Reason.NO_LIQUIDITY


def test_an_amount_that_is_spent_as_the_book_empties_is_filled() -> None:
    taker = market(2, BUY, 0, quote_units=299)
    book_of(limit(1, SELL, 100, 2)).place(taker)
    assert taker.status is Status.FILLED  # 99 left are less than the last price.


# The execution range and the bound on fills (S12b).


@pytest.mark.parametrize("tif", [IOC, None])
def test_a_taker_that_reaches_past_the_range_expires_there(tif: object) -> None:
    book = book_of(limit(1, BUY, 100, 1), limit(2, BUY, 90, 1))
    more = {"tif": tif} if tif else {}
    taker = limit(3, SELL, 80, 2, **more)
    assert trades(book.place(taker, worst_ticks=95)) == [(1, 100, 1)]
    assert (taker.status, taker.reason) == (Status.EXPIRED, Reason.EXECUTION_PRICE_RANGE)
    assert taker.order_id not in book.orders


def test_a_limit_order_that_meets_nobody_past_the_range_rests_there() -> None:
    book = book_of(limit(1, SELL, 100, 1))
    taker = limit(2, BUY, 120, 2)
    book.place(taker, worst_ticks=110)
    assert book.queue(BUY, 120) == [taker]


def test_more_fills_than_allowed_expire_the_remainder() -> None:
    book = book_of(*[limit(n, SELL, 100, 1) for n in range(1, 5)])
    taker = limit(9, BUY, 100, 9)
    assert len(book.place(taker, fills_max=3)) == 3
    assert (taker.status, taker.reason) == (Status.EXPIRED, Reason.FILLS_LIMIT)
    assert book.levels(SELL, 9) == [(100, 1)]


def test_exactly_as_many_fills_as_allowed_are_no_matter() -> None:
    book = book_of(*[limit(n, SELL, 100, 1) for n in range(1, 4)])
    taker = limit(9, BUY, 100, 4)
    book.place(taker, fills_max=3)
    assert taker.status is Status.PARTIALLY_FILLED
    assert book.queue(BUY, 100) == [taker]


# An account never trades with itself (S8).


def own_meeting(mode: SelfTrade, maker_lots: int, taker_lots: int) -> tuple[Order, Order, Book]:
    maker = limit(1, SELL, 100, maker_lots, account=7)
    taker = limit(2, BUY, 100, taker_lots, account=7, stp=mode)
    book = book_of(maker, taker)
    book.check()
    return maker, taker, book


def test_without_prevention_an_account_trades_with_itself() -> None:
    maker, taker, _ = own_meeting(SelfTrade.NONE, 3, 3)
    assert maker.status is taker.status is Status.FILLED


def test_expire_maker_removes_the_resting_order_and_goes_on() -> None:
    maker, taker, book = own_meeting(SelfTrade.EXPIRE_MAKER, 3, 5)
    assert fate(maker) == (Status.EXPIRED_IN_MATCH, 3, 0)
    assert maker.reason is Reason.SELF_TRADE
    assert fate(taker) == (Status.NEW, 0, 5)
    assert book.queue(BUY, 100) == [taker]


def test_expire_taker_leaves_the_resting_order_alone() -> None:
    maker, taker, book = own_meeting(SelfTrade.EXPIRE_TAKER, 3, 5)
    assert fate(maker) == (Status.NEW, 0, 3)
    assert fate(taker) == (Status.EXPIRED_IN_MATCH, 5, 0)
    assert book.queue(SELL, 100) == [maker]


def test_expire_both_ends_both() -> None:
    maker, taker, book = own_meeting(SelfTrade.EXPIRE_BOTH, 3, 5)
    assert fate(maker) == (Status.EXPIRED_IN_MATCH, 3, 0)
    assert fate(taker) == (Status.EXPIRED_IN_MATCH, 5, 0)
    assert not book.orders


@pytest.mark.parametrize(
    ("maker_lots", "taker_lots", "of_maker", "of_taker"),
    [
        (3, 5, (Status.EXPIRED_IN_MATCH, 3, 0), (Status.NEW, 3, 2)),
        (5, 3, (Status.NEW, 3, 2), (Status.EXPIRED_IN_MATCH, 3, 0)),
        (4, 4, (Status.EXPIRED_IN_MATCH, 4, 0), (Status.EXPIRED_IN_MATCH, 4, 0)),
    ],
)
def test_decrement_takes_the_overlap_from_both_and_the_smaller_expires(
    maker_lots: int, taker_lots: int, of_maker: object, of_taker: object
) -> None:
    maker, taker, _ = own_meeting(SelfTrade.DECREMENT, maker_lots, taker_lots)
    assert fate(maker) == of_maker
    assert fate(taker) == of_taker


def test_fills_before_an_own_order_stand() -> None:
    book = book_of(limit(1, SELL, 100, 2), limit(2, SELL, 100, 2, account=7))
    taker = limit(3, BUY, 100, 5, account=7, stp=SelfTrade.EXPIRE_TAKER)
    fill, prevention = book.place(taker)
    assert isinstance(fill, Fill)
    assert isinstance(prevention, Prevention)
    assert (prevention.lots, prevention.maker_lots, prevention.taker_lots) == (2, 0, 3)
    assert (prevention.maker_expired, prevention.taker_expired) == (False, True)
    assert taker.filled_lots + taker.prevented_lots == taker.lots == 5  # 2 + 3


def test_a_decremented_amount_spends_what_it_lost() -> None:
    own, other = limit(1, BUY, 100, 2, account=7), limit(2, BUY, 50, 9)
    taker = market(3, SELL, 0, quote_units=299, account=7, stp=SelfTrade.DECREMENT)
    book = book_of(own, other)
    # 299 sell 2 at 100; the overlap of 2 is all the taker wanted there: both end.
    foreseen = book.cost_of_market(taker)
    book.place(taker)
    assert foreseen == (taker.filled_lots, taker.filled_units) == (0, 0)
    assert taker.status is own.status is Status.EXPIRED_IN_MATCH
    assert taker.prevented_lots == 0  # It names no lots.
    assert book.levels(BUY, 9) == [(50, 9)]


# Cancelling and amending (S7).


def test_a_cancelled_order_is_gone_and_cannot_be_cancelled_again() -> None:
    order = limit(1, BUY, 100, 5)
    book = book_of(order)
    assert book.cancel(1, reason=Reason.CANCELLED_BY_USER) is order
    assert (order.status, order.reason) == (Status.CANCELLED, Reason.CANCELLED_BY_USER)
    assert (order.open_lots, order.closed_lots) == (0, 5)
    assert book.cancel(1) is None
    assert book.best_bid_ticks == 0


def test_a_cancel_may_tell_of_an_expiry() -> None:
    book = book_of(limit(1, BUY, 100, 5))
    order = book.cancel(1, Happening.EXPIRE)
    assert order is not None
    assert order.status is Status.EXPIRED


def test_an_order_cancelled_from_the_middle_leaves_its_neighbours_in_order() -> None:
    book = book_of(*[limit(n, SELL, 100, n) for n in (1, 2, 3)])
    book.cancel(2)
    assert trades(book.place(limit(9, BUY, 100, 4))) == [(1, 100, 1), (3, 100, 3)]


def test_a_smaller_quantity_keeps_the_place() -> None:
    book = book_of(limit(1, SELL, 100, 5), limit(2, SELL, 100, 5))
    order = book.reduce(1, 2)
    assert isinstance(order, Order)
    assert (order.lots, order.open_lots, order.closed_lots) == (2, 2, 0)
    assert book.levels(SELL, 1) == [(100, 7)]
    assert trades(book.place(limit(3, BUY, 100, 3))) == [(1, 100, 2), (2, 100, 1)]


def test_a_quantity_can_be_lowered_only_and_not_to_what_is_filled() -> None:
    book = book_of(limit(1, SELL, 100, 5))
    book.place(limit(2, BUY, 100, 3))
    assert book.reduce(9, 1) is Reason.UNKNOWN_ORDER
    assert book.reduce(1, 5) is Reason.AMEND_NOT_REDUCING
    assert book.reduce(1, 6) is Reason.AMEND_NOT_REDUCING
    assert book.reduce(1, 3) is Reason.AMEND_BELOW_FILLED
    assert book.reduce(1, 2) is Reason.AMEND_BELOW_FILLED
    order = book.reduce(1, 4)
    assert isinstance(order, Order)
    assert order.open_lots == 1  # 4 in all, 3 of them filled.


# Keeping and checking.


def test_a_restored_book_answers_as_the_one_that_was_kept() -> None:
    book = book_of(
        limit(1, SELL, 100, 5),
        limit(2, SELL, 100, 5, tif=GTD, expire_ms=50),
        limit(3, SELL, 99, 1),
        limit(4, BUY, 98, 5),
    )
    book.place(limit(5, BUY, 99, 1))
    again = Book.restore(book.state())
    again.check()
    assert again.state() == book.state()
    assert again.next_expiry_ms == 50
    assert again.take_changes() == book.take_changes()
    taker = limit(6, BUY, 100, 7)
    assert trades(again.place(taker)) == [(1, 100, 5), (2, 100, 2)]


def test_changes_are_told_once_with_the_totals_as_they_stand() -> None:
    book = book_of(limit(1, BUY, 99, 5), limit(2, BUY, 98, 1), limit(3, SELL, 101, 2))
    assert book.take_changes() == [(BUY, 99, 5), (BUY, 98, 1), (SELL, 101, 2)]
    assert book.take_changes() == []
    book.place(limit(4, SELL, 99, 2))
    book.cancel(2)
    assert book.take_changes() == [(BUY, 99, 3), (BUY, 98, 0)]


def test_the_largest_order_there_can_be_stays_below_the_bound_of_c_integers() -> None:
    book = book_of(limit(1, SELL, PRICE_TICKS_MAX, LOTS_MAX))
    taker = limit(2, BUY, PRICE_TICKS_MAX, LOTS_MAX)
    book.place(taker)
    assert taker.filled_units == 4 * 10**18 < 2**62


def test_an_order_is_placed_once() -> None:
    order = limit(1, BUY, 100, 5)
    book = book_of(order)
    with pytest.raises(AssertionError):
        book.place(limit(1, BUY, 90, 5))
    book.cancel(1)
    with pytest.raises(AssertionError):
        book.place(order)


def test_a_removed_order_keeps_nothing_alive() -> None:
    gc.collect()
    gc.disable()
    try:
        book = book_of(*[limit(n, SELL, 100 + n, 1) for n in range(1, 50)])
        book.place(market(99, BUY, 49))
        assert not book.orders
        assert gc.collect() == 0  # No cycle was left: the collector may rest for long.
    finally:
        gc.enable()


PLANTED = {
    "a level's total is off": lambda book: setattr(book.orders[1].level, "lots", 6),
    "an order is lost": lambda book: book.orders.pop(1),
    "an order is empty": lambda book: setattr(book.orders[1], "open_lots", 0),
    "an order is at another price": lambda book: setattr(book.orders[1], "price_ticks", 5),
    "an order is on the other side": lambda book: setattr(book.orders[1], "side", Side.SELL),
    "an order is done": lambda book: setattr(book.orders[1], "status", Status.FILLED),
    "an order does not add up": lambda book: setattr(book.orders[1], "lots", 9),
    "an expiry is lost": lambda book: setattr(book.orders[1], "tif", GTD),
}


@pytest.mark.parametrize("fault", PLANTED, ids=str)
def test_check_finds_a_planted_fault(fault: str) -> None:
    book = book_of(limit(1, BUY, 100, 5), limit(2, BUY, 100, 5))
    book.check()
    PLANTED[fault](book)
    with pytest.raises(AssertionError):
        book.check()
