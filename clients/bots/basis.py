"""The basis trader: buys what is cheap and sells what is dear of two prices for the same coin.

A perpetual has no expiry that would pull it back to the spot price; funding and traders like this
one do.  Where the perpetual stands above spot by more than the four fees of getting in and out, it
buys spot and sells the perpetual short.  Whatever the coin does then, the two legs cancel out; what
stays is the difference, and the funding that longs pay to shorts meanwhile.  With `both_ways` it
also trades a perpetual that stands below spot, and meets the other kind of leverage: to sell spot
it has not got it borrows the coin on margin, and owes interest every hour until it buys it back.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import msgspec

from clients.bots.strategy import (
    BASIS_POINTS,
    Heard,
    OwnOrders,
    Place,
    Refused,
    Rules,
    Side,
    Touch,
    Transfer,
    Wish,
    against,
    gained,
)
from clients.channels import ACCOUNT_CHANNEL, Event
from exchange.wire import AccountSay

MARGIN = "margin"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one may set, with `--set NAME=VALUE`."""

    notional: Decimal = Decimal(2_000)  # Quote worth of each leg's clip.
    entry_bps: Decimal = Decimal(30)  # Basis at which it gets in, fees included,
    exit_bps: Decimal = Decimal(5)  # and out.
    clips_max: int = 3
    leverage: int = 5
    both_ways: bool = False
    collateral: Decimal = Decimal(20_000)  # Moved to the margin wallet for `both_ways`.


class Basis:
    """Spot and perpetual of one coin, held in equal and opposite amounts."""

    def __init__(self, spot: Rules, perp: Rules, settings: Settings, prefix: str) -> None:
        self.spot, self.perp = spot, perp
        self.settings = settings
        self.held = {spot.symbol: Decimal(0), perp.symbol: Decimal(0)}
        self._touch = {spot.symbol: Touch(), perp.symbol: Touch()}
        self._orders = OwnOrders(prefix)

    @property
    def channels(self) -> tuple[str, ...]:
        """The best prices of both books, and what becomes of its orders."""
        return (f"bbo.{self.spot.symbol}", f"bbo.{self.perp.symbol}", "orders", "fills")

    def hear(self, heard: Heard) -> list[Wish]:
        """Follow both books; first mend a leg that is short of the other, then trade the basis."""
        self._orders.hear(heard)
        if isinstance(heard, Event):
            if heard.channel == ACCOUNT_CHANNEL:
                return self._prepare(heard.data)
            if heard.channel.startswith("bbo."):
                self._touch[heard.data.symbol].hear(heard)
            elif heard.channel == "fills" and self._orders.mine(heard.data.client_id):
                rules = self.spot if heard.data.symbol == self.spot.symbol else self.perp
                self.held[rules.symbol] += gained(heard.data, rules)
        if self._orders.busy or self._orders.open:
            return []
        return self._mended() or self._traded()

    def refused(self, refusal: Refused) -> None:
        """An order that was refused leaves nothing behind."""
        self._orders.refused(refusal)

    def basis_bps(self, side: Side) -> Decimal | None:
        """The perpetual over spot, in basis points, as one would really trade: selling the
        perpetual (`sell`) meets its bid and the spot ask, buying it the other two.
        """
        spot, perp = self._touch[self.spot.symbol], self._touch[self.perp.symbol]
        here, there = (perp.bid, spot.ask) if side == "sell" else (perp.ask, spot.bid)
        return None if here is None or there is None else (here / there - 1) * BASIS_POINTS

    def _prepare(self, account: AccountSay) -> list[Wish]:
        """Borrowing needs collateral in the margin wallet."""
        if not self.settings.both_ways:
            return []
        quote = self.spot.quote
        free = {b.wallet: Decimal(b.free) for b in account.balances if b.asset == quote}
        missing = self.settings.collateral - free.get(MARGIN, Decimal(0))
        return [Transfer("spot", MARGIN, quote, missing)] if missing > 0 else []

    def _mended(self) -> list[Wish]:
        """Legs fill apart; what one lacks is bought or sold on the perpetual, at once."""
        apart = self.held[self.spot.symbol] + self.held[self.perp.symbol]
        qty = self.perp.qty_of(abs(apart))
        mid = self._touch[self.perp.symbol].mid
        if mid is None or qty < self.perp.qty_min or qty * mid < self.perp.notional_min:
            return []
        return [self._perp_order("sell" if apart > 0 else "buy", qty)]

    def _traded(self) -> list[Wish]:
        perp_held = self.held[self.perp.symbol]
        dear, cheap = self.basis_bps("sell"), self.basis_bps("buy")
        mid = self._touch[self.spot.symbol].mid
        if dear is None or cheap is None or mid is None:
            return []
        # Both legs must be whole lots of both books, so that they really are equal.
        coarse = self.spot if self.spot.lot > self.perp.lot else self.perp
        clip = coarse.qty_for(self.settings.notional, mid)
        room = abs(perp_held) < clip * self.settings.clips_max
        if perp_held < 0 and cheap <= self.settings.exit_bps:
            return self._both("buy", min(clip, -perp_held))
        if perp_held > 0 and dear >= -self.settings.exit_bps:
            return self._both("sell", min(clip, perp_held))
        if perp_held <= 0 and room and dear >= self.settings.entry_bps:
            return self._both("sell", clip)
        if perp_held >= 0 and room and -cheap >= self.settings.entry_bps:
            return self._both("buy", clip) if self.settings.both_ways else []
        return []

    def _both(self, perp_side: Side, qty: Decimal) -> list[Wish]:
        return [self._spot_order(against(perp_side), qty), self._perp_order(perp_side, qty)]

    def _perp_order(self, side: Side, qty: Decimal) -> Place:
        leverage = min(self.settings.leverage, self.perp.max_leverage)
        return self._orders.place(symbol=self.perp.symbol, side=side, qty=qty, leverage=leverage)

    def _spot_order(self, side: Side, qty: Decimal) -> Place:
        if not self.settings.both_ways:
            if side == "sell":  # Fees were paid in the coin: there may be a lot less of it.
                qty = min(qty, self.spot.qty_of(self.held[self.spot.symbol]))
            return self._orders.place(symbol=self.spot.symbol, side=side, qty=qty)
        effect: Literal["borrow", "repay"] = "borrow" if side == "sell" else "repay"
        more: dict[str, Any] = {"margin": "cross", "side_effect": effect}
        return self._orders.place(symbol=self.spot.symbol, side=side, qty=qty, **more)
