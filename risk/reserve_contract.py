"""What an order on a perpetual needs: margin in the max form, its open loss and its fees."""

from __future__ import annotations

from matching.book import Book
from matching.reasons import Reason
from matching.types import Order, Side
from risk.account import PERP, Account, OpenOrders
from risk.fees import rates_e12
from risk.margin import leverage_allows, open_loss_e16, open_order_margin, order_cost
from risk.money import MINOR_IN_E16, ceil_div
from risk.perp_worth import perp_worth
from risk.state import RiskState


def reserve_contract(
    state: RiskState, account: Account, order: Order, book: Book, worst_ticks: int
) -> Reason | None:
    """Admit an order if margin covers it: the max form (P4), open loss and fees."""
    if order.wallet != PERP:
        return Reason.COMBINATION_NOT_ALLOWED
    scope = account.perp_pocket_wallet(order.symbol)
    if (scope in account.liquidating or PERP in account.liquidating) and not order.forced:
        return Reason.ACCOUNT_LIQUIDATING
    mark_e8 = state.mark_e8(order.symbol)
    if mark_e8 is None:
        return Reason.NO_MARK_PRICE
    if order.reduce_only:
        return _reserve_reducing(state, account, order)
    likely = _likely(order, book, worst_ticks)
    before, after = contract_requirement(state, account, order, likely, mark_e8)
    if after <= before:
        return None  # It adds no risk, so it is admitted whatever the account is worth.
    refused = _refuse_size(state, account, order, likely, mark_e8)
    if refused is not None:
        return refused
    held = _open_loss_and_fees(state, account, order, likely, mark_e8)
    asked_e16 = after - before + held * MINOR_IN_E16
    worth = perp_worth(state, account)
    if worth.available_e16 < asked_e16:
        return state.refuse(
            Reason.INSUFFICIENT_MARGIN,
            "P4",
            symbol=order.symbol,
            leverage=account.setting(order.symbol).leverage,
            mark_e8=mark_e8,
            before_e16=before,
            after_e16=after,
            held_e16=held * MINOR_IN_E16,
            asked_e16=asked_e16,
            balance_e16=worth.balance_e16,
            initial_e16=worth.initial_e16,
            orders_e16=worth.orders_e16,
            kept_e16=worth.held_e16,
            available_e16=worth.available_e16,
        )
    order.hold_minor = held
    return None


def _reserve_reducing(state: RiskState, account: Account, order: Order) -> Reason | None:
    """A reduce-only order needs an opposite position, and is cut to it (P15)."""
    held = account.positions.get(order.symbol)
    if held is None or (held.lots > 0) == (order.side is Side.BUY):
        return state.refuse(
            Reason.REDUCE_ONLY_WOULD_INCREASE,
            "P15",
            symbol=order.symbol,
            side=order.side.name.lower(),
            position_lots=held.lots if held else 0,
        )
    if order.lots > abs(held.lots):
        order.lots = order.open_lots = abs(held.lots)
    return None


def _likely(order: Order, book: Book, worst_ticks: int) -> tuple[int, int]:
    """(lots, price x lots) to reckon with: the limit, or for a market order what it would fill."""
    if order.price_ticks:
        return order.lots, order.lots * order.price_ticks
    return book.cost_of_market(order, worst_ticks)


def contract_requirement(
    state: RiskState, account: Account, order: Order, likely: tuple[int, int], mark_e8: int
) -> tuple[int, int]:
    """Margin of one contract's position and orders, without and with a new order (10^-16)."""
    instrument = state.instruments[order.symbol]
    sums = account.open_perp.get(order.symbol) or OpenOrders()
    position_e16 = account.lots(order.symbol) * instrument.lot_minor * mark_e8
    leverage = account.setting(order.symbol).leverage
    unit_e16 = instrument.unit_minor * MINOR_IN_E16
    buys, sells = sums.buy_units * unit_e16, sums.sell_units * unit_e16
    before = open_order_margin(position_e16, buys, sells, leverage)
    if order.side is Side.BUY:
        buys += likely[1] * unit_e16
    else:
        sells += likely[1] * unit_e16
    after = open_order_margin(position_e16, buys, sells, leverage)
    return before.total_e16, after.total_e16


def _refuse_size(
    state: RiskState, account: Account, order: Order, likely: tuple[int, int], mark_e8: int
) -> Reason | None:
    """The largest position the orders can lead to must fit its leverage's bracket (P3)."""
    instrument = state.instruments[order.symbol]
    sums = account.open_perp.get(order.symbol) or OpenOrders()
    lots, units = likely
    if order.side is Side.BUY:
        reach = abs(account.lots(order.symbol) + sums.buy_lots + lots)
    else:
        reach = abs(account.lots(order.symbol) - sums.sell_lots - lots)
    price_e8 = mark_e8
    if lots:
        price_e8 = max(mark_e8, ceil_div(units * instrument.tick_e8, lots))
    notional_e16 = reach * instrument.lot_minor * price_e8
    leverage = account.setting(order.symbol).leverage
    brackets = state.perps[order.symbol].brackets
    if leverage_allows(brackets, leverage, notional_e16):
        return None
    return state.refuse(
        Reason.BRACKET_EXCEEDED,
        "P3",
        symbol=order.symbol,
        leverage=leverage,
        reach_lots=reach,
        price_e8=price_e8,
        notional_e16=notional_e16,
        cap_minor=max(
            (each.cap_minor for each in brackets if each.leverage >= leverage), default=0
        ),
    )


def _open_loss_and_fees(
    state: RiskState, account: Account, order: Order, likely: tuple[int, int], mark_e8: int
) -> int:
    """Minor units kept back beside the margin: the loss at the mark and the taker fee, and for
    isolated margin the fee to close at the bankruptcy price (P4, V37, V38)."""
    instrument = state.instruments[order.symbol]
    lots, units = likely
    notional = units * instrument.unit_minor
    value_e16 = lots * instrument.lot_minor * mark_e8
    cost = order_cost(
        order.side,
        notional,
        account.setting(order.symbol).leverage,
        rates_e12(state, account, "perp").taker_e12,
        open_loss_e16(order.side, notional, value_e16),
        reserve_close_fee=account.is_isolated(order.symbol),
    )
    return cost.total_minor - cost.initial_minor
