"""Events of accounts among the streams: resolved once, pushed by key, filtered, ended."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.gateway.binance.streams.outbox import Outbox
from exchange.gateway.binance.streams.private import PrivateStreams
from exchange.gateway.binance.symbols import Product

ACCOUNT = 100


def streams() -> PrivateStreams:
    """Where "key" and "other" are spot keys of one account."""
    private = PrivateStreams()

    def resolve(product: Product, key: str) -> int | None:
        return ACCOUNT if product == "spot" and key in {"key", "other"} else None

    private.resolver = resolve
    return private


def heard(outbox: Outbox) -> list[Any]:
    return [msgspec.json.decode(frame) for frame in outbox.drain()]


def test_an_event_comes_to_all_that_hold_its_key_and_to_nobody_else() -> None:
    private = streams()
    one, two, three = (Outbox(lambda: None, combined=number == 1) for number in range(3))
    private.hold(one, "spot", "key")
    private.hold(two, "spot", "key")
    private.hold(three, "spot", "other")
    private.push("key", {"e": "balanceUpdate", "a": "BTC"})
    assert heard(one) == [{"e": "balanceUpdate", "a": "BTC"}]
    assert heard(two) == [{"stream": "key", "data": {"e": "balanceUpdate", "a": "BTC"}}]
    assert heard(three) == []
    assert private.keys_of(ACCOUNT) == {"key": "spot", "other": "spot"}


def test_a_name_that_does_not_resolve_is_silent() -> None:
    private = streams()
    outbox = Outbox(lambda: None)
    private.hold(outbox, "um", "key")
    private.hold(outbox, "spot", "nobody")
    PrivateStreams().hold(outbox, "spot", "key")  # Where nobody gives keys out.
    private.push("key", {"e": "balanceUpdate"})
    private.drop(outbox, "nobody")
    assert heard(outbox) == []
    assert not private.is_held("key")
    assert private.keys_of(ACCOUNT) == {}


def test_a_reader_may_ask_for_some_events_only() -> None:
    private = streams()
    outbox = Outbox(lambda: None)
    outbox.events = frozenset({"executionReport"})
    private.hold(outbox, "spot", "key")
    private.push("key", {"e": "balanceUpdate"})
    private.push("key", {"e": "executionReport"})
    assert heard(outbox) == [{"e": "executionReport"}]


def test_the_last_reader_gone_nothing_is_held() -> None:
    private = streams()
    one, two = Outbox(lambda: None), Outbox(lambda: None)
    private.hold(one, "spot", "key")
    private.hold(two, "spot", "key")
    private.drop(one, "key")
    assert private.is_held("key")
    private.drop(two, "key")
    assert not private.is_held("key")
    assert private.keys_of(ACCOUNT) == {}


def test_a_key_that_has_ended_tells_no_more() -> None:
    private = streams()
    outbox = Outbox(lambda: None)
    private.hold(outbox, "spot", "key")
    private.push("key", {"e": "listenKeyExpired"})
    private.end("key")
    private.end("key")
    private.push("key", {"e": "executionReport"})
    assert heard(outbox) == [{"e": "listenKeyExpired"}]
    private.drop(outbox, "key")
    assert private.keys_of(ACCOUNT) == {}
