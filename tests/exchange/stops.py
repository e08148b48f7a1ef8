"""Stops in a few words, for tests: who places them, who trades, and what was told of them."""

from __future__ import annotations

from typing import Any

from exchange.events import AnyEvent, OrderChanged
from matching.types import OrderType, Side, TriggerSource
from tests.story import Story, of

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"
MARK = TriggerSource.MARK


def stop(
    story: Story, account: int, side: Side, at: str, qty: str = "", **more: Any
) -> list[AnyEvent]:
    """Place a stop on spot, or what `more` makes of it."""
    fields: dict[str, Any] = {"symbol": SPOT, "type": OrderType.STOP} | more
    symbol, price = fields.pop("symbol"), fields.pop("price", "")
    ticks = story.engine.instruments[symbol].ticks(at)
    fields["trigger_ticks"] = ticks
    return story.place(account, side, symbol, qty, price, **fields)


def trade(story: Story, price: str, symbol: str = SPOT, qty: str = "0.001") -> list[AnyEvent]:
    """Two strangers trade at a price."""
    wallet = "spot" if symbol == SPOT else "perp"
    buyer = story.account(**{f"{wallet}_USDT": "1000000"})
    seller = story.account(**{f"{wallet}_USDT": "1000000"})
    if symbol == SPOT:
        story.deposit(seller, "spot", "BTC", "10")
    story.sell(seller, symbol, qty, price)
    return story.buy(buyer, symbol, qty, price)


def happenings(events: list[AnyEvent], account: int) -> list[str]:
    return [each.happening for each in of(events, OrderChanged) if each.account_id == account]


def last_of(story: Story, order_id: int) -> OrderChanged:
    return [each for each in of(story.events, OrderChanged) if each.order_id == order_id][-1]


def long_of(story: Story, qty: str = "0.010") -> tuple[int, int]:
    """Somebody long from 50,000, and who sold it."""
    long, short = story.account(perp_USDT="90000"), story.account(perp_USDT="900000")
    story.sell(short, PERP, qty, "50000")
    story.buy(long, PERP, qty, "50000")
    return long, short


def guard(story: Story, account: int, kind: OrderType, at: str, **more: Any) -> list[AnyEvent]:
    """A sale that closes the position at the mark."""
    fields: dict[str, Any] = {"symbol": PERP, "type": kind, "trigger": MARK}
    fields |= {"close_position": True} | more
    return stop(story, account, Side.SELL, at, fields.pop("qty", ""), **fields)
