# cython: overflowcheck=True
"""Brackets: orders that bring their own exits, a take-profit, a stop-loss or both (S5, P16, T21).

A bracket is an OTO or an OTOCO whose working order is the entry. The exits are placed when the
entry is over, for what was filled of it: filled whole, or ended after a part. Until then the last
price cannot pass a stop-loss that lies behind a limit which is not filled yet.
"""

from __future__ import annotations

import itertools

from exchange.commands import AmendOrder, Exit, PlaceOrder
from exchange.list_placing import place_first
from exchange.listing import Leg, OrderList
from exchange.trading import Placed, Trading
from exchange.triggering import refuse_wish, send
from matching.instrument import Instrument
from matching.limits import ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX
from matching.lists import ListKind
from matching.reasons import Reason
from matching.types import STOP_TYPES, Order, OrderType, Side, TimeInForce, TriggerSource
from risk.account import PERP, Account
from risk.settle_spot import REPAY_EFFECTS


def place_order(trading: Trading, account: Account, wish: PlaceOrder) -> Placed | Reason:
    """Place an order, with its exits if it has any, or say why not; a refusal changes nothing."""
    if wish.take_profit is None and wish.stop_loss is None:
        return send(trading, account, wish)
    refused = refuse_bracket(trading, account, wish)
    if refused is not None:
        return refused
    exits = _exits(wish)
    made = OrderList(
        trading.lists.next_id,
        account.id,
        wish.symbol,
        ListKind.OTOCO if len(exits) > 1 else ListKind.OTO,
        client_id="",
        placed_ms=trading.risk.time_ms,
        bracket=True,
    )
    made.legs = [Leg(wish), *(Leg(each) for each in exits)]
    placed = place_first(trading, account, made)
    if isinstance(placed, Placed) and placed.reason is None:
        trading.lists.due[made.list_id] = None
    return placed


def refuse_order(trading: Trading, account: Account, wish: PlaceOrder) -> Reason | None:
    """Why an order on a perpetual would be refused now, for its exits or by itself."""
    return refuse_bracket(trading, account, wish) or refuse_wish(trading, account, wish)


def refuse_bracket(trading: Trading, account: Account, wish: PlaceOrder) -> Reason | None:
    """Why an order may not bring the exits it names; None for one that names none."""
    exits = [each for each in (wish.take_profit, wish.stop_loss) if each is not None]
    if not exits:
        return None
    order = trading.order_of(wish)
    if order.reduce_only:
        return Reason.BRACKET_NOT_ALLOWED
    if wish.side_effect in REPAY_EFFECTS:  # M6
        return Reason.SIDE_EFFECT_NOT_ALLOWED
    instrument = trading.risk.instruments[wish.symbol]
    for each in exits:
        if not _fits(each, instrument):
            return Reason.PRICE_OUT_OF_RANGE
        if not each.price_ticks and order.lots > instrument.market_lots_max:
            return Reason.MARKET_QTY_OUT_OF_RANGE
        if each.trigger is TriggerSource.MARK and instrument.kind == "spot":
            return Reason.NO_MARK_PRICE
    if trading.lists.count(account.id, wish.symbol) >= ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX:
        return Reason.MAX_ORDER_LISTS
    gain, loss = wish.take_profit, wish.stop_loss
    prices = (gain.trigger_ticks if gain else 0), (loss.trigger_ticks if loss else 0)
    return _refuse_prices(order.side, prices, _entry_ticks(trading, order))


def refuse_entry(
    trading: Trading, made: OrderList, order: Order, wish: AmendOrder
) -> Reason | None:
    """Why the entry of a bracket may not be changed so for the sake of its exits, or None."""
    if not made.bracket or made.legs[0].order_id != order.order_id:
        return None
    fresh = Order.restore(order.state())
    fresh.price_ticks = wish.price_ticks or order.price_ticks
    fresh.trigger_ticks = wish.trigger_ticks or order.trigger_ticks
    gain = loss = 0
    for leg in made.legs[1:]:
        assert leg.wish is not None, "it waits for its entry"
        if leg.wish.type in STOP_TYPES:
            loss = leg.wish.trigger_ticks
        else:
            gain = leg.wish.trigger_ticks
    return _refuse_prices(order.side, (gain, loss), _entry_ticks(trading, fresh))


def _fits(each: Exit, instrument: Instrument) -> bool:
    """Whether trigger and limit are prices of the instrument."""
    prices = range(instrument.ticks_min, instrument.ticks_max + 1)
    return each.trigger_ticks in prices and (not each.price_ticks or each.price_ticks in prices)


def _refuse_prices(side: Side, exits: tuple[int, int], entry_ticks: int) -> Reason | None:
    """A gain lies above the entry of a buy and a loss below; of a sale the other way round.

    `exits` are the triggers of both, in ticks; 0 where there is none, or no entry price.
    """
    gain, loss = exits
    rising = (loss, entry_ticks, gain) if side is Side.BUY else (gain, entry_ticks, loss)
    known = [ticks for ticks in rising if ticks]
    apart = all(below < above for below, above in itertools.pairwise(known))
    return None if apart else Reason.BRACKET_PRICES


def _entry_ticks(trading: Trading, order: Order) -> int:
    """About where an order will be filled: its trigger, its limit, or the last price where that
    is better than the limit; 0 where nobody can say."""
    if order.is_asleep or order.trigger_ticks or order.trailing_bps:
        return order.trigger_ticks
    last = trading.last_trade.get(order.symbol)
    if last is None or not order.price_ticks:
        return order.price_ticks or (last[0] if last else 0)
    better = min if order.side is Side.BUY else max
    return better(order.price_ticks, last[0])


def _exits(wish: PlaceOrder) -> list[PlaceOrder]:
    """The orders that wait for the entry, the take-profit first; their quantity is not known."""
    kinds = (
        (wish.take_profit, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
        (wish.stop_loss, OrderType.STOP, OrderType.STOP_LIMIT),
    )
    return [
        PlaceOrder(
            account_id=wish.account_id,
            symbol=wish.symbol,
            side=Side.SELL if wish.side is Side.BUY else Side.BUY,
            type=limited if each.price_ticks else plain,
            price_ticks=each.price_ticks,
            tif=TimeInForce.GTC,
            reduce_only=wish.wallet == PERP,
            stp=wish.stp,
            wallet=wish.wallet,
            trigger_ticks=each.trigger_ticks,
            trigger=each.trigger,
            position_side=wish.position_side,
        )
        for each, plain, limited in kinds
        if each is not None
    ]
