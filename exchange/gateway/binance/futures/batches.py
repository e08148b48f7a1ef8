"""Several orders placed, changed or cancelled by one request; each element is judged by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from exchange.commands import AnyCommand, CancelOrder
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import MANDATORY, BinanceError, refused, translated
from exchange.gateway.binance.futures import finding, refusals
from exchange.gateway.binance.futures.order_params import instrument_of, order_wish
from exchange.gateway.binance.futures.orders import (
    change_wish,
    changed,
    ended,
    placed,
    wants_result,
)
from exchange.gateway.binance.params import Params
from exchange.gateway.native.asking import Done
from exchange.gateway.native.asking import refused as refused_by_engine

PLACED_MAX: Final = 5
CANCELLED_MAX: Final = 10

Answered = Callable[[Done], dict[str, Any]]
Wish = tuple[AnyCommand, Answered]


async def place(call: Call) -> list[dict[str, Any]]:
    """Up to five new orders, in their order and with nobody between."""
    items = _items(call)
    wishes = [_read(_place_wish, call, item) for item in items]
    call.count_orders(sum(not isinstance(wish, BinanceError) for wish in wishes))
    return await _obeyed(call, wishes)


async def modify(call: Call) -> list[dict[str, Any]]:
    """Up to five changes of limit orders."""
    return await _obeyed(call, [_read(_change_wish, call, item) for item in _items(call)])


async def cancel(call: Call) -> list[dict[str, Any]]:
    """Up to ten orders of a contract cancelled, by their numbers or their client ids."""
    symbol = call.params.need("symbol")
    instrument_of(call, call.params)
    numbers = call.params.array("orderIdList")
    names = call.params.array("origClientOrderIdList")
    if not numbers and not names:
        raise refused(MANDATORY, "orderIdList")
    if len(numbers) > CANCELLED_MAX or len(names) > CANCELLED_MAX:
        raise refused(refusals.BATCH_SIZE)
    fields = [{"orderId": each} for each in numbers] or [
        {"origClientOrderId": each} for each in names
    ]
    items = [Params.of_frame(each | {"symbol": symbol}) for each in fields]
    return await _obeyed(call, [_read(_cancel_wish, call, item) for item in items])


def _items(call: Call) -> list[Params]:
    items = call.params.array("batchOrders")
    call.params.need("batchOrders")
    if not 0 < len(items) <= PLACED_MAX or not all(isinstance(item, dict) for item in items):
        raise refused(refusals.BATCH_SIZE)
    return [Params.of_frame(item) for item in items]


def _read(read: Callable[[Call, Params], Wish], call: Call, item: Params) -> Wish | BinanceError:
    """A command, or why an element is none."""
    try:
        wish = read(call, item)
        call.refuse_unread(item)
    except BinanceError as error:
        return error
    return wish


def _place_wish(call: Call, item: Params) -> Wish:
    wish = order_wish(call, item)
    full = wants_result(item)
    return wish, lambda done: placed(call, wish, done, full=full)


def _change_wish(call: Call, item: Params) -> Wish:
    order, command = change_wish(call, item)
    return command, lambda done: changed(call, order, command, done)


def _cancel_wish(call: Call, item: Params) -> Wish:
    order = finding.open_order(call, item)
    command = CancelOrder(account_id=order.account_id, order_id=order.order_id)
    return command, lambda done: ended(call, order, done)


async def _obeyed(call: Call, wishes: Sequence[Wish | BinanceError]) -> list[dict[str, Any]]:
    """What became of each; a refusal stands in the place of its element."""
    call.refuse_unread()
    commands = [wish[0] for wish in wishes if not isinstance(wish, BinanceError)]
    answers = iter(await call.doors.sequencer.submit_all(commands) if commands else [])
    said = []
    for wish in wishes:
        try:
            if isinstance(wish, BinanceError):
                raise wish
            command, answered = wish
            said.append(answered(_done(call, command, Done(next(answers)))))
        except BinanceError as error:
            said.append(error.body())
    return said


def _done(call: Call, command: AnyCommand, done: Done) -> Done:
    """A command that was obeyed; else the product's refusal."""
    if done.answer.reason is not None:
        error = refused_by_engine(call.doors, done.answer, command)
        raise translated(error, call.refusals)
    return done
