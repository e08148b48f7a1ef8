"""The momentum trader: goes with the move on a perpetual, with leverage, and gets out when wrong.

Two averages follow the price, a quick one and a slow one.  While the quick one is above the slow
one by more than a threshold the price is taken to be rising, and it goes long; below, short.  The
averages forget by time, not by trades: a busy minute counts no more than a quiet one.  A position
is closed when the averages have crossed back, or when the price has gone a set way against it: the
stop, which every leveraged trade needs from its first moment.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from clients.bots.strategy import (
    BASIS_POINTS,
    Heard,
    OwnOrders,
    Refused,
    Rules,
    Side,
    Wish,
    against,
    signed,
)
from clients.channels import Event
from exchange.wire import FillSay, TradeSay


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one may set, with `--set NAME=VALUE`."""

    notional: Decimal = Decimal(5_000)  # Quote worth of the position.
    leverage: int = 10
    quick_ms: int = 10_000  # Exchange time in which the averages forget half of the way
    slow_ms: int = 60_000  # to a new price.
    threshold_bps: Decimal = Decimal(2)  # How far they must part to be believed.
    stop_bps: Decimal = Decimal(40)  # How far against it before it gives up.


class Average:
    """A price average that comes half of the way to a new price in each `half_ms`."""

    def __init__(self, half_ms: int) -> None:
        self._half_ms = half_ms
        self._time_ms = 0
        self.price: Decimal | None = None

    def hear(self, price: Decimal, time_ms: int) -> None:
        """A trade at this price and time; trades of one moment count as one, the last."""
        if self.price is None:
            self.price, self._time_ms = price, time_ms
            return
        passed_ms = max(0, time_ms - self._time_ms)
        self._time_ms = max(self._time_ms, time_ms)
        left = Decimal(2) ** (-Decimal(passed_ms) / self._half_ms)
        self.price = price + (self.price - price) * left


class Momentum:
    """One perpetual; at most one position, and one order at a time."""

    def __init__(self, rules: Rules, settings: Settings, prefix: str) -> None:
        self.rules = rules
        self.settings = settings
        self.held = Decimal(0)  # Positive long, negative short.
        self.quick, self.slow = Average(settings.quick_ms), Average(settings.slow_ms)
        self._entry = Decimal(0)  # What it paid on average for what it holds.
        self._stopped: Side | None = None  # After a stop, not again until the signal has turned.
        self._orders = OwnOrders(prefix)

    @property
    def channels(self) -> tuple[str, ...]:
        """Trades, and what becomes of its orders."""
        return (f"trades.{self.rules.symbol}", "orders", "fills")

    def hear(self, heard: Heard) -> list[Wish]:
        """Each trade moves the averages, and perhaps the mind."""
        self._orders.hear(heard)
        if not isinstance(heard, Event):
            return []
        if heard.channel == "fills" and self._orders.mine(heard.data.client_id):
            self._filled(heard.data)
        elif heard.channel.startswith("trades."):
            trade: TradeSay = heard.data
            price = Decimal(trade.price)
            self.quick.hear(price, trade.time)
            self.slow.hear(price, trade.time)
            return self._decide(price)
        return []

    def refused(self, refusal: Refused) -> None:
        """An order that was refused leaves nothing behind."""
        self._orders.refused(refusal)

    def apart_bps(self) -> Decimal:
        """How far the quick average is above the slow one; 0 before the first trade."""
        if self.quick.price is None or self.slow.price is None:
            return Decimal(0)
        return (self.quick.price / self.slow.price - 1) * BASIS_POINTS

    def signal(self) -> Side | None:
        """The way the price is taken to go."""
        apart_bps = self.apart_bps()
        if apart_bps > self.settings.threshold_bps:
            return "buy"
        return "sell" if apart_bps < -self.settings.threshold_bps else None

    def _decide(self, price: Decimal) -> list[Wish]:
        if self._orders.busy:
            return []
        signal = self.signal()
        if signal != self._stopped:
            self._stopped = None
        if self.held:
            return self._hold_or_close("buy" if self.held > 0 else "sell", price)
        if signal is None or signal == self._stopped:
            return []
        qty = self.rules.qty_for(self.settings.notional, price)
        leverage = min(self.settings.leverage, self.rules.max_leverage)
        order = self._orders.place(
            symbol=self.rules.symbol, side=signal, qty=qty, leverage=leverage
        )
        return [order]

    def _hold_or_close(self, way: Side, price: Decimal) -> list[Wish]:
        lost_bps = signed(way, self._entry - price) / self._entry * BASIS_POINTS
        if lost_bps >= self.settings.stop_bps:
            self._stopped = way
            return self._close(way)
        return self._close(way) if signed(way, self.apart_bps()) < 0 else []

    def _close(self, way: Side) -> list[Wish]:
        order = self._orders.place(
            symbol=self.rules.symbol, side=against(way), qty=abs(self.held), reduce_only=True
        )
        return [order]

    def _filled(self, fill: FillSay) -> None:
        change, price = signed(fill.side, Decimal(fill.qty)), Decimal(fill.price)
        after = self.held + change
        if self.held * change >= 0:  # Opened, or added to: the entry is the average paid.
            self._entry = (self._entry * abs(self.held) + price * abs(change)) / abs(after)
        elif self.held * after < 0:  # Turned round.
            self._entry = price
        self.held = after
