"""The public channels: their names, what each is about, and who listens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from exchange.outbox import Outbox
from exchange.wire import INTERVALS_MS, PUBLIC_CHANNELS, VENUE_CHANNELS, Push
from matching.instrument import Instrument


class Channel:
    """One public channel. `last` is what its readers were last told, where that is compared."""

    __slots__ = ("interval", "kind", "last", "name", "readers", "symbol")

    def __init__(self, kind: str, symbol: str = "", interval: str = "") -> None:
        self.kind = kind
        self.symbol = symbol
        self.interval = interval
        self.name = ".".join(part for part in (kind, interval, symbol) if part)
        self.readers: dict[Outbox, None] = {}  # A set that keeps its order.
        self.last: Any = None


class Frame:
    """A push, encoded at most once in each form."""

    __slots__ = ("_json", "_packed", "_push")

    def __init__(self, push: Push) -> None:
        self._push = push
        self._json = b""
        self._packed = b""

    def of(self, packed: bool) -> bytes:
        """The bytes: MessagePack if `packed`, else JSON."""
        if packed:
            if not self._packed:
                self._packed = _PACKED.encode(self._push)
            return self._packed
        if not self._json:
            self._json = _JSON.encode(self._push)
        return self._json


_JSON = msgspec.json.Encoder()
_PACKED = msgspec.msgpack.Encoder()


def public_channels(instruments: Iterable[Instrument]) -> dict[str, Channel]:
    """Every public channel of the venue by its name; only perpetuals have funding."""
    channels = [Channel(kind) for kind in VENUE_CHANNELS]
    for instrument in instruments:
        for kind in PUBLIC_CHANNELS:
            if kind == "funding" and instrument.kind == "spot":
                continue
            for interval in INTERVALS_MS if kind == "candles" else ("",):
                channels.append(Channel(kind, instrument.symbol, interval))
    return {channel.name: channel for channel in channels}
