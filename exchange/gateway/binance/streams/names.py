"""What the names of streams and the paths of sockets mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from exchange.gateway.binance.intervals import has_candles
from exchange.gateway.binance.streams.windows import WINDOWS_MS
from exchange.gateway.binance.symbols import Product, Symbols

Topic = Literal[
    "trade",
    "aggTrade",
    "kline",
    "continuousKline",
    "ticker",
    "miniTicker",
    "bookTicker",
    "depth",
    "levels",  # depth5, depth10 and depth20
    "markPrice",
    "indexPrice",
    "forceOrder",
    "avgPrice",
    "window",  # ticker_1h, ticker_4h and ticker_1d
]
PERIODIC: Final = frozenset(
    {
        *("kline", "continuousKline", "ticker", "miniTicker", "depth", "levels"),
        *("avgPrice", "window"),
    }
)

LEVELS: Final = {"depth5": 5, "depth10": 10, "depth20": 20}
SPEEDS_MS: Final = {
    "0ms": 0,
    "100ms": 100,
    "250ms": 250,
    "500ms": 500,
    "1000ms": 1_000,
    "1s": 1_000,
    "3s": 3_000,
    "3000ms": 3_000,
}
SPOT_DEPTH_MS: Final = 1_000  # Where a name says no speed.
FUTURES_DEPTH_MS: Final = 250
KLINE_MS: Final = 250
TICKER_MS: Final = 1_000
MARK_MS: Final = 3_000

# Topics that say their speed, or nothing, behind another @.
PACED: Final = frozenset({"depth", "levels", "markPrice", "indexPrice"})
_FUTURES_ONLY: Final = frozenset({"continuousKline", "markPrice", "indexPrice", "forceOrder"})
_SPOT_ONLY: Final = frozenset({"avgPrice", "window"})
_WINDOWS: Final = {f"ticker_{window}": window for window in WINDOWS_MS}
OF_ONE: Final[dict[str, Topic]] = {
    "trade": "trade",
    "aggTrade": "aggTrade",
    "ticker": "ticker",
    "miniTicker": "miniTicker",
    "bookTicker": "bookTicker",
    "depth": "depth",
    **dict.fromkeys(LEVELS, "levels"),
    "markPrice": "markPrice",
    "indexPrice": "indexPrice",
    "forceOrder": "forceOrder",
    "avgPrice": "avgPrice",
    **dict.fromkeys(_WINDOWS, "window"),
}
OF_ALL: Final[dict[str, Topic]] = {
    "!ticker": "ticker",
    "!miniTicker": "miniTicker",
    "!bookTicker": "bookTicker",
    "!markPrice": "markPrice",
    "!forceOrder": "forceOrder",
    **dict.fromkeys((f"!{name}" for name in _WINDOWS), "window"),
}
# These tell all that changed as one list; the other streams of all symbols tell one at a time.
_ARRAYS: Final = frozenset({"ticker", "miniTicker", "markPrice", "window"})
CANDLES: Final = ("kline", "continuousKline")
_CANDLE: Final = re.compile(rf"({'|'.join(CANDLES)})_(\w+)")


class Spec(NamedTuple):
    """What a market stream tells: a topic of symbols of the venue, how often, how much."""

    topic: Topic
    symbols: tuple[str, ...]
    every_ms: int = 0  # 0: as it happens.
    interval: str = ""  # Of candles, or of a ticker's window.
    levels: int = 0  # Of a book, a side.
    array: bool = False
    by_pair: bool = False  # Named after a pair, so that its payload is too.


class Opening(NamedTuple):
    """What the path of a socket says: whose streams, which from the start, wrapped or raw."""

    product: Product
    combined: bool
    names: tuple[str, ...]
    events: frozenset[str] | None = None  # Of an account, only these; None: all.


def spec_of(name: str, product: Product, symbols: Symbols) -> Spec | None:
    """What a name tells; None for one that no market stream of the product has."""
    head, _, rest = name.partition("@")
    if head.startswith("!"):
        return _of_all(head, rest, product, symbols)
    told, _, speed = rest.partition("@")
    candle = _CANDLE.fullmatch(told)
    if candle is not None:
        return None if speed else _candles(head, candle[1], candle[2], product, symbols)
    topic = OF_ONE.get(told)
    if topic is None or not _has(product, topic):
        return None
    if speed and (topic not in PACED or speed not in SPEEDS_MS):
        return None
    by_pair = product == "cm" and topic in {"markPrice", "indexPrice"}
    symbol = _symbol(head, product, symbols)
    if topic == "indexPrice" or (symbol is None and by_pair):
        symbol, named_by_pair = _symbol_of_pair(head, product, symbols), True
    else:
        named_by_pair = False
    if symbol is None or (topic == "indexPrice" and product != "cm"):
        return None
    every_ms = SPEEDS_MS[speed] if speed else _pace(topic, product)
    array = named_by_pair and topic == "markPrice"
    window = _WINDOWS.get(told, "")
    return Spec(topic, (symbol,), every_ms, window, LEVELS.get(told, 0), array, named_by_pair)


def _has(product: Product, topic: Topic) -> bool:
    return topic not in (_FUTURES_ONLY if product == "spot" else _SPOT_ONLY)


def _of_all(head: str, rest: str, product: Product, symbols: Symbols) -> Spec | None:
    topic = OF_ALL.get(head)
    if topic is None or not _has(product, topic):
        return None
    shape, _, speed = rest.partition("@")
    if shape != ("" if topic == "bookTicker" else "arr") or (speed and speed not in SPEEDS_MS):
        return None
    every_ms = SPEEDS_MS[speed] if speed else _pace(topic, product)
    everything = tuple(instrument.symbol for instrument in symbols.all(product))
    window = _WINDOWS.get(head.removeprefix("!"), "")
    return Spec(topic, everything, every_ms, window, array=topic in _ARRAYS)


def _candles(
    head: str, topic: str, interval: str, product: Product, symbols: Symbols
) -> Spec | None:
    if not has_candles(interval, product):
        return None
    if topic == "kline":
        symbol = _symbol(head, product, symbols)
        return None if symbol is None else Spec("kline", (symbol,), KLINE_MS, interval)
    pair, _, contract = head.rpartition("_")
    symbol = _symbol_of_pair(pair, product, symbols)
    if product == "spot" or contract.lower() != "perpetual" or symbol is None:
        return None
    return Spec("continuousKline", (symbol,), KLINE_MS, interval, by_pair=True)


def _pace(topic: Topic, product: Product) -> int:
    if topic in {"depth", "levels"}:
        return SPOT_DEPTH_MS if product == "spot" else FUTURES_DEPTH_MS
    if topic in {"markPrice", "indexPrice"}:
        return MARK_MS
    return TICKER_MS if topic in PERIODIC else 0


def _symbol(name: str, product: Product, symbols: Symbols) -> str | None:
    found = symbols.find(product, name)
    return None if found is None else found.symbol


def _symbol_of_pair(pair: str, product: Product, symbols: Symbols) -> str | None:
    name = pair.upper()
    found = symbols.find(product, f"{name}_PERP" if product == "cm" else name)
    return None if found is None else found.symbol


_CATEGORIES: Final = frozenset({"public", "market", "private"})


def is_stream_path(path: str) -> bool:
    """Whether a path is one of these sockets'."""
    return opening_of(path, {}) is not None


def opening_of(path: str, query: Mapping[str, str], home: Product | None = None) -> Opening | None:
    """What a path and its query open; None where there is no socket at it.

    A path without a prefix is of the product whose `home` the port is; on a port of all it is
    of spot, and below a category of USD-M. A token that names no stream is kept: it stays
    silent, unless it is a listenKey.
    """
    parts = path.split("/")[1:]
    product: Product = home or "spot"
    if parts and parts[0] in {"um", "cm"}:
        product = home = "um" if parts[0] == "um" else "cm"
        parts = parts[1:]
    if parts and parts[0] in _CATEGORIES:
        product = home or "um"
        parts = parts[1:]
    if not parts or parts[0] not in {"ws", "stream"}:
        return None
    combined = parts[0] == "stream"
    if combined and parts[1:2] == ["ws"]:
        parts, combined = parts[1:], False  # What clients take for spot by the word in the path.
    elif combined and len(parts) > 1 and any(parts[1:]):
        return None
    names = [*parts[1:], *query.get("streams", "").split("/"), query.get("listenKey", "")]
    wanted = query.get("events", "")
    return Opening(
        product,
        combined,
        tuple(dict.fromkeys(name for name in names if name)),
        frozenset(wanted.split("/")) if wanted else None,
    )
