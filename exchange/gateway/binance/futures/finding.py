"""Which order is meant, and where it is to be found: open with the engine, else in the history.

Binance keeps algo orders apart: until its trigger is reached such an order is no order, and has no
place among them; from then on it is both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import MANDATORY, Refusal, refused
from exchange.gateway.binance.futures import refusals
from exchange.gateway.binance.futures.order_shapes import Told, is_algo, marked, of_order, of_row
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.symbols import product_of
from exchange.storage.queries import ROWS_MAX, Part
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Order

UNRECORDED: Final = frozenset({Reason.WOULD_TAKE, Reason.FOK_UNFILLABLE})


def is_order(told: Told) -> bool:
    """Whether it is an order: all but algo orders that were never triggered, and those that were
    refused at once, which Binance keeps no record of."""
    if is_algo(told.client_id) and not told.triggered_ms:
        return False
    return told.reason not in UNRECORDED or told.filled_lots > 0


def is_algo_order(told: Told) -> bool:
    """Whether it is, or once was, an algo order."""
    return is_algo(told.client_id)


def told_of(call: Call, order: Order) -> Told:
    """An open order as it stands."""
    return of_order(order, call.doors.board.orders.updated_ms(order))


def open_orders(call: Call, keep: Callable[[Told], bool], symbol: str = "") -> list[Told]:
    """The account's open orders of the product, or of one contract, by their numbers."""
    instruments = call.doors.board.instruments
    found = [
        told_of(call, order)
        for order in call.account.orders.values()
        if (not symbol or order.symbol == symbol)
        and product_of(instruments[order.symbol]) == call.product
    ]
    return sorted((told for told in found if keep(told)), key=lambda told: told.order_id)


def open_order(
    call: Call, params: Params, *, algo: bool = False, unknown: Refusal = refusals.UNKNOWN_ORDER
) -> Order:
    """The open order that is meant; a refusal (by default -2011) where there is none."""
    account = call.account
    order_id, client_id = order_name(params, algo=algo)
    if not order_id:
        order_id = next(
            (
                account.client_orders[name]
                for name in _engine_ids(client_id, algo=algo)
                if name in account.client_orders
            ),
            0,
        )
    order = account.orders.get(order_id)
    if order is None or not _is_meant(call, params, of_order(order, 0), algo=algo):
        raise refused(unknown)
    return order


async def any_order(call: Call, params: Params, *, algo: bool = False) -> Told:
    """The order that is meant, open or closed; -2013 where there is none."""
    account = call.account
    order_id, client_id = order_name(params, algo=algo)
    names = _engine_ids(client_id, algo=algo)
    open_ids = (account.client_orders.get(name, 0) for name in names)
    order = account.orders.get(order_id or next((found for found in open_ids if found), 0))
    if order is not None:
        told = told_of(call, order)
        if _is_meant(call, params, told, algo=algo):
            return told
    if order_id:
        rows = [await call.doors.history.order(order_id)]
    else:
        rows = [await call.doors.history.order_by_client_id(account.id, name) for name in names]
    for row in rows:
        if row is not None and row.account_id == account.id:
            told = of_row(row)
            if _is_meant(call, params, told, algo=algo):
                return told
    raise refused(refusals.NO_SUCH_ORDER)


async def past_orders(
    call: Call, instrument: Instrument, keep: Callable[[Told], bool], part: Part
) -> list[Told]:
    """A part of the account's orders on a contract, open and closed, of which some are left out.

    Rows are asked for until there are enough, or so many were looked at.
    """
    found: list[Told] = []
    seen, forward = 0, part.is_oldest
    while seen < ROWS_MAX:
        rows = await call.doors.history.orders(call.account.id, symbol=instrument.symbol, part=part)
        seen += len(rows)
        kept = [told for told in map(of_row, rows) if keep(told)]
        found = found + kept if forward else kept + found
        if len(rows) < part.limit or len(found) >= part.limit:
            break
        edge = rows[-1].order_id + 1 if forward else rows[0].order_id
        part = Part(
            from_ms=part.from_ms,
            to_ms=part.to_ms,
            from_id=edge if forward else part.from_id,
            before_id=part.before_id if forward else edge,
            limit=part.limit,
        )
    return found[: part.limit] if forward else found[-part.limit :]


def order_name(params: Params, *, algo: bool = False) -> tuple[int, str]:
    """The number or the client id that an order is named by; -1102 where there is neither."""
    by_id, by_client = ("algoId", "clientAlgoId") if algo else ("orderId", "origClientOrderId")
    order_id, client_id = params.integer(by_id, 0) or 0, params.get(by_client)
    if not order_id and not client_id:
        raise refused(MANDATORY, by_id)
    return order_id, client_id


def _engine_ids(client_id: str, *, algo: bool) -> tuple[str, ...]:
    """What the engine may know it by; an algo order that was triggered is an order as well."""
    return (marked(client_id),) if algo else (client_id, marked(client_id))


def _is_meant(call: Call, params: Params, told: Told, *, algo: bool) -> bool:
    """Whether it lies in the space that was asked, on the contract that was named."""
    if not (is_algo_order(told) if algo else is_order(told)):
        return False
    instrument = call.doors.board.instruments[told.symbol]
    if product_of(instrument) != call.product:
        return False
    return not params.has("symbol") or (
        call.dialect.symbols.find(call.product, params.get("symbol")) is instrument
    )
