"""Algo orders: conditional orders in the space of their own that Binance keeps them in.

An algo order is the engine's own conditional order: its algo id is the order's number, and so is
the number of the real order it becomes once its trigger is reached.
"""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BAD_TYPE, refused
from exchange.gateway.binance.futures import finding
from exchange.gateway.binance.futures.order_params import instrument_of, order_wish
from exchange.gateway.binance.futures.order_shapes import (
    STATUS_WORDS,
    STP_WORDS,
    Told,
    average_word,
    callback_word,
    client_word,
    orig_type_word,
    position_side_word,
    side_word,
    tif_word,
    working_type_word,
)
from exchange.gateway.binance.futures.orders import (
    ALL_CANCELLED,
    cancel_each,
    cancelled,
    contract_named,
    contract_of,
    last_state,
    part_of,
    wants_result,
)
from exchange.gateway.binance.symbols import name_of
from matching.instrument import Instrument
from matching.types import OPEN_STATUSES, OrderType, Status

CONDITIONAL: Final = "CONDITIONAL"


async def place(call: Call) -> dict[str, Any]:
    """Place an algo order."""
    if call.params.get("algoType", CONDITIONAL).upper() != CONDITIONAL:
        raise refused(BAD_TYPE)
    wish = order_wish(call, call.params, algo=True)
    wants_result(call.params)  # It is answered in full either way.
    call.count_orders()
    done = await call.submit(wish)
    told = last_state(done, done.answer.result_id)
    return _json(call, told._replace(stp=wish.stp))


async def status(call: Call) -> dict[str, Any]:
    """One algo order, waiting or over."""
    return _json(call, await finding.any_order(call, call.params, algo=True))


async def cancel(call: Call) -> dict[str, Any]:
    """Cancel one that still waits, or the order that it became."""
    order = finding.open_order(call, call.params, algo=True)
    client_id = client_word(finding.told_of(call, order))
    await cancelled(call, order)
    return {
        "algoId": order.order_id,
        "clientAlgoId": client_id,
        "code": "200",
        "msg": "success",
    }


async def open_all(call: Call) -> list[dict[str, Any]]:
    """Those that wait, of the product or of one contract."""
    return [_json(call, told) for told in _waiting(call, contract_named(call))]


async def all_orders(call: Call) -> list[dict[str, Any]]:
    """Algo orders on a contract, waiting and over, by their numbers."""
    part = part_of(call, "algoId")
    found = await finding.past_orders(call, contract_of(call), finding.is_algo_order, part)
    return [_json(call, told) for told in found]


async def cancel_all(call: Call) -> dict[str, Any]:
    """Cancel all that wait on a contract."""
    instrument = instrument_of(call, call.params)
    await cancel_each(call, _waiting(call, instrument.symbol))
    return ALL_CANCELLED


def _waiting(call: Call, symbol: str) -> list[Told]:
    found = finding.open_orders(call, finding.is_algo_order, symbol)
    return [told for told in found if told.status is Status.PENDING_TRIGGER]


def algo_status_word(told: Told) -> str:
    """Where it stands: TRIGGERED while the order it became is open, FINISHED once that is over."""
    if not told.triggered_ms or told.status is Status.REJECTED:
        return STATUS_WORDS[told.status]
    return "TRIGGERED" if told.status in OPEN_STATUSES else "FINISHED"


def algo_json(told: Told, instrument: Instrument) -> dict[str, Any]:
    """An algo order, as every verb but DELETE answers it."""
    said: dict[str, Any] = {
        "algoId": told.order_id,
        "clientAlgoId": client_word(told),
        "algoType": CONDITIONAL,
        "orderType": orig_type_word(told),
        "symbol": name_of(instrument),
        "side": side_word(told),
        "positionSide": position_side_word(told.position_side),
        "timeInForce": tif_word(told),
        "quantity": instrument.qty_text(told.lots),
        "algoStatus": algo_status_word(told),
        "triggerPrice": instrument.price_text(0 if told.trailing_bps else told.trigger_ticks),
        "price": instrument.price_text(told.price_ticks),
        "icebergQuantity": None,
        "selfTradePreventionMode": STP_WORDS[told.stp],
        "workingType": working_type_word(told),
        "priceMatch": "NONE",
        "closePosition": told.close_position,
        "priceProtect": told.price_protect,
        "reduceOnly": told.reduce_only,
        "createTime": told.placed_ms,
        "updateTime": told.updated_ms,
        "triggerTime": told.triggered_ms,
        "goodTillDate": told.expire_ms,
    }
    if told.type is OrderType.TRAILING_STOP:
        said["activatePrice"] = instrument.price_text(told.trigger_ticks)
        said["callbackRate"] = callback_word(told)
    if told.triggered_ms:
        said["actualOrderId"] = str(told.order_id)
        said["actualPrice"] = average_word(told, instrument)
        said["actualQty"] = instrument.qty_text(told.filled_lots)
    return said


def _json(call: Call, told: Told) -> dict[str, Any]:
    return algo_json(told, call.doors.board.instruments[told.symbol])
