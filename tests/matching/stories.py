"""How the tests of matching say orders and instruments in few words."""

from __future__ import annotations

from typing import Any

from matching.book import Book, Happened
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Happening, Order, OrderType, Side, TimeInForce

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK, GTD = TimeInForce


def instrument(**changed: Any) -> Instrument:
    """BTC-USDT with a tick of 0.01 and a lot of 0.01, unless said otherwise."""
    fields: dict[str, Any] = {"tick": "0.01", "lot": "0.01"}
    named = {"symbol": "BTC-USDT", "kind": "spot", "base": "BTC", "quote": "USDT"}
    return Instrument(**{**named, "settle": "USDT", **fields, **changed})


def limit(order_id: int, side: Side, ticks: int, lots: int, **more: Any) -> Order:
    """A limit order, each of an account of its own unless said otherwise."""
    account = more.pop("account", order_id)
    return Order(order_id, account, "BTC-USDT", side, OrderType.LIMIT, ticks, lots, **more)


def market(order_id: int, side: Side, lots: int, **more: Any) -> Order:
    """A market order by quantity, or with `quote_units` and no lots by amount."""
    account = more.pop("account", order_id)
    return Order(order_id, account, "BTC-USDT", side, OrderType.MARKET, 0, lots, IOC, **more)


def book_of(*orders: Order) -> Book:
    """A book on which these orders were placed."""
    book = Book()
    for order in orders:
        book.place(order)
    return book


def trades(happened: Happened) -> list[tuple[int, int, int]]:
    """(maker id, ticks, lots) of what happened."""
    return [(one.maker.order_id, one.price_ticks, one.lots) for one in happened]


def expire_due(book: Book, now_ms: int, limit: int = 1_000) -> list[Order]:
    """End the good-till-date orders whose time has come, oldest first, `limit` at most."""
    expired: list[Order] = []
    while len(expired) < limit and 0 < book.next_expiry_ms <= now_ms:
        order_id = book.next_expiry_id
        order = book.cancel(order_id, Happening.EXPIRE, Reason.EXPIRED_BY_TIME)
        assert order is not None
        expired.append(order)
    return expired
