"""One order cancelled and another placed in its stead, and what became of both halves."""

from __future__ import annotations

from typing import Final

from exchange.commands import ALLOW_FAILURE, STOP_ON_FAILURE, CancelReplace
from exchange.events import Answered, OrderChanged
from exchange.gateway.calls import Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import Done, account_of, refused
from exchange.gateway.native.orders import one_name
from exchange.gateway.native.trading import changed, order_now, place_wish, placed
from exchange.wire import BatchItemSay, OrderKey, PlacedSay, ReplaceAsk, ReplacedSay
from matching.reasons import Reason

MODES: Final = {"stop_on_failure": STOP_ON_FAILURE, "allow_failure": ALLOW_FAILURE}


async def replace(doors: Doors, ask: ReplaceAsk, caller: Caller) -> ReplacedSay:
    """Cancel and place, with nothing between; an ApiError where neither was done."""
    one_name(ask.cancel)
    place = place_wish(doors, ask.place, caller)
    command = CancelReplace(
        account_id=place.account_id,
        order_id=ask.cancel.order_id or 0,
        cancel_client_id=ask.cancel.client_id,
        mode=MODES[ask.mode],
        place=place,
    )
    done = Done(await doors.sequencer.submit(command))
    cancelled = _cancelled(doors, done, ask.cancel, place.account_id)
    answer = done.answer
    if answer.reason is not None:
        error = refused(doors, answer, place)
        if cancelled is None:
            raise error
        return ReplacedSay(
            BatchItemSay(ok=True, result=cancelled), BatchItemSay(ok=False, error=error.say())
        )
    new = BatchItemSay(ok=True, result=await placed(doors, done, place.account_id))
    if answer.repeated:
        return ReplacedSay(await _cancelled_before(doors, ask.cancel, caller), new)
    if cancelled is None:
        return ReplacedSay(_not_cancelled(answer), new)
    return ReplacedSay(BatchItemSay(ok=True, result=cancelled), new)


def _cancelled(doors: Doors, done: Done, key: OrderKey, account_id: int) -> PlacedSay | None:
    """The old order, if this command cancelled it."""
    for event in done.of(OrderChanged, account_id=account_id, happening="cancelled"):
        if key.order_id == event.order_id or (key.client_id and key.client_id == event.client_id):
            return changed(doors, done, account_id, event.order_id)
    return None


def _not_cancelled(answer: Answered) -> BatchItemSay:
    """Why the old order was not cancelled, although the new one was placed."""
    reason = Reason[str(answer.details["cancel_refused"])]
    return BatchItemSay(ok=False, error=refusal(reason).say())


async def _cancelled_before(doors: Doors, key: OrderKey, caller: Caller) -> BatchItemSay:
    """What the first of several equal requests came to: the old order as it stands tells."""
    order = await order_now(doors, account_of(doors, caller), key)
    if order.status != "cancelled":
        return BatchItemSay(ok=False, error=refusal(Reason.UNKNOWN_ORDER).say())
    return BatchItemSay(ok=True, result=PlacedSay(order, [], repeated=True))
