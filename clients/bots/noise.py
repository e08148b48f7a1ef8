"""The noise trader: buys and sells for no reason at all, which is what keeps a market alive.

Its dice are given to it, so that a run can be repeated.  Of its orders some take at once and some
rest near the best prices until they are filled or it loses patience.
"""

from __future__ import annotations

import random
from decimal import Decimal

import msgspec

from clients.bots.strategy import (
    BASIS_POINTS,
    Beat,
    Heard,
    OwnOrders,
    Place,
    Refused,
    Rules,
    Side,
    Touch,
    Wish,
    against,
    gained,
    signed,
)
from clients.channels import Event


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one may set, with `--set NAME=VALUE`."""

    notional: Decimal = Decimal(200)  # Quote amount of an order, on average.
    taking_percent: int = 30  # How many of a hundred orders take at once.
    reach_bps: int = 20  # How far from the best price a resting order may lie.
    orders_max: int = 5  # Open at a time.
    patience_beats: int = 20  # After so many seconds an order is cancelled.
    held_max: Decimal = Decimal(5_000)  # Quote worth it may hold before it only gives back.
    seed: int = 1


class Noise:
    """One symbol, one wish a beat."""

    def __init__(self, rules: Rules, settings: Settings, prefix: str) -> None:
        self.rules = rules
        self.settings = settings
        self.held = Decimal(0)
        self._orders = OwnOrders(prefix)
        self._touch = Touch()
        self._dice = random.Random(settings.seed)
        self._placed_at: dict[str, int] = {}

    @property
    def channels(self) -> tuple[str, ...]:
        """The best prices, and what becomes of its orders."""
        return (f"bbo.{self.rules.symbol}", "orders", "fills")

    def hear(self, heard: Heard) -> list[Wish]:
        """On each beat, cancel what has waited too long and perhaps place another."""
        self._orders.hear(heard)
        if isinstance(heard, Beat):
            return self._beat(heard.number)
        if isinstance(heard, Event):
            if heard.channel.startswith("bbo."):
                self._touch.hear(heard)
            elif heard.channel == "fills" and self._orders.mine(heard.data.client_id):
                self.held += gained(heard.data, self.rules)
        return []

    def refused(self, refusal: Refused) -> None:
        """An order that was refused leaves nothing behind."""
        self._orders.refused(refusal)

    def _beat(self, now: int) -> list[Wish]:
        wishes: list[Wish] = []
        for order in self._orders:
            if now - self._placed_at.get(order.client_id, now) >= self.settings.patience_beats:
                wishes += self._orders.cancel(order)
        place = self._any_order()
        if place is not None:
            self._placed_at[place.client_id] = now
            wishes.append(place)
        open_now = {*self._orders.open, *self._orders.asked}
        self._placed_at = {c: beat for c, beat in self._placed_at.items() if c in open_now}
        return wishes

    def _any_order(self) -> Place | None:
        mid = self._touch.mid
        if mid is None or self._touch.bid is None or self._touch.ask is None:
            return None
        if len(self._orders.open) + len(self._orders.asked) >= self.settings.orders_max:
            return None
        qty = self.rules.qty_for(self.settings.notional * self._dice.randint(50, 150) / 100, mid)
        side = self._any_side(mid, qty)
        if self._dice.randrange(100) < self.settings.taking_percent:
            return self._orders.place(symbol=self.rules.symbol, side=side, qty=qty)
        best = self._touch.bid if side == "buy" else self._touch.ask
        away = signed(side, best * self._dice.randint(0, self.settings.reach_bps) / BASIS_POINTS)
        fit = self.rules.price_below if side == "buy" else self.rules.price_above
        return self._orders.place(
            symbol=self.rules.symbol, side=side, qty=qty, price=fit(best - away)
        )

    def _any_side(self, mid: Decimal, qty: Decimal) -> Side:
        """Heads or tails; but it sells no spot it has not got, and gives back what is too much."""
        side: Side = self._dice.choice(("buy", "sell"))
        if self.held * mid >= self.settings.held_max:
            return "sell"
        if self.rules.perpetual:
            return "buy" if self.held * mid <= -self.settings.held_max else side
        resting = sum((Decimal(o.open_qty) for o in self._orders if o.side == "sell"), Decimal(0))
        return side if side == "buy" or self.held - resting >= qty else against(side)
