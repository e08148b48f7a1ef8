"""Order lists on spot and margin: placed, cancelled, and looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from exchange.commands import CancelOrder, PlaceList, PlaceOrder
from exchange.events import OrderChanged, OrderListChanged
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.spot import list_wishes
from exchange.gateway.binance.spot.cancelling import cancelled
from exchange.gateway.binance.spot.finding import names_of
from exchange.gateway.binance.spot.list_shapes import NOT_PLACED, list_fields
from exchange.gateway.binance.spot.looking import orders_of
from exchange.gateway.binance.spot.numbers import part_of, sent_id
from exchange.gateway.binance.spot.order_shapes import NOT_WORKING, order_fields
from exchange.gateway.binance.spot.placing import ACKNOWLEDGED, ANSWERS, stamped
from exchange.gateway.binance.spot.refusals import NO_SUCH_LIST, UNKNOWN_ORDER
from exchange.gateway.binance.spot.wishes import wallet_of
from exchange.gateway.native.asking import Done
from exchange.gateway.native.remembered import list_row_event, open_order_event
from exchange.listing import OrderList, list_event
from exchange.storage.queries import ROWS_MAX
from exchange.storage.rows import OrderListRow
from matching.instrument import Instrument
from matching.lists import LegStatus

# Of an order that is not placed, or that never was.
NOT_PLACED_STATUSES: Final = {
    LegStatus.PENDING: "PENDING_NEW",
    LegStatus.ENDED: "EXPIRED",
    LegStatus.REJECTED: "REJECTED",
}

ListWish = Callable[[Call, Instrument], PlaceList]


# -- placing -----------------------------------------------------------------------------------


async def place_oco(call: Call) -> dict[str, Any]:
    """Two orders around the price."""
    return await _place(call, list_wishes.oco)


async def place_old_oco(call: Call) -> dict[str, Any]:
    """The same by the old names."""
    return await _place(call, list_wishes.old_oco)


async def place_oto(call: Call) -> dict[str, Any]:
    """One order, and another once it is filled."""
    return await _place(call, list_wishes.oto)


async def place_otoco(call: Call) -> dict[str, Any]:
    """One order, and two around the price once it is filled."""
    return await _place(call, list_wishes.otoco)


async def _place(call: Call, wished: ListWish) -> dict[str, Any]:
    instrument = call.instrument()
    wish = wished(call, instrument)
    kind = call.params.choice("newOrderRespType", ANSWERS, "RESULT")
    call.count_orders(len(wish.orders))
    done = await call.submit(wish)
    event = _last_state(done)
    said = _told(call, event, instrument)
    said["orderReports"] = [
        _report(call, done, leg, asked, instrument, kind, event)
        for leg, asked in zip(event.legs, wish.orders, strict=True)
    ]
    return said


def _report(
    call: Call,
    done: Done,
    leg: tuple[int, str, LegStatus],
    asked: PlaceOrder,
    instrument: Instrument,
    kind: str,
    event: OrderListChanged,
) -> dict[str, Any]:
    """One order of a new list, placed by now or not."""
    order_id, _, leg_status = leg
    if order_id:
        said = order_fields(done.of(OrderChanged, order_id=order_id)[-1], instrument)
    else:
        order = call.doors.engine.trading.order_of(asked)
        said = order_fields(open_order_event(order, instrument, event.time_ms), instrument)
        said |= {"orderId": NOT_PLACED, "workingTime": NOT_WORKING}
        said["status"] = NOT_PLACED_STATUSES[leg_status]
        said["orderListId"] = event.list_id
    if kind == "ACK":
        said = {name: said[name] for name in ACKNOWLEDGED}
    return stamped(said, event.time_ms)


def _last_state(done: Done) -> OrderListChanged:
    """The list as the command left it."""
    told: list[OrderListChanged] = done.of(OrderListChanged, list_id=done.answer.result_id)
    assert told, "a command that changed a list tells of it"
    return told[-1]


# -- cancelling --------------------------------------------------------------------------------


async def cancel(call: Call) -> dict[str, Any]:
    """Cancel the open orders of a list, and so what waits for them."""
    instrument, account = call.instrument(), call.account
    list_id, name = names_of(call, "orderListId", "listClientOrderId")
    wallet = wallet_of(call, instrument)
    for each in _open_lists(call, wallet):
        if each.symbol == instrument.symbol and _is_named(each, list_id, name):
            break
    else:
        raise BinanceError(*UNKNOWN_ORDER)
    new_id = sent_id(call.params, "newClientOrderId")
    names = {leg.order_id: new_id for leg in each.legs if leg.order_id}
    with call.dialect.user_data.naming(names):
        done = await call.submit(CancelOrder(account_id=account.id, list_id=each.list_id))
    event = _last_state(done)
    said = _told(call, event, instrument)
    ended = [change for leg in event.legs for change in done.of(OrderChanged, order_id=leg[0])[-1:]]
    said["orderReports"] = [cancelled(call, change, instrument, names) for change in ended]
    return said


# -- looking up --------------------------------------------------------------------------------


async def one(call: Call) -> dict[str, Any]:
    """One list, open or past; -2013 where there is none."""
    list_id, name = names_of(call, "orderListId")
    wallet = wallet_of(call, call.named())
    for each in _open_lists(call, wallet):
        if _is_named(each, list_id, name):
            return _open_told(call, each)
    row = await call.doors.history.order_list(
        call.account.id, list_id=list_id or None, client_id=name or None
    )
    if row is None or not await _of_wallet(call, [row], wallet):
        raise BinanceError(*NO_SUCH_LIST)
    return _past_told(call, row)


async def open_lists(call: Call) -> list[dict[str, Any]]:
    """The open lists of the wallet."""
    return [_open_told(call, each) for each in _open_lists(call, wallet_of(call, call.named()))]


async def all_lists(call: Call) -> list[dict[str, Any]]:
    """Lists of the wallet, whatever became of them, by list id."""
    wallet, part = wallet_of(call, call.named()), part_of(call, "fromId")
    # Which wallet a list is on its orders say, so the cut comes after them.
    rows = await call.doors.history.order_lists(call.account.id, part=replace(part, limit=ROWS_MAX))
    kept = await _of_wallet(call, rows, wallet)
    kept = kept[: part.limit] if part.is_oldest else kept[-part.limit :]
    return [_past_told(call, row) for row in kept]


def _open_lists(call: Call, wallet: str) -> list[OrderList]:
    account = call.account
    return [
        each
        for each in call.doors.engine.trading.lists.of(account)
        if any(
            leg.order_id in account.orders and account.orders[leg.order_id].wallet == wallet
            for leg in each.legs
        )
    ]


async def _of_wallet(call: Call, rows: list[OrderListRow], wallet: str) -> list[OrderListRow]:
    """Those of the lists whose orders are on the wallet."""
    firsts = {
        row.list_id: max(order_id for order_id, *_ in list_row_event(row).legs) for row in rows
    }
    orders = await orders_of(call, set(firsts.values()))
    here = {order.order_id for order in orders if order.wallet == wallet}
    return [row for row in rows if firsts[row.list_id] in here]


def _is_named(each: OrderList, list_id: int, name: str) -> bool:
    return list_id in {0, each.list_id} and name in {"", each.client_id}


def _open_told(call: Call, each: OrderList) -> dict[str, Any]:
    """An open list, changed when the last of its orders did."""
    orders = (call.account.orders.get(leg.order_id) for leg in each.legs)
    updated = call.doors.board.orders.updated_ms
    updated_ms = max(updated(order) for order in orders if order is not None)
    event = list_event(each, 0, updated_ms, 0)
    return _told(call, event, call.doors.board.instruments[each.symbol])


def _past_told(call: Call, row: OrderListRow) -> dict[str, Any]:
    return _told(call, list_row_event(row), call.doors.board.instruments[row.symbol])


def _told(call: Call, event: OrderListChanged, instrument: Instrument) -> dict[str, Any]:
    """A list; on margin, also whether it is an isolated pair's."""
    said = list_fields(event, instrument)
    if call.api == "sapi":
        said["isIsolated"] = call.params.flag("isIsolated")
    return said
