"""Items of a plan as requests of the Binance door: its WebSocket API, and its market streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from clients.load.plan import Item
from clients.load.wording import Market
from clients.signing import Signer
from clients.stream import wall_ms

Product = Literal["spot", "um"]

PRODUCTS: Final[dict[str, Product]] = {"spot": "spot", "linear": "um"}
# A market stream for each channel of a plan, by product.
STREAMS: Final[dict[Product, dict[str, str]]] = {
    "spot": {"book": "depth@100ms", "bbo": "bookTicker", "trades": "trade", "ticker": "ticker"},
    "um": {"book": "depth@100ms", "bbo": "bookTicker", "trades": "aggTrade", "ticker": "ticker"},
}

_ENCODER: Final = msgspec.json.Encoder()


def product_of(market: Market) -> Product:
    """The product of a market; a ValueError for one that is not driven by this dialect."""
    product = PRODUCTS.get(market.instrument.kind)
    if product is None:
        raise ValueError(
            f"{market.instrument.symbol} is neither spot nor of USD-M; --dialect binance drives"
            " those two, the native dialect drives it too"
        )
    return product


def name_of(market: Market) -> str:
    """What the door calls the symbol: base and quote in one word."""
    return market.instrument.base + market.instrument.quote


def stream_of(channel: str, market: Market) -> str:
    """The stream that tells what a channel of a plan does."""
    kind, _, _ = channel.partition(".")
    return f"{name_of(market).lower()}@{STREAMS[product_of(market)][kind]}"


class BinanceWording:
    """Makes the text of requests, each signed for its connection.

    A key with a shared secret signs each request, as bots do; for one of Ed25519 the line has
    logged on.  Items are worded in the plan's order: an order of spot that is replaced has another
    name from then on.
    """

    def __init__(self, markets: Mapping[str, Market], run: str, signers: Sequence[Signer]) -> None:
        self._markets = markets
        self._run = run
        self._signers = signers
        self._replaced: dict[tuple[int, int], int] = {}  # How often, by connection and order.

    def text(self, number: int, item: Item) -> bytes:
        """The request of an item; its reply will carry `number`."""
        market = self._markets[item.symbol]
        if item.kind == "subscribe":
            method = "UNSUBSCRIBE" if item.leave else "SUBSCRIBE"
            params: Any = [stream_of(item.channel, market)]
        else:
            method, asked = self._asked(item, market)
            params = self._signed(self._signers[item.connection], asked)
        return _ENCODER.encode({"id": number, "method": method, "params": params})

    def _asked(self, item: Item, market: Market) -> tuple[str, dict[str, str]]:
        about = {"symbol": name_of(market), "timestamp": str(wall_ms())}
        name = self._name(item)
        if item.kind == "cancel":
            return "order.cancel", about | {"origClientOrderId": name}
        about |= {"side": item.side.upper(), "quantity": market.size(item.size)}
        if item.kind == "take":
            return "order.place", about | {"type": "MARKET", "newClientOrderId": name}
        about["price"] = market.price(item.side, item.distance_bps)
        if item.kind == "amend" and product_of(market) == "um":
            return "order.modify", about | {"origClientOrderId": name}
        about |= {"type": "LIMIT", "timeInForce": "GTC"}
        if item.kind == "place":
            return "order.place", about | {"newClientOrderId": name}
        # Spot knows no other price for an order: it is replaced.
        self._replaced[item.connection, item.order] = self._times_replaced(item) + 1
        replaced = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": name}
        return "order.cancelReplace", about | replaced | {"newClientOrderId": self._name(item)}

    def _name(self, item: Item) -> str:
        times = self._times_replaced(item)
        name = f"{self._run}-{item.connection}-{item.order}"
        return f"{name}-{times}" if times else name

    def _times_replaced(self, item: Item) -> int:
        return self._replaced.get((item.connection, item.order), 0)

    def _signed(self, signer: Signer, asked: dict[str, str]) -> dict[str, str]:
        if not signer.is_shared_secret:
            return asked
        asked["apiKey"] = signer.key
        asked["signature"] = signer.sign_query(asked)
        return asked
