"""The two legs of an OCO (S5): which two make one, how they are placed, and what they hold.

They hold together what the dearer one needs: the limit leg its own need, the stop leg what it
needs beyond that.
"""

from __future__ import annotations

from exchange.commands import PlaceOrder
from exchange.listing import OrderList
from exchange.trading import Trading
from exchange.triggering import fall_asleep, refuse_asleep
from matching.lists import pair_of
from matching.reasons import Reason
from matching.types import (
    STOP_TYPES,
    TRIGGER_TYPES,
    Order,
    OrderType,
    Side,
    TimeInForce,
    TriggerSource,
)
from risk.account import Account
from risk.reserve import reserve
from risk.reserve_asleep import refuse_asleep_contract
from risk.reserve_spot import refuse_wallet, rehold, resting_need

_TAKE_PROFITS = (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
_BRIEF = (TimeInForce.IOC, TimeInForce.FOK)


# -- refusing ----------------------------------------------------------------------------------


def refuse_pair(limit: PlaceOrder, stop: PlaceOrder) -> Reason | None:
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
    return refuse_crossed(limit, stop)


def refuse_crossed(limit: PlaceOrder | Order, stop: PlaceOrder | Order) -> Reason | None:
    """A sale has its limit above its stop, a buy below."""
    apart = target_of(limit) - stop.trigger_ticks
    right = apart > 0 if limit.side is Side.SELL else apart < 0
    return None if right else Reason.LIST_PRICES_CROSSED


def target_of(limit: PlaceOrder | Order) -> int:
    """The price that the limit leg waits for."""
    return limit.trigger_ticks or limit.price_ticks


def refuse_market(trading: Trading, limit: Order, stop: Order) -> Reason | None:
    """The limit leg lies beyond the last price, and the stop on the other side of it (S5)."""
    book = trading.books[limit.symbol]
    sells = limit.side is Side.SELL
    last_e8 = trading.price_e8(limit.symbol, TriggerSource.LAST)
    if last_e8 is not None and stop.trigger is TriggerSource.LAST:
        tick_e8 = trading.risk.instruments[limit.symbol].tick_e8
        prices = [stop.trigger_ticks * tick_e8, last_e8, target_of(limit) * tick_e8]
        below, between, above = prices if sells else prices[::-1]
        if not below < between < above:
            return Reason.LIST_PRICES_CROSSED
    best = book.best_bid_ticks if sells else book.best_ask_ticks
    if limit.type is OrderType.LIMIT and best and not book.collecting:
        taking = limit.price_ticks <= best if sells else limit.price_ticks >= best
        return Reason.WOULD_TAKE if taking else None
    return None


def _refuse_count(trading: Trading, account: Account, limit: Order) -> Reason | None:
    """An OCO counts as two orders, its stops as waiting ones."""
    instrument = trading.risk.instruments[limit.symbol]
    if account.open_counts.get(limit.symbol, 0) + 2 > instrument.orders_max:
        return Reason.MAX_ORDERS
    asleep = account.count_asleep(limit.symbol) + 1 + (limit.type in TRIGGER_TYPES)
    return Reason.MAX_ALGO_ORDERS if asleep > instrument.algo_orders_max else None


# -- placing -----------------------------------------------------------------------------------


def place_pair(trading: Trading, account: Account, made: OrderList) -> Reason | None:
    """Place the OCO of a list; on a refusal nothing has changed.

    The exits of a bracket come when its entry is over, wherever the price is by then: one whose
    trigger was passed wakes at once.
    """
    places = pair_of(made.kind)
    assert places is not None
    legs = [made.legs[place] for place in places]
    wishes = [leg.wish for leg in legs if leg.wish is not None]
    limit, stop = (trading.order_of(wish) for wish in wishes)
    stop.order_id += 1
    worst_ticks, late = 0, made.bracket
    refused = _refuse_count(trading, account, limit)
    if refused is None and not late:
        refused = refuse_market(trading, limit, stop)
    if refused is None and limit.type is OrderType.LIMIT:
        _, refused, worst_ticks = trading.consider(account, wishes[0])
    elif refused is None:
        refused = refuse_asleep(trading, account, limit, late=late)
    refused = refused or refuse_asleep(trading, account, stop, late=late)
    refused = refused or _reserve_pair(trading, account, (limit, stop), worst_ticks)
    if refused is not None:
        return refused
    trading.next_order_id += 2
    for leg, order in zip(legs, (limit, stop), strict=True):
        trading.lists.join(made, leg, order)
    if limit.type is OrderType.LIMIT:
        trading.run(account, limit, worst_ticks)
    else:
        fall_asleep(trading, account, limit, late)
    fall_asleep(trading, account, stop, late)
    return None


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
    return refuse_wallet(risk, account, limit) or hold_pair(trading, account, pair, pair)


def hold_pair(
    trading: Trading, account: Account, pair: tuple[Order, Order], wanted: tuple[Order, Order]
) -> Reason | None:
    """Let the legs of an OCO on spot hold what they need as they are `wanted`, each by itself.

    On a refusal nothing has changed.
    """
    limit, stop = pair
    loans = account.order_loans
    held = limit.hold_minor
    of_limit, of_stop = loans.pop(limit.order_id, 0), loans.pop(stop.order_id, 0)
    needs = [resting_need(trading.risk, order)[1] for order in wanted]
    asset = trading.spent(limit)
    limit.hold_minor += stop.hold_minor
    _lend(account, limit, of_limit + of_stop)
    refused = rehold(trading.risk, account, limit, asset, max(needs))
    if refused is not None:
        limit.hold_minor = held
        _lend(account, limit, of_limit)
        _lend(account, stop, of_stop)
        return refused
    limit.hold_minor, stop.covered_minor = needs[0], min(needs)
    stop.hold_minor = needs[1] - stop.covered_minor
    borrowed = loans.get(limit.order_id, 0)
    of_stop = min(borrowed, stop.hold_minor)  # The last of what is held was borrowed first.
    _lend(account, limit, borrowed - of_stop)
    _lend(account, stop, of_stop)
    return None


def _lend(account: Account, order: Order, borrowed_minor: int) -> None:
    """Note how much was borrowed for an order."""
    account.order_loans.pop(order.order_id, None)
    if borrowed_minor:
        account.order_loans[order.order_id] = borrowed_minor
