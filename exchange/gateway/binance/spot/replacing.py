"""One order cancelled and another placed in its stead, and what became of both halves."""

from __future__ import annotations

from typing import Any, Final

from exchange.commands import ALLOW_FAILURE, STOP_ON_FAILURE, CancelReplace
from exchange.events import OrderChanged
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BinanceError, translated
from exchange.gateway.binance.spot.cancelling import cancelled, refuse_restricted
from exchange.gateway.binance.spot.finding import names_of, open_order
from exchange.gateway.binance.spot.numbers import sent_id
from exchange.gateway.binance.spot.placing import answer_kind, placed
from exchange.gateway.binance.spot.refusals import NOT_REPLACED, PARTLY_REPLACED
from exchange.gateway.binance.spot.wishes import order_wish
from exchange.gateway.calls import refusal
from exchange.gateway.native.asking import Done
from matching.reasons import Reason

MODES: Final = {"STOP_ON_FAILURE": STOP_ON_FAILURE, "ALLOW_FAILURE": ALLOW_FAILURE}
CONFLICT: Final = 409
SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
NOT_ATTEMPTED: Final = "NOT_ATTEMPTED"


async def replace(call: Call) -> dict[str, Any]:
    """Cancel and place, with nothing between; what only half came about is -2021 or -2022."""
    instrument = call.instrument()
    call.params.need("cancelReplaceMode")
    mode = MODES[call.params.choice("cancelReplaceMode", MODES)]
    wish = order_wish(call, instrument)
    answer_kind(call, wish)
    new_id = sent_id(call.params, "cancelNewClientOrderId")
    names = names_of(call, "cancelOrderId", "cancelOrigClientOrderId")
    old = open_order(call, instrument, *names)
    if old is not None:
        refuse_restricted(call, old)
    call.count_orders()
    # An order that is not open here is an id that nobody has: the engine then says so itself.
    command = CancelReplace(
        account_id=wish.account_id,
        order_id=0 if old is None else old.order_id,
        mode=mode,
        place=wish,
    )
    cancel_names = {command.order_id: new_id}
    with call.dialect.user_data.naming(cancel_names):
        done = Done(await call.doors.sequencer.submit(command))
    ended = _ended(done, command.order_id)
    reason = done.answer.reason
    if reason is not None and ended is None and "cancel_refused" not in done.answer.details:
        raise translated(refusal(reason), call.refusals)  # Neither half was tried.
    cancel_said = (
        _refused(call, done) if ended is None else cancelled(call, ended, instrument, cancel_names)
    )
    if reason is None:
        new_said: dict[str, Any] | None = placed(call, wish, done, instrument)
        new_result = SUCCESS
    else:
        stopped = reason is Reason.CANCEL_REPLACE_STOPPED
        new_said = None if stopped else translated(refusal(reason), call.refusals).body()
        new_result = NOT_ATTEMPTED if stopped else FAILURE
    said = {
        "cancelResult": FAILURE if ended is None else SUCCESS,
        "newOrderResult": new_result,
        "cancelResponse": cancel_said,
        "newOrderResponse": new_said,
    }
    return _whole(said)


def _whole(said: dict[str, Any]) -> dict[str, Any]:
    """Both halves came about, or the refusal that tells of both."""
    results = {said["cancelResult"], said["newOrderResult"]}
    if results == {SUCCESS}:
        return said
    if SUCCESS in results:
        raise BinanceError(*PARTLY_REPLACED, status=CONFLICT, data=said)
    raise BinanceError(*NOT_REPLACED, data=said)


def _ended(done: Done, order_id: int) -> OrderChanged | None:
    """The old order, if this command cancelled it."""
    ended: list[OrderChanged] = done.of(OrderChanged, order_id=order_id, happening="cancelled")
    return ended[-1] if ended else None


def _refused(call: Call, done: Done) -> dict[str, Any]:
    """Why the old order was not cancelled."""
    reason = Reason[str(done.answer.details["cancel_refused"])]
    return translated(refusal(reason), call.refusals).body()
