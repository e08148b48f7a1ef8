"""Orders as the wire wants them, from what a program has at hand: numbers, and options by name."""

from __future__ import annotations

import secrets
from typing import Any, Literal

import msgspec

from clients.amounts import Number, maybe_text, text_of
from exchange import wire


def order(
    symbol: str,
    side: Literal["buy", "sell"],
    qty: Number | None = None,
    *,
    price: Number | None = None,
    quote_qty: Number | None = None,
    trigger_price: Number | None = None,
    activation_price: Number | None = None,
    **options: Any,
) -> wire.OrderAsk:
    """An order as the wire wants it; an option it does not know is a TypeError.

    `take_profit` and `stop_loss` are each a price, or what `exit_at` makes.
    """
    return wire.OrderAsk(
        symbol=symbol,
        side=side,
        type=options.pop("type", "market" if price is None else "limit"),
        qty=maybe_text(qty),
        quote_qty=maybe_text(quote_qty),
        price=maybe_text(price),
        trigger_price=maybe_text(trigger_price),
        activation_price=maybe_text(activation_price),
        take_profit=_exit(options.pop("take_profit", None)),
        stop_loss=_exit(options.pop("stop_loss", None)),
        **options,
    )


def exit_at(
    trigger_price: Number, *, price: Number | None = None, trigger: Literal["last", "mark"] = "last"
) -> wire.ExitAsk:
    """What closes an order again: at the market, or by a limit at `price`."""
    return wire.ExitAsk(text_of(trigger_price), maybe_text(price), trigger)


def _exit(given: Number | wire.ExitAsk | None) -> wire.ExitAsk | None:
    return given if given is None or isinstance(given, wire.ExitAsk) else exit_at(given)


def identified(ask: wire.OrderAsk) -> wire.OrderAsk:
    """The order with a client id, so that it is placed once however often it is sent."""
    return ask if ask.client_id else msgspec.structs.replace(ask, client_id=fresh_id())


def batch_item(
    ask: wire.OrderAsk | wire.AmendAsk | wire.OrderKey,
) -> wire.BatchPlace | wire.BatchAmend | wire.BatchCancel:
    """A wish as one of several; an order gets a client id."""
    if isinstance(ask, wire.OrderAsk):
        return wire.BatchPlace(**msgspec.structs.asdict(identified(ask)))
    if isinstance(ask, wire.AmendAsk):
        return wire.BatchAmend(**msgspec.structs.asdict(ask))
    return wire.BatchCancel(**msgspec.structs.asdict(ask))


def fresh_id() -> str:
    """A client id that nobody used before."""
    return f"pt-{secrets.token_hex(10)}"
