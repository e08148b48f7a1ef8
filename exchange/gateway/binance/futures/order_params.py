"""Parameters of an order as the engine's command: what cannot be read is refused here."""

from __future__ import annotations

import re
import secrets
from typing import Final

from exchange.commands import REFUSE_IF_OPEN, PlaceOrder
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import (
    BAD_PRECISION,
    BAD_SIDE,
    BAD_TIF,
    BAD_TYPE,
    MANDATORY,
    NOT_REQUIRED,
    Refusal,
    refused,
)
from exchange.gateway.binance.futures import refusals
from exchange.gateway.binance.futures.order_shapes import (
    POSITION_SIDE_WORDS,
    STP_DEFAULT,
    STP_WORDS,
    TYPES,
    WORKING_TYPE_WORDS,
    marked,
)
from exchange.gateway.binance.params import Params
from matching.instrument import Instrument, minor
from matching.reasons import Reason
from matching.types import (
    MARKET_TYPES,
    TRIGGER_TYPES,
    OrderType,
    SelfTrade,
    Side,
    TimeInForce,
)
from risk.account import PERP

CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
TIFS: Final = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTX": TimeInForce.GTC,
    "GTD": TimeInForce.GTD,
    "GTE_GTC": TimeInForce.GTC,  # Until the position is closed, as all that only reduces.
}
SELF_TRADES: Final = {word: mode for mode, word in STP_WORDS.items()}
TRIGGERS: Final = {word: source for source, word in WORKING_TYPE_WORDS.items()}
CLOSING_TYPES: Final = frozenset({OrderType.STOP, OrderType.TAKE_PROFIT})
DATE_AFTER_MS: Final = 600_000
PRICE_MATCH: Final = re.compile(r"(OPPONENT|QUEUE)(?:_(5|10|20))?")
PERCENT_PLACES: Final = 2  # A basis point is the finest distance.


def instrument_of(call: Call, params: Params) -> Instrument:
    """The contract that some parameters name; -1102 or -1121."""
    return call.dialect.symbols.of(call.product, params.need("symbol"))


def order_wish(call: Call, params: Params, *, algo: bool = False) -> PlaceOrder:
    """The command of an order, or of an algo order; what is wrong with it is a BinanceError.

    What depends on the market, the account or its money is the engine's to refuse.
    """
    instrument = instrument_of(call, params)
    side, type_ = _side(params), _type(params)
    conditional = type_ in TRIGGER_TYPES
    if algo and not conditional:
        raise refused(BAD_TYPE)
    if conditional and not algo and not call.doors.config.binance.conditional_on_order:
        raise refused(refusals.USE_ALGO)
    _refuse_needless(params, type_)
    closing = _closing(params, type_)
    tif, post_only = _tif(params, type_, closing or params.flag("reduceOnly"))
    name = "clientAlgoId" if algo else "newClientOrderId"
    client_id = client_id_of(params, name)
    trailing = type_ is OrderType.TRAILING_STOP
    return PlaceOrder(
        account_id=call.account.id,
        symbol=instrument.symbol,
        side=side,
        type=type_,
        lots=0 if closing else lots_of(params, instrument),
        price_ticks=0 if type_ in MARKET_TYPES else _price(call, params, instrument, side, type_),
        tif=tif,
        expire_ms=_expire_ms(call, params) if tif is TimeInForce.GTD else 0,
        post_only=post_only,
        reduce_only=_reduce_only(call, params),
        stp=_self_trade(params),
        wallet=PERP,
        client_id=marked(client_id) if algo else client_id,
        on_duplicate=REFUSE_IF_OPEN,
        trigger_ticks=_trigger_ticks(params, instrument, type_) if conditional else 0,
        trigger=TRIGGERS[params.choice("workingType", TRIGGERS, "CONTRACT_PRICE")],
        close_position=closing,
        price_protect=params.flag("priceProtect"),
        position_side=position_side_of(params),
        trailing_bps=_trailing_bps(params) if trailing else 0,
    )


def client_id_of(params: Params, name: str) -> str:
    """The client's own name for an order; one is drawn where it gave none."""
    client_id = params.get(name)
    if not client_id:
        return secrets.token_hex(11)
    if not CLIENT_ID.fullmatch(client_id):
        raise refused(refusals.BAD_CLIENT_ID)
    return client_id


def position_side_of(params: Params) -> int:
    """The leg that is meant: 0 in one-way mode, 1 the long one, 2 the short one."""
    return POSITION_SIDE_WORDS.index(params.choice("positionSide", POSITION_SIDE_WORDS, "BOTH"))


def _side(params: Params) -> Side:
    word = params.need("side").upper()
    if word not in Side.__members__:
        raise refused(BAD_SIDE)
    return Side[word]


def _type(params: Params) -> OrderType:
    type_ = TYPES.get(params.need("type").upper())
    if type_ is None:
        raise refused(BAD_TYPE)
    return type_


def _refuse_needless(params: Params, type_: OrderType) -> None:
    """-1106 for what says nothing on an order of this type."""
    needless = []
    if type_ in MARKET_TYPES:
        needless += ["price", "priceMatch"]
    if type_ is OrderType.MARKET:
        needless.append("timeInForce")
    if type_ not in TRIGGER_TYPES:
        needless += ["stopPrice", "triggerPrice"]
    for name in needless:
        if params.has(name):
            raise refused(NOT_REQUIRED, name)


def _closing(params: Params, type_: OrderType) -> bool:
    if not params.flag("closePosition"):
        return False
    if type_ not in CLOSING_TYPES:
        raise refused(refusals.BAD_CLOSE, params.get("type").upper())
    if params.has("quantity"):
        raise refused(refusals.CLOSE_TAKES_NO_QTY)
    if params.flag("reduceOnly"):
        raise refused(NOT_REQUIRED, "reduceOnly")
    return True


def _tif(params: Params, type_: OrderType, reducing: bool) -> tuple[TimeInForce, bool]:
    """Time in force, and whether it is post-only."""
    if type_ is OrderType.MARKET:
        return TimeInForce.IOC, False
    if type_ is OrderType.LIMIT:
        params.need("timeInForce")
    word = params.get("timeInForce", "GTC").upper()
    if word not in TIFS or (word == "GTE_GTC" and not reducing):
        raise refused(BAD_TIF)
    if type_ in MARKET_TYPES:  # It takes what there is once it wakes, however long it may sleep.
        return (TimeInForce.GTD if word == "GTD" else TimeInForce.GTC), False
    return TIFS[word], word == "GTX"


def _expire_ms(call: Call, params: Params) -> int:
    expire_ms = params.need_integer("goodTillDate")
    if expire_ms <= call.now_ms + DATE_AFTER_MS:
        raise refused(refusals.BAD_DATE)
    return expire_ms


def _reduce_only(call: Call, params: Params) -> bool:
    reducing = params.flag("reduceOnly")
    if reducing and call.account.hedge:  # There each order says which leg it is of.
        raise refused(NOT_REQUIRED, "reduceOnly")
    return reducing


def _self_trade(params: Params) -> SelfTrade:
    word = params.get("selfTradePreventionMode", STP_WORDS[STP_DEFAULT]).upper()
    if word not in SELF_TRADES or word == STP_WORDS[SelfTrade.DECREMENT]:
        raise refused(refusals.BAD_STP)
    return SELF_TRADES[word]


# -- numbers -----------------------------------------------------------------------------------


def lots_of(params: Params, instrument: Instrument, name: str = "quantity") -> int:
    """A quantity that must be there, in lots; of COIN-M a lot is a contract."""
    text = params.need(name)
    lots = instrument.lots(text)
    if not isinstance(lots, Reason):
        return lots
    if lots is Reason.QTY_NOT_ON_LOT:
        raise refused(_off_grid(text, instrument.qty_places, refusals.OFF_STEP))
    asked_minor = minor(text)
    if lots is not Reason.QTY_OUT_OF_RANGE or isinstance(asked_minor, Reason):
        raise refused(MANDATORY, name)
    if not asked_minor:
        raise refused(refusals.QTY_NOT_POSITIVE)
    too_small = asked_minor < instrument.lots_min * instrument.lot_minor
    raise refused(refusals.QTY_TOO_SMALL if too_small else refusals.QTY_TOO_LARGE)


def ticks_of(params: Params, instrument: Instrument, name: str = "price") -> int:
    """A price that must be there, in ticks."""
    text = params.need(name)
    ticks = instrument.ticks(text)
    if not isinstance(ticks, Reason):
        return ticks
    if ticks is Reason.PRICE_NOT_ON_TICK:
        raise refused(_off_grid(text, instrument.price_places, refusals.OFF_TICK))
    asked_e8 = minor(text)
    if ticks is not Reason.PRICE_OUT_OF_RANGE or isinstance(asked_e8, Reason):
        raise refused(MANDATORY, name)
    if not asked_e8:
        raise refused(refusals.PRICE_NOT_POSITIVE)
    too_low = asked_e8 < instrument.ticks_min * instrument.tick_e8
    raise refused(refusals.PRICE_TOO_LOW if too_low else refusals.PRICE_TOO_HIGH)


def _off_grid(text: str, places: int, off_grid: Refusal) -> Refusal:
    """More decimals than are shown are -1111, else it is off the tick or step."""
    fraction = text.partition(".")[2].rstrip("0")
    return BAD_PRECISION if len(fraction) > places else off_grid


def _price(call: Call, params: Params, instrument: Instrument, side: Side, type_: OrderType) -> int:
    """The limit, as it was named or as the book has it."""
    if not params.has("priceMatch") or params.get("priceMatch").upper() == "NONE":
        return ticks_of(params, instrument)
    if type_ is not OrderType.LIMIT:  # Whose price the book would give only once it wakes.
        raise refused(refusals.PRICE_MATCH_TYPE)
    return matched_ticks(call, params, instrument, side)


def matched_ticks(call: Call, params: Params, instrument: Instrument, side: Side) -> int:
    """The price of the first, fifth ... level of the other side (OPPONENT) or the own (QUEUE)."""
    if params.has("price"):
        raise refused(NOT_REQUIRED, "price")
    found = PRICE_MATCH.fullmatch(params.get("priceMatch").upper())
    if found is None:
        raise refused(MANDATORY, "priceMatch")
    place = int(found[2] or 1)
    book = call.doors.board.depth.snapshot(instrument.symbol, place)
    asks = (side is Side.BUY) is (found[1] == "OPPONENT")
    levels = book.asks if asks else book.bids
    if len(levels) < place:
        raise refused(refusals.NO_DEPTH)
    return levels[place - 1][0]


def _trigger_ticks(params: Params, instrument: Instrument, type_: OrderType) -> int:
    """Where it wakes; of a trailing order where it begins to follow, 0 at once."""
    if type_ is OrderType.TRAILING_STOP:
        name = "activatePrice" if params.has("activatePrice") else "activationPrice"
        return ticks_of(params, instrument, name) if params.has(name) else 0
    name = "triggerPrice" if params.has("triggerPrice") else "stopPrice"
    return ticks_of(params, instrument, name)


def _trailing_bps(params: Params) -> int:
    bps = minor(params.need("callbackRate"), PERCENT_PLACES)
    if isinstance(bps, Reason) or not bps:
        raise refused(refusals.BAD_CALLBACK)
    return bps
