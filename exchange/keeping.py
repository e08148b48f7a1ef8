"""Trading as plain values: what a snapshot keeps of books, orders and those that sleep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange.auctioning import STANDING, Auction
from exchange.countdowns import Countdown, Countdowns
from exchange.listing import Lists
from exchange.trading import Trading
from matching.average import Average
from matching.book import Book
from matching.breaker import Breaker
from matching.depth import Depth
from matching.triggers import Triggers
from matching.types import Order, TradingState
from risk.account import Account
from risk.settle_contract import count_resting


def trading_state(trading: Trading) -> dict[str, Any]:
    """Everything but the money."""
    triggers = trading.triggers
    return {
        "books": [(symbol, book.state()) for symbol, book in sorted(trading.books.items())],
        "states": [(symbol, state.name) for symbol, state in sorted(trading.states.items())],
        "depths": [(symbol, each.last_id) for symbol, each in sorted(trading.depths.items())],
        "triggers": [
            (symbol, each.state(), sorted(each.due), each.extremes())
            for symbol, each in sorted(triggers.items())
        ],
        "fired": list(trading.fired),
        "held": sorted(trading.held.items()),
        "auctions": [(symbol, each.state()) for symbol, each in trading.auctions.items()],
        "breakers": [(symbol, each.state()) for symbol, each in sorted(trading.breakers.items())],
        "averages": [(symbol, each.state()) for symbol, each in sorted(trading.averages.items())],
        "countdowns": trading.countdowns.state(),
        "lists": trading.lists.state(),
        "trade_ids": sorted(trading.trade_ids.items()),
        "last_trade": sorted(trading.last_trade.items()),
        "next_order_id": trading.next_order_id,
    }


def restore_trading(trading: Trading, state: Mapping[str, Any]) -> None:
    """Take back what `trading_state` gave, into new trading whose accounts have no orders yet."""
    for symbol, book in state["books"]:
        trading.books[symbol] = Book.restore(book)
    for symbol, orders, due, extremes in state["triggers"]:
        tick_e8 = trading.risk.instruments[symbol].tick_e8
        trading.triggers[symbol] = Triggers.restore(tick_e8, orders, due, extremes)
    trading.fired.extend((symbol, order_id) for symbol, order_id in state["fired"])
    trading.held.update((symbol, list(order_ids)) for symbol, order_ids in state["held"])
    for symbol, auction in state["auctions"]:
        trading.auctions[symbol] = Auction.restore(auction)
    for symbol, last in state["breakers"]:
        move_bps = trading.risk.instruments[symbol].breaker_move_bps
        trading.breakers[symbol] = Breaker(move_bps, ((slot, ticks) for slot, ticks in last))
    trading.averages = {
        symbol: Average((slot, units, lots) for slot, units, lots in slots)
        for symbol, slots in state["averages"]
    }
    found = [order for book in trading.books.values() for order in book.orders.values()]
    for triggers in trading.triggers.values():
        found += triggers.orders.values()
    for order in sorted(found, key=lambda order: order.order_id):  # As they were placed.
        _hand_back(trading, trading.risk.accounts[order.account_id], order)
    for symbol, name in state["states"]:
        trading.states[symbol] = TradingState[name]
        if trading.states[symbol] in STANDING:
            trading.risk.halted.add(symbol)
    for symbol, last_id in state["depths"]:
        trading.depths[symbol] = Depth(trading.books[symbol], last_id)
    trading.countdowns = Countdowns(Countdown(*each) for each in state["countdowns"])
    trading.lists = Lists.restored(state["lists"])
    trading.trade_ids.update({symbol: number for symbol, number in state["trade_ids"]})
    for symbol, last in state["last_trade"]:
        trading.last_trade[symbol] = (last[0], last[1])
    trading.next_order_id = state["next_order_id"]


def _hand_back(trading: Trading, account: Account, order: Order) -> None:
    """Give a restored order to its account again."""
    trading.list_order(account, order)
    if order.is_asleep:
        account.asleep.setdefault(order.leg, {})[order.order_id] = order
        return
    if order.reduce_only:
        account.reducing.setdefault(order.leg, {})[order.order_id] = order
    count_resting(trading.risk, account, order)
