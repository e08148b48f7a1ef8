"""Orders: place, preview, look up, amend, cancel."""

from __future__ import annotations

from typing import Any

from exchange.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from exchange.events import Filled, OrderChanged
from exchange.gateway.calls import ApiError, Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import Done, account_id_of, account_of, obeyed
from exchange.gateway.native.asks import OrderAmendAsk, OrderNameAsk
from exchange.gateway.native.hints import refused_text
from exchange.gateway.native.orders import (
    amend_command,
    cancel_command,
    known_instrument,
    one_name,
    place_command,
)
from exchange.gateway.native.previewing import preview_say
from exchange.gateway.native.remembered import fill_row_say, open_order_say, order_row_say
from exchange.gateway.native.translate import fill_say, order_say
from exchange.preview import preview as preview_of
from exchange.storage.queries import Part
from exchange.storage.rows import OrderRow
from exchange.wire import (
    AmendAsk,
    CancelAllAsk,
    OrderAsk,
    OrderKey,
    OrderListAsk,
    OrderSay,
    PlacedSay,
    PreviewSay,
)
from matching.reasons import Reason
from matching.types import Order
from risk.account import Account


async def place(doors: Doors, ask: OrderAsk, caller: Caller) -> PlacedSay:
    """Place one order; it answers what became of it at once."""
    command = place_wish(doors, ask, caller)
    return await placed(doors, await obeyed(doors, command), command.account_id)


def place_wish(doors: Doors, ask: OrderAsk, caller: Caller) -> PlaceOrder:
    """The command of an order; an ApiError names what is wrong with it."""
    account = account_of(doors, caller)
    return place_command(
        ask, account.id, doors.board.instruments, isolated=account.is_isolated(ask.symbol)
    )


async def placed(doors: Doors, done: Done, account_id: int) -> PlacedSay:
    """What became of an order that was taken."""
    if done.answer.repeated:
        return await placed_before(doors, account_id, done.answer.result_id)
    return changed(doors, done, account_id, done.answer.result_id)


def changed(doors: Doors, done: Done, account_id: int, order_id: int) -> PlacedSay:
    """An order as a command left it, and its fills by that command."""
    instruments = doors.board.instruments
    fills = [
        fill_say(event, instruments)
        for event in done.events
        if type(event) is Filled and event.order_id == order_id and event.account_id == account_id
    ]
    return PlacedSay(last_state(doors, done, order_id), fills)


async def placed_before(doors: Doors, account_id: int, order_id: int) -> PlacedSay:
    """The order that a client id made the first time, as it stands, with its fills so far."""
    account = doors.engine.risk.accounts[account_id]
    order = await order_now(doors, account, OrderKey(order_id=order_id))
    rows = await doors.history.fills(account_id, order_id=order_id)
    fills = [fill_row_say(row, doors.board.instruments) for row in rows]
    return PlacedSay(order, fills, repeated=True)


async def preview(doors: Doors, ask: OrderAsk, caller: Caller) -> PreviewSay:
    """What an order would cost and risk."""
    command = place_wish(doors, ask, caller)
    found = preview_of(doors.engine, command)
    engine = doors.engine
    message = refused_text(found.reason, command, engine.risk) if found.reason else None
    return preview_say(found, doors.board.instruments, engine.venue.quote, message)


# -- looking up --------------------------------------------------------------------------------


async def list_orders(doors: Doors, ask: OrderListAsk, caller: Caller) -> list[OrderSay]:
    """The open orders, or all that are kept, newest first."""
    instruments = doors.board.instruments
    if ask.symbol is not None:
        known_instrument(ask.symbol, instruments)
    account = account_of(doors, caller)
    if ask.status == "all":
        rows = await doors.history.orders(
            account.id, symbol=ask.symbol, part=Part(before_id=ask.before_id, limit=ask.limit)
        )
        return [order_row_say(row, instruments) for row in reversed(rows)]
    found = [
        order
        for order in account.orders.values()
        if (ask.symbol is None or order.symbol == ask.symbol)
        and (ask.before_id is None or order.order_id < ask.before_id)
    ]
    found.sort(key=lambda order: order.order_id, reverse=True)
    return [_open_say(doors, order) for order in found[: ask.limit]]


async def status(doors: Doors, ask: OrderNameAsk, caller: Caller) -> OrderSay:
    """One order, open or closed."""
    one_name(ask)
    return await order_now(doors, account_of(doors, caller), ask)


async def order_now(doors: Doors, account: Account, key: OrderKey) -> OrderSay:
    """An order as it stands, open or closed; UNKNOWN_ORDER where the account has none such."""
    order = _open_order(account, key)
    if order is not None:
        return _open_say(doors, order)
    row: OrderRow | None
    if key.order_id is not None:
        row = await doors.history.order(key.order_id)
    else:
        row = await doors.history.order_by_client_id(account.id, key.client_id)
    if row is None or row.account_id != account.id:
        raise ApiError(
            Reason.UNKNOWN_ORDER.name,
            "there is no order of that name on this account",
            _names(key),
            404,
        )
    return order_row_say(row, doors.board.instruments)


def _open_order(account: Account, key: OrderKey) -> Order | None:
    order_id = key.order_id or account.client_orders.get(key.client_id)
    return None if order_id is None else account.orders.get(order_id)


def _open_say(doors: Doors, order: Order) -> OrderSay:
    updated_ms = doors.board.orders.updated_ms(order)
    return open_order_say(order, doors.board.instruments, updated_ms)


def _names(key: OrderKey) -> dict[str, Any]:
    return {"client_id": key.client_id} if key.client_id else {"order_id": key.order_id}


# -- changing ----------------------------------------------------------------------------------


async def amend(doors: Doors, ask: OrderAmendAsk, caller: Caller) -> OrderSay:
    """Change price or quantity of an open order."""
    command = amend_wish(doors, ask, caller)
    return ordered(doors, await obeyed(doors, command), command)


def amend_wish(doors: Doors, ask: AmendAsk, caller: Caller) -> AmendOrder:
    """The command of a change to an order that is open now."""
    one_name(ask)
    order = _open_order(account_of(doors, caller), ask)
    if order is None:
        raise refusal(Reason.UNKNOWN_ORDER, **_names(ask))
    instrument = doors.board.instruments[order.symbol]
    return amend_command(ask, order.account_id, instrument, order.order_id)


async def cancel(doors: Doors, ask: OrderNameAsk, caller: Caller) -> OrderSay:
    """Cancel one order."""
    command = cancel_wish(doors, ask, caller)
    return ordered(doors, await obeyed(doors, command), command)


def cancel_wish(doors: Doors, ask: OrderNameAsk, caller: Caller) -> CancelOrder:
    """The command that cancels an order."""
    return cancel_command(ask, account_id_of(caller))


def ordered(doors: Doors, done: Done, command: AmendOrder | CancelOrder) -> OrderSay:
    """The order that a command named, as it left it."""
    return last_state(doors, done, done.answer.result_id or command.order_id)


async def cancel_all(doors: Doors, ask: CancelAllAsk, caller: Caller) -> list[OrderSay]:
    """Cancel every order, or those on one symbol; answers those it cancelled."""
    if ask.symbol is not None:
        known_instrument(ask.symbol, doors.board.instruments)
    account_id = account_id_of(caller)
    done = await obeyed(doors, CancelAll(account_id=account_id, symbol=ask.symbol or ""))
    ended = done.of(OrderChanged, account_id=account_id, happening="cancelled")
    return [order_say(event, doors.board.instruments) for event in ended]


def last_state(doors: Doors, done: Done, order_id: int) -> OrderSay:
    """An order as the command left it."""
    for event in reversed(done.events):
        if type(event) is OrderChanged and event.order_id == order_id:
            return order_say(event, doors.board.instruments)
    raise AssertionError("a command that changed an order tells of it")
