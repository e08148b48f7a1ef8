"""Order lists: placing one, cancelling one, and looking them up, open or past."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from exchange.commands import CancelOrder, PlaceList
from exchange.events import OrderListChanged
from exchange.gateway.calls import ApiError, Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import Done, account_id_of, account_of, obeyed
from exchange.gateway.native.orders import known_instrument
from exchange.gateway.native.remembered import list_row_say
from exchange.gateway.native.trading import place_wish
from exchange.gateway.native.translate import list_say
from exchange.listing import OrderList, list_event
from exchange.storage.queries import Part
from exchange.wire import CancelListAsk, ListKey, ListsAsk, OrderListSay, PlaceListAsk
from matching.lists import ListKind
from matching.reasons import Reason
from risk.account import Account

KINDS: Final = {"oco": ListKind.OCO, "oto": ListKind.OTO, "otoco": ListKind.OTOCO}


async def place_list(doors: Doors, ask: PlaceListAsk, caller: Caller) -> OrderListSay:
    """Place a list; it answers how the list stands."""
    orders = [place_wish(doors, each, caller) for each in ask.orders]
    command = PlaceList(
        account_id=account_id_of(caller),
        kind=KINDS[ask.kind],
        orders=orders,
        client_id=ask.client_id,
    )
    done = await obeyed(doors, command)
    if done.answer.repeated:
        found = await list_now(doors, account_of(doors, caller), done.answer.result_id)
        return structs.replace(found, repeated=True)
    return _told(doors, done)


async def cancel_list(doors: Doors, ask: CancelListAsk, caller: Caller) -> OrderListSay:
    """Cancel the open orders of a list, by its id or by the client id it was placed with."""
    account = account_of(doors, caller)
    _one_name(ask)
    list_id = ask.list_id
    if list_id is None:
        named = doors.engine.trading.lists.named(account, ask.client_id)
        if named is None:
            raise _unknown(ask.list_id, ask.client_id)
        list_id = named.list_id
    return _told(doors, await obeyed(doors, CancelOrder(account_id=account.id, list_id=list_id)))


def _told(doors: Doors, done: Done) -> OrderListSay:
    """The list as the command left it."""
    told = done.of(OrderListChanged, list_id=done.answer.result_id)
    assert told, "a command that changed a list tells of it"
    return list_say(told[-1], doors.board.instruments)


# -- looking up --------------------------------------------------------------------------------


async def lists(doors: Doors, ask: ListsAsk, caller: Caller) -> list[OrderListSay]:
    """The open lists, or all that are kept, newest first."""
    instruments = doors.board.instruments
    if ask.symbol is not None:
        known_instrument(ask.symbol, instruments)
    account = account_of(doors, caller)
    if ask.status == "all":
        part = Part(before_id=ask.before_id, limit=ask.limit)
        rows = await doors.history.order_lists(account.id, symbol=ask.symbol, part=part)
        return [list_row_say(row, instruments) for row in reversed(rows)]
    found = [
        each
        for each in reversed(doors.engine.trading.lists.of(account))
        if (ask.symbol is None or each.symbol == ask.symbol)
        and (ask.before_id is None or each.list_id < ask.before_id)
    ]
    return [_open_say(doors, account, each) for each in found[: ask.limit]]


async def status(doors: Doors, ask: ListKey, caller: Caller) -> OrderListSay:
    """One list, open or past, by its id or by the client id it was placed with."""
    _one_name(ask)
    return await list_now(doors, account_of(doors, caller), ask.list_id, ask.client_id)


async def list_now(
    doors: Doors, account: Account, list_id: int | None, client_id: str = ""
) -> OrderListSay:
    """A list as it stands, open or past; UNKNOWN_ORDER where the account has none such."""
    for each in reversed(doors.engine.trading.lists.of(account)):
        if each.list_id == list_id or (client_id and each.client_id == client_id):
            return _open_say(doors, account, each)
    row = await doors.history.order_list(account.id, list_id=list_id, client_id=client_id or None)
    if row is None:
        raise _unknown(list_id, client_id)
    return list_row_say(row, doors.board.instruments)


def _one_name(key: ListKey) -> None:
    """Refuse unless a list is named by exactly one of its two names."""
    if (key.list_id is None) is not bool(key.client_id):
        raise refusal(
            Reason.COMBINATION_NOT_ALLOWED if key.client_id else Reason.MISSING_FIELD,
            "name the list by list_id or by client_id",
            field="list_id",
        )


def _unknown(list_id: int | None, client_id: str) -> ApiError:
    named = {"client_id": client_id} if client_id else {"list_id": list_id}
    told = "there is no list of that name on this account"
    return ApiError(Reason.UNKNOWN_ORDER.name, told, named, 404)


def _open_say(doors: Doors, account: Account, each: OrderList) -> OrderListSay:
    """An open list, changed when the last of its orders did."""
    orders = (account.orders.get(leg.order_id) for leg in each.legs)
    updated_ms = max(doors.board.orders.updated_ms(order) for order in orders if order is not None)
    return list_say(list_event(each, 0, updated_ms, 0), doors.board.instruments)
