"""Changing an order of a list (S7, T28): the legs of an OCO keep one quantity, whatever changes."""

from __future__ import annotations

from exchange.amending import amend
from exchange.bracketing import refuse_entry
from exchange.commands import AmendOrder
from exchange.listing import OrderList
from exchange.pairing import hold_pair, refuse_crossed
from exchange.trading import Placed, Trading
from exchange.triggering import refuse_asleep
from matching.filters import refuse_amendment, refuse_reduction
from matching.lists import pair_of
from matching.reasons import Reason
from matching.types import Order
from risk.account import Account
from risk.reserve_spot import asleep_hold_ticks

Pair = tuple[Order, Order]


def amend_order(
    trading: Trading, account: Account, order: Order, wish: AmendOrder
) -> Placed | Reason:
    """Change an open order, of a list or of none, or say why not; a refusal changes nothing.

    A working order, and a leg whose rival is gone, are changed as any order is. A quantity is
    that of both legs of an OCO; price and trigger are those of the leg that is named. Both stay
    the same orders, so a leg that rests on the book may only shrink.
    """
    if not order.list_id:
        return _amend_one(trading, account, order, wish)
    made = trading.lists.by_id[order.list_id]
    if made.list_id in trading.lists.due:
        return Reason.BUSY  # Something befell a leg: the others are about to be looked at.
    pair = _open_pair(account, made)
    if pair is not None and order in pair:
        return _amend_pair(trading, account, pair, order, wish)
    refused = refuse_entry(trading, made, order, wish)
    return _amend_one(trading, account, order, wish) if refused is None else refused


def _amend_one(
    trading: Trading, account: Account, order: Order, wish: AmendOrder
) -> Placed | Reason:
    """Change an order that is tied to no other; what it was before is told with what it is."""
    before, since = _before(order), len(trading.teller.events)
    placed = amend(trading, account, order, wish)
    if isinstance(placed, Placed) and placed.reason is None:
        trading.teller.amended(placed.order.order_id, before, since)
    return placed


def _before(order: Order) -> tuple[int, int, int]:
    return order.order_id, order.price_ticks, order.lots


def _open_pair(account: Account, made: OrderList) -> Pair | None:
    """The legs of an OCO, while both are open."""
    places = pair_of(made.kind)
    if places is None:
        return None
    limit, stop = (account.orders.get(made.legs[place].order_id) for place in places)
    return None if limit is None or stop is None else (limit, stop)


def _amend_pair(
    trading: Trading, account: Account, pair: Pair, order: Order, wish: AmendOrder
) -> Placed | Reason:
    limit, stop = pair
    triggers = trading.triggers[order.symbol]
    if any(each.order_id in triggers.due for each in pair):
        return Reason.BUSY  # It is about to wake.
    if wish.trigger_ticks and not order.is_asleep:
        return Reason.TRIGGER_NOT_ALLOWED
    wanted = (_wanted(trading, limit, order, wish), _wanted(trading, stop, order, wish))
    if all(_shape(old) == _shape(new) for old, new in zip(pair, wanted, strict=True)):
        return Reason.NOTHING_TO_AMEND
    refused = refuse_crossed(*wanted)
    for old, new in zip(pair, wanted, strict=True):
        refused = refused or _refuse(trading, account, old, new)
    if refused is None and trading.risk.instruments[order.symbol].kind == "spot":
        refused = hold_pair(trading, account, pair, wanted)
    if refused is not None:
        return refused
    for old, new in zip(pair, wanted, strict=True):
        if _shape(old) != _shape(new):
            _change(trading, account, old, new)
    return Placed(order, None)


def _shape(order: Order) -> tuple[int, int, int]:
    return order.lots, order.price_ticks, order.trigger_ticks


def _wanted(trading: Trading, leg: Order, named: Order, wish: AmendOrder) -> Order:
    """A leg as it would be, by itself."""
    fresh = Order.restore(leg.state())
    fresh.lots = fresh.open_lots = wish.lots or leg.lots
    fresh.covered_minor = 0
    if leg is named:
        fresh.price_ticks = wish.price_ticks or leg.price_ticks
        fresh.trigger_ticks = wish.trigger_ticks or leg.trigger_ticks
        if fresh.trigger_ticks != leg.trigger_ticks:
            fresh.hold_ticks = asleep_hold_ticks(trading.risk, fresh)
    return fresh


def _refuse(trading: Trading, account: Account, leg: Order, wanted: Order) -> Reason | None:
    """Why a leg may not become what is wanted, or None."""
    if _shape(leg) == _shape(wanted):
        return None
    instrument = trading.risk.instruments[leg.symbol]
    if leg.is_asleep:
        refused = refuse_asleep(trading, account, wanted, instead_of=leg)
        return refused or refuse_amendment(instrument, leg)
    if wanted.lots > leg.lots or wanted.price_ticks != leg.price_ticks:
        return Reason.LIST_AMEND
    return refuse_reduction(instrument, trading.states[leg.symbol], leg, wanted.lots)


def _change(trading: Trading, account: Account, leg: Order, wanted: Order) -> None:
    """The leg becomes what is wanted; it holds already what it needs then."""
    before, since = _before(leg), len(trading.teller.events)
    _put(trading, account, leg, wanted)
    trading.teller.amended(leg.order_id, before, since)


def _put(trading: Trading, account: Account, leg: Order, wanted: Order) -> None:
    if not leg.is_asleep:
        less = leg.lots - wanted.lots
        refused = trading.books[leg.symbol].reduce(leg.order_id, wanted.lots)
        assert not isinstance(refused, Reason), refused
        leg.amends += 1
        trading.touched_books[leg.symbol] = None
        trading.shrunk(account, leg, less)
        return
    triggers = trading.triggers[leg.symbol]
    triggers.remove(leg)
    leg.lots, leg.price_ticks, leg.trigger_ticks = _shape(wanted)
    leg.open_lots, leg.hold_ticks = wanted.open_lots, wanted.hold_ticks
    leg.amends += 1
    triggers.add(leg)
    trading.teller.drain()
    trading.teller.order(leg, "amended")
