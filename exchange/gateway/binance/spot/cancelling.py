"""Open orders cancelled or made smaller: one, or all on a symbol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exchange.commands import AmendOrder, CancelAll, CancelOrder
from exchange.events import OrderChanged
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import MANDATORY, NOT_REQUIRED, BinanceError, refused
from exchange.gateway.binance.spot.finding import names_of, open_order, with_margin
from exchange.gateway.binance.spot.numbers import lots, sent_id
from exchange.gateway.binance.spot.order_shapes import (
    STATUSES,
    cancel_id,
    client_word,
    execution_id,
    money,
    order_fields,
    qty_of,
)
from exchange.gateway.binance.spot.placing import last_state, stamped
from exchange.gateway.binance.spot.refusals import (
    NO_CHANGE,
    NOT_LESS,
    RESTRICTED,
    UNKNOWN_ORDER,
)
from exchange.gateway.binance.spot.wishes import wallet_of
from matching.instrument import Instrument
from matching.types import Order

RESTRICTIONS: Final = {"ONLY_NEW": "NEW", "ONLY_PARTIALLY_FILLED": "PARTIALLY_FILLED"}


async def cancel(call: Call) -> dict[str, Any]:
    """Cancel one order."""
    instrument = call.instrument()
    order = named_order(call, instrument)
    refuse_restricted(call, order)
    names = {order.order_id: sent_id(call.params, "newClientOrderId")}
    with call.dialect.user_data.naming(names):
        done = await call.submit(CancelOrder(account_id=order.account_id, order_id=order.order_id))
    return cancelled(call, last_state(done, order.order_id), instrument, names)


def named_order(call: Call, instrument: Instrument) -> Order:
    """The open order a call names; -2011 where there is none."""
    order = open_order(call, instrument, *names_of(call))
    if order is None:
        raise BinanceError(*UNKNOWN_ORDER)
    return order


def refuse_restricted(call: Call, order: Order) -> None:
    """-2011 where the order is no longer, or not yet, as `cancelRestrictions` wants it."""
    wanted = call.params.choice("cancelRestrictions", RESTRICTIONS)
    if wanted and STATUSES[order.status] != RESTRICTIONS[wanted]:
        raise BinanceError(*RESTRICTED)


def cancelled(
    call: Call, event: OrderChanged, instrument: Instrument, names: Mapping[int, str]
) -> dict[str, Any]:
    """An order that was cancelled, under the cancellation's own client id, if one was sent."""
    said = stamped(order_fields(event, instrument), event.time_ms)
    said["clientOrderId"] = cancel_id(event.order_id, names)
    said = {"symbol": said["symbol"], "origClientOrderId": client_word(event)} | said
    return with_margin(call, event, said)


async def cancel_all(call: Call) -> list[dict[str, Any]]:
    """Cancel every order on a symbol; -2011 where there is none."""
    instrument = call.instrument()
    wallet, account = wallet_of(call, instrument), call.account
    here = (instrument.symbol, wallet)
    if not any((each.symbol, each.wallet) == here for each in account.orders.values()):
        raise BinanceError(*UNKNOWN_ORDER)
    done = await call.submit(
        CancelAll(account_id=account.id, symbol=instrument.symbol, wallet=wallet)
    )
    ended = done.of(OrderChanged, account_id=account.id, happening="cancelled")
    return [cancelled(call, each, instrument, {}) for each in ended]


async def amend(call: Call) -> dict[str, Any]:
    """Make an order smaller; it keeps its place in the queue, and its client id."""
    instrument = call.instrument()
    order = named_order(call, instrument)
    if call.params.get("newClientOrderId") not in {"", order.client_id}:
        raise refused(NOT_REQUIRED, "newClientOrderId")
    new_lots = lots(call.params, "newQty", instrument)
    if not new_lots:
        raise refused(MANDATORY, "newQty")
    if new_lots >= order.lots:
        raise BinanceError(*(NO_CHANGE if new_lots == order.lots else NOT_LESS))
    wish = AmendOrder(account_id=order.account_id, order_id=order.order_id, lots=new_lots)
    event = last_state(await call.submit(wish), order.order_id)
    said = order_fields(event, instrument)
    amended = {
        "symbol": said["symbol"],
        "orderId": said["orderId"],
        "orderListId": said["orderListId"],
        "origClientOrderId": said["clientOrderId"],
        "clientOrderId": said["clientOrderId"],
        "price": said["price"],
        "qty": said["origQty"],
        "executedQty": said["executedQty"],
        "preventedQty": qty_of(instrument, event.prevented_lots),
        "quoteOrderQty": money(event.quote_minor),
        "cumulativeQuoteQty": said["cummulativeQuoteQty"],
        "status": said["status"],
        "timeInForce": said["timeInForce"],
        "type": said["type"],
        "side": said["side"],
        "workingTime": said["workingTime"],
        "selfTradePreventionMode": said["selfTradePreventionMode"],
    }
    return {
        "transactTime": event.time_ms,
        "executionId": execution_id(event),
        "amendedOrder": amended,
    }
