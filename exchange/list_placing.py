"""Placing order lists and carrying them on (S5): OCO, OTO and OTOCO.

The two legs of an OCO hold together what the dearer one needs: the limit leg its own need, the
stop leg what it needs beyond that. So nothing of them may change while both are open.
"""

from __future__ import annotations

from exchange.commands import PlaceList, PlaceOrder
from exchange.listing import Leg, OrderList, tell_list
from exchange.trading import Trading
from exchange.triggering import drain, fall_asleep, refuse_asleep, send
from matching.limits import ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX
from matching.lists import LEGS, LegStatus, ListKind, ListStatus, Step, next_step, pair_of
from matching.reasons import Reason
from matching.types import (
    STOP_TYPES,
    TRIGGER_TYPES,
    Happening,
    Order,
    OrderType,
    Side,
    TimeInForce,
    TriggerSource,
)
from risk.account import POSITION_SIDES, Account
from risk.reserve import reserve
from risk.reserve_asleep import refuse_asleep_contract
from risk.reserve_spot import refuse_wallet, rehold, resting_need
from risk.settle_spot import REPAY_EFFECTS

_TAKE_PROFITS = (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
_WORKING = (OrderType.LIMIT, OrderType.MARKET)
_BRIEF = (TimeInForce.IOC, TimeInForce.FOK)


def place_list(trading: Trading, account: Account, wish: PlaceList) -> int | Reason:
    """Place a list and give its id, or say why not; a refusal has changed nothing."""
    refused = _refuse(trading, account, wish)
    if refused is not None:
        return refused
    lists, symbol = trading.lists, wish.orders[0].symbol
    made = OrderList(lists.next_id, account.id, symbol, ListKind(wish.kind), wish.client_id)
    made.legs = [Leg(each) for each in wish.orders]
    if made.kind is ListKind.OCO:
        refused = _place_pair(trading, account, made)
    else:
        refused = _place_leg(trading, account, made, 0)
    if refused is not None:
        return refused
    lists.due[made.list_id] = None
    return made.list_id


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
        if each.client_id and each.client_id in account.client_orders:
            return Reason.DUPLICATE_ID
        if kind is not ListKind.OCO and each.side_effect in REPAY_EFFECTS:  # M6
            return Reason.SIDE_EFFECT_NOT_ALLOWED
    if kind is not ListKind.OCO and first.type not in _WORKING:
        return Reason.LIST_SHAPE
    if trading.lists.count(account.id, first.symbol) >= ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX:
        return Reason.MAX_ORDER_LISTS
    pair = pair_of(kind)
    refused = _refuse_pair(wish.orders[pair[0]], wish.orders[pair[1]]) if pair else None
    return refused or trading.make_ready(first.symbol)


def _refuse_pair(limit: PlaceOrder, stop: PlaceOrder) -> Reason | None:
    """A limit maker or take-profit on one side of the market, a stop as large on the other."""
    makes = limit.type is OrderType.LIMIT and limit.post_only
    alike = (limit.side, limit.lots, limit.position_side, limit.side_effect) == (
        *(stop.side, stop.lots, stop.position_side, stop.side_effect),
    )
    plain = limit.lots and not (limit.close_position or stop.close_position)
    brief = limit.tif in _BRIEF and makes
    trails = limit.trailing_bps or stop.trailing_bps
    shaped = (makes or limit.type in _TAKE_PROFITS) and stop.type in STOP_TYPES
    if not (shaped and alike and plain) or brief or trails:
        return Reason.LIST_SHAPE
    apart = _target(limit) - stop.trigger_ticks
    return (
        None if (apart if limit.side is Side.SELL else -apart) > 0 else (Reason.LIST_PRICES_CROSSED)
    )


def _target(limit: PlaceOrder | Order) -> int:
    """The price that the limit leg waits for."""
    return limit.trigger_ticks or limit.price_ticks


def _refuse_market(trading: Trading, limit: Order, stop: Order) -> Reason | None:
    """The limit leg lies beyond the last price, and the stop on the other side of it (S5)."""
    book = trading.books[limit.symbol]
    sells = limit.side is Side.SELL
    last_e8 = trading.price_e8(limit.symbol, TriggerSource.LAST)
    if last_e8 is not None and stop.trigger is TriggerSource.LAST:
        tick_e8 = trading.risk.instruments[limit.symbol].tick_e8
        prices = [stop.trigger_ticks * tick_e8, last_e8, _target(limit) * tick_e8]
        below, between, above = prices if sells else prices[::-1]
        if not below < between < above:
            return Reason.LIST_PRICES_CROSSED
    best = book.best_bid_ticks if sells else book.best_ask_ticks
    if limit.type is OrderType.LIMIT and best and not book.collecting:
        taking = limit.price_ticks <= best if sells else limit.price_ticks >= best
        return Reason.WOULD_TAKE if taking else None
    return None


# -- one leg by itself -------------------------------------------------------------------------


def _place_leg(trading: Trading, account: Account, made: OrderList, place: int) -> Reason | None:
    """Place a working order, or the one that waited for it; on a refusal no list begins."""
    leg = made.legs[place]
    assert leg.wish is not None
    placed = send(trading, account, leg.wish)
    if isinstance(placed, Reason):
        return placed
    if placed.reason is not None:
        return placed.reason
    leg.is_now(placed.order)
    placed.order.list_id = made.list_id
    if made.list_id not in trading.lists.by_id:
        trading.lists.add(made)
    return None


# -- an OCO ------------------------------------------------------------------------------------


def _place_pair(trading: Trading, account: Account, made: OrderList) -> Reason | None:
    """Place the OCO of a list; on a refusal nothing has changed."""
    places = pair_of(made.kind)
    assert places is not None
    legs = [made.legs[place] for place in places]
    wishes = [leg.wish for leg in legs if leg.wish is not None]
    limit, stop = (trading.order_of(wish) for wish in wishes)
    stop.order_id += 1
    worst_ticks = 0
    refused = _refuse_count(trading, account, limit) or _refuse_market(trading, limit, stop)
    if refused is None and limit.type is OrderType.LIMIT:
        _, refused, worst_ticks = trading.consider(account, wishes[0])
    elif refused is None:
        refused = refuse_asleep(trading, account, limit)
    refused = refused or refuse_asleep(trading, account, stop)
    refused = refused or _reserve_pair(trading, account, (limit, stop), worst_ticks)
    if refused is not None:
        return refused
    trading.next_order_id += 2
    for leg, order in zip(legs, (limit, stop), strict=True):
        order.list_id = made.list_id
        leg.is_now(order)
    if made.list_id not in trading.lists.by_id:
        trading.lists.add(made)
    if limit.type is OrderType.LIMIT:
        trading.run(account, limit, worst_ticks)
    else:
        fall_asleep(trading, account, limit)
    fall_asleep(trading, account, stop)
    return None


def _refuse_count(trading: Trading, account: Account, limit: Order) -> Reason | None:
    """An OCO counts as two orders, its stops as waiting ones."""
    instrument = trading.risk.instruments[limit.symbol]
    if account.open_counts.get(limit.symbol, 0) + 2 > instrument.orders_max:
        return Reason.MAX_ORDERS
    asleep = account.count_asleep(limit.symbol) + 1 + (limit.type in TRIGGER_TYPES)
    return Reason.MAX_ALGO_ORDERS if asleep > instrument.algo_orders_max else None


def _reserve_pair(
    trading: Trading, account: Account, pair: tuple[Order, Order], worst_ticks: int
) -> Reason | None:
    """Hold what the dearer leg needs, not the sum (S5); on a refusal nothing has changed."""
    limit, stop = pair
    risk = trading.risk
    if risk.instruments[limit.symbol].kind != "spot":
        refused = refuse_asleep_contract(risk, account, stop)
        if refused is not None or limit.type is not OrderType.LIMIT:
            return refused
        return reserve(risk, account, limit, trading.books[limit.symbol], worst_ticks)
    refused = refuse_wallet(risk, account, limit)
    if refused is not None:
        return refused
    asset, of_limit = resting_need(risk, limit)
    _, of_stop = resting_need(risk, stop)
    refused = rehold(risk, account, limit, asset, max(of_limit, of_stop))
    if refused is not None:
        return refused
    limit.hold_minor = of_limit
    stop.covered_minor = min(of_limit, of_stop)
    stop.hold_minor = of_stop - stop.covered_minor
    borrowed = account.order_loans.get(limit.order_id, 0)
    of_it = min(borrowed, stop.hold_minor)  # The last of what is held was borrowed first.
    if of_it:
        account.order_loans[stop.order_id] = of_it
        account.order_loans[limit.order_id] = borrowed - of_it
    return None


# -- carrying on -------------------------------------------------------------------------------


def _carry_on(trading: Trading) -> None:
    """Do to the legs of the next list what the others' fate asks for, and tell of it."""
    lists = trading.lists
    list_id = next(iter(lists.due))
    del lists.due[list_id]
    each = lists.by_id[list_id]
    account = trading.risk.accounts[each.account_id]
    trading.risk.settle(account)
    while (found := next_step(each.kind, each.statuses)) is not None:
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
    if each.kind is ListKind.OTOCO:
        refused = _place_pair(trading, account, each)
    else:
        refused = _place_leg(trading, account, each, 1)
    if refused is not None:
        each.reason = refused
        for leg in each.legs[1:]:
            leg.status, leg.wish = LegStatus.REJECTED, None
