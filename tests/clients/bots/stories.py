"""What the tests of the strategies tell them: the exchange's events, in a few words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from clients.bots.strategy import Place, Rules
from clients.channels import Event
from exchange.wire import BboSay, FillSay, MarkSay, TradeSay
from tests.clients.wire_samples import NOON, instrument, open_order

SPOT, PERP = Rules.of(instrument("BTC-USDT")), Rules.of(instrument("BTC-USDT-PERP"))


def bbo(rules: Rules, bid: str | None, ask: str | None) -> Event:
    say = BboSay(rules.symbol, bid, "1" if bid else None, ask, "1" if ask else None)
    return Event(f"bbo.{rules.symbol}", 1, NOON, say)


def mark(rules: Rules, price: str) -> Event:
    say = MarkSay(rules.symbol, price, price if rules.perpetual else None, None, None, None, NOON)
    return Event(f"mark.{rules.symbol}", 1, NOON, say)


def trade(rules: Rules, price: str, seconds: float) -> Event:
    say = TradeSay(1, rules.symbol, price, "1", "buy", NOON + int(seconds * 1000))
    return Event(f"trades.{rules.symbol}", 1, NOON, say)


def fill(place: Place, qty: str | None = None, price: str = "50000", **more: Any) -> Event:
    """A fill of an order that was wished for, free of fees unless said otherwise."""
    fields: dict[str, Any] = {
        "trade_id": 1,
        "symbol": place.symbol,
        "order_id": 1,
        "client_id": place.client_id,
        "side": place.side,
        "price": price,
        "qty": qty or str(place.qty),
        "quote": str(Decimal(price) * Decimal(qty or place.qty)),
        "maker": False,
        "fee": "0",
        "fee_asset": "USDT",
        "realised": None,
        "wallet": "spot",
        "time": NOON,
    }
    return Event("fills", 1, NOON, FillSay(**(fields | more)))


def order(place: Place, status: str = "filled", price: str | None = None) -> Event:
    """How an order that was wished for stands now."""
    wished = str(place.price) if place.price is not None else None
    say = open_order(
        1,
        place.symbol,
        place.side,
        price or wished,
        str(place.qty),
        client_id=place.client_id,
        status=status,
    )
    return Event("orders", 1, NOON, say)


def dec(text: str) -> Decimal:
    return Decimal(text)
