"""What would be told of an order that is not sent: the events that a preview is asked why about."""

from __future__ import annotations

from typing import Any

from exchange.because import because
from exchange.commands import PlaceOrder
from exchange.engine import Engine
from exchange.events import Answered, Filled
from matching.reasons import Reason
from matching.types import Order


def foretold_fill(order: Order, price_ticks: int, lots: int, **more: Any) -> Filled:
    """A fill that the order would take, with the numbers `why` reads; it has no id yet."""
    return Filled(
        seq=0,
        time_ms=order.time_ms,
        account_id=order.account_id,
        n=0,
        trade_id=0,
        symbol=order.symbol,
        order_id=0,
        client_id=order.client_id,
        side=order.side,
        price_ticks=price_ticks,
        lots=lots,
        maker=False,
        wallet=order.wallet,
        **more,
    )


def foretold_refusal(engine: Engine, wish: PlaceOrder, reason: Reason) -> Answered:
    """The answer that a wish would get, asked for right after its refusal was found."""
    details = because(engine.trading, wish, reason)
    return Answered(0, engine.time_ms, reason, 0, details, False, wish.account_id)
