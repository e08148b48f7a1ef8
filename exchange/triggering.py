# cython: overflowcheck=True
"""Stops and take-profits: how an order falls asleep, wakes, and is changed meanwhile (S4, P16).

An order asleep is on no book. A price wakes it at most once (I12); it then joins the queue of
those that woke and takes the road of every order when its turn comes, one after the other, so
that a stop that sets off others never recurses (T11).
"""

from __future__ import annotations

from exchange.commands import AmendOrder, PlaceOrder
from exchange.holding_filters import refuse_holding
from exchange.reducing import closes
from exchange.trading import Placed, Trading
from matching.filters import refuse_amendment, refuse_trigger_order
from matching.reasons import Reason
from matching.types import (
    NEXT,
    TRIGGER_TYPES,
    Happening,
    Order,
    Side,
    Status,
    TimeInForce,
    TradingState,
    TriggerSource,
)
from risk.account import PERP, Account
from risk.reserve import reserve
from risk.reserve_asleep import reserve_asleep
from risk.reserve_spot import asleep_hold_ticks, rehold, resting_need, spot_need

# -- falling asleep ----------------------------------------------------------------------------


def send(trading: Trading, account: Account, wish: PlaceOrder) -> Placed | Reason:
    """To the book, or to sleep until its trigger is reached; a refusal has changed nothing."""
    if wish.type in TRIGGER_TYPES:
        return _place_asleep(trading, account, wish)
    return trading.place(account, wish)


def _place_asleep(trading: Trading, account: Account, wish: PlaceOrder) -> Placed | Reason:
    order = trading.order_of(wish)
    refused = refuse_asleep(trading, account, order) or reserve_asleep(trading.risk, account, order)
    if refused is not None:
        return refused
    trading.next_order_id += 1
    fall_asleep(trading, account, order)
    return Placed(order, None)


def fall_asleep(trading: Trading, account: Account, order: Order, late: bool = False) -> None:
    """An order that was admitted sleeps from now on; one that comes `late` may wake at once."""
    order.status = Status.PENDING_TRIGGER
    trading.triggers[order.symbol].add(order)
    trading.list_order(account, order)
    account.asleep.setdefault(order.leg, {})[order.order_id] = order
    trading.teller.drain()
    trading.teller.order(order, "accepted")
    if late:
        trading.look(order.symbol, None)


def refuse_wish(trading: Trading, account: Account, wish: PlaceOrder) -> Reason | None:
    """Why an order on a perpetual would be refused now, whatever its type; nothing is changed."""
    if wish.type in TRIGGER_TYPES:
        return refuse_asleep(trading, account, trading.order_of(wish))
    return trading.refuse_contract(account, wish)


def refuse_asleep(
    trading: Trading,
    account: Account,
    order: Order,
    instead_of: Order | None = None,
    late: bool = False,
) -> Reason | None:
    """Why an order may not fall asleep, or None; `instead_of` is what it is amended from.

    One that comes `late`, as what a list placed by itself, may have its trigger behind it, and
    sleeps beside a book that takes nothing from anybody: its entry may have tripped the breaker.
    """
    symbol = order.symbol
    leaving = 0 if instead_of is None else 1
    follows = instead_of is not None and trading.triggers[symbol].trailing.extreme_e8(instead_of)
    return (
        refuse_trigger_order(
            trading.risk.instruments[symbol],
            TradingState.TRADING if late else trading.states[symbol],
            order,
            account.open_counts.get(symbol, 0) - leaving,
            account.count_asleep(symbol) - leaving,
        )
        or refuse_holding(trading.risk, account, order, order.lots, instead_of)
        or (None if follows else _refuse_reached(trading, order, late))
        or _refuse_closing(account, order, instead_of)
    )


def _refuse_reached(trading: Trading, order: Order, late: bool) -> Reason | None:
    """A trigger that its price has reached already would fire at once (S4)."""
    instrument = trading.risk.instruments[order.symbol]
    trigger_e8 = order.trigger_ticks * instrument.tick_e8
    price_e8 = trading.price_e8(order.symbol, order.trigger)
    if price_e8 is None and order.trigger is TriggerSource.MARK:
        return Reason.NO_MARK_PRICE
    if price_e8 is None or not trigger_e8:  # The next price decides, as where nobody has traded.
        must_hold = instrument.kind == "spot" and order.side is Side.BUY
        unknown = must_hold and not order.price_ticks and not order.hold_ticks
        return Reason.NO_INDEX_PRICE if unknown else None
    reached = price_e8 >= trigger_e8 if order.rises else price_e8 <= trigger_e8
    return Reason.WOULD_TRIGGER if reached and not late else None


def _refuse_closing(account: Account, order: Order, instead_of: Order | None) -> Reason | None:
    """What reduces needs something to reduce; one order closes it on each side and type (P15)."""
    if order.reduce_only and not closes(order, account.lots(order.leg)):
        return Reason.REDUCE_ONLY_WOULD_INCREASE
    if not order.close_position:
        return None
    rivals = (
        other
        for other in account.asleep.get(order.leg, {}).values()
        if other.close_position and other is not instead_of
    )
    if any((other.side, other.type) == (order.side, order.type) for other in rivals):
        return Reason.CLOSE_POSITION_WAITS
    return None


# -- waking ------------------------------------------------------------------------------------


def drain(trading: Trading, limit: int) -> int:
    """Wake the orders whose trigger was reached, first come first served; the work done.

    What they wake in turn joins the end of the queue. It ends because each order wakes once.
    """
    done = 0
    while trading.fired and done < limit:
        symbol, order_id = trading.fired.popleft()
        done += 1
        order = trading.triggers[symbol].orders.get(order_id)
        if symbol in trading.risk.halted:  # Its turn comes when the book opens.
            trading.held.setdefault(symbol, []).append(order_id)
        elif order is not None:  # It may have been cancelled since.
            _wake(trading, order)
    return done


def _wake(trading: Trading, order: Order) -> None:
    """From here on it is an ordinary order: filters, reserve, match."""
    account = trading.risk.accounts[order.account_id]
    trading.risk.settle(account)
    if trading.expire_first(order.symbol) is not None:  # There are more of those than one
        trading.fired.appendleft((order.symbol, order.order_id))  # command may end.
        return
    if order.tif is TimeInForce.GTD and order.expire_ms <= trading.risk.time_ms:
        trading.cancel(order, Reason.EXPIRED_BY_TIME, Happening.EXPIRE)
        return
    if order.list_id:
        _end_rivals(trading, account, order)
    trading.triggers[order.symbol].remove(order)
    account.rouse(order)
    order.status = NEXT[Happening.TRIGGER][order.status]
    order.triggered_ms = trading.risk.time_ms
    trading.teller.order(order, "triggered")
    refused, worst_ticks = _admit_woken(trading, account, order)
    if refused is None:
        trading.run(account, order, worst_ticks)
    else:
        _turn_away(trading, account, order, refused)


def _end_rivals(trading: Trading, account: Account, order: Order) -> None:
    """Of an OCO the other leg ends before this one is placed, and leaves it what it held (S5).

    What that borrowed is this one's too, or the same money would be borrowed twice, and the first
    hour of it charged twice (M6).
    """
    for order_id in trading.lists.woke(order):
        rival = account.orders[order_id]
        if not rival.filled_lots and rival.wallet != PERP:
            order.hold_minor += rival.hold_minor
            rival.hold_minor = 0
            borrowed = account.order_loans.pop(order_id, 0)
            if borrowed:
                mine = account.order_loans.get(order.order_id, 0)
                account.order_loans[order.order_id] = mine + borrowed
        trading.cancel(rival, Reason.LIST_ENDED, Happening.EXPIRE)
    order.covered_minor = 0


def _admit_woken(trading: Trading, account: Account, order: Order) -> tuple[Reason | None, int]:
    """Filters, bands and money at this moment: (why not, the worst price it may execute at)."""
    if order.close_position:
        held = account.lots(order.leg)
        if not closes(order, held):
            return Reason.REDUCE_ONLY_WOULD_INCREASE, 0
        order.lots = order.open_lots = abs(held)
    refused, worst_ticks = trading.admit(account, order, instead_of=order)
    if refused is not None:
        return refused, 0
    book = trading.books[order.symbol]
    if trading.risk.instruments[order.symbol].kind == "spot":
        asset, need = spot_need(trading.risk, order, book, worst_ticks)
        return rehold(trading.risk, account, order, asset, need), worst_ticks
    return reserve(trading.risk, account, order, book, worst_ticks), worst_ticks


def _turn_away(trading: Trading, account: Account, order: Order, reason: Reason) -> None:
    """The moment it woke it could not be placed: it is over, and holds nothing."""
    order.open_lots = 0
    order.status = NEXT[Happening.REJECT][order.status]
    order.reason = reason
    trading.close(account, order)
    trading.risk.touch_wallet(account, order.wallet)
    trading.teller.drain()
    trading.teller.order(order, "rejected")


# -- changing ----------------------------------------------------------------------------------


def amend_asleep(
    trading: Trading, account: Account, order: Order, wish: AmendOrder
) -> Placed | Reason:
    """Change quantity, price or trigger of an order that sleeps; it stays the same order."""
    if order.order_id in trading.triggers[order.symbol].due:
        return Reason.BUSY  # It is about to wake.
    fresh = Order.restore(order.state())
    fresh.lots = fresh.open_lots = wish.lots or order.lots
    fresh.price_ticks = wish.price_ticks or order.price_ticks
    fresh.trigger_ticks = wish.trigger_ticks or order.trigger_ticks
    if fresh.trigger_ticks != order.trigger_ticks:
        fresh.hold_ticks = asleep_hold_ticks(trading.risk, fresh)
    changed = (fresh.lots, fresh.price_ticks, fresh.trigger_ticks)
    if changed == (order.lots, order.price_ticks, order.trigger_ticks):
        return Reason.NOTHING_TO_AMEND
    triggers = trading.triggers[order.symbol]
    extreme_e8 = triggers.trailing.extreme_e8(order) if order.trailing_bps else 0
    if extreme_e8 and fresh.trigger_ticks != order.trigger_ticks:
        return Reason.TRACKING_STARTED
    instrument = trading.risk.instruments[order.symbol]
    refused = refuse_asleep(trading, account, fresh, instead_of=order)
    refused = refused or refuse_amendment(instrument, order)
    if refused is None and trading.risk.instruments[order.symbol].kind == "spot":
        refused = rehold(trading.risk, account, order, *resting_need(trading.risk, fresh))
    if refused is not None:
        return refused
    triggers.remove(order)
    order.lots, order.price_ticks, order.trigger_ticks = changed
    order.open_lots, order.hold_ticks = order.lots, fresh.hold_ticks
    order.amends += 1
    triggers.add(order, extreme_e8)
    trading.teller.drain()
    trading.teller.order(order, "amended")
    return Placed(order, None)
