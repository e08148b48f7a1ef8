"""The numbers of a refusal: what filters, bands and books decided by, noted once it has happened.

The risk engine notes its own (`RiskState.refuse`). The checks of `matching` know no state and are
asked for every order, so they only give the reason; what they compared is gathered here, which
costs something only where a command was refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exchange.commands import AmendOrder, CancelReplace, Command, PlaceOrder
from exchange.holding_filters import count_icebergs, holding_minor
from exchange.trading import Trading
from matching.filters import notional_of
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Order, OrderType, Side

Numbers = dict[str, int | str]


def because(trading: Trading, command: Command, reason: Reason) -> Numbers:
    """The rule that refused a command and its numbers, their units in their names.

    Empty where the reason says it all.
    """
    risk = trading.risk
    if risk.refused is reason:
        return risk.because
    order = _order_of(trading, command)
    tell = _TOLD.get(reason)
    if order is None or tell is None:
        return {}
    rule, numbers = tell(trading, order)
    return {"rule": rule, "symbol": order.symbol, **numbers}


def _order_of(trading: Trading, command: Command) -> Order | None:
    """The order that was asked for, as the checks saw it."""
    account = trading.risk.accounts.get(getattr(command, "account_id", 0))
    if isinstance(command, CancelReplace):
        command = command.place
    if isinstance(command, PlaceOrder):
        if account is None or command.symbol not in trading.books:
            return None
        return trading.consider(account, command)[0]
    if not isinstance(command, AmendOrder):
        return None
    old = account.orders.get(command.order_id) if account else None
    if old is None:
        return None
    done = old.filled_lots + old.prevented_lots
    lots = command.lots or old.lots
    return Order(
        order_id=old.order_id,
        account_id=old.account_id,
        symbol=old.symbol,
        side=old.side,
        type=old.type,
        price_ticks=command.price_ticks or old.price_ticks,
        lots=lots - done if lots > done else lots,
        tif=old.tif,
        post_only=old.post_only,
        reduce_only=old.reduce_only,
        expire_ms=old.expire_ms,
        time_ms=trading.risk.time_ms,
        wallet=old.wallet,
        trigger_ticks=command.trigger_ticks or old.trigger_ticks,
        trigger=old.trigger,
        trailing_bps=old.trailing_bps,
        iceberg_lots=min(old.iceberg_lots, lots - done) if lots > done else old.iceberg_lots,
    )


Told = tuple[str, Numbers]


def _price_range(trading: Trading, order: Order) -> Told:
    """The price that lies outside: its own, or else that of its trigger."""
    instrument = _instrument(trading, order)
    bounds = range(instrument.ticks_min, instrument.ticks_max + 1)
    own = order.price_ticks
    outside = own if own and own not in bounds else order.trigger_ticks or own
    return "S9", {
        "price_ticks": outside,
        "price_min_ticks": instrument.ticks_min,
        "price_max_ticks": instrument.ticks_max,
    }


def _lots(trading: Trading, order: Order) -> int:
    """How many lots it is for; of a market order by amount what the book would fill (S3)."""
    return trading.wanted_lots(order, trading.worst_ticks(order))


def _qty_range(trading: Trading, order: Order) -> Told:
    instrument = _instrument(trading, order)
    return "S9", {
        "qty_lots": _lots(trading, order),
        "qty_min_lots": instrument.lots_min,
        "qty_max_lots": instrument.lots_max,
    }


def _market_qty_range(trading: Trading, order: Order) -> Told:
    most = _instrument(trading, order).market_lots_max
    return "S9", {"qty_lots": _lots(trading, order), "qty_max_lots": most}


def _icebergs_max(trading: Trading, order: Order) -> Told:
    account = trading.risk.accounts[order.account_id]
    return "S9", {
        "icebergs": count_icebergs(account, order.symbol, {order.order_id}),
        "icebergs_max": _instrument(trading, order).icebergs_max,
    }


def _amends_max(trading: Trading, order: Order) -> Told:
    old = trading.risk.accounts[order.account_id].orders[order.order_id]
    return "S9", {"amends": old.amends, "amends_max": _instrument(trading, order).amends_max}


def _position_max(trading: Trading, order: Order) -> Told:
    """What the wallet has and bids for already, and what the order would add."""
    instrument = _instrument(trading, order)
    account = trading.risk.accounts[order.account_id]
    has_minor = holding_minor(account, instrument, order.wallet, {order.order_id})
    return "S9", {
        "asset": instrument.base,
        "has_minor": has_minor,
        "qty_lots": _lots(trading, order),
        "position_max_lots": instrument.position_lots_max,
    }


def _asset_max(trading: Trading, order: Order) -> Told:
    """The base or, where that is not too much, the quote."""
    instrument = _instrument(trading, order)
    lots, most_minor = _lots(trading, order), instrument.base_order_max_minor
    moved_minor = instrument.base_minor(lots)
    if most_minor and moved_minor > most_minor:
        return "S9", _moved(instrument.base, moved_minor, most_minor)
    reference_e8 = trading.reference_e8(order.symbol)
    if order.trigger_ticks:
        reference_e8 = order.trigger_ticks * instrument.tick_e8
    worth_minor = notional_of(instrument, order, lots, reference_e8) or 0
    return "S9", _moved(instrument.quote, worth_minor, instrument.quote_order_max_minor)


def _moved(asset: str, moved_minor: int, most_minor: int) -> Numbers:
    return {"asset": asset, "moved_minor": moved_minor, "order_max_minor": most_minor}


def _notional(trading: Trading, order: Order) -> Told:
    """What the order is worth by its price, its amount, or the reference price."""
    instrument = _instrument(trading, order)
    bounds: Numbers = {
        "notional_min_minor": instrument.notional_min_minor,
        "notional_max_minor": instrument.notional_max_minor,
    }
    if order.quote_units:
        return "S9", {"notional_minor": order.quote_units * instrument.unit_minor, **bounds}
    if order.price_ticks:
        price: Numbers = {"price_ticks": order.price_ticks}
        worth = instrument.notional_minor(order.price_ticks, order.lots)
    else:
        reference_e8 = trading.reference_e8(order.symbol)
        price = {"reference_e8": reference_e8}
        worth = reference_e8 * order.lots * instrument.unit_minor // instrument.tick_e8
    return "S9", {"qty_lots": order.lots, **price, "notional_minor": worth, **bounds}


def _percent_price(trading: Trading, order: Order) -> Told:
    instrument = _instrument(trading, order)
    is_bid = order.side is Side.BUY
    return "S12", {
        "price_ticks": order.price_ticks,
        "tick_e8": instrument.tick_e8,
        "reference_e8": trading.reference_e8(order.symbol),
        "up_e4": instrument.bid_up_e4 if is_bid else instrument.ask_up_e4,
        "down_e4": instrument.bid_down_e4 if is_bid else instrument.ask_down_e4,
    }


def _band(trading: Trading, order: Order) -> Told:
    """The bound of a perpetual's orders moves with its index and the mean of its basis."""
    perp = trading.risk.marks[order.symbol]
    return "S12", {
        "side": order.side.name.lower(),
        "price_ticks": order.price_ticks,
        "bound_ticks": perp.band_ticks(order.side),
        "tick_e8": perp.instrument.tick_e8,
        "index_e8": perp.index_e8 or 0,
        "premium_e8": perp.basis.mean_e8(),
        "band_e12": perp.parameters.entry_band_e12,
        "limit_e12": perp.parameters.entry_limit_e12,
    }


def _orders_max(trading: Trading, order: Order) -> Told:
    account = trading.risk.accounts[order.account_id]
    return "S9", {
        "open_orders": account.open_counts.get(order.symbol, 0),
        "orders_max": _instrument(trading, order).orders_max,
    }


def _past(_: Trading, order: Order) -> Told:
    return "S2", {"expire_ms": order.expire_ms, "now_ms": order.time_ms}


def _standing(trading: Trading, order: Order) -> Told:
    return "S13", {"state": trading.states[order.symbol].name.lower()}


def _would_take(trading: Trading, order: Order) -> Told:
    book = trading.books[order.symbol]
    is_bid = order.side is Side.BUY
    best_ticks = book.best_ask_ticks if is_bid else book.best_bid_ticks
    return "S2", {
        "side": order.side.name.lower(),
        "price_ticks": order.price_ticks,
        "best_ticks": best_ticks,
    }


def _would_trigger(trading: Trading, order: Order) -> Told:
    """The price that wakes it stands where it would wake already."""
    return "S4", {
        "side": "rises" if order.rises else "falls",
        "trigger_ticks": order.trigger_ticks,
        "market_e8": trading.price_e8(order.symbol, order.trigger) or 0,
    }


def _asleep_max(trading: Trading, order: Order) -> Told:
    account = trading.risk.accounts[order.account_id]
    most = _instrument(trading, order).algo_orders_max
    return "S9", {"asleep": account.count_asleep(order.symbol), "asleep_max": most}


def _below_filled(trading: Trading, order: Order) -> Told:
    old = trading.risk.accounts[order.account_id].orders[order.order_id]
    done = old.filled_lots + old.prevented_lots
    return "S7", {"qty_lots": order.lots, "done_lots": done}


def _below_a_lot(trading: Trading, order: Order) -> Told:
    return "S3", {"type": OrderType(order.type).name.lower()}


def _instrument(trading: Trading, order: Order) -> Instrument:
    return trading.risk.instruments[order.symbol]


_TOLD: Final[dict[Reason, Callable[[Trading, Order], Told]]] = {
    Reason.PRICE_OUT_OF_RANGE: _price_range,
    Reason.QTY_OUT_OF_RANGE: _qty_range,
    Reason.MARKET_QTY_OUT_OF_RANGE: _market_qty_range,
    Reason.NOTIONAL_TOO_SMALL: _notional,
    Reason.NOTIONAL_TOO_LARGE: _notional,
    Reason.PERCENT_PRICE: _percent_price,
    Reason.PRICE_BAND: _band,
    Reason.MAX_ORDERS: _orders_max,
    Reason.MAX_ICEBERGS: _icebergs_max,
    Reason.MAX_AMENDS: _amends_max,
    Reason.MAX_POSITION: _position_max,
    Reason.MAX_ASSET: _asset_max,
    Reason.EXPIRY_IN_PAST: _past,
    Reason.SYMBOL_NOT_TRADING: _standing,
    Reason.WOULD_TAKE: _would_take,
    Reason.WOULD_TRIGGER: _would_trigger,
    Reason.MAX_ALGO_ORDERS: _asleep_max,
    Reason.AMEND_BELOW_FILLED: _below_filled,
    Reason.AMOUNT_BELOW_ONE_LOT: _below_a_lot,
}
