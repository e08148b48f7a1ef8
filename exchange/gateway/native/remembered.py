"""The past as native messages: orders, fills, postings, trades, candles; and open orders."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from exchange.events import Filled, LedgerPosted, OrderChanged, OrderListChanged
from exchange.gateway.native.translate import (
    fill_say,
    ledger_say,
    list_say,
    order_say,
)
from exchange.storage.rows import (
    FillRow,
    LedgerRow,
    OrderListRow,
    OrderRow,
)
from exchange.wire import FillSay, LedgerSay, OrderListSay, OrderSay
from matching.instrument import Instrument
from matching.lists import LegStatus, ListKind, ListStatus
from matching.reasons import Reason
from matching.types import Order, OrderType, SelfTrade, Side, Status, TimeInForce, TriggerSource
from risk.account import side_of

Instruments = Mapping[str, Instrument]


def open_order_say(order: Order, instruments: Instruments, updated_ms: int) -> OrderSay:
    """An order of the engine as it stands."""
    event = open_order_event(order, instruments[order.symbol], updated_ms)
    return order_say(event, instruments)


def open_order_event(order: Order, instrument: Instrument, updated_ms: int) -> OrderChanged:
    """An order of the engine as an event would tell of it now."""
    return OrderChanged(
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
        quote_minor=order.quote_units * instrument.unit_minor,
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
        trigger_ticks=order.trigger_ticks,
        trigger=order.trigger,
        close_position=order.close_position,
        price_protect=order.price_protect,
        triggered_ms=order.triggered_ms,
        position_side=side_of(order.leg),
        filled_minor=order.filled_minor,
        trailing_bps=order.trailing_bps,
        iceberg_lots=order.iceberg_lots,
        list_id=order.list_id,
        stp=order.stp,
    )


def order_row_say(row: OrderRow, instruments: Instruments) -> OrderSay:
    """An order of the history."""
    return order_say(order_row_event(row), instruments)


def order_row_event(row: OrderRow) -> OrderChanged:
    """An order of the history as an event would tell of it."""
    open_lots = row.lots - row.filled_lots - row.prevented_lots if row.is_open else 0
    return OrderChanged(
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
        trigger_ticks=row.trigger_ticks,
        trigger=TriggerSource(row.trigger_source),
        close_position=row.close_position,
        price_protect=row.price_protect,
        triggered_ms=row.triggered_ms,
        position_side=row.position_side,
        filled_minor=row.filled_minor,
        trailing_bps=row.trailing_bps,
        iceberg_lots=row.iceberg_lots,
        list_id=row.list_id,
        stp=SelfTrade(row.stp),
    )


def list_row_say(row: OrderListRow, instruments: Instruments) -> OrderListSay:
    """An order list of the history."""
    return list_say(list_row_event(row), instruments)


def list_row_event(row: OrderListRow) -> OrderListChanged:
    """An order list of the history as an event would tell of it."""
    legs = msgspec.json.decode(row.legs, type=list[tuple[int, str, LegStatus]])
    return OrderListChanged(
        seq=row.seq,
        time_ms=row.updated_ms,
        account_id=row.account_id,
        n=0,
        list_id=row.list_id,
        symbol=row.symbol,
        kind=ListKind(row.kind),
        status=ListStatus(row.status),
        client_id=row.client_id,
        reason=Reason[row.reason] if row.reason else None,
        legs=legs,
        placed_ms=row.time_ms,
        bracket=row.bracket,
    )


def fill_row_say(row: FillRow, instruments: Instruments) -> FillSay:
    """A fill of the history."""
    return fill_say(fill_row_event(row), instruments)


def fill_row_event(row: FillRow) -> Filled:
    """The event of a fill, without what only `why` reads."""
    return Filled(
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
        position_side=row.position_side,
    )


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
