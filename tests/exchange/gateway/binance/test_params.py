"""Parameters as clients send them: in either case, from query, body or frame."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.params import Params, as_text


def of(**fields: str) -> Params:
    return Params(fields.items())


def test_query_and_body_are_one_and_the_first_of_a_name_counts() -> None:
    params = Params.of_request("symbol=BTCUSDT&side=", "symbol=ETHUSDT&quantity=1%2E5")
    assert (params.get("SYMBOL"), params.get("quantity")) == ("BTCUSDT", "1.5")
    assert not params.has("side")
    assert params.get("side", "BUY") == "BUY"


@pytest.mark.parametrize("text", ["", "1.5", "x", "--1", "1" * 20, "\u0663"])
def test_what_is_no_whole_number_is_malformed(text: str) -> None:
    with pytest.raises(BinanceError, match="-1102"):
        of(limit=text).need_integer("limit")


def test_whole_numbers_flags_and_limits_are_read() -> None:
    params = of(a="-7", yes="True", no="FALSE", limit="5000")
    assert params.integer("a") == -7
    assert params.integer("b", 3) == 3
    assert params.flag("yes")
    assert not params.flag("no")
    assert params.flag("none", default=True)
    assert params.limit(500, 1_000) == 1_000
    assert of().limit(500, 1_000) == 500


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda p: p.flag("word"), -1102),
        (lambda p: p.choice("word", ("BUY",)), -1130),
        (lambda p: p.limit(1, 2), -1130),
        (lambda p: p.array("word"), -1102),
        (lambda p: p.array("object"), -1102),
        (lambda p: p.need("nothing"), -1102),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(ask: Any, code: int) -> None:
    params = of(word="maybe", limit="0", object="{}")
    with pytest.raises(BinanceError, match=str(code)):
        ask(params)


def test_arrays_are_json_and_frames_keep_the_text_of_their_values() -> None:
    assert of(symbols='["A","B"]').array("symbols") == ["A", "B"]
    assert of().array("symbols") == []
    frame = Params.of_frame({"quantity": 0.01, "flag": True, "ids": [1, 2], "symbol": "BTCUSDT"})
    assert frame.get("quantity") == "0.01"
    assert frame.flag("flag")
    assert frame.array("ids") == [1, 2]
    assert as_text(None) == ""


def test_what_nobody_asked_for_is_counted() -> None:
    params = Params.of_request("symbol=BTCUSDT&Limit=5&foo=1&recvWindow=9", "strategyId=7")
    params.get("symbol")
    # Read: symbol; by the door: recvWindow; what says nothing here: strategyId.
    said = "read '3' parameter.s. but was sent '5'"
    with pytest.raises(BinanceError, match=f"-1104: Not all sent parameters were read; {said}"):
        params.refuse_unread()
    assert params.has("foo")
    params.limit(1, 10)
    params.refuse_unread()


def test_a_name_that_is_sent_twice_is_noticed_in_any_case() -> None:
    Params.of_request("symbol=A", "side=BUY").refuse_repeated()
    with pytest.raises(BinanceError, match="-1101: Duplicate values for a parameter detected"):
        Params.of_request("symbol=A", "Symbol=A").refuse_repeated()
