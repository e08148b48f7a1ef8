"""Placing order lists and carrying them on (S5): OCO, OTO and OTOCO."""

from __future__ import annotations

from msgspec import structs

from exchange.commands import REFUSE_IF_OPEN, PlaceList
from exchange.listing import Leg, OrderList, brought_lots, tell_list
from exchange.pairing import place_pair, refuse_pair
from exchange.trading import Placed, Trading
from exchange.triggering import drain, fall_asleep, refuse_asleep
from matching.limits import ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX
from matching.lists import LEGS, LegStatus, ListKind, ListStatus, Step, pair_of
from matching.reasons import Reason
from matching.types import TRIGGER_TYPES, Happening, OrderType, Side, Status
from risk.account import POSITION_SIDES, Account
from risk.reserve import reserve
from risk.reserve_asleep import reserve_asleep
from risk.settle_spot import REPAY_EFFECTS

_WORKING = (OrderType.LIMIT, OrderType.MARKET)


def place_list(trading: Trading, account: Account, wish: PlaceList) -> int | Reason:
    """Place a list and give its id, or say why not; a refusal has changed nothing."""
    refused = _refuse(trading, account, wish)
    if refused is not None:
        return refused
    lists, symbol = trading.lists, wish.orders[0].symbol
    now_ms, kind = trading.risk.time_ms, ListKind(wish.kind)
    made = OrderList(lists.next_id, account.id, symbol, kind, wish.client_id, now_ms)
    made.legs = [Leg(each) for each in wish.orders]
    if made.kind is ListKind.OCO:
        refused = place_pair(trading, account, made)
    else:
        placed = place_first(trading, account, made)
        refused = placed if isinstance(placed, Reason) else placed.reason
    if refused is not None:
        return refused
    lists.due[made.list_id] = None
    return made.list_id


def place_first(trading: Trading, account: Account, made: OrderList) -> Placed | Reason:
    """Place the working order of a new list; where the book refuses it, no list begins."""
    placed = _place_leg(trading, account, made, 0)
    if isinstance(placed, Placed) and placed.reason is not None:
        trading.lists.remove(made)
    return placed


def drain_woken(trading: Trading, limit: int) -> int:
    """Look at the lists whose legs have moved, then wake the next order; the work done."""
    done = 0
    while done < limit and (trading.lists.due or trading.fired):
        if trading.lists.due:
            _carry_on(trading)
            done += 1
        else:
            done += drain(trading, 1)
    return done


# -- refusing ----------------------------------------------------------------------------------


def _refuse(trading: Trading, account: Account, wish: PlaceList) -> Reason | None:
    """Why a list may not be placed, before any of its orders is looked at by itself."""
    if wish.kind not in list(ListKind) or len(wish.orders) != LEGS[ListKind(wish.kind)]:
        return Reason.LIST_SHAPE
    first, kind = wish.orders[0], ListKind(wish.kind)
    if first.symbol not in trading.books:
        return Reason.UNKNOWN_SYMBOL
    for each in wish.orders:
        assert each.account_id == account.id, "nobody places for another"
        if each.position_side not in POSITION_SIDES:
            return Reason.FIELD_OUT_OF_RANGE
        if (each.symbol, each.wallet) != (first.symbol, first.wallet) or each.leverage:
            return Reason.LIST_SHAPE
        if each.take_profit is not None or each.stop_loss is not None:
            return Reason.LIST_SHAPE  # An OTOCO says the same.
        if each.client_id and each.client_id in account.client_orders:
            return Reason.DUPLICATE_ID
        if kind is not ListKind.OCO and each.side_effect in REPAY_EFFECTS:  # M6
            return Reason.SIDE_EFFECT_NOT_ALLOWED
    if kind is not ListKind.OCO and first.type not in _WORKING:
        return Reason.LIST_SHAPE
    if trading.lists.count(account.id, first.symbol) >= ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX:
        return Reason.MAX_ORDER_LISTS
    again = wish.client_id and wish.on_duplicate == REFUSE_IF_OPEN
    if again and trading.lists.named(account, wish.client_id) is not None:
        return Reason.DUPLICATE_ID
    pair = pair_of(kind)
    refused = refuse_pair(wish.orders[pair[0]], wish.orders[pair[1]]) if pair else None
    return refused or trading.make_ready(first.symbol)


# -- one leg by itself -------------------------------------------------------------------------


def _place_leg(trading: Trading, account: Account, made: OrderList, place: int) -> Placed | Reason:
    """Place a working order, or the one that waited for it; a refusal has changed nothing."""
    leg = made.legs[place]
    wish = leg.wish
    assert wish is not None, "it waits to be placed"
    late, worst_ticks = made.bracket and place > 0, 0
    if wish.type in TRIGGER_TYPES:
        order = trading.order_of(wish)
        refused = refuse_asleep(trading, account, order, late=late)
        refused = refused or reserve_asleep(trading.risk, account, order)
    else:
        order, refused, worst_ticks = trading.consider(account, wish)
        book = trading.books[order.symbol]
        refused = refused or reserve(trading.risk, account, order, book, worst_ticks)
    if refused is not None:
        return refused
    trading.next_order_id += 1
    trading.lists.join(made, leg, order)  # Before its first fill, which is counted.
    if wish.type in TRIGGER_TYPES:
        fall_asleep(trading, account, order, late)
    else:
        trading.run(account, order, worst_ticks)
    return Placed(order, order.reason if order.status is Status.REJECTED else None)


# -- carrying on -------------------------------------------------------------------------------


def _carry_on(trading: Trading) -> None:
    """Do to the legs of the next list what the others' fate asks for, and tell of it."""
    lists = trading.lists
    list_id = next(iter(lists.due))
    del lists.due[list_id]
    each = lists.by_id[list_id]
    account = trading.risk.accounts[each.account_id]
    trading.risk.settle(account)
    while (found := each.step) is not None:
        step, places = found
        if step is Step.EXPIRE:
            for place in places:
                _expire(trading, account, each.legs[place])
        elif trading.expire_first(each.symbol) is not None:
            lists.due[list_id] = None  # More orders are past their date than one command may end.
            return
        else:
            _place_pending(trading, account, each)
    lists.due.pop(list_id, None)
    tell_list(trading.teller, each)
    if each.status is not ListStatus.EXECUTING:
        lists.remove(each)


def _expire(trading: Trading, account: Account, leg: Leg) -> None:
    order = account.orders.get(leg.order_id)
    if order is None:
        leg.status, leg.wish = LegStatus.ENDED, None
    else:
        trading.cancel(order, Reason.LIST_ENDED, Happening.EXPIRE)


def _place_pending(trading: Trading, account: Account, each: OrderList) -> None:
    """The working order is filled: place what waited for it, or reject it and end the list."""
    if each.bracket:
        _size_exits(trading, each)
    if each.kind is ListKind.OTOCO:
        refused = place_pair(trading, account, each)
    else:
        placed = _place_leg(trading, account, each, 1)
        refused = placed if isinstance(placed, Reason) else placed.reason
    if refused is not None:
        each.reason = refused
        for leg in each.legs[1:]:
            leg.status, leg.wish = LegStatus.REJECTED, None


def _size_exits(trading: Trading, each: OrderList) -> None:
    """The exits of a bracket are for what its entry brought."""
    instrument = trading.risk.instruments[each.symbol]
    for leg in each.legs[1:]:
        assert leg.wish is not None, "it waits to be placed"
        entry_side = Side.BUY if leg.wish.side is Side.SELL else Side.SELL
        leg.wish = structs.replace(leg.wish, lots=brought_lots(each, instrument, entry_side))
