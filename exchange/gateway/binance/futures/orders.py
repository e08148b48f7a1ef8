"""Orders on futures: place, change, cancel, look up."""

from __future__ import annotations

from typing import Any, Final

from exchange.commands import AmendOrder, CancelOrder, PlaceOrder, SetCountdown
from exchange.events import OrderChanged
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BAD_SIDE, BAD_VALUE, refused
from exchange.gateway.binance.futures import finding, refusals
from exchange.gateway.binance.futures.order_params import (
    instrument_of,
    lots_of,
    matched_ticks,
    order_wish,
    ticks_of,
)
from exchange.gateway.binance.futures.order_shapes import Told, of_event, order_json
from exchange.gateway.binance.params import Params
from exchange.gateway.native.asking import Done
from exchange.gateway.native.asking import refused as refused_by_engine
from exchange.preview import preview
from exchange.storage.queries import Part
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Order, OrderType, Status

SUCCESS: Final = {"code": 200, "msg": "success"}
ALL_CANCELLED: Final = {
    "code": 200,
    "msg": "The operation of cancel all open order is done.",
}
# How many orders are answered unless told otherwise, and at most, by product.
PAST_ORDERS: Final = {"um": (500, 1_000), "cm": (50, 100)}


async def place(call: Call) -> dict[str, Any]:
    """One order. By default it is answered as it was taken; RESULT is what became of it."""
    wish = order_wish(call, call.params)
    full = wants_result(call.params)
    call.count_orders()
    return placed(call, wish, await call.submit(wish), full=full)


async def try_out(call: Call) -> dict[str, Any]:
    """Whether an order would be taken; nothing is placed."""
    wish = order_wish(call, call.params)
    wants_result(call.params)
    found = preview(call.doors.engine, wish)
    if found.refusal is not None:  # Told in the product's words, as a placed order's is.
        raise refused_by_engine(call.doors, found.refusal, wish)
    return {}


def placed(call: Call, wish: PlaceOrder, done: Done, *, full: bool) -> dict[str, Any]:
    """What an order is answered with; -5021 for one that was to be filled whole and could not."""
    told = last_state(done, done.answer.result_id)._replace(stp=wish.stp)
    if told.reason is Reason.FOK_UNFILLABLE:
        raise refused(refusals.FOK_REJECTED)
    if not full:
        told = told._replace(
            status=Status.NEW, filled_lots=0, filled_units=0, filled_minor=0, triggered_ms=0
        )
    return _json(call, told)


async def modify(call: Call) -> dict[str, Any]:
    """Another quantity and price for a limit order; a new price is a new order, last in line.

    A quantity that is filled already ends the order.
    """
    order, command = change_wish(call, call.params)
    done = await call.submit(command)
    return changed(call, order, command, done)


def change_wish(call: Call, params: Params) -> tuple[Order, AmendOrder | CancelOrder]:
    """The order that is to change, and the command that changes it."""
    instrument = instrument_of(call, params)
    order = finding.open_order(call, params, unknown=refusals.NO_SUCH_ORDER)
    if params.need("side").upper() != order.side.name:
        raise refused(BAD_SIDE)
    if order.type is not OrderType.LIMIT:
        raise refused(refusals.LIMIT_ONLY)
    lots = lots_of(params, instrument)
    if params.has("priceMatch") and params.get("priceMatch").upper() != "NONE":
        ticks = matched_ticks(call, params, instrument, order.side)
    else:
        ticks = ticks_of(params, instrument)
    if lots <= order.filled_lots + order.prevented_lots:
        return order, CancelOrder(account_id=order.account_id, order_id=order.order_id)
    return order, AmendOrder(
        account_id=order.account_id, order_id=order.order_id, lots=lots, price_ticks=ticks
    )


def changed(
    call: Call, order: Order, command: AmendOrder | CancelOrder, done: Done
) -> dict[str, Any]:
    """An order as the change left it."""
    told = last_state(done, done.answer.result_id or command.order_id)
    return _json(call, told._replace(stp=order.stp))


async def cancel(call: Call) -> dict[str, Any]:
    """Cancel one order."""
    instrument_of(call, call.params)
    order = finding.open_order(call, call.params)
    return await cancelled(call, order)


async def cancelled(call: Call, order: Order) -> dict[str, Any]:
    """Cancel an order that is open; it is answered as it ended."""
    command = CancelOrder(account_id=order.account_id, order_id=order.order_id)
    return ended(call, order, await call.submit(command))


def ended(call: Call, order: Order, done: Done) -> dict[str, Any]:
    """An order as its cancellation left it."""
    return _json(call, last_state(done, order.order_id)._replace(stp=order.stp))


async def cancel_all(call: Call) -> dict[str, Any]:
    """Cancel every order on a contract; algo orders that still wait go on waiting."""
    instrument = instrument_of(call, call.params)
    await cancel_each(call, finding.open_orders(call, finding.is_order, instrument.symbol))
    return ALL_CANCELLED


async def cancel_each(call: Call, orders: list[Told]) -> None:
    """Cancel orders in one group; what ended meanwhile needs it no longer."""
    call.refuse_unread()
    account_id = call.account.id
    await call.doors.sequencer.submit_all(
        [CancelOrder(account_id=account_id, order_id=told.order_id) for told in orders]
    )


async def status(call: Call) -> dict[str, Any]:
    """One order, open or closed."""
    instrument_of(call, call.params)
    return _json(call, await finding.any_order(call, call.params), timed=True)


async def open_one(call: Call) -> dict[str, Any]:
    """One open order."""
    instrument_of(call, call.params)
    order = finding.open_order(call, call.params, unknown=refusals.NO_SUCH_ORDER)
    return _json(call, finding.told_of(call, order), timed=True)


async def open_all(call: Call) -> list[dict[str, Any]]:
    """The open orders of the product, or of one contract."""
    found = finding.open_orders(call, finding.is_order, contract_named(call))
    return [_json(call, told, timed=True) for told in found]


async def all_orders(call: Call) -> list[dict[str, Any]]:
    """Orders on a contract, open and closed, by their numbers."""
    instrument = contract_of(call)
    found = await finding.past_orders(call, instrument, finding.is_order, part_of(call))
    return [_json(call, told, timed=True) for told in found]


async def countdown(call: Call) -> dict[str, Any]:
    """Have a contract's orders cancelled after so long, unless it is asked again; 0 stops it."""
    instrument = instrument_of(call, call.params)
    length_ms = call.params.need_integer("countdownTime")
    if length_ms < 0:
        raise refused(BAD_VALUE, "countdownTime")
    at_ms = call.wall_ms + length_ms if length_ms else 0
    await call.submit(
        SetCountdown(account_id=call.account.id, symbol=instrument.symbol, countdown_ms=at_ms)
    )
    return {"symbol": call.params.get("symbol").upper(), "countdownTime": str(length_ms)}


# -- shared ------------------------------------------------------------------------------------


def contract_named(call: Call) -> str:
    """The engine's symbol of the contract that is named, or "" where none is."""
    if call.params.has("symbol"):
        return call.instrument().symbol
    if call.product == "cm" and call.params.has("pair"):
        return call.dialect.symbols.of_pair("cm", call.params.get("pair")).symbol
    return ""


def contract_of(call: Call) -> Instrument:
    """The contract that is named by `symbol`, or on COIN-M by its `pair`."""
    symbol = contract_named(call)
    return call.doors.board.instruments[symbol] if symbol else call.instrument()


def part_of(call: Call, name: str = "orderId") -> Part:
    """Which part of the past is asked for."""
    default, largest = PAST_ORDERS["cm" if call.product == "cm" else "um"]
    return Part(
        from_ms=call.params.integer("startTime"),
        to_ms=call.params.integer("endTime"),
        from_id=call.params.integer(name),
        limit=call.params.limit(default, largest),
    )


def wants_result(params: Params) -> bool:
    """Whether what became of an order is asked for, not only that it was taken."""
    return params.choice("newOrderRespType", ("ACK", "RESULT"), "ACK") == "RESULT"


def last_state(done: Done, order_id: int) -> Told:
    """An order as a command left it."""
    states = done.of(OrderChanged, order_id=order_id)
    assert states, "a command that changed an order tells of it"
    return of_event(states[-1])


def _json(call: Call, told: Told, *, timed: bool = False) -> dict[str, Any]:
    said = order_json(told, call.doors.board.instruments[told.symbol])
    if timed:
        said["time"] = told.placed_ms
    return said
