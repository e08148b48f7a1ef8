"""Items of a plan as requests of the wire, once the instruments and their prices are known."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import msgspec

from clients.load.plan import Item
from exchange.wire import AmendAsk, InstrumentSay, OrderAsk, OrderKey, SubscribeAsk

# The smallest size of an order is twice what the venue lets through, so that it is still enough
# four percent below the reference.
NOTIONAL_TIMES: Final = 2
BPS: Final = 10_000

_ENCODER: Final = msgspec.json.Encoder()


class Market(msgspec.Struct, frozen=True):
    """One instrument as orders need it: its tick, the reference price, and the smallest size."""

    instrument: InstrumentSay
    tick: Decimal
    reference: Decimal
    qty: Decimal

    @classmethod
    def of(cls, say: InstrumentSay, reference: Decimal) -> Market:
        """The market of an instrument at a price."""
        lot = Decimal(say.lot)
        enough = NOTIONAL_TIMES * Decimal(say.notional_min) / reference
        lots = (enough / lot).to_integral_value(ROUND_CEILING)
        qty = max(lots * lot, Decimal(say.qty_min), lot)
        return cls(say, Decimal(say.tick), reference, qty)

    def price(self, side: str, distance_bps: int) -> str:
        """A price so far away from the reference that it rests: below to buy, above to sell."""
        away = distance_bps if side == "sell" else -distance_bps
        ticks = self.reference * (BPS + away) / BPS / self.tick
        return f"{max(ticks.to_integral_value(ROUND_HALF_EVEN), Decimal(1)) * self.tick:f}"

    def size(self, times: int) -> str:
        """A quantity."""
        return f"{self.qty * times:f}"


class NativeWording:
    """Makes the text of requests; `run` tells this run's orders from those of any other."""

    def __init__(self, markets: Mapping[str, Market], run: str) -> None:
        self._markets = markets
        self._run = run

    def text(self, number: int, item: Item) -> bytes:
        """The request of an item; its reply will carry `number`."""
        op, ask = self._asked(item)
        fields: dict[str, Any] = {"id": number, "op": op}
        fields.update(msgspec.to_builtins(ask))
        return _ENCODER.encode(fields)

    def client_id(self, connection: int, order: int) -> str:
        """The name of a connection's nth order: known before any reply, so nobody waits for one."""
        return f"{self._run}-{connection}-{order}"

    def _asked(self, item: Item) -> tuple[str, msgspec.Struct]:
        if item.kind == "subscribe":
            return "unsubscribe" if item.leave else "subscribe", SubscribeAsk([item.channel])
        client_id = self.client_id(item.connection, item.order)
        market = self._markets[item.symbol]
        if item.kind == "cancel":
            return "order.cancel", OrderKey(client_id=client_id)
        if item.kind == "amend":
            price = market.price(item.side, item.distance_bps)
            return "order.amend", AmendAsk(client_id=client_id, price=price)
        rests = item.kind == "place"
        return "order.place", OrderAsk(
            item.symbol,
            item.side,
            "limit" if rests else "market",
            qty=market.size(item.size),
            price=market.price(item.side, item.distance_bps) if rests else None,
            client_id=client_id,
        )
