"""Tests of the feeding loop: which order each record makes, and what becomes of it."""

from exchange.bench.flow import CANCEL, NEW_GTC, NEW_IOC, NEW_MARKET, FlowRecord
from exchange.bench.playing import play
from matching.book import Book, Happened
from matching.types import Fill, Prevention, Side, Status, TimeInForce
from tests.matching.stories import trades

SELLS_5_AT_100: FlowRecord = (NEW_GTC, 1, 7, 0, 1, 100, 5)


def played(*records: FlowRecord) -> tuple[Book, Happened, int]:
    book, happened = Book(), list[Fill | Prevention]()
    refused = play(book, list(records), happened)
    book.check()
    return book, happened, refused


def test_what_is_good_till_cancelled_rests_as_the_record_says() -> None:
    book, happened, refused = played(SELLS_5_AT_100, (NEW_GTC, 0, 8, 0, 2, 99, 4))
    ask, bid = book.orders[1], book.orders[2]
    assert (ask.side, ask.account_id, ask.price_ticks, ask.open_lots) == (Side.SELL, 7, 100, 5)
    assert (bid.side, bid.account_id, bid.price_ticks, bid.open_lots) == (Side.BUY, 8, 99, 4)
    assert ask.tif is bid.tif is TimeInForce.GTC
    assert (happened, refused) == ([], 0)


def test_what_is_immediate_takes_what_it_reaches_and_never_rests() -> None:
    book, happened, _ = played(SELLS_5_AT_100, (NEW_IOC, 0, 8, 0, 2, 100, 7))
    assert trades(happened) == [(1, 100, 5)]
    assert not book.orders
    assert happened[0].taker.status is Status.EXPIRED  # 7 - 5 = 2 lots found nobody.


def test_a_market_order_takes_any_price() -> None:
    book, happened, _ = played(SELLS_5_AT_100, (NEW_MARKET, 0, 8, 0, 2, 1, 2))
    assert trades(happened) == [(1, 100, 2)]
    assert book.orders[1].open_lots == 3  # 5 - 2


def test_an_owner_may_trade_with_itself() -> None:
    _, happened, _ = played(SELLS_5_AT_100, (NEW_IOC, 0, 7, 0, 2, 100, 5))
    assert trades(happened) == [(1, 100, 5)]


def test_a_cancel_of_what_does_not_rest_is_refused_and_counted() -> None:
    cancel = (CANCEL, 0, 0, 0, 1, 0, 0)
    book, _, refused = played(cancel, SELLS_5_AT_100, cancel, cancel)
    assert not book.orders
    assert refused == 2  # Before it came, and after it had gone.
