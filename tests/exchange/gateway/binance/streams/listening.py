"""A hub with a board behind it, told events by hand, and readers that say what they heard."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.events import AnyEvent
from exchange.gateway.binance.streams.hub import Hub
from exchange.gateway.binance.streams.outbox import Outbox
from exchange.gateway.binance.symbols import Product, Symbols
from exchange.views.board import Board
from matching.instrument import Instrument
from tests.exchange.events_by_hand import PERP, SPOT, group

COIN = Instrument(
    symbol="BTC-USD-PERP",
    kind="inverse",
    base="BTC",
    quote="USD",
    settle="BTC",
    tick="0.1",
    lot="1",
    multiplier="100",
)
INSTRUMENTS = {instrument.symbol: instrument for instrument in (SPOT, PERP, COIN)}
SYMBOLS = Symbols(INSTRUMENTS)


class Floor:
    """The venue as the streams see it."""

    def __init__(self) -> None:
        self.board = Board(INSTRUMENTS)
        self.hub = Hub(self.board, SYMBOLS)

    def tell(self, *events: AnyEvent) -> None:
        """A group of one command."""
        told = group(*events)
        self.board.on_group(told)
        self.hub.on_group(told)

    def reader(self, product: Product, *names: str) -> Outbox:
        """Somebody who holds these streams, and was greeted by them."""
        outbox = Outbox(lambda: None, combined=True)
        for name in names:
            self.hub.hold(outbox, product, name)
            self.hub.greet(outbox, product, name)
        return outbox


def heard(outbox: Outbox) -> list[tuple[str, Any]]:
    """The name and the payload of each wrapped message that waits."""
    said = [msgspec.json.decode(frame) for frame in outbox.drain()]
    return [(each["stream"], each["data"]) for each in said]
