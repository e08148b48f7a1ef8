"""Orders, fills and postings of the past as native messages, and open orders as they stand."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.events import Filled, LedgerPosted, OrderChanged
from exchange.gateway.native.translate import fill_say, ledger_say, order_say
from exchange.storage.rows import FillRow, LedgerRow, OrderRow
from exchange.wire import FillSay, LedgerSay, OrderSay
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Order, OrderType, Side, Status, TimeInForce

Instruments = Mapping[str, Instrument]


def open_order_say(order: Order, instruments: Instruments, updated_ms: int) -> OrderSay:
    """An order of the engine as it stands."""
    event = OrderChanged(
        seq=0,
        time_ms=updated_ms,
        account_id=order.account_id,
        n=0,
        happening="",
        order_id=order.order_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        tif=order.tif,
        price_ticks=order.price_ticks,
        lots=order.lots,
        quote_minor=order.quote_units * instruments[order.symbol].unit_minor,
        filled_lots=order.filled_lots,
        filled_units=order.filled_units,
        prevented_lots=order.prevented_lots,
        open_lots=order.open_lots,
        status=order.status,
        wallet=order.wallet,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        side_effect=order.side_effect,
        forced=order.forced,
        expire_ms=order.expire_ms,
        placed_ms=order.time_ms,
        client_id=order.client_id,
        reason=order.reason,
    )
    return order_say(event, instruments)


def order_row_say(row: OrderRow, instruments: Instruments) -> OrderSay:
    """An order of the history."""
    open_lots = row.lots - row.filled_lots - row.prevented_lots if row.is_open else 0
    event = OrderChanged(
        seq=row.seq,
        time_ms=row.updated_ms,
        account_id=row.account_id,
        n=0,
        happening="",
        order_id=row.order_id,
        symbol=row.symbol,
        side=Side(row.side),
        type=OrderType(row.type),
        tif=TimeInForce(row.tif),
        price_ticks=row.price_ticks,
        lots=row.lots,
        quote_minor=row.quote_minor,
        filled_lots=row.filled_lots,
        filled_units=row.filled_units,
        prevented_lots=row.prevented_lots,
        open_lots=open_lots,
        status=Status(row.status),
        wallet=row.wallet,
        post_only=row.post_only,
        reduce_only=row.reduce_only,
        side_effect=row.side_effect,
        forced=row.forced,
        expire_ms=row.expire_ms,
        placed_ms=row.time_ms,
        client_id=row.client_id,
        reason=Reason[row.reason] if row.reason else None,
    )
    return order_say(event, instruments)


def fill_row_say(row: FillRow, instruments: Instruments) -> FillSay:
    """A fill of the history."""
    event = Filled(
        seq=row.seq,
        time_ms=row.time_ms,
        account_id=row.account_id,
        n=row.n,
        trade_id=row.trade_id,
        symbol=row.symbol,
        order_id=row.order_id,
        client_id=row.client_id,
        side=Side(row.side),
        price_ticks=row.price_ticks,
        lots=row.lots,
        maker=row.maker,
        fee_minor=row.fee_minor,
        fee_asset=row.fee_asset,
        realised_minor=row.realised_minor,
        wallet=row.wallet,
    )
    return fill_say(event, instruments)


def ledger_row_say(row: LedgerRow, instruments: Instruments) -> LedgerSay:
    """A posting of the history."""
    event = LedgerPosted(
        seq=row.seq,
        time_ms=row.time_ms,
        account_id=row.account_id,
        n=row.n,
        wallet=row.wallet,
        asset=row.asset,
        change_minor=row.change_minor,
        balance_minor=row.balance_minor,
        reason=row.reason,
        reference=row.reference,
    )
    return ledger_say(event, instruments)
