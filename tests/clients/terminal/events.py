"""Events for the tests of the desk, in a few words."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from clients.channels import Event, Notice
from clients.terminal.desk import Desk
from exchange.wire import (
    AccountSay,
    BalanceSay,
    BookSay,
    CandleSay,
    FillSay,
    MarkSay,
    PositionSay,
    TickerSay,
    TradeSay,
)
from tests.clients.wire_samples import INSTRUMENTS, NOON, margin

SPOT, PERP = "BTC-USDT", "BTC-USDT-PERP"


def new_desk() -> Desk:
    return Desk(INSTRUMENTS.instruments, SPOT, "1m")


def event(channel: str, data: Any, time: int = NOON) -> Event:
    return Event(channel, 1, time, data)


def book(symbol: str = SPOT) -> Event:
    bids = [("49999", "1"), ("49998", "4")]
    asks = [("50001", "2"), ("50002", "3")]
    return event(f"book.{symbol}", BookSay(symbol, 5, bids, asks))


def trade(number: int, price: str = "50000", symbol: str = SPOT) -> Event:
    say = TradeSay(number, symbol, price, "0.5", "buy", NOON + number)
    return event(f"trades.{symbol}", say)


def candle(minute: int, close: str = "50000", closed: bool = True) -> CandleSay:
    open_time = NOON + minute * 60_000
    return CandleSay(open_time, "1m", "50000", "50100", "49900", close, "1", "50000", 3, closed)


def ticker(symbol: str = SPOT, change: str | None = "2.5") -> Event:
    say = TickerSay(symbol, "50000", "1", "2", "0", "1", change, "1234", "5", 9, "1", "2", NOON)
    return event(f"ticker.{symbol}", say)


def mark(price: str, symbol: str = PERP) -> Event:
    say = MarkSay(symbol, price, price, "0.0001", NOON + 3_661_000, "12.5", NOON)
    return event(f"mark.{symbol}", say)


def balance(wallet: str, asset: str, total: str, **more: str) -> BalanceSay:
    fields = {"free": total, "locked": "0", "borrowed": "0", "interest": "0", "net": total}
    return BalanceSay(wallet=wallet, asset=asset, total=total, **(fields | more))


def position(qty: str = "0.5", side: str = "long", **more: Any) -> PositionSay:
    fields: dict[str, Any] = {
        "symbol": PERP,
        "side": side,
        "qty": qty,
        "entry_price": "50000",
        "mark_price": "50000",
        "notional": "25000",
        "unrealised": "0",
        "margin_mode": "cross",
        "leverage": 10,
        "margin": "2500",
        "maintenance": "100",
        "liquidation_price": "45000",
        "bankruptcy_price": "44900",
    }
    return PositionSay(**(fields | more))


def account(**more: Any) -> Event:
    fields: dict[str, Any] = {
        "account_id": 100,
        "env": "paper",
        "label": "",
        "epoch": 1,
        "time": NOON,
        "balances": [balance("spot", "USDT", "100000")],
        "loans": [],
        "positions": [],
        "margins": [],
        "settings": {"margin_leverage": 3, "symbols": {}},
        "last_seq": 5,
    }
    return event("account", AccountSay(**(fields | more)))


def notice(name: str, wallet: str = "margin", **more: Any) -> Event:
    scope = {f: more.pop(f) for f in ("level", "debt", "assets", "state") if f in more}
    say = Notice(**structs.asdict(margin(wallet, **scope)), notice=name, **more)
    return event("margin", say)


def fill(side: str = "buy", **more: Any) -> Event:
    fields: dict[str, Any] = {
        "trade_id": 1,
        "symbol": SPOT,
        "order_id": 1,
        "client_id": "",
        "side": side,
        "price": "50001",
        "qty": "0.1",
        "quote": "5000.1",
        "maker": False,
        "fee": "0.0001",
        "fee_asset": "BTC",
        "realised": None,
        "wallet": "spot",
        "time": NOON,
    }
    return event("fills", FillSay(**(fields | more)))
