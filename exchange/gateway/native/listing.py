"""Order lists: placing one, and cancelling one."""

from __future__ import annotations

from typing import Final

from exchange.commands import CancelOrder, PlaceList
from exchange.events import OrderListChanged
from exchange.gateway.calls import Caller
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import account_id_of, obeyed
from exchange.gateway.native.trading import place_wish
from exchange.gateway.native.translate import list_say
from exchange.wire import CancelListAsk, OrderListSay, PlaceListAsk
from matching.lists import ListKind

KINDS: Final = {"oco": ListKind.OCO, "oto": ListKind.OTO, "otoco": ListKind.OTOCO}


async def place_list(doors: Doors, ask: PlaceListAsk, caller: Caller) -> OrderListSay | None:
    """Place a list; it answers how the list stands, None where a repetition finds it over."""
    orders = [place_wish(doors, each, caller) for each in ask.orders]
    account_id = account_id_of(caller)
    command = PlaceList(
        account_id=account_id, kind=KINDS[ask.kind], orders=orders, client_id=ask.client_id
    )
    return await _obeyed(doors, command, account_id)


async def cancel_list(doors: Doors, ask: CancelListAsk, caller: Caller) -> OrderListSay | None:
    """Cancel the open orders of a list."""
    account_id = account_id_of(caller)
    return await _obeyed(doors, CancelOrder(account_id=account_id, list_id=ask.list_id), account_id)


async def _obeyed(
    doors: Doors, command: PlaceList | CancelOrder, account_id: int
) -> OrderListSay | None:
    done = await obeyed(doors, command)
    told = done.of(OrderListChanged, account_id=account_id, list_id=done.answer.result_id)
    return list_say(told[-1], doors.board.instruments) if told else None
