"""Tests of the WebSocket frames: requests, replies, pushes and the channels there are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.channels import public_channels
from exchange.wire import (
    INTERVALS_MS,
    PRIVATE_CHANNELS,
    PUBLIC_CHANNELS,
    VENUE_CHANNELS,
    ErrorSay,
    LoginAsk,
    Push,
    Reply,
    Request,
    ResumeAsk,
    SubscribeAsk,
)
from tests.story import small_venue


def text(record: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(record))


@pytest.mark.parametrize("number", [1, "a", 1.5, None])
def test_a_request_is_answered_under_the_id_it_came_with(number: Any) -> None:
    sent = {"id": number, "op": "order.place", "symbol": "BTC-USDT", "qty": "1"}
    request = msgspec.json.decode(msgspec.json.encode(sent), type=Request)
    assert (request.op, request.id) == ("order.place", number)
    reply = text(Reply(request.id, ok=True, result=[]))
    assert reply == {"id": number, "ok": True, "result": []}


@pytest.mark.parametrize("wrong", [{}, {"op": 1}, {"op": "x" * 41}, {"op": "a", "id": [1]}])
def test_what_has_no_operation_or_no_simple_id_is_no_request(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Request)


def test_a_refusal_says_why_and_has_no_result() -> None:
    error = ErrorSay("UNKNOWN_SYMBOL", "there is no instrument of that name", {"given": "X"})
    reply = text(Reply(1, ok=False, error=error))
    assert reply.keys() == {"id", "ok", "error"}
    assert reply["error"] == {
        "code": "UNKNOWN_SYMBOL",
        "message": "there is no instrument of that name",
        "details": {"given": "X"},
    }


def test_a_numbered_push_names_the_one_before_it_and_a_public_one_does_not() -> None:
    private = Push("orders", 8, 1_000, {}, prev=7)
    public = Push("trades.BTC-USDT", 8, 1_000, {})
    assert text(private) == {"ch": "orders", "seq": 8, "ts": 1_000, "data": {}, "prev": 7}
    assert text(public) == {"ch": "trades.BTC-USDT", "seq": 8, "ts": 1_000, "data": {}}
    # The first there is comes behind number 0, which is said too.
    assert text(Push("orders", 1, 1_000, {}, prev=0))["prev"] == 0


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (LoginAsk, {"key": "k", "timestamp": 1, "signature": "s", "window": 0}),
        (LoginAsk, {"key": "k", "timestamp": 1, "signature": "s", "window": 60_001}),
        (LoginAsk, {"key": "k", "timestamp": -1, "signature": "s"}),
        (LoginAsk, {"key": "k" * 129, "timestamp": 1, "signature": "s"}),
        (SubscribeAsk, {"channels": []}),
        (SubscribeAsk, {"channels": ["status"] * 201}),
        (SubscribeAsk, {"channels": ["x" * 61]}),
        (SubscribeAsk, {"channels": "status"}),
        (ResumeAsk, {"last_seq": -1}),
        (ResumeAsk, {"last_seq": 1, "from": 2}),
    ],
)
def test_a_question_of_the_stream_has_bounds(kind: type, fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, kind)


def test_a_login_without_a_window_has_five_seconds() -> None:
    asked = msgspec.convert({"key": "k", "timestamp": 1, "signature": "s"}, LoginAsk)
    assert asked.window == 5_000


def test_every_public_channel_of_the_venue_can_be_subscribed_to() -> None:
    names = list(public_channels(small_venue().instruments))
    for start in range(0, len(names), 200):
        msgspec.convert({"channels": names[start : start + 200]}, SubscribeAsk)
    assert {name.partition(".")[0] for name in names} == {*PUBLIC_CHANNELS, *VENUE_CHANNELS}


def test_no_channel_has_two_meanings() -> None:
    channels = [*PUBLIC_CHANNELS, *VENUE_CHANNELS, *PRIVATE_CHANNELS]
    assert len(set(channels)) == len(channels)


def test_an_interval_is_as_long_as_it_is_called() -> None:
    unit_ms = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
    for name, length_ms in INTERVALS_MS.items():
        assert length_ms == int(name[:-1]) * unit_ms[name[-1]]
        assert unit_ms["d"] % length_ms == 0  # Candles of a day end with it.
    assert list(INTERVALS_MS.values()) == sorted(INTERVALS_MS.values())
