"""Before the book: hold what an order needs, or refuse it."""

from __future__ import annotations

from matching.book import Book
from matching.reasons import Reason
from matching.types import Order, Side
from risk.account import PERP, SPOT, Account, OpenOrders
from risk.borrowing import borrow, wallet_holds
from risk.margin import leverage_allows, open_loss_e16, open_order_margin, order_cost
from risk.money import E12, MINOR_IN_E16, ceil_div, charged
from risk.state import RiskState
from risk.worth import perp_worth

BORROW_EFFECTS = (1, 3)  # Side effects "borrow" and "borrow_repay".


def reserve(
    state: RiskState, account: Account, order: Order, book: Book, worst_ticks: int
) -> Reason | None:
    """Hold what an order needs; on a refusal nothing has changed."""
    instrument = state.instruments[order.symbol]
    if instrument.kind == "spot":
        return _reserve_spot(state, account, order, book, worst_ticks)
    return _reserve_contract(state, account, order, book, worst_ticks)


# -- spot --------------------------------------------------------------------------------------


def spot_need(state: RiskState, order: Order, book: Book, worst_ticks: int) -> tuple[str, int]:
    """(asset, minor units) a new spot order must hold (S11).

    A market buy holds the cost of walking the book as far as it may go; one by amount the amount.
    A market sale by amount holds the lots it would sell.
    """
    instrument = state.instruments[order.symbol]
    if order.price_ticks:
        return resting_need(state, order)
    if order.side is Side.SELL:
        lots = order.lots or book.cost_of_market(order, worst_ticks)[0]
        return instrument.base, instrument.base_minor(lots)
    units = order.quote_units or book.cost_of_market(order, worst_ticks)[1]
    return instrument.quote, _with_fee(state, units * instrument.unit_minor)


def resting_need(state: RiskState, order: Order) -> tuple[str, int]:
    """(asset, minor units) a limit order on spot must hold for what is still open of it."""
    instrument = state.instruments[order.symbol]
    if order.side is Side.BUY:
        notional = instrument.notional_minor(order.price_ticks, order.open_lots)
        return instrument.quote, _with_fee(state, notional)
    return instrument.base, instrument.base_minor(order.open_lots)


def _with_fee(state: RiskState, cost_minor: int) -> int:
    """A buy's cost, and its fee where that is paid in quote."""
    return cost_minor + charged(cost_minor, state.venue.fees.spot_hold_e12)


def affordable(state: RiskState, free_minor: int) -> int:
    """The largest cost of a buy that an amount of quote covers, fee included."""
    rate_e12 = state.venue.fees.spot_hold_e12
    return max(0, free_minor - (1 if rate_e12 else 0)) * E12 // (E12 + rate_e12)


def _reserve_spot(
    state: RiskState, account: Account, order: Order, book: Book, worst_ticks: int
) -> Reason | None:
    refused = refuse_wallet(state, account, order)
    if refused is not None:
        return refused
    asset, need = spot_need(state, order, book, worst_ticks)
    pocket = state.pocket(account, order.wallet, asset)
    if pocket.free < need:
        if order.side_effect not in BORROW_EFFECTS:
            return Reason.INSUFFICIENT_BALANCE
        missing = need - max(0, pocket.free)
        loan = borrow(state, account, order.wallet, asset, missing)
        if isinstance(loan, Reason):
            return loan
        account.order_loans[order.order_id] = missing
    state.ledger.lock(pocket, need)
    order.hold_minor = need
    return None


def refuse_wallet(state: RiskState, account: Account, order: Order) -> Reason | None:
    """A spot order trades from spot cash, cross margin or the pair's isolated margin."""
    instrument = state.instruments[order.symbol]
    if order.wallet == PERP or order.reduce_only:
        return Reason.COMBINATION_NOT_ALLOWED
    if order.wallet == SPOT:
        return Reason.SIDE_EFFECT_NOT_ALLOWED if order.side_effect else None
    for asset in (instrument.base, instrument.quote):
        refused = wallet_holds(state, order.wallet, asset)
        if refused is not None:
            return refused
    if order.wallet in account.liquidating and not order.forced:
        return Reason.ACCOUNT_LIQUIDATING
    return None


# -- perpetuals --------------------------------------------------------------------------------


def _reserve_contract(
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
        return _reserve_reducing(account, order)
    likely = _likely(order, book, worst_ticks)
    before, after = contract_requirement(state, account, order, likely, mark_e8)
    if after <= before:
        return None  # It adds no risk, so it is admitted whatever the account is worth.
    refused = _refuse_size(state, account, order, likely, mark_e8)
    if refused is not None:
        return refused
    held = _open_loss_and_fees(state, account, order, likely, mark_e8)
    asked_e16 = after - before + held * MINOR_IN_E16
    if perp_worth(state, account).available_e16 < asked_e16:
        return Reason.INSUFFICIENT_MARGIN
    order.hold_minor = held
    return None


def _reserve_reducing(account: Account, order: Order) -> Reason | None:
    """A reduce-only order needs an opposite position, and is cut to it (P15)."""
    held = account.positions.get(order.symbol)
    if held is None or (held.lots > 0) == (order.side is Side.BUY):
        return Reason.REDUCE_ONLY_WOULD_INCREASE
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
    fits = leverage_allows(state.perps[order.symbol].brackets, leverage, notional_e16)
    return None if fits else Reason.BRACKET_EXCEEDED


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
        state.venue.fees.perp_taker_e12,
        open_loss_e16(order.side, notional, value_e16),
        reserve_close_fee=account.is_isolated(order.symbol),
    )
    return cost.total_minor - cost.initial_minor
