"""A request is read as it was sent, so that what was signed can be found again."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.ws_api.frames import (
    BadFrame,
    refusal,
    request_of,
    signed_messages,
)


def test_values_are_the_texts_they_were_sent_as() -> None:
    request = request_of(b'{"id":1,"method":"m","params":{"b":0.10,"a":"1e-2","c":true,"d":null}}')
    assert request.texts == {"b": "0.10", "a": "1e-2", "c": "true", "d": ""}
    assert next(signed_messages(request.texts)) == b"a=1e-2&b=0.10&c=true&d="


def test_a_signature_may_stand_over_encoded_values() -> None:
    request = request_of('{"id":1,"method":"m","params":{"x":"a b/ü","signature":"s"}}')
    assert list(signed_messages(request.texts)) == [
        "x=a b/ü".encode(),
        b"x=a+b%2F%C3%BC",
        b"x=a%20b%2F%C3%BC",
    ]


@pytest.mark.parametrize(
    ("frame", "id_"),
    [
        ('{"id":3,"method":5}', b"3"),
        ('{"id":3}', b"3"),
        ('{"id":"a","method":"m","params":7}', b'"a"'),
        ('{"id":1.5,"method":"m"}', b"null"),
        ('{"id":"' + "x" * 200 + '","method":"m"}', b"null"),
        ("[" * 100_000, b"null"),
        (b"\xff", b"null"),
    ],
)
def test_a_bad_frame_keeps_the_id_an_answer_can_carry(frame: str | bytes, id_: bytes) -> None:
    with pytest.raises(BadFrame) as bad:
        request_of(frame)
    assert bad.value.id == id_


def test_a_binary_frame_is_no_request() -> None:
    with pytest.raises(BadFrame):
        request_of(b'{"id":1,"method":"ping"}', binary=True)


def test_a_refusal_over_a_limit_says_when_to_come_back() -> None:
    error = BinanceError(-1003, "Too many requests.", status=429)
    error.retry_s = 5
    assert refusal(b"1", error, None, 1_000) == (
        b'{"id":1,"status":429,"error":{"code":-1003,"msg":"Too many requests.",'
        b'"data":{"serverTime":1000,"retryAfter":6000}}}'
    )
