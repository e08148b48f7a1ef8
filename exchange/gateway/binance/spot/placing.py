"""New orders: placed, or only tried."""

from __future__ import annotations

from typing import Any, Final

from exchange.commands import PlaceOrder
from exchange.events import Filled, LoanChanged, OrderChanged
from exchange.gateway.binance.accounts.spot import commission_for_order
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BinanceError, translated
from exchange.gateway.binance.spot.finding import with_margin
from exchange.gateway.binance.spot.order_shapes import fill_part, money, order_fields
from exchange.gateway.binance.spot.wishes import order_wish
from exchange.gateway.calls import refusal
from exchange.gateway.native.asking import Done
from exchange.preview import preview
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import OrderType

COMPUTE: Final = "computeCommissionRates"
ANSWERS: Final = ("ACK", "RESULT", "FULL")
ACKNOWLEDGED: Final = ("symbol", "orderId", "orderListId", "clientOrderId")


async def place(call: Call) -> dict[str, Any]:
    """Place one order."""
    instrument = call.instrument()
    wish = order_wish(call, instrument)
    answer_kind(call, wish)
    call.count_orders()
    return placed(call, wish, await call.submit(wish), instrument)


async def try_out(call: Call) -> dict[str, Any]:
    """Refuse what placing would refuse; nothing is placed. Tells what it would cost if asked."""
    wish = order_wish(call, call.instrument())
    answer_kind(call, wish)
    reason = preview(call.doors.engine, wish).reason
    if reason is None and wish.client_id in call.account.client_orders:
        reason = Reason.DUPLICATE_ID
    if reason is not None:
        raise translated(refusal(reason), call.refusals)
    return commission_for_order(call) if call.params.flag(COMPUTE) else {}


def answer_kind(call: Call, wish: PlaceOrder) -> str:
    """How much the answer tells: what is asked for; else all of what may trade at once."""
    at_once = wish.type in {OrderType.MARKET, OrderType.LIMIT} and not wish.post_only
    return call.params.choice("newOrderRespType", ANSWERS, "FULL" if at_once else "ACK")


def placed(call: Call, wish: PlaceOrder, done: Done, instrument: Instrument) -> dict[str, Any]:
    """What became of a new order at once."""
    event = last_state(done, done.answer.result_id)
    kind = answer_kind(call, wish)
    said = order_fields(event, instrument)
    if kind == "ACK":
        said = {name: said[name] for name in ACKNOWLEDGED}
    said = stamped(said, event.time_ms)
    if kind == "FULL":
        fills = done.of(Filled, order_id=event.order_id)
        said["fills"] = [fill_part(fill, instrument) for fill in fills]
    borrowed = [loan for loan in done.of(LoanChanged, wallet=wish.wallet) if loan.borrowed_minor]
    if borrowed and call.api == "sapi":
        said["marginBuyBorrowAmount"] = money(sum(loan.borrowed_minor for loan in borrowed))
        said["marginBuyBorrowAsset"] = borrowed[0].asset
    return with_margin(call, event, said)


def stamped(said: dict[str, Any], time_ms: int) -> dict[str, Any]:
    """An order with the time of what was done to it, behind its names."""
    return {name: said[name] for name in ACKNOWLEDGED} | {"transactTime": time_ms} | said


def last_state(done: Done, order_id: int) -> OrderChanged:
    """An order as a command left it."""
    states: list[OrderChanged] = done.of(OrderChanged, order_id=order_id)
    if not states:
        raise BinanceError(-1000, "The order was taken, ask for it by its client id.", status=503)
    return states[-1]
