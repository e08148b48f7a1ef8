"""Records of the wire for tests of the clients, with everything unsaid filled in."""

from __future__ import annotations

from typing import Any

from exchange.wire import InstrumentSay, InstrumentsSay, MarginSay, OrderSay, PreviewSay

NOON = 1_700_000_000_000


def instrument(symbol: str, **changes: Any) -> InstrumentSay:
    """An instrument: spot, or with -PERP at the end of its name a perpetual."""
    perp = symbol.endswith("-PERP")
    base, quote = symbol.removesuffix("-PERP").split("-")
    inverse = perp and quote == "USD"
    fields: dict[str, Any] = {
        "symbol": symbol,
        "kind": "inverse" if inverse else "linear" if perp else "spot",
        "base": base,
        "quote": quote,
        "settle": base if inverse else quote,
        "tick": "0.1" if perp else "0.01",
        "lot": "0.001" if perp else "0.00001",
        "qty_min": "0.001" if perp else "0.00001",
        "qty_max": "1000",
        "market_qty_max": "100",
        "notional_min": "5",
        "maker_fee": "0.0002",
        "taker_fee": "0.0005",
        "max_leverage": 125 if perp else 10,
        "margin": ["cross", "isolated"] if perp else ["cash", "cross", "isolated"],
        "state": "trading",
    }
    if perp:
        fields["multiplier"] = "100" if inverse else "1"
        fields["multiplier_asset"] = quote if inverse else base
    return InstrumentSay(**(fields | changes))


INSTRUMENTS = InstrumentsSay("paper", [instrument("BTC-USDT"), instrument("BTC-USDT-PERP")], [])
WITH_INVERSE = InstrumentsSay("paper", [*INSTRUMENTS.instruments, instrument("BTC-USD-PERP")], [])
PREVIEW = PreviewSay(True, None, None, "1", "USDT", "500", None, None, "60000", None, None, "0.5")


def margin(wallet: str, **changes: Any) -> MarginSay:
    """The state of one margin scope, far from trouble."""
    fields: dict[str, Any] = {
        "wallet": wallet,
        "assets": "100000",
        "debt": "0",
        "level": "999",
        "collateral_level": None,
        "call_level": "1.3",
        "liquidation_level": "1.1",
        "leverage": 3,
    }
    return MarginSay(**(fields | changes))


def wallet_of(symbol: str, margin_name: str | None) -> str:
    """The wallet an order spends from."""
    if symbol.endswith("-PERP"):
        return "perp"
    return {"cross": "margin", "isolated": f"isolated:{symbol}"}.get(margin_name or "", "spot")


def open_order(
    order_id: int, symbol: str, side: str, price: str | None, qty: str, **more: Any
) -> OrderSay:
    """A new order, nothing of it filled."""
    fields: dict[str, Any] = {
        "order_id": order_id,
        "client_id": "",
        "symbol": symbol,
        "side": side,
        "type": "market" if price is None else "limit",
        "tif": "GTC",
        "price": price,
        "qty": qty,
        "quote_qty": None,
        "filled_qty": "0",
        "filled_quote": "0",
        "average_price": None,
        "prevented_qty": "0",
        "open_qty": qty,
        "status": "new",
        "wallet": "spot",
        "post_only": False,
        "reduce_only": False,
        "side_effect": "none",
        "forced": False,
        "expire_ms": None,
        "placed_ms": NOON,
        "updated_ms": NOON,
        "reason": None,
    }
    known = {name: value for name, value in more.items() if name in fields}
    return OrderSay(**(fields | known))
