# cython: overflowcheck=True
"""What a spot order must hold: its cost or its quantity, borrowed where it says so."""

from __future__ import annotations

from matching.book import Book
from matching.limits import MINOR_PER_UNIT
from matching.reasons import Reason
from matching.trailing import BPS_ONE
from matching.types import MARKET_TYPES, TRIGGER_TYPES, Order, Side
from risk.account import PERP, SPOT, Account
from risk.borrowing import borrow, repay, wallet_holds
from risk.money import E12, ceil_div, charged
from risk.state import RiskState

BORROW_EFFECTS = (1, 3)  # Side effects "borrow" and "borrow_repay".
_ASLEEP_MARKET = MARKET_TYPES & TRIGGER_TYPES


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
    """(asset, minor units) a limit order on spot must hold for what is still open of it.

    A market buy that sleeps holds what it may cost when it wakes (`asleep_hold_ticks`); the stop of
    an OCO holds what it needs beyond what the other leg holds (S5).
    """
    instrument = state.instruments[order.symbol]
    if order.side is Side.BUY:
        notional = instrument.notional_minor(order.price_ticks or order.hold_ticks, order.open_lots)
        return instrument.quote, max(0, _with_fee(state, notional) - order.covered_minor)
    return instrument.base, max(0, instrument.base_minor(order.open_lots) - order.covered_minor)


def asleep_hold_ticks(state: RiskState, order: Order) -> int:
    """The price at which a market buy on spot holds money while it sleeps: the end of the
    execution range above its trigger (S12b); of one that follows the price, above where that
    would turn if it rose from here. 0 for any other order, and where there is no price.
    """
    instrument = state.instruments[order.symbol]
    if instrument.kind != "spot" or order.side is Side.SELL or order.type not in _ASLEEP_MARKET:
        return 0
    from_e8 = order.trigger_ticks * instrument.tick_e8
    if not from_e8:
        base_e8, quote_e8 = state.price_e8(instrument.base), state.price_e8(instrument.quote)
        from_e8 = base_e8 * MINOR_PER_UNIT // quote_e8 if base_e8 and quote_e8 else 0
    from_e8 = ceil_div(from_e8 * (BPS_ONE + order.trailing_bps), BPS_ONE)
    return instrument.worst_ticks(order.side, from_e8) or ceil_div(from_e8, instrument.tick_e8)


def _with_fee(state: RiskState, cost_minor: int) -> int:
    """A buy's cost, and its fee where that is paid in quote."""
    rate_e12 = state.venue.fees.spot_hold_e12
    return cost_minor + charged(cost_minor, rate_e12) if rate_e12 else cost_minor


def affordable(state: RiskState, free_minor: int) -> int:
    """The largest cost of a buy that an amount of quote covers, fee included."""
    rate_e12 = state.venue.fees.spot_hold_e12
    return max(0, free_minor - (1 if rate_e12 else 0)) * E12 // (E12 + rate_e12)


def held_in_all(state: RiskState, order: Order) -> int:
    """What a limit order on spot held for all its lots when it came to rest, in minor units."""
    instrument = state.instruments[order.symbol]
    if order.side is Side.SELL:
        return instrument.base_minor(order.lots)
    return _with_fee(state, instrument.notional_minor(order.price_ticks, order.lots))


def spent_minor(state: RiskState, order: Order) -> int:
    """What its fills took of what a spot order held, its fee included where that is held too."""
    instrument = state.instruments[order.symbol]
    if order.side is Side.SELL:
        return instrument.base_minor(order.filled_lots)
    return _with_fee(state, order.filled_units * instrument.unit_minor)


def reserve_spot(
    state: RiskState, account: Account, order: Order, book: Book, worst_ticks: int
) -> Reason | None:
    """Hold what a spot order needs, borrowing what is missing where it says so (M6, S11)."""
    refused = refuse_wallet(state, account, order)
    if refused is not None:
        return refused
    asset, need = spot_need(state, order, book, worst_ticks)
    return rehold(state, account, order, asset, need)


def rehold(
    state: RiskState, account: Account, order: Order, asset: str, need: int
) -> Reason | None:
    """Make what a spot order holds exactly its need: lock or borrow more, or free and repay."""
    pocket = state.pocket(account, order.wallet, asset)
    more = need - order.hold_minor
    borrowed = account.order_loans.get(order.order_id, 0)
    if more > max(0, pocket.free):
        if order.side_effect not in BORROW_EFFECTS:
            return refuse_short(state, account, order, asset, need)
        missing = more - max(0, pocket.free)
        loan = borrow(state, account, order.wallet, asset, missing)
        if isinstance(loan, Reason):
            return loan
        account.order_loans[order.order_id] = borrowed + missing
    if more >= 0:
        state.ledger.lock(pocket, more)
    else:
        state.ledger.unlock(pocket, -more)
        spare = min(borrowed, -more)
        if spare:
            repay(state, account, order.wallet, asset, spare)
            account.order_loans[order.order_id] = borrowed - spare
    order.hold_minor = need
    return None


def refuse_short(state: RiskState, account: Account, order: Order, asset: str, need: int) -> Reason:
    """The free balance does not cover what the order must hold (S11)."""
    instrument = state.instruments[order.symbol]
    return state.refuse(
        Reason.INSUFFICIENT_BALANCE,
        "S11",
        symbol=order.symbol,
        wallet=order.wallet,
        asset=asset,
        side=order.side.name.lower(),
        price_ticks=order.price_ticks,
        qty_lots=order.lots,
        spend_minor=order.quote_units * instrument.unit_minor,
        hold_rate_e12=state.venue.fees.spot_hold_e12,
        need_minor=need,
        free_minor=account.free(order.wallet, asset),
    )


def refuse_wallet(state: RiskState, account: Account, order: Order) -> Reason | None:
    """A spot order trades from spot cash, cross margin or the pair's isolated margin."""
    instrument = state.instruments[order.symbol]
    if order.wallet == PERP or order.reduce_only:
        return Reason.COMBINATION_NOT_ALLOWED
    if order.wallet == SPOT:
        return Reason.SIDE_EFFECT_NOT_ALLOWED if order.side_effect else None
    for asset in (instrument.base, instrument.quote):
        refused = wallet_holds(state, account, order.wallet, asset)
        if refused is not None:
            return refused
    if order.wallet in account.liquidating and not order.forced:
        return Reason.ACCOUNT_LIQUIDATING
    return None
