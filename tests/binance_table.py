"""What of Binance's wire is served, from the tables of routes, methods and streams.

`python -m tests.binance_table` writes the last part of docs/connect.md anew.
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from exchange.gateway.binance.calls import PRODUCTS
from exchange.gateway.binance.intervals import FOLDED, LENGTHS_MS, has_candles
from exchange.gateway.binance.routes import BY_METHOD, ROUTES
from exchange.gateway.binance.streams.names import (
    CANDLES,
    OF_ALL,
    OF_ONE,
    PACED,
    SPEEDS_MS,
    spec_of,
)
from exchange.gateway.binance.streams.session import METHODS
from exchange.gateway.binance.symbols import Product, Symbols
from exchange.gateway.binance.ws_api.door import APIS
from exchange.gateway.binance.ws_api.session import ApiSession
from tests.exchange.gateway.binance.streams.listening import INSTRUMENTS

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "connect.md"
BEGIN: Final = "<!-- Written from here on by `python -m tests.binance_table`. -->\n"
SECURITY: Final = {
    "N": "",
    "K": "key",
    "S": "key",
    "U": "signed",
    "T": "signed, trade",
    "M": "signed, transfer",
}
HEADS: Final[dict[Product, str]] = {"spot": "btcusdt", "um": "btcusdt", "cm": "btcusd_perp"}
PAIRS: Final[dict[Product, str]] = {"spot": "btcusdt", "um": "btcusdt", "cm": "btcusd"}
SYMBOLS: Final = Symbols(INSTRUMENTS)
NAMES: Final[dict[Product, str]] = {"spot": "spot", "um": "USD-M", "cm": "COIN-M"}


def endpoints() -> list[str]:
    """A row for each address, with its verbs and its WebSocket methods."""
    rows: dict[str, list[str]] = defaultdict(list)
    methods: dict[str, set[str]] = defaultdict(set)
    needs: dict[str, set[str]] = defaultdict(set)
    for route in ROUTES:
        rows[route.path].append(route.verb)
        needs[route.path].add(SECURITY[route.security])
        if route.method:
            methods[route.path].add(f"`{route.method}`")
    lines = ["", "| address | | needs | WebSocket API |", "|---|---|---|---|"]
    for path in sorted(rows):
        verbs, need = ", ".join(sorted(rows[path])), "; ".join(sorted(needs[path] - {""}))
        lines.append(f"| `{path}` | {verbs} | {need} | {', '.join(sorted(methods[path]))} |")
    return lines


def methods_of_websockets() -> list[str]:
    """A row for each method of the WebSocket APIs, and which of them have it."""
    own = re.findall(r'"((?:session|userDataStream)\.[\w.]+)": self', inspect.getsource(ApiSession))
    assert own, "the session has methods of its own"
    have: dict[str, set[Product]] = {name: set(NAMES) for name in own}
    for api, method in BY_METHOD:
        have.setdefault(method, set()).add(PRODUCTS[api])
    served = [f"`{path}` is {NAMES[PRODUCTS[api]]}'s" for path, api in APIS.items()]
    said = ["", "### Methods of the WebSocket API", "", ", ".join(served) + ".", ""]
    return [*said, *_by_product("method", have)]


def streams() -> list[str]:
    """A row for each stream, and which products have it."""
    have: dict[str, set[Product]] = defaultdict(set)
    for product, head in HEADS.items():
        for told in OF_ONE:
            if spec_of(f"{head}@{told}", product, SYMBOLS):
                have[f"<symbol>@{told}{_speeds(told)}"].add(product)
            if head != PAIRS[product] and spec_of(f"{PAIRS[product]}@{told}", product, SYMBOLS):
                have[f"<pair>@{told}{_speeds(told)}"].add(product)
        for name in OF_ALL:
            for shape in ("", "@arr"):
                if spec_of(name + shape, product, SYMBOLS):
                    have[name + shape + ("[@<speed>]" if shape else "")].add(product)
        named = (head, "<symbol>"), (f"{PAIRS[product]}_perpetual", "<pair>_perpetual")
        for topic, (example, shown) in zip(CANDLES, named, strict=True):
            if spec_of(f"{example}@{topic}_1m", product, SYMBOLS):
                have[f"{shown}@{topic}_<interval>"].add(product)
    intervals = ", ".join(f"`{name}`" for name in (*LENGTHS_MS, *FOLDED))
    seconds = [name for name in LENGTHS_MS if not has_candles(name, "um")]
    assert seconds == ["1s"], "the line below says so"
    return [
        "",
        "### Streams",
        "",
        f"Intervals: {intervals}; seconds on spot alone. Speeds, where a stream may name one:",
        ", ".join(f"`@{speed}`" for speed in SPEEDS_MS) + ". Requests on a socket:",
        ", ".join(f"`{method}`" for method in METHODS) + ".",
        "",
        *_by_product("stream", have),
    ]


def _speeds(told: str) -> str:
    return "[@<speed>]" if OF_ONE[told] in PACED else ""


def _by_product(what: str, have: Mapping[str, Iterable[Product]]) -> list[str]:
    lines = [f"| {what} | {' | '.join(NAMES.values())} |", "|---|---|---|---|"]
    for name in sorted(have, key=str.lower):
        marks = ("yes" if product in have[name] else "" for product in NAMES)
        lines.append(f"| `{name}` | {' | '.join(marks)} |")
    return lines


def written() -> str:
    """The page's last part."""
    return "\n".join([*endpoints(), *methods_of_websockets(), *streams()]) + "\n"


def page() -> str:
    """The whole page as it should be."""
    kept = PAGE.read_text("utf-8").partition(BEGIN)[0]
    return kept + BEGIN + written()


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
