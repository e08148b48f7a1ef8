"""The names of channels, and pushes encoded once."""

from __future__ import annotations

import msgspec

from exchange.channels import Frame, public_channels
from exchange.wire import INTERVALS_MS, Push
from tests.exchange.events_by_hand import INSTRUMENTS


def test_every_symbol_has_its_channels_and_only_perpetuals_have_funding() -> None:
    channels = public_channels(INSTRUMENTS.values())
    spot = {name for name in channels if name.endswith(".BTC-USDT")}
    others = {"book", "bbo", "trades", "ticker", "mark"}
    assert spot == {f"{kind}.BTC-USDT" for kind in others} | {
        f"candles.{interval}.BTC-USDT" for interval in INTERVALS_MS
    }
    assert "funding.BTC-USDT-PERP" in channels
    assert {"liquidations", "status"} < set(channels)
    candle = channels["candles.4h.BTC-USDT-PERP"]
    assert (candle.kind, candle.interval, candle.symbol) == ("candles", "4h", "BTC-USDT-PERP")


def test_a_frame_is_encoded_once_in_each_form() -> None:
    frame = Frame(Push("orders", 5, 7, {"a": "1"}, prev=4))
    assert frame.of(False) is frame.of(False)
    assert frame.of(True) is frame.of(True)
    expected = {"ch": "orders", "seq": 5, "ts": 7, "data": {"a": "1"}, "prev": 4}
    assert msgspec.json.decode(frame.of(False)) == expected
    assert msgspec.msgpack.decode(frame.of(True)) == expected


def test_a_public_push_has_no_prev() -> None:
    assert b"prev" not in Frame(Push("status", 0, 7, {})).of(False)
