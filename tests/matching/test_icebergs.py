"""Tests of icebergs on the book (S6, T28): what is seen of them, and when the rest has its turn."""

from __future__ import annotations

from matching.auction import crossing, uncross_price
from matching.book import Book
from matching.types import Prevention, SelfTrade, Status
from tests.matching.stories import BUY, FOK, SELL, book_of, limit, market, trades


def test_s6_only_a_slice_is_seen() -> None:
    book = book_of(limit(1, SELL, 100, 10, iceberg_lots=3), limit(2, SELL, 100, 4))
    assert book.levels(SELL, 9) == [(100, 7)]  # 3 + 4
    assert book.whole_levels(SELL) == [(100, 14)]
    assert book.take_changes() == [(SELL, 100, 7)]


def test_s6_the_next_slice_goes_to_the_back() -> None:
    iceberg = limit(1, SELL, 100, 10, iceberg_lots=3)
    book = book_of(iceberg, limit(2, SELL, 100, 4))
    assert trades(book.place(market(3, BUY, 3))) == [(1, 100, 3)]
    assert [order.order_id for order in book.queue(SELL, 100)] == [2, 1]
    assert book.levels(SELL, 9) == [(100, 7)]  # 4 + 3
    assert (iceberg.status, iceberg.open_lots) == (Status.PARTIALLY_FILLED, 7)


def test_s6_a_slice_that_is_part_filled_keeps_its_place() -> None:
    book = book_of(limit(1, SELL, 100, 10, iceberg_lots=3), limit(2, SELL, 100, 4))
    book.place(market(3, BUY, 2))
    assert [order.order_id for order in book.queue(SELL, 100)] == [1, 2]
    assert book.levels(SELL, 9) == [(100, 5)]  # 1 + 4


def test_t28_in_one_sweep_the_others_trade_before_the_next_slice() -> None:
    book = book_of(
        limit(1, SELL, 100, 8, iceberg_lots=3),
        limit(2, SELL, 100, 4),
        limit(3, SELL, 100, 5, iceberg_lots=2),
        limit(4, SELL, 101, 9),
    )
    taker = market(5, BUY, 18)
    foreseen = book.cost_of_market(taker)
    assert trades(book.place(taker)) == [
        *((1, 100, 3), (2, 100, 4), (3, 100, 2)),
        *((1, 100, 3), (3, 100, 2)),
        *((1, 100, 2), (3, 100, 1)),
        (4, 101, 1),  # 8 + 4 + 5 = 17 of 18 lots at the better price.
    ]
    assert foreseen == (18, 1_801)  # 17 x 100 + 101


def test_s6_what_a_taker_leaves_to_rest_is_shown_by_slices() -> None:
    book = book_of(limit(1, SELL, 100, 4))
    book.place(limit(2, BUY, 100, 9, iceberg_lots=2))
    assert book.levels(BUY, 9) == [(100, 2)]  # 5 are open.


def test_s2_a_fill_or_kill_order_finds_what_is_hidden() -> None:
    book = book_of(limit(1, SELL, 100, 10, iceberg_lots=3))
    assert sum(lots for _, _, lots in trades(book.place(limit(2, BUY, 100, 10, tif=FOK)))) == 10


def test_s7_a_reduction_takes_what_is_hidden_first() -> None:
    book = book_of(limit(1, SELL, 100, 10, iceberg_lots=3), limit(2, SELL, 100, 4))
    book.reduce(1, 4)
    assert (book.levels(SELL, 9), book.whole_levels(SELL)) == ([(100, 7)], [(100, 8)])
    book.reduce(1, 2)
    assert book.levels(SELL, 9) == book.whole_levels(SELL) == [(100, 6)]
    assert [order.order_id for order in book.queue(SELL, 100)] == [1, 2]
    book.check()


def test_cancelling_takes_off_what_is_hidden_too() -> None:
    book = book_of(limit(1, SELL, 100, 10, iceberg_lots=3), limit(2, SELL, 100, 4))
    book.cancel(1)
    assert book.levels(SELL, 9) == book.whole_levels(SELL) == [(100, 4)]
    book.check()


def test_s8_an_iceberg_that_expires_does_so_whole() -> None:
    book = book_of(limit(1, SELL, 100, 10, iceberg_lots=3, account=7), limit(2, SELL, 100, 4))
    taker = market(3, BUY, 4, account=7, stp=SelfTrade.EXPIRE_MAKER)
    assert book.cost_of_market(taker) == (4, 400)
    (prevented, fill) = book.place(taker)
    assert isinstance(prevented, Prevention)
    assert (prevented.lots, prevented.maker_lots) == (3, 10)  # 3 were on view.
    assert fill.maker.order_id == 2
    assert not book.orders


def test_s8_a_decrement_meets_slice_by_slice() -> None:
    own = limit(1, SELL, 100, 10, iceberg_lots=3, account=7)
    book = book_of(own, limit(2, SELL, 100, 4))
    book.place(market(3, BUY, 8, account=7, stp=SelfTrade.DECREMENT))
    # 3 of its own, 4 of the other, and 1 of its own next slice.
    assert (own.prevented_lots, own.open_lots) == (4, 6)
    assert book.levels(SELL, 9) == [(100, 2)]
    book.check()


def test_a_restored_book_shows_the_same_slices() -> None:
    book = book_of(limit(1, SELL, 100, 10, iceberg_lots=3), limit(2, SELL, 100, 4))
    book.place(market(3, BUY, 2))
    again = Book.restore(book.state())
    again.check()
    assert again.levels(SELL, 9) == [(100, 5)]  # 1 + 4
    assert trades(again.place(market(4, BUY, 9))) == trades(book.place(market(4, BUY, 9)))


def test_s14_in_an_auction_what_is_hidden_trades_too() -> None:
    book = Book()
    book.collecting = True
    book.place(limit(1, BUY, 100, 9, iceberg_lots=2))
    book.place(limit(2, BUY, 100, 2))
    book.place(limit(3, SELL, 99, 8, iceberg_lots=4))
    found = uncross_price(book.whole_levels(BUY), book.whole_levels(SELL), 0, 1)
    assert found is not None
    assert (found.price_ticks, found.lots) == (100, 8)  # Three buyers' lots are left over.
    fills: list[tuple[int, int, int]] = []
    while (fill := crossing(book, found.price_ticks)) is not None:
        fills.append((fill.maker.order_id, fill.taker.order_id, fill.lots))
    assert fills == [(1, 3, 2), (2, 3, 2), (1, 3, 2), (1, 3, 2)]
    assert book.whole_levels(BUY) == [(100, 3)]  # 9 + 2 - 8
    book.collecting = False
    book.check()
