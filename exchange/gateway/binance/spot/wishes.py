"""A new order as the parameters of a request ask for it, as the engine's command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from exchange.commands import REFUSE_IF_OPEN, PlaceOrder
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import (
    BAD_SIDE,
    BAD_TIF,
    BAD_TYPE,
    MANDATORY,
    NOT_REQUIRED,
    BinanceError,
    refused,
)
from exchange.gateway.binance.spot.numbers import amount, client_id, lots, ticks
from exchange.gateway.binance.spot.order_shapes import SELF_TRADES, SIDE_EFFECTS
from exchange.gateway.binance.spot.refusals import BAD_QUANTITY, NO_NAME, REFUSALS
from exchange.gateway.native.amounts import AMOUNT_MINOR_MAX
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import OrderType, SelfTrade, Side, TimeInForce
from risk.account import MARGIN, SPOT, isolated_wallet

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
TIFS: Final = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
SELF_TRADE_OF: Final = {name: mode for mode, name in SELF_TRADES.items()}
SIDE_EFFECT_OF: Final = {name: effect for effect, name in SIDE_EFFECTS.items()}

Names = Callable[[str], str]  # A field's name, as the parameter of the order at hand is called.


class Kind(NamedTuple):
    """What a type of the dialect is to the engine, and which fields it takes."""

    type: OrderType
    priced: bool = False  # It names a price.
    timed: bool = False  # It names a time in force.
    waits: bool = False  # It names a stop price, a trailing distance, or both.
    post_only: bool = False


KINDS: Final = {
    "LIMIT": Kind(OrderType.LIMIT, priced=True, timed=True),
    "MARKET": Kind(OrderType.MARKET),
    "LIMIT_MAKER": Kind(OrderType.LIMIT, priced=True, post_only=True),
    "STOP_LOSS": Kind(OrderType.STOP, waits=True),
    "STOP_LOSS_LIMIT": Kind(OrderType.STOP_LIMIT, priced=True, timed=True, waits=True),
    "TAKE_PROFIT": Kind(OrderType.TAKE_PROFIT, waits=True),
    "TAKE_PROFIT_LIMIT": Kind(OrderType.TAKE_PROFIT_LIMIT, priced=True, timed=True, waits=True),
}


def plain(name: str) -> str:
    """The names of an order that stands alone."""
    return name


def prefixed(prefix: str) -> Names:
    """The names of one order of a list: `price` is `abovePrice`."""

    def named(name: str) -> str:
        field = "ClientOrderId" if name == "newClientOrderId" else name[0].upper() + name[1:]
        return prefix + field

    return named


def wallet_of(call: Call, instrument: Instrument | None) -> str:
    """Whose money it is about: spot's, cross margin's, or an isolated pair's."""
    if call.api == "api":
        return SPOT
    if not call.params.flag("isIsolated"):
        return MARGIN
    if instrument is None:
        raise refused(MANDATORY, "symbol")
    return isolated_wallet(instrument.symbol)


def side_of(call: Call, name: str = "side") -> Side:
    """Buy or sell; -1117 for another word."""
    side = SIDES.get(call.params.need(name).upper())
    if side is None:
        raise BinanceError(*BAD_SIDE)
    return side


def kind_of(call: Call, name: str = "type") -> Kind:
    """The type of an order; -1116 for another word."""
    kind = KINDS.get(call.params.need(name).upper())
    if kind is None:
        raise BinanceError(*BAD_TYPE)
    return kind


def order_wish(call: Call, instrument: Instrument) -> PlaceOrder:
    """An order that stands alone."""
    side, kind = side_of(call), kind_of(call)
    params = call.params
    by_amount = kind.type is OrderType.MARKET and params.has("quoteOrderQty")
    if by_amount and params.has("quantity"):
        raise refused(NOT_REQUIRED, "quoteOrderQty")
    if params.has("quoteOrderQty") and not by_amount:
        raise refused(NOT_REQUIRED, "quoteOrderQty")
    if not by_amount and not params.has("quantity") and kind.type is OrderType.MARKET:
        raise refused(NO_NAME, "quantity", "quoteOrderQty")
    quote_minor = amount(params, "quoteOrderQty") if by_amount else 0
    if by_amount and not quote_minor:
        raise BinanceError(*BAD_QUANTITY)
    if quote_minor > AMOUNT_MINOR_MAX:
        raise BinanceError(*REFUSALS[Reason.NOTIONAL_TOO_LARGE])
    return leg_wish(call, instrument, kind, side, plain, quote_minor=quote_minor)


def leg_wish(
    call: Call,
    instrument: Instrument,
    kind: Kind,
    side: Side,
    named: Names,
    *,
    quantity: str = "",
    quote_minor: int = 0,
) -> PlaceOrder:
    """One order, alone or of a list, whose fields have these names.

    `quantity` is the name of the parameter where both orders of an OCO share it.
    """
    params = call.params
    quantity = quantity or named("quantity")
    if not quote_minor:
        params.need(quantity)
    _refuse_fields(call, kind, named)
    margin = call.api == "sapi"
    effect = params.choice("sideEffectType", SIDE_EFFECT_OF, "NO_SIDE_EFFECT") if margin else ""
    stp = params.choice("selfTradePreventionMode", SELF_TRADE_OF)
    return PlaceOrder(
        account_id=call.account.id,
        symbol=instrument.symbol,
        side=side,
        type=kind.type,
        lots=0 if quote_minor else lots(params, quantity, instrument),
        quote_minor=quote_minor,
        price_ticks=ticks(params, named("price"), instrument),
        tif=_tif(call, kind, named),
        post_only=kind.post_only,
        stp=SELF_TRADE_OF[stp] if stp else SelfTrade.EXPIRE_MAKER,
        wallet=wallet_of(call, instrument),
        side_effect=SIDE_EFFECT_OF[effect] if effect else 0,
        client_id=client_id(params, named("newClientOrderId")),
        on_duplicate=REFUSE_IF_OPEN,
        trigger_ticks=ticks(params, named("stopPrice"), instrument),
        auto_repay_at_cancel=params.flag("autoRepayAtCancel", True) if margin else True,
        trailing_bps=params.integer(named("trailingDelta"), 0) or 0,
        iceberg_lots=lots(params, named("icebergQty"), instrument),
    )


def _refuse_fields(call: Call, kind: Kind, named: Names) -> None:
    """-1102 for what the type needs and was not sent, -1106 for what it does not take."""
    params = call.params
    takes = {"price": kind.priced, "timeInForce": kind.timed}
    for name, taken in takes.items():
        if taken:
            params.need(named(name))
        elif params.has(named(name)):
            raise refused(NOT_REQUIRED, named(name))
    waits = [named(name) for name in ("stopPrice", "trailingDelta")]
    sent = [name for name in waits if params.has(name)]
    if sent and not kind.waits:
        raise refused(NOT_REQUIRED, sent[0])
    if kind.waits and not sent:
        raise refused(NO_NAME, *waits)


def _tif(call: Call, kind: Kind, named: Names) -> TimeInForce:
    if not kind.timed:
        return TimeInForce.IOC if kind.type is OrderType.MARKET else TimeInForce.GTC
    tif = TIFS.get(call.params.get(named("timeInForce")).upper())
    if tif is None:
        raise BinanceError(*BAD_TIF)
    return tif
