"""The sockets of a load by way of the Binance door: one each for orders and for streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from clients.load.binance.line import BinanceLine, SlowStreams
from clients.load.binance.wording import Product, product_of, stream_of
from clients.load.driver import Sender
from clients.load.line import Clock, connect
from clients.load.plan import CHANNELS, Item, Plan
from clients.load.record import Record
from clients.load.wording import Market
from clients.signing import Signer

Use = Literal["orders", "streams"]
Place = tuple[int, Product, Use]  # A connection of the plan, and which of its sockets.

PATHS: Final[dict[tuple[Product, Use], str]] = {
    ("spot", "orders"): "/ws-api/v3?returnRateLimits=false",
    ("um", "orders"): "/ws-fapi/v1?returnRateLimits=false",
    ("spot", "streams"): "/ws",
    ("um", "streams"): "/um/ws",
}


class BinanceLines:
    """What each connection of a plan needs of sockets: up to four."""

    def __init__(self, plan: Plan, markets: Mapping[str, Market]) -> None:
        self._products = {symbol: product_of(market) for symbol, market in markets.items()}
        self._lines: dict[Place, BinanceLine] = {}
        self.places = sorted({self._place(item) for item in plan.items})

    def of(self, item: Item) -> Sender:
        """The socket of an item."""
        return self._lines[self._place(item)]

    @property
    def alive(self) -> bool:
        """Whether one of them stands."""
        return any(line.alive for line in self.lines)

    @property
    def lines(self) -> Iterable[BinanceLine]:
        """Those that are open."""
        return self._lines.values()

    async def open(
        self, place: Place, root: str, signer: Signer, record: Record, clock: Clock
    ) -> None:
        """Open one of `places` at `root` (ws://host:port)."""
        _, product, use = place
        url = root + PATHS[product, use]
        line = self._lines[place] = await connect(url, lambda: BinanceLine(record, clock))
        if use == "orders" and not signer.is_shared_secret:
            await line.logon(signer)

    def _place(self, item: Item) -> Place:
        use: Use = "streams" if item.kind == "subscribe" else "orders"
        return item.connection, self._products[item.symbol], use


async def open_slow_streams(
    root: str, markets: Sequence[Market], number: int, record: Record, clock: Clock
) -> SlowStreams:
    """A socket that hears all symbols of one product, spot and USD-M by turns, and dawdles."""
    products = sorted({product_of(market) for market in markets})
    product = products[number % len(products)]
    url = root + PATHS[product, "streams"]
    line = await connect(url, lambda: SlowStreams(record, clock))
    of_product = [market for market in markets if product_of(market) == product]
    await line.subscribe([stream_of(kind, market) for market in of_product for kind in CHANNELS])
    line.dawdle()
    return line
