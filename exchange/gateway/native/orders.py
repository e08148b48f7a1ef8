"""An order as asked for on the wire, as a command: decimal text becomes integers here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exchange.commands import (
    ANSWER_FIRST_RESULT,
    BORROW,
    BORROW_AND_REPAY,
    NO_SIDE_EFFECT,
    REPAY,
    AmendOrder,
    CancelOrder,
    Exit,
    PlaceOrder,
)
from exchange.gateway.calls import refusal
from exchange.gateway.native.amounts import positive_minor
from exchange.gateway.native.sides import side_number
from exchange.wire import AmendAsk, ExitAsk, OrderAsk, OrderKey
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import (
    MARKET_TYPES,
    TRIGGER_TYPES,
    OrderType,
    SelfTrade,
    Side,
    TimeInForce,
    TriggerSource,
)
from risk.account import MARGIN, PERP, SPOT, isolated_wallet

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
TYPES: Final = {
    "limit": OrderType.LIMIT,
    "market": OrderType.MARKET,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "take_profit": OrderType.TAKE_PROFIT,
    "take_profit_limit": OrderType.TAKE_PROFIT_LIMIT,
    "trailing_stop": OrderType.TRAILING_STOP,
}
TRIGGER_FIELDS: Final = (  # They say nothing on an order that waits for no price.
    "trigger_price",
    "trigger",
    "close_position",
    "price_protect",
    "trailing_bps",
    "activation_price",
)
TRIGGERS: Final = {"last": TriggerSource.LAST, "mark": TriggerSource.MARK}
TIFS: Final = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTD": TimeInForce.GTD,
}
SELF_TRADES: Final = {
    "none": SelfTrade.NONE,
    "expire_taker": SelfTrade.EXPIRE_TAKER,
    "expire_maker": SelfTrade.EXPIRE_MAKER,
    "expire_both": SelfTrade.EXPIRE_BOTH,
    "decrement": SelfTrade.DECREMENT,
}
SIDE_EFFECTS: Final = {
    "none": NO_SIDE_EFFECT,
    "borrow": BORROW,
    "repay": REPAY,
    "borrow_repay": BORROW_AND_REPAY,
}


def place_command(
    ask: OrderAsk,
    account_id: int,
    instruments: Mapping[str, Instrument],
    *,
    isolated: bool = False,
    on_duplicate: int = ANSWER_FIRST_RESULT,
) -> PlaceOrder:
    """The command of an order; an ApiError names the field that is wrong and what to do.

    `isolated` is the account's margin mode on the symbol, which a perpetual order that names
    one must agree with. What depends on the market or on money is the engine's to refuse.
    """
    instrument = known_instrument(ask.symbol, instruments)
    perpetual = instrument.kind != "spot"
    refuse_combination(ask, perpetual=perpetual)
    return PlaceOrder(
        account_id=account_id,
        symbol=ask.symbol,
        side=SIDES[ask.side],
        type=TYPES[ask.type],
        lots=0 if ask.qty is None else lots_of(ask.qty, instrument),
        quote_minor=0 if ask.quote_qty is None else positive_minor(ask.quote_qty, "quote_qty"),
        price_ticks=0 if ask.price is None else ticks_of(ask.price, instrument),
        tif=_tif(ask),
        expire_ms=ask.expire_ms or 0,
        post_only=ask.post_only,
        reduce_only=ask.reduce_only,
        stp=SELF_TRADES[ask.stp],
        wallet=_perp_wallet(ask, isolated) if perpetual else _spot_wallet(ask),
        side_effect=SIDE_EFFECTS[ask.side_effect],
        auto_repay_at_cancel=ask.auto_repay_at_cancel,
        leverage=ask.leverage or 0,
        client_id=ask.client_id,
        on_duplicate=on_duplicate,
        trigger_ticks=_trigger_ticks(ask, instrument),
        trigger=TRIGGERS[ask.trigger or "last"],
        close_position=ask.close_position,
        price_protect=ask.price_protect,
        position_side=side_number(ask.position_side),
        trailing_bps=ask.trailing_bps or 0,
        iceberg_lots=0
        if ask.iceberg_qty is None
        else lots_of(ask.iceberg_qty, instrument, "iceberg_qty"),
        take_profit=_exit(ask.take_profit, instrument, "take_profit"),
        stop_loss=_exit(ask.stop_loss, instrument, "stop_loss"),
    )


def _exit(ask: ExitAsk | None, instrument: Instrument, field: str) -> Exit | None:
    """What closes an order again, where it brings that."""
    if ask is None:
        return None
    if ask.trigger == "mark" and instrument.kind == "spot":
        raise _clash(f"{field}.trigger", "a spot pair has no mark; leave trigger out")
    price = ask.price
    return Exit(
        trigger_ticks=ticks_of(ask.trigger_price, instrument, f"{field}.trigger_price"),
        price_ticks=0 if price is None else ticks_of(price, instrument, f"{field}.price"),
        trigger=TRIGGERS[ask.trigger],
    )


def amend_command(
    ask: AmendAsk, account_id: int, instrument: Instrument, order_id: int
) -> AmendOrder:
    """The command of a change to an open order of that instrument."""
    if ask.qty is None and ask.price is None and ask.trigger_price is None:
        raise refusal(
            Reason.MISSING_FIELD,
            "an amendment names a new qty, price or trigger_price",
            field="qty",
        )
    return AmendOrder(
        account_id=account_id,
        order_id=order_id,
        lots=0 if ask.qty is None else lots_of(ask.qty, instrument),
        price_ticks=0 if ask.price is None else ticks_of(ask.price, instrument),
        trigger_ticks=_trigger_ticks(ask, instrument),
    )


def _trigger_ticks(ask: OrderAsk | AmendAsk, instrument: Instrument) -> int:
    if isinstance(ask, OrderAsk) and ask.activation_price is not None:
        return ticks_of(ask.activation_price, instrument, "activation_price")
    if ask.trigger_price is None:
        return 0
    return ticks_of(ask.trigger_price, instrument, "trigger_price")


def cancel_command(ask: OrderKey, account_id: int) -> CancelOrder:
    """The command that cancels an order by its id, or by its client id."""
    one_name(ask)
    return CancelOrder(account_id=account_id, order_id=ask.order_id or 0, client_id=ask.client_id)


def one_name(key: OrderKey) -> None:
    """Refuse unless an order is named by exactly one of its two names."""
    if key.order_id is None and not key.client_id:
        raise refusal(
            Reason.MISSING_FIELD, "name the order by order_id or by client_id", field="order_id"
        )
    if key.order_id is not None and key.client_id:
        raise refusal(
            Reason.COMBINATION_NOT_ALLOWED,
            "name the order by order_id or by client_id, not by both",
            field="client_id",
        )


def known_instrument(symbol: str, instruments: Mapping[str, Instrument]) -> Instrument:
    """The instrument of a symbol, or UNKNOWN_SYMBOL."""
    instrument = instruments.get(symbol)
    if instrument is None:
        raise refusal(
            Reason.UNKNOWN_SYMBOL,
            "GET /v1/instruments lists them all",
            field="symbol",
            given=symbol,
        )
    return instrument


def ticks_of(price: str, instrument: Instrument, field: str = "price") -> int:
    """A price in ticks, or a refusal with the tick and the largest price."""
    ticks = instrument.ticks(price)
    if isinstance(ticks, Reason):
        raise refusal(
            ticks,
            field=field,
            given=price,
            tick=instrument.tick,
            max=instrument.price_text(instrument.ticks_max),
        )
    return ticks


def lots_of(qty: str, instrument: Instrument, field: str = "qty") -> int:
    """A quantity in lots, or a refusal with the lot and the bounds."""
    lots = instrument.lots(qty)
    if isinstance(lots, Reason):
        raise refusal(
            lots,
            field=field,
            given=qty,
            lot=instrument.lot,
            min=instrument.qty_text(instrument.lots_min),
            max=instrument.qty_text(instrument.lots_max),
        )
    return lots


# -- what may stand together -------------------------------------------------------------------


def refuse_combination(ask: OrderAsk, *, perpetual: bool) -> None:
    """Refuse options of an order that contradict each other or its instrument."""
    if TYPES[ask.type] in TRIGGER_TYPES:
        _refuse_trigger(ask, perpetual=perpetual)
    else:
        _refuse_trigger_fields(ask)
    if TYPES[ask.type] not in MARKET_TYPES:
        _refuse_limit(ask)
    elif ask.type == "market":
        _refuse_market(ask, perpetual=perpetual)
    else:
        _refuse_market_trigger(ask)
    if ask.tif == "GTD" and ask.expire_ms is None:
        raise refusal(Reason.EXPIRY_MISSING, "set expire_ms", field="expire_ms")
    if ask.tif != "GTD" and ask.expire_ms is not None:
        raise _clash("expire_ms", "expire_ms belongs to an order with tif GTD")
    if perpetual:
        _refuse_perpetual(ask)
    else:
        _refuse_spot(ask)


def _refuse_trigger_fields(ask: OrderAsk) -> None:
    """The fields of a trigger say nothing on an order that has none."""
    if not (ask.trigger_price or ask.trigger or ask.trailing_bps or ask.activation_price) and not (
        ask.close_position or ask.price_protect
    ):
        return  # As of most orders.
    for field in TRIGGER_FIELDS:
        if getattr(ask, field):
            raise refusal(
                Reason.TRIGGER_NOT_ALLOWED, "leave it out, or choose a stop type", field=field
            )


def _refuse_trigger(ask: OrderAsk, *, perpetual: bool) -> None:
    if ask.type == "trailing_stop":
        _refuse_trailing(ask)
    elif ask.activation_price is not None:
        raise _clash("activation_price", f"a {ask.type} begins at its trigger_price")
    elif ask.trigger_price is None and ask.trailing_bps is None:
        raise refusal(Reason.TRIGGER_MISSING, "set trigger_price", field="trigger_price")
    if perpetual:
        return
    if ask.trigger == "mark":
        raise _clash("trigger", "a spot pair has no mark; its orders trigger by the last trade")
    for field in ("close_position", "price_protect"):
        if getattr(ask, field):
            raise _clash(field, f"{field} is for perpetual positions")


def _refuse_trailing(ask: OrderAsk) -> None:
    if ask.trailing_bps is None:
        raise refusal(Reason.TRIGGER_MISSING, "set trailing_bps", field="trailing_bps")
    if ask.trigger_price is not None:
        raise _clash("trigger_price", "a trailing_stop begins at its activation_price")


def _refuse_market_trigger(ask: OrderAsk) -> None:
    """A stop or take-profit that becomes a market order: with a quantity, or the position's."""
    if ask.price is not None:
        limit = "stop_limit" if ask.type == "trailing_stop" else f"{ask.type}_limit"
        raise refusal(Reason.PRICE_NOT_ALLOWED, f"leave price out, or use {limit}", field="price")
    if ask.quote_qty is not None:
        raise _clash("quote_qty", "give a stop its qty")
    if ask.close_position:
        if ask.qty is not None:
            raise refusal(Reason.CLOSE_POSITION_TAKES_NO_QTY, "leave qty out", field="qty")
        if ask.reduce_only:
            raise _clash("reduce_only", "an order that closes the position only reduces anyway")
    elif ask.qty is None:
        raise refusal(Reason.QTY_MISSING, "set qty or close_position", field="qty")
    if ask.tif not in {None, "GTC", "GTD"}:
        raise _clash("tif", f"it sleeps until its trigger, so it cannot be {ask.tif}")
    if ask.post_only:
        raise _clash("post_only", "it takes when it wakes, so it cannot be post-only")


def _refuse_limit(ask: OrderAsk) -> None:
    if ask.close_position:
        raise _clash("close_position", "it closes at the market: use stop or take_profit")
    if ask.quote_qty is not None:
        raise _clash("quote_qty", "a limit order takes qty; quote_qty is for market orders")
    if ask.price is None:
        raise refusal(Reason.PRICE_MISSING, field="price")
    if ask.qty is None:
        raise refusal(Reason.QTY_MISSING, field="qty")
    if ask.post_only and ask.tif in {"IOC", "FOK"}:
        raise _clash("post_only", f"a post-only order waits in the book, so it cannot be {ask.tif}")


def _refuse_market(ask: OrderAsk, *, perpetual: bool) -> None:
    if ask.price is not None:
        raise refusal(Reason.PRICE_NOT_ALLOWED, "leave price out", field="price")
    if ask.qty is None and ask.quote_qty is None:
        raise refusal(Reason.QTY_MISSING, "set qty or quote_qty", field="qty")
    if ask.qty is not None and ask.quote_qty is not None:
        raise _clash("quote_qty", "give a market order either qty or quote_qty")
    if ask.quote_qty is not None and perpetual:
        raise _clash("quote_qty", "quote_qty is for spot pairs; give a perpetual order its qty")
    if ask.tif not in {None, "IOC"}:
        raise _clash("tif", "a market order is immediate or cancel; leave tif out")
    if ask.post_only:
        raise _clash("post_only", "a market order takes, so it cannot be post-only")


def _refuse_perpetual(ask: OrderAsk) -> None:
    if ask.margin == "cash":
        raise _clash("margin", "a perpetual is traded on cross or isolated margin")
    if ask.side_effect != "none":
        raise refusal(
            Reason.SIDE_EFFECT_NOT_ALLOWED, "leave side_effect out here", field="side_effect"
        )


def _refuse_spot(ask: OrderAsk) -> None:
    if ask.reduce_only:
        raise _clash("reduce_only", "reduce_only is for perpetual positions")
    if ask.leverage is not None:
        raise _clash("leverage", "leverage is set on perpetual orders; on spot margin you borrow")
    if ask.position_side is not None:
        raise _clash("position_side", "position_side is for perpetuals; a spot pair has no legs")
    if ask.side_effect != "none" and ask.margin not in {"cross", "isolated"}:
        raise refusal(
            Reason.SIDE_EFFECT_NOT_ALLOWED,
            "set margin to cross or isolated",
            field="side_effect",
        )


def _clash(field: str, what_to_do: str) -> Exception:
    return refusal(Reason.COMBINATION_NOT_ALLOWED, what_to_do, field=field)


def _tif(ask: OrderAsk) -> TimeInForce:
    """The time in force; a market order does not wait, all others do unless told otherwise."""
    if ask.tif is None:
        return TimeInForce.IOC if ask.type == "market" else TimeInForce.GTC
    return TIFS[ask.tif]


def _spot_wallet(ask: OrderAsk) -> str:
    """Whose money a spot order moves: cash, the cross margin pool, or the pair's own."""
    if ask.margin == "cross":
        return MARGIN
    return isolated_wallet(ask.symbol) if ask.margin == "isolated" else SPOT


def _perp_wallet(ask: OrderAsk, isolated: bool) -> str:
    """A perpetual's wallet; the margin mode is a setting of the account, not of the order."""
    mode = "isolated" if isolated else "cross"
    if ask.margin is not None and ask.margin != mode:
        details: dict[str, Any] = {"field": "margin", "given": ask.margin, "setting": mode}
        raise refusal(
            Reason.COMBINATION_NOT_ALLOWED,
            f"the account's margin mode on {ask.symbol} is {mode}; change it with margin_mode.set",
            **details,
        )
    return PERP
