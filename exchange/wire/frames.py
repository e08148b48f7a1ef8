"""WebSocket frames: a request and its reply, subscriptions, and what channels push."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from exchange.wire.asks import Ask, Millis
from exchange.wire.says import ErrorSay, Say


class Request(msgspec.Struct, forbid_unknown_fields=False):
    """`{"id": any, "op": "order.place", ...}`; the other fields belong to the op."""

    op: Annotated[str, msgspec.Meta(max_length=40)]
    id: str | int | float | None = None


class LoginAsk(Ask):
    """Sign timestamp and `GET/v1/ws`."""

    key: Annotated[str, msgspec.Meta(max_length=128)]
    timestamp: Millis
    signature: Annotated[str, msgspec.Meta(max_length=1024)]
    window: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 5_000


class SubscribeAsk(Ask):
    """Channels to hear, such as `book.BTC-USDT`, `candles.1m.BTC-USDT`, `orders`."""

    channels: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=60)]],
        msgspec.Meta(min_length=1, max_length=200),
    ]


class ResumeAsk(Ask):
    """Deliver the private events after `last_seq`, each exactly once, in order."""

    last_seq: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class Reply(Say, omit_defaults=True):
    """The answer to a request."""

    id: str | int | float | None
    ok: bool
    result: Any = None
    error: ErrorSay | None = None


class Push(Say, omit_defaults=True):
    """A message of a channel. `prev` stands on numbered private channels only."""

    ch: str
    seq: int
    ts: int
    data: Any
    prev: int | None = None


PUBLIC_CHANNELS = ("book", "bbo", "trades", "candles", "ticker", "mark", "funding")
VENUE_CHANNELS = ("liquidations", "status")
PRIVATE_CHANNELS = ("orders", "fills", "balances", "positions", "ledger", "margin", "lists")
INTERVALS_MS = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
}
