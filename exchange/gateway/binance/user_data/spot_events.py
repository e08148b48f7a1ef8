"""Events of a spot or margin account as its user data stream tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from exchange.events import (
    AnyEvent,
    BalanceChanged,
    LedgerPosted,
    OrderListChanged,
)
from exchange.gateway.binance.client_ids import list_name, order_name
from exchange.gateway.binance.spot.list_shapes import LIST_STATUSES, NOT_PLACED
from exchange.gateway.binance.spot.order_shapes import (
    NO_LIST,
    SELF_TRADES,
    STATUSES,
    cancel_id,
    client_word,
    execution_id,
    money,
    price_of,
    qty_of,
    tif_name,
    type_name,
    working_since_ms,
)
from exchange.gateway.binance.symbols import name_of
from exchange.gateway.binance.user_data import reports
from exchange.gateway.binance.user_data.reports import IsNew, Report, reports_of
from matching.instrument import Instrument
from matching.lists import ListKind
from matching.types import OPEN_STATUSES, Side, Status
from risk.ledger import PostingReason

Payload = dict[str, Any]

# What a trade moves is told with its balances; everything else is a change of its own. A fee that
# refers to no trade is not of one: the house takes it of the dust it buys.
_OF_TRADES: Final = frozenset({PostingReason.TRADE.value, PostingReason.FEE.value})
_WORDS: Final = {reports.TRIGGERED: "NEW", reports.AMENDED: "REPLACED"}


def spot_events(
    wallet: str,
    events: Sequence[AnyEvent],
    instruments: Mapping[str, Instrument],
    is_new: IsNew,
    cancel_ids: Mapping[int, str] = MappingProxyType({}),
) -> list[Payload]:
    """What the stream of a wallet tells of one account's events in one command.

    `cancel_ids` are the client ids of cancellations, by order, as far as the door was sent them.

    The reports of orders come first, in their order, then lists, then money; balances last.
    """
    said = [
        execution_report(report, instruments[report.order.symbol], cancel_ids)
        for report in reports_of(events, is_new)
        if report.order.wallet == wallet
    ]
    # A list has no wallet of its own: its legs' reports in this very command tell it.
    listed = {report["g"] for report in said}
    changed: dict[str, BalanceChanged] = {}
    for event in events:
        if isinstance(event, OrderListChanged) and event.list_id in listed:
            said.append(list_status(event, instruments[event.symbol]))
        elif isinstance(event, LedgerPosted) and event.wallet == wallet:
            if event.reason not in _OF_TRADES or not event.reference:
                said.append(balance_update(event))
        elif isinstance(event, BalanceChanged) and event.wallet == wallet:
            changed[event.asset] = event
    if changed:
        said.append(account_position(list(changed.values())))
    return said


def execution_report(
    report: Report, instrument: Instrument, cancel_ids: Mapping[int, str]
) -> Payload:
    """One step of an order; a cancel tells the order's own client id as the original one."""
    order, fill = report.order, report.fill
    cancelled = report.kind == reports.CANCELED
    said: Payload = {
        "e": "executionReport",
        "E": order.time_ms,
        "s": name_of(instrument),
        "c": cancel_id(order.order_id, cancel_ids) if cancelled else client_word(order),
        "S": Side(order.side).name,
        "o": type_name(order.type, post_only=order.post_only),
        "f": tif_name(order.tif, order.type),
        "q": qty_of(instrument, order.lots),
        "p": price_of(instrument, order.price_ticks),
        "P": price_of(instrument, order.trigger_ticks),
        "F": qty_of(instrument, order.iceberg_lots),
        "g": order.list_id or NO_LIST,
        "C": client_word(order) if cancelled else "",
        "x": _WORDS.get(report.kind, report.kind),
        "X": STATUSES[report.status],
        "r": _why(report),
        "i": order.order_id,
        "l": qty_of(instrument, fill.lots if fill else 0),
        "z": qty_of(instrument, report.filled_lots),
        "L": price_of(instrument, fill.price_ticks if fill else 0),
        "n": money(fill.fee_minor) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": order.time_ms,
        "t": fill.trade_id if fill else -1,
        "I": execution_id(fill or order, is_first=report.kind == reports.NEW),
        "w": report.status in OPEN_STATUSES and report.status is not Status.PENDING_TRIGGER,
        "m": fill.maker if fill else False,
        "M": bool(fill),
        "O": order.placed_ms,
        "Z": money(report.filled_units * instrument.unit_minor),
        "Y": money(instrument.notional_minor(fill.price_ticks, fill.lots) if fill else 0),
        "Q": money(order.quote_minor),
    }
    working_ms = working_since_ms(order)
    if working_ms is not None:
        said["W"] = working_ms
    said["V"] = SELF_TRADES[order.stp]
    if order.trailing_bps:
        said["d"] = order.trailing_bps
    if order.prevented_lots and report.kind == reports.PREVENTED:
        said["A"] = qty_of(instrument, order.prevented_lots)
    return said


def _why(report: Report) -> str:
    if report.kind != reports.REJECTED or report.order.reason is None:
        return "NONE"
    return report.order.reason.name


def account_position(changed: Sequence[BalanceChanged]) -> Payload:
    """The balances a command left different."""
    return {
        "e": "outboundAccountPosition",
        "E": changed[-1].time_ms,
        "u": changed[-1].time_ms,
        "B": [
            {
                "a": event.asset,
                "f": money(event.total_minor - event.locked_minor),
                "l": money(event.locked_minor),
            }
            for event in changed
        ],
    }


def balance_update(event: LedgerPosted) -> Payload:
    """Money that came or went otherwise than by a trade."""
    return {
        "e": "balanceUpdate",
        "E": event.time_ms,
        "a": event.asset,
        "d": money(event.change_minor),
        "T": event.time_ms,
    }


def list_status(event: OrderListChanged, instrument: Instrument) -> Payload:
    """A list and its legs; one that waits for another has no number yet."""
    status_type, status = LIST_STATUSES[event.status]
    symbol = name_of(instrument)
    return {
        "e": "listStatus",
        "E": event.time_ms,
        "s": symbol,
        "g": event.list_id,
        "c": "OCO" if event.kind is ListKind.OCO else "OTO",
        "l": status_type,
        "L": status,
        "r": event.reason.name if event.reason is not None else "NONE",
        "C": list_name(event.client_id, event.list_id),
        "T": event.time_ms,
        "O": [
            {"s": symbol, "i": order_id or NOT_PLACED, "c": order_name(client_id, order_id)}
            for order_id, client_id, _ in event.legs
        ],
    }
