# cython: overflowcheck=True
"""What an order on a perpetual needs: margin in the max form, its open loss and its fees."""

from __future__ import annotations

from typing import Final

from matching.book import Book
from matching.reasons import Reason
from matching.types import Order, Side
from risk.account import ONE_WAY, PERP, Account, OpenOrders, side_of
from risk.contract import Contract
from risk.fees import rates_e12
from risk.margin import order_cost
from risk.money import ceil_div, charged
from risk.perp_worth import leg_margins, perp_worth
from risk.state import RiskState

_NO_ORDERS: Final = OpenOrders()  # Read only.

Likely = tuple[int, int]  # Lots to reckon with, and what they come to in the settle asset.


def reserve_contract(
    state: RiskState, account: Account, order: Order, book: Book, worst_ticks: int
) -> Reason | None:
    """Admit an order if margin covers it: the max form (P4), open loss and fees.

    That mark and index are too far apart for it (T16) cannot be: the mark is held within its band
    of the index (P7), and both stand while the index has no fresh source.
    """
    if order.wallet != PERP:
        return Reason.COMBINATION_NOT_ALLOWED
    if (side_of(order.leg) != ONE_WAY) is not account.hedge:
        return Reason.POSITION_SIDE_MISMATCH
    contract = state.contracts[order.symbol]
    if account.liquidating and not order.forced:
        scopes = (state.pocket_wallet(account, order.leg), contract.cross_wallet)
        if any(scope in account.liquidating for scope in scopes):
            return Reason.ACCOUNT_LIQUIDATING
    mark_e8 = state.mark_e8(order.symbol)
    if mark_e8 is None:
        return Reason.NO_MARK_PRICE
    if order.reduce_only:
        return _reserve_reducing(state, account, order)
    likely = _likely(contract, order, book, worst_ticks)
    before, after = contract_requirement(state, account, order, likely)
    if after <= before and not _opens(account, order, likely):
        return None  # It only closes, so it is admitted whatever the account is worth.
    refused = _refuse_size(state, account, order, likely, mark_e8)
    if refused is not None:
        return refused
    held = _open_loss_and_fees(state, account, order, likely, mark_e8)
    worth = perp_worth(state, account, contract.cross_wallet)
    held_e16 = held * worth.factor
    asked_e16 = after - before + held_e16
    if worth.available_e16 < asked_e16:
        return state.refuse(
            Reason.INSUFFICIENT_MARGIN,
            "P4",
            symbol=order.symbol,
            leverage=account.setting(order.symbol).leverage,
            mark_e8=mark_e8,
            before_e16=before,
            after_e16=after,
            held_e16=held_e16,
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
    held = account.positions.get(order.leg)
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


def _likely(contract: Contract, order: Order, book: Book, worst_ticks: int) -> Likely:
    """What to reckon with: the limit, or for a market order what it would fill."""
    if order.price_ticks:
        return order.lots, contract.order_minor(order.lots, order.price_ticks)
    fills = list(book.prospective_fills(order, worst_ticks))
    minor = sum(contract.order_minor(lots, ticks) for ticks, lots in fills)
    return sum(lots for _, lots in fills), minor


def contract_requirement(
    state: RiskState, account: Account, order: Order, likely: Likely
) -> tuple[int, int]:
    """Margin of one leg's position and orders, without and with a new order (10^-16)."""
    sums = account.open_perp.get(order.leg, _NO_ORDERS)
    supposed = OpenOrders()
    supposed.buy_lots, supposed.buy_minor = sums.buy_lots, sums.buy_minor
    supposed.sell_lots, supposed.sell_minor = sums.sell_lots, sums.sell_minor
    supposed.add(order.side, likely[0], likely[1])
    before, after = leg_margins(state, account, order.leg, (sums, supposed))
    return before.total_e16, after.total_e16


def _reach(account: Account, order: Order, lots: int) -> int:
    """The signed position that this order and those of its side can lead to."""
    sums = account.open_perp.get(order.leg, _NO_ORDERS)
    if order.side is Side.BUY:
        return account.lots(order.leg) + sums.buy_lots + lots
    return account.lots(order.leg) - sums.sell_lots - lots


def _opens(account: Account, order: Order, likely: Likely) -> bool:
    """Whether an order can lead to a position of its own direction.

    Orders of the other side, or what closing gives back (V43), may carry its margin, but what it
    loses at the mark is lost all the same.
    """
    reach = _reach(account, order, likely[0])
    return reach > 0 if order.side is Side.BUY else reach < 0


def _refuse_size(
    state: RiskState, account: Account, order: Order, likely: Likely, mark_e8: int
) -> Reason | None:
    """The largest position the orders can lead to must fit its leverage's bracket (P3).

    So the cap of the last bracket is the largest position there can be (T16).
    """
    contract = state.contracts[order.symbol]
    lots, minor = likely
    reach = abs(_reach(account, order, lots))
    notional_e16, price_e8 = contract.notional_e16(reach, mark_e8), mark_e8
    if lots:
        at_price_e16 = ceil_div(reach * minor * contract.factor(mark_e8), lots)
        if at_price_e16 > notional_e16:
            notional_e16, price_e8 = at_price_e16, contract.entry_e8(lots, minor)
    leverage = account.setting(order.symbol).leverage
    if contract.leverage_allows(leverage, notional_e16, mark_e8):
        return None
    return state.refuse(
        Reason.BRACKET_EXCEEDED,
        "P3",
        symbol=order.symbol,
        leverage=leverage,
        reach_lots=reach,
        price_e8=price_e8,
        notional_e16=notional_e16,
        cap_minor=contract.cap_minor(leverage),
    )


def _open_loss_and_fees(
    state: RiskState, account: Account, order: Order, likely: Likely, mark_e8: int
) -> int:
    """Minor units kept back beside the margin: the loss at the mark and the taker fee, and for
    isolated margin the fee to close at the bankruptcy price (P4, V37, V38)."""
    contract = state.contracts[order.symbol]
    isolated = account.is_isolated(order.symbol)
    opening, minor = _opening(account, order, likely) if isolated else likely
    taker_e12 = rates_e12(state, account, "perp").taker_e12
    signed = opening if order.side is Side.BUY else -opening
    gain_e16 = 0
    if opening:
        gain_e16 = contract.unrealised_e16(signed, contract.cost_minor(signed, minor), mark_e8)
    cost = order_cost(
        order.side,
        minor,
        account.setting(order.symbol).leverage,
        taker_e12,
        contract.ceil_minor(max(0, -gain_e16), mark_e8),
        reserve_close_fee=isolated,
        inverse=contract.inverse,
    )
    kept = cost.open_fee_minor + cost.close_fee_minor + cost.open_loss_minor
    return kept + charged(likely[1] - minor, taker_e12)


def _opening(account: Account, order: Order, likely: Likely) -> Likely:
    """The part of an order that would open: what closing loses is the position's own (V43)."""
    lots, minor = likely
    reach = _reach(account, order, lots)
    opening = min(lots, max(0, reach if order.side is Side.BUY else -reach))
    return opening, ceil_div(minor * opening, lots) if lots else 0
