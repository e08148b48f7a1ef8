"""Tests of foresight: what placing an order would fill, known before it is placed (S11)."""

from matching.types import SelfTrade
from tests.matching.stories import BUY, SELL, book_of, limit, market


def test_the_cost_of_a_market_order_is_known_before_it_is_placed() -> None:
    book = book_of(limit(1, SELL, 100, 2), limit(2, SELL, 110, 5))
    taker = market(3, BUY, 4)
    assert book.cost_of_market(taker) == (4, 420)  # 2 x 100 + 2 x 110
    assert book.cost_of_market(taker, worst_ticks=105) == (2, 200)
    assert book.fillable_lots(limit(4, BUY, 100, 9)) == 2
    assert book.levels(SELL, 9) == [(100, 2), (110, 5)]


def test_own_orders_cost_nothing() -> None:
    book = book_of(limit(1, SELL, 100, 2, account=7), limit(2, SELL, 110, 5))
    assert book.cost_of_market(market(3, BUY, 4, account=7)) == (4, 440)  # 4 x 110


def test_foresight_ends_where_prevention_would_end_the_taker() -> None:
    book = book_of(limit(1, SELL, 100, 2), limit(2, SELL, 100, 1, account=7))
    for mode in (SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_BOTH):
        taker = market(3, BUY, 4, account=7, stp=mode)
        assert book.cost_of_market(taker) == (2, 200)


def test_foresight_loses_the_overlap_that_a_decrement_takes() -> None:
    book = book_of(limit(1, SELL, 100, 1, account=7), limit(2, SELL, 110, 9))
    taker = market(3, BUY, 4, account=7, stp=SelfTrade.DECREMENT)
    assert book.cost_of_market(taker) == (3, 330)  # 1 of 4 lost, 3 x 110.


def test_foresight_counts_no_more_fills_than_one_command_makes() -> None:
    book = book_of(limit(1, SELL, 100, 1), limit(2, SELL, 100, 1), limit(3, SELL, 100, 1))
    assert book.cost_of_market(market(4, BUY, 3), fills_max=2) == (2, 200)


def test_an_amount_buys_whole_lots_only() -> None:
    book = book_of(limit(1, SELL, 100, 2), limit(2, SELL, 150, 5))
    # 2 x 100 = 200; 449 left buy 2 x 150 = 300.
    assert book.cost_of_market(market(3, BUY, 0, quote_units=649)) == (4, 500)


def test_an_amount_ends_on_the_level_it_cannot_take_whole() -> None:
    """6 sells one lot at 5; the 1 left is not worth a second, and never reaches the bid at 1."""
    book = book_of(limit(1, BUY, 5, 2), limit(2, BUY, 1, 1))
    taker = market(3, SELL, 0, quote_units=6)
    assert book.cost_of_market(taker) == (1, 5)
    book.place(taker)
    assert (taker.filled_lots, taker.filled_units) == (1, 5)
