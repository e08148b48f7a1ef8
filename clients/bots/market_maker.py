"""The market maker: a bid and an ask around the fair price, leaning away from what it holds.

It earns the spread from those who come and go, and is hurt by those who know better.  Two rules
keep it alive.  It quotes around a price of others (the mark of a perpetual, the index of a spot
pair), never around its own quotes.  And it leans: the more it holds, the lower both its prices, so
that its ask is hit sooner than its bid until it holds what it wants again.
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
    Touch,
    Wish,
    gained,
    signed,
)
from clients.channels import Event
from exchange.wire import MarkSay, OrderSay


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one may set, with `--set NAME=VALUE`."""

    notional: Decimal = Decimal(1_000)  # Quote amount of one order.
    spread_bps: Decimal = Decimal(5)  # From the fair price to each quote.
    lean_bps: Decimal = Decimal(10)  # How far both quotes move when it holds all it may.
    orders_max: int = 5  # How many orders' worth it may hold, long or short.
    patience_bps: Decimal = Decimal(1)  # A quote nearer than this to where it should be stays.
    leverage: int = 5  # On a perpetual.


class MarketMaker:
    """Quotes one symbol, spot or perpetual; a spot pair from cash alone, so never short."""

    def __init__(self, rules: Rules, settings: Settings, prefix: str) -> None:
        self.rules = rules
        self.settings = settings
        self.held = Decimal(0)  # Bought less sold since it began.
        self._orders = OwnOrders(prefix)
        self._touch = Touch()
        self._outside: Decimal | None = None  # Mark or index: the price of others.

    @property
    def channels(self) -> tuple[str, ...]:
        """The best prices, the mark, and what becomes of its orders."""
        return (f"bbo.{self.rules.symbol}", f"mark.{self.rules.symbol}", "orders", "fills")

    def hear(self, heard: Heard) -> list[Wish]:
        """Follow the market and its own orders, then see to the quotes."""
        self._orders.hear(heard)
        if not isinstance(heard, Event):
            return self._quotes()
        if heard.channel.startswith("bbo."):
            self._touch.hear(heard)
        elif heard.channel.startswith("mark."):
            self._marked(heard.data)
        elif heard.channel == "fills" and self._orders.mine(heard.data.client_id):
            self.held += gained(heard.data, self.rules)
            return []  # How the fill left the order is told next.
        return self._quotes()

    def refused(self, refusal: Refused) -> None:
        """An order that was refused leaves nothing behind."""
        self._orders.refused(refusal)

    def _marked(self, say: MarkSay) -> None:
        price = say.mark if self.rules.perpetual else say.index
        self._outside = Decimal(price) if price else self._outside

    def _quotes(self) -> list[Wish]:
        """What makes the two quotes right: new ones, better prices, or none on a side."""
        fair = self._outside or self._touch.mid
        if fair is None or self._orders.busy:
            return []
        qty = self.rules.qty_for(self.settings.notional, fair)
        wishes: list[Wish] = []
        for side in ("buy", "sell"):
            wishes += self._quote(side, self._price(side, fair, qty), qty)
        return wishes

    def _price(self, side: Side, fair: Decimal, qty: Decimal) -> Decimal | None:
        """Where a quote belongs; None where it would hold too much."""
        limit = qty * self.settings.orders_max
        after = self.held + signed(side, qty)
        # Of a spot pair it can only sell what it bought, and aims at half of what it may hold.
        least, aim = (-limit, Decimal(0)) if self.rules.perpetual else (Decimal(0), limit / 2)
        if not least <= after <= limit:
            return None
        lean = self.settings.lean_bps * (self.held - aim) / limit
        centre = fair * (1 - lean / BASIS_POINTS)
        away = centre * self.settings.spread_bps / BASIS_POINTS
        if side == "buy":
            price = self.rules.price_below(centre - away)
            ceiling = self._touch.ask
            return min(price, ceiling - self.rules.tick) if ceiling else price
        price = self.rules.price_above(centre + away)
        floor = self._touch.bid
        return max(price, floor + self.rules.tick) if floor else price

    def _quote(self, side: Side, price: Decimal | None, qty: Decimal) -> list[Wish]:
        quotes = [order for order in self._orders if order.side == side]
        if price is None or price <= 0:
            return [wish for order in quotes for wish in self._orders.cancel(order)]
        if quotes:
            return self._orders.amend(quotes[0], price) if self._far(quotes[0], price) else []
        leverage = self.settings.leverage if self.rules.perpetual else None
        return [
            self._orders.place(
                symbol=self.rules.symbol,
                side=side,
                qty=qty,
                price=price,
                post_only=True,  # A maker that takes pays for its own mistake.
                leverage=leverage,
            )
        ]

    def _far(self, order: OrderSay, price: Decimal) -> bool:
        distance = abs(Decimal(order.price or "0") - price)
        return distance * BASIS_POINTS > self.settings.patience_bps * price
