"""New order lists as the parameters of a request ask for them, as the engine's command."""

from __future__ import annotations

from typing import Final

from exchange.commands import REFUSE_IF_OPEN, PlaceList, PlaceOrder
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BAD_COMBINATION, BinanceError
from exchange.gateway.binance.spot.numbers import client_id
from exchange.gateway.binance.spot.refusals import REFUSALS
from exchange.gateway.binance.spot.wishes import (
    KINDS,
    Names,
    kind_of,
    leg_wish,
    prefixed,
    side_of,
)
from matching.instrument import Instrument
from matching.lists import ListKind
from matching.reasons import Reason
from matching.types import STOP_TYPES, Side

# How the old endpoint, whose OCO is a limit maker and a stop, calls what has no name of a pattern.
OLD_LIMIT: Final = {"price": "price"}
OLD_STOP: Final = {
    "stopPrice": "stopPrice",
    "trailingDelta": "trailingDelta",
    "price": "stopLimitPrice",
    "timeInForce": "stopLimitTimeInForce",
}


def _old(prefix: str, names: dict[str, str]) -> Names:
    """The names of one order at the old endpoint: `limitClientOrderId`, but `price`."""
    pattern = prefixed(prefix)
    return lambda name: names.get(name) or pattern(name)


def oco(call: Call, instrument: Instrument) -> PlaceList:
    """Two orders around the price, of one side and quantity."""
    legs = _pair(call, instrument, side_of(call), "above", "below", "quantity")
    return _list(call, ListKind.OCO, legs)


def old_oco(call: Call, instrument: Instrument) -> PlaceList:
    """A limit maker and a stop, by the names of the old endpoint."""
    side, priced = side_of(call), call.params.has("stopLimitPrice")
    stop = KINDS["STOP_LOSS_LIMIT" if priced else "STOP_LOSS"]
    legs = [
        leg_wish(
            call,
            instrument,
            KINDS["LIMIT_MAKER"],
            side,
            _old("limit", OLD_LIMIT),
            quantity="quantity",
        ),
        leg_wish(call, instrument, stop, side, _old("stop", OLD_STOP), quantity="quantity"),
    ]
    return _list(call, ListKind.OCO, legs)


def oto(call: Call, instrument: Instrument) -> PlaceList:
    """A working order, and one that waits until that is filled."""
    pending = leg_wish(
        call,
        instrument,
        kind_of(call, "pendingType"),
        side_of(call, "pendingSide"),
        prefixed("pending"),
    )
    return _list(call, ListKind.OTO, [_working(call, instrument), pending])


def otoco(call: Call, instrument: Instrument) -> PlaceList:
    """A working order, and two around the price that wait until that is filled."""
    side = side_of(call, "pendingSide")
    pair = _pair(call, instrument, side, "pendingAbove", "pendingBelow", "pendingQuantity")
    return _list(call, ListKind.OTOCO, [_working(call, instrument), *pair])


def _list(call: Call, kind: ListKind, legs: list[PlaceOrder]) -> PlaceList:
    ids = [leg.client_id for leg in legs]
    if len(set(ids)) < len(ids):
        raise BinanceError(*REFUSALS[Reason.DUPLICATE_ID])
    return PlaceList(
        account_id=call.account.id,
        kind=kind,
        orders=legs,
        client_id=client_id(call.params, "listClientOrderId"),
        on_duplicate=REFUSE_IF_OPEN,
    )


def _working(call: Call, instrument: Instrument) -> PlaceOrder:
    kind = kind_of(call, "workingType")
    if kind.waits:
        raise BinanceError(*BAD_COMBINATION)
    return leg_wish(call, instrument, kind, side_of(call, "workingSide"), prefixed("working"))


def _pair(
    call: Call, instrument: Instrument, side: Side, above: str, below: str, quantity: str
) -> list[PlaceOrder]:
    """An OCO as the engine has it, the stop last: above the price for a buyer, else below."""
    legs = [
        leg_wish(
            call, instrument, kind_of(call, f"{name}Type"), side, prefixed(name), quantity=quantity
        )
        for name in (above, below)
    ]
    if side is Side.BUY:
        legs.reverse()
    if legs[1].type not in STOP_TYPES:
        raise BinanceError(*BAD_COMBINATION)
    return legs
