"""The flow of `bench edge`: what each connection sends, made beforehand, as frames.

Ten messages make a round of a connection: bids and asks that rest on a spot pair and on a
perpetual, two orders at one price that meet those of other connections, and the cancellation of
what rests. Who buys in one round sells in the next, so positions stay small; prices and names
differ from one message to the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from exchange.bench.pipes import client_frame

SPOT: Final = "BTC-USDT"
PERP: Final = "BTC-USDT-PERP"
ROUND: Final = 10  # Messages.
MEETING_PRICE: Final = 50_000
AWAY: Final = 100  # The nearest of what rests, from there.
SPREAD: Final = 800  # How far apart prices of what rests may lie.
QTY: Final = "0.001"
# What the ten are, as the report states it.
MIX: Final = {"resting": 0.4, "meeting": 0.2, "cancelling": 0.4, "perpetual": 0.5}
BITCOINS: Final = "10"  # What an account is given to sell.


class Sender:
    """What one connection says; `number` tells it from the others."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._rounds = 0
        self._said = self._talk()

    def frames(self, count: int) -> list[bytes]:
        """The next messages of the flow."""
        return [client_frame(msgspec.json.encode(next(self._said))) for _ in range(count)]

    def _talk(self) -> Iterator[dict[str, Any]]:
        while True:
            self._rounds += 1
            yield from self._round(self._rounds)

    def _round(self, turn: int) -> Iterator[dict[str, Any]]:
        away = AWAY + (self._number * 37 + turn * 11) % SPREAD
        resting = []
        for symbol, side in ((SPOT, "buy"), (PERP, "buy"), (SPOT, "sell"), (PERP, "sell")):
            price = MEETING_PRICE - away if side == "buy" else MEETING_PRICE + away
            name = f"{turn}-{symbol[4:]}-{side}"
            resting.append(name)
            yield self._order(name, symbol, side, price)
        side = "buy" if (self._number + turn) % 2 else "sell"
        for symbol in (SPOT, PERP):
            name = f"{turn}-{symbol[4:]}-meet"
            tif = {} if side == "sell" else {"tif": "IOC"}
            yield self._order(name, symbol, side, MEETING_PRICE, **tif)
        for name in resting:
            yield {"id": name, "op": "order.cancel", "client_id": name}

    def _order(self, name: str, symbol: str, side: str, price: int, **more: str) -> dict[str, Any]:
        return {
            "id": name,
            "op": "order.place",
            "symbol": symbol,
            "side": side,
            "type": "limit",
            "qty": QTY,
            "price": str(price),
            "client_id": name,
            **more,
        }
