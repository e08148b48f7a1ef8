"""The invariants of books and their orders: what `Engine.check` adds to those of the money."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.execution import Execution
from exchange.reducing import reducible
from matching.book import Book
from matching.instrument import Instrument
from matching.invariants import hold, naming
from matching.lists import LegStatus, ListStatus
from matching.types import Order, Status
from risk.account import Account


def check_book(book: Book, instrument: Instrument, accounts: Mapping[int, Account]) -> None:
    """I6 and I7 of one book and its orders. O(orders that rest)."""
    symbol = instrument.symbol
    with naming("I6", symbol):
        book.check()  # A book that collects may be crossed, and no other.
    for order in book.orders.values():
        hold("I6", order.symbol == symbol, symbol, order)
        mine = accounts[order.account_id].orders.get(order.order_id)
        hold("I6", mine is order, symbol, "its owner does not know {}", order)
        check_order(order, instrument)


def check_order(order: Order, instrument: Instrument) -> None:
    """I6 and I7 of an order that rests: within its instrument's bounds, and whole."""
    fits = 0 < order.price_ticks <= instrument.ticks_max and 0 < order.lots <= instrument.lots_max
    hold("I6", fits, instrument.symbol, "{} is beyond tick or lot", order)
    parts = (order.filled_lots, order.open_lots, order.prevented_lots)
    whole = order.lots == sum(parts) and min(parts) >= 0
    hold("I7", whole, instrument.symbol, "{} is not the sum of its parts", order)
    filled = order.status is Status.PARTIALLY_FILLED
    hold("I7", filled == (order.filled_lots > 0), instrument.symbol, order)


def check_orders(account: Account, books: Mapping[str, Book]) -> None:
    """I7 of one account: its orders rest or await their trigger, and it counts them right; and I8:
    what reduces leaves room for what would execute first."""
    counts: dict[str, int] = {}
    for order in account.orders.values():
        rests = books[order.symbol].orders.get(order.order_id) is order
        waits = order.status is Status.PENDING_TRIGGER
        hold("I7", rests != waits, account.id, "{} neither rests nor waits", order)
        counts[order.symbol] = counts.get(order.symbol, 0) + 1
    counted = {symbol: count for symbol, count in account.open_counts.items() if count}
    hold("I7", counted == counts, account.id, "open orders {}, not {}", counted, counts)
    for symbol in account.reducing:
        for order, room in reducible(account, symbol):
            hold("I8", order.open_lots <= room, account.id, "{} has room for {}", order, room)


def check_triggers(execution: Execution, symbol: str) -> None:
    """I12 of one instrument: who sleeps is its account's, and who woke has a turn. O(asleep)."""
    triggers, accounts = execution.triggers[symbol], execution.risk.accounts
    with naming("I12", symbol):
        triggers.check()
    for order in triggers.orders.values():
        account = accounts[order.account_id]
        hold("I12", order.symbol == symbol, symbol, order)
        mine = account.orders.get(order.order_id) is order
        sleeps = account.asleep.get(order.leg, {}).get(order.order_id) is order
        hold("I12", mine and sleeps, symbol, "its owner does not know {}", order)
    turns = {order_id for where, order_id in execution.fired if where == symbol}
    turns |= set(execution.held.get(symbol, ()))
    hold("I12", triggers.due <= turns, symbol, "{} woke, but {} have a turn", triggers.due, turns)


def check_lists(execution: Execution) -> None:
    """I12 of the lists: their legs are orders of theirs, and what is over is about to be told."""
    lists, accounts = execution.lists, execution.risk.accounts
    listed: set[int] = set()
    for list_id, each in lists.by_id.items():
        orders = accounts[each.account_id].orders
        for leg in each.legs:
            order = orders.get(leg.order_id)
            live = leg.status in (LegStatus.OPEN, LegStatus.MOVED)
            hold("I12", live is (order is not None), list_id, "a leg is {}", leg.status.name)
            hold("I12", order is None or order.list_id == list_id, list_id, order)
            listed.add(leg.order_id)
        waits = each.step is None
        waits = waits and each.status is ListStatus.EXECUTING
        hold("I12", waits or list_id in lists.due, list_id, "{} is not looked at", each.statuses)
    for account in accounts.values():
        for order in account.orders.values():
            known = not order.list_id or order.order_id in listed
            hold("I12", known, account.id, "no list knows {}", order)
