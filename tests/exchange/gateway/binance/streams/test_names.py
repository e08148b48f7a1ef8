"""Names of streams and paths of sockets."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.streams.names import (
    Opening,
    Spec,
    is_stream_path,
    opening_of,
    spec_of,
)
from exchange.gateway.binance.symbols import Product
from tests.exchange.events_by_hand import PERP, SPOT
from tests.exchange.gateway.binance.streams.listening import COIN, SYMBOLS

S, P, C = (SPOT.symbol,), (PERP.symbol,), (COIN.symbol,)


@pytest.mark.parametrize(
    ("product", "name", "spec"),
    [
        ("spot", "btcusdt@trade", Spec("trade", S)),
        ("spot", "BTCUSDT@aggTrade", Spec("aggTrade", S)),
        ("spot", "btcusdt@kline_1m", Spec("kline", S, 250, "1m")),
        ("spot", "btcusdt@kline_1s", Spec("kline", S, 250, "1s")),
        ("spot", "btcusdt@kline_1M", Spec("kline", S, 250, "1M")),
        ("spot", "btcusdt@ticker", Spec("ticker", S, 1_000)),
        ("spot", "btcusdt@bookTicker", Spec("bookTicker", S)),
        ("spot", "btcusdt@depth", Spec("depth", S, 1_000)),
        ("spot", "btcusdt@depth@100ms", Spec("depth", S, 100)),
        ("spot", "btcusdt@depth20@100ms", Spec("levels", S, 100, "", 20)),
        ("spot", "!miniTicker@arr@1000ms", Spec("miniTicker", S, 1_000, array=True)),
        ("um", "btcusdt@depth", Spec("depth", P, 250)),
        ("um", "btcusdt@depth@0ms", Spec("depth", P)),
        ("um", "btcusdt@markPrice", Spec("markPrice", P, 3_000)),
        ("um", "!markPrice@arr@1s", Spec("markPrice", P, 1_000, array=True)),
        ("um", "!bookTicker", Spec("bookTicker", P)),
        ("um", "!forceOrder@arr", Spec("forceOrder", P)),
        (
            "um",
            "btcusdt_perpetual@continuousKline_1h",
            Spec("continuousKline", P, 250, "1h", by_pair=True),
        ),
        ("cm", "btcusd_perp@markPrice@1s", Spec("markPrice", C, 1_000)),
        ("cm", "btcusd@markPrice", Spec("markPrice", C, 3_000, array=True, by_pair=True)),
        ("cm", "btcusd@indexPrice@1s", Spec("indexPrice", C, 1_000, by_pair=True)),
    ],
)
def test_a_name_says_what_it_tells(product: Product, name: str, spec: Spec) -> None:
    assert spec_of(name, product, SYMBOLS) == spec


@pytest.mark.parametrize(
    ("product", "name"),
    [
        ("spot", "0"),
        ("spot", ""),
        ("spot", "@"),
        ("spot", "btcusdt"),
        ("spot", "dogeusdt@trade"),
        ("spot", "btcusdt@nothing"),
        ("spot", "btcusdt@trade@100ms"),
        ("spot", "btcusdt@depth@7ms"),
        ("spot", "btcusdt@depth7"),
        ("spot", "btcusdt@kline_7m"),
        ("um", "btcusdt@kline_1s"),
        ("spot", "btcusdt@kline_1m@100ms"),
        ("spot", "btcusdt@markPrice"),
        ("spot", "btcusdt_perpetual@continuousKline_1m"),
        ("spot", "!forceOrder@arr"),
        ("spot", "!ticker"),
        ("spot", "!trade@arr"),
        ("um", "btcusdt@indexPrice"),
        ("um", "btcusdt@avgPrice"),
        ("um", "!ticker_1h@arr"),
        ("spot", "btcusdt@ticker_2h"),
        ("um", "btcusdt_quarter@continuousKline_1m"),
        ("um", "!markPrice@arr@9s"),
        ("cm", "btcusdt@trade"),
    ],
)
def test_what_no_stream_is_named_is_none(product: Product, name: str) -> None:
    assert spec_of(name, product, SYMBOLS) is None


@pytest.mark.parametrize(
    ("path", "query", "opening"),
    [
        ("/ws", {}, Opening("spot", False, ())),
        ("/ws/", {}, Opening("spot", False, ())),
        ("/ws/a@trade/b@trade", {}, Opening("spot", False, ("a@trade", "b@trade"))),
        ("/stream", {"streams": "a/b/a"}, Opening("spot", True, ("a", "b"))),
        ("/stream/ws", {}, Opening("spot", False, ())),
        ("/stream/ws/0", {}, Opening("spot", False, ("0",))),
        ("/um/ws/0", {}, Opening("um", False, ("0",))),
        ("/um/market/stream", {"streams": "a"}, Opening("um", True, ("a",))),
        ("/cm/stream", {"streams": "a"}, Opening("cm", True, ("a",))),
        ("/cm/public/ws", {}, Opening("cm", False, ())),
        ("/public/ws/a", {}, Opening("um", False, ("a",))),
        (
            "/private/ws",
            {"listenKey": "K", "events": "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE"},
            Opening("um", False, ("K",), frozenset({"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"})),
        ),
    ],
)
def test_a_path_says_what_it_opens(path: str, query: dict[str, str], opening: Opening) -> None:
    assert opening_of(path, query) == opening
    assert is_stream_path(path)


@pytest.mark.parametrize(
    ("path", "home", "product"),
    [
        ("/ws", "um", "um"),
        ("/stream", "cm", "cm"),
        ("/public/ws", "cm", "cm"),
        ("/market/stream", "spot", "spot"),
        ("/um/ws", "spot", "um"),
        ("/cm/private/ws", "um", "cm"),
    ],
)
def test_on_a_products_own_port_a_path_needs_no_prefix(
    path: str, home: Product, product: Product
) -> None:
    opening = opening_of(path, {}, home)
    assert opening is not None
    assert opening.product == product


@pytest.mark.parametrize(
    "path", ["*", "/", "/um", "/um/", "/cm/v1", "/stream/a@trade", "/streams", "/wss", "/v1/ws"]
)
def test_other_paths_open_none(path: str) -> None:
    assert not is_stream_path(path)
