"""Tests of the plain reference book: by hand, and against the exchange's own book."""

from __future__ import annotations

from random import Random

from exchange.bench.flow import FlowDigest
from exchange.bench.plain_book import BUY, SELL, PlainBook
from matching.book import Book
from matching.types import Fill, Order, OrderType, SelfTrade, Side, TimeInForce


def test_price_comes_before_time_and_a_maker_keeps_its_place() -> None:
    book = PlainBook()
    for order_id, price in ((1, 101), (2, 100), (3, 100)):
        book.rest(order_id, SELL, price, 5)
    assert book.take(4, BUY, 101, 7) == (0, [2])  # 5 of order 2, 2 of order 3.
    assert book.take(5, BUY, 100, 9) == (6, [3])  # The 3 left of it; 101 is too dear.
    assert book.take(6, BUY, None, 9) == (4, [1])
    # 2*31 + 4*17 + 700 + 5 = 835 is the first of the hash; 5 x 100 + 2 x 100 + 3 x 100 + 5 x 101.
    assert (book.trades, book.qty, book.notional_mod64) == (4, 15, 1_505)
    assert book.digest()["resting"] == 0


def test_an_order_leaves_once_and_an_empty_price_with_it() -> None:
    book = PlainBook()
    book.rest(1, BUY, 99, 5)
    assert (book.best(BUY), book.best(SELL), book.levels) == (99, None, 1)
    assert book.remove(1)
    assert not book.remove(1)
    assert (book.best(BUY), book.levels) == (None, 0)


def test_it_says_what_the_exchanges_book_says() -> None:
    drawn, plain, real, digest = Random(5), PlainBook(), Book(), FlowDigest()
    for order_id in range(1, 3_001):
        side, price, lots = drawn.randrange(2), drawn.randrange(90, 111), drawn.randrange(1, 9)
        order = Order(
            *(order_id, order_id, "FLOW", Side(side), OrderType.LIMIT, price, lots),
            TimeInForce.GTC,
            SelfTrade.NONE,
        )
        digest.fold([each for each in real.place(order) if isinstance(each, Fill)])
        left, _ = plain.take(order_id, side, price, lots)
        if left:
            plain.rest(order_id, side, price, left)
        gone = drawn.randrange(1, order_id + 1)
        assert (real.cancel(gone) is not None) is plain.remove(gone)
    found = digest.result(real)
    assert plain.trades > 500
    assert plain.digest() == {name: found[name] for name in plain.digest()}
