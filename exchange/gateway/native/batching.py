"""Several orders placed, amended and cancelled by one request, each judged by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exchange.commands import AmendOrder, CancelOrder, PlaceOrder
from exchange.gateway.calls import ApiError, Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import Done, account_of, refused
from exchange.gateway.native.asks import RawBatchAsk
from exchange.gateway.native.fields import converted
from exchange.gateway.native.orders import cancel_command
from exchange.gateway.native.trading import amend_wish, changed, place_wish, placed
from exchange.wire import AmendAsk, BatchItemSay, OrderAsk, OrderKey, PlacedSay
from matching.reasons import Reason

Wish = PlaceOrder | AmendOrder | CancelOrder

PLACE: Final = "order.place"  # What an item is that does not say.


async def batch(doors: Doors, ask: RawBatchAsk, caller: Caller) -> list[BatchItemSay]:
    """Obey the items in their order and in one group, with nobody between; not as one.

    What cannot be read is refused alone, and so is what the engine refuses.
    """
    account_of(doors, caller)
    wishes = [_wish(doors, fields, caller) for fields in ask.orders]
    commands = [wish for wish in wishes if not isinstance(wish, ApiError)]
    answers = iter(await doors.sequencer.submit_all(commands))
    return [
        BatchItemSay(ok=False, error=wish.say())
        if isinstance(wish, ApiError)
        else await _item(doors, wish, Done(next(answers)))
        for wish in wishes
    ]


def _wish(doors: Doors, fields: Mapping[str, Any], caller: Caller) -> Wish | ApiError:
    """The command of an item, or why there is none."""
    rest = {name: value for name, value in fields.items() if name != "op"}
    op = fields.get("op", PLACE)
    try:
        if op == PLACE:
            return place_wish(doors, converted(rest, OrderAsk), caller)
        if op == "order.amend":
            return amend_wish(doors, converted(rest, AmendAsk), caller)
        if op == "order.cancel":
            return cancel_command(converted(rest, OrderKey), account_of(doors, caller).id)
    except ApiError as error:
        return error
    more = "a batch takes order.place, order.amend and order.cancel"
    return refusal(Reason.UNKNOWN_OPERATION, more, op=str(op)[:40])


async def _item(doors: Doors, wish: Wish, done: Done) -> BatchItemSay:
    """What became of an item that the engine heard of."""
    if done.answer.reason is not None:
        return BatchItemSay(ok=False, error=refused(doors, done.answer, wish).say())
    return BatchItemSay(ok=True, result=await _result(doors, wish, done))


async def _result(doors: Doors, wish: Wish, done: Done) -> PlacedSay:
    if isinstance(wish, PlaceOrder):
        return await placed(doors, done, wish.account_id)
    return changed(doors, done, wish.account_id, done.answer.result_id or wish.order_id)
