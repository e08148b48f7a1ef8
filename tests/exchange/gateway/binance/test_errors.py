"""Refusals in Binance's words: the code, the text, the status."""

from __future__ import annotations

import re

from exchange.gateway.binance import errors
from exchange.gateway.binance.errors import BinanceError, refused, translated
from exchange.gateway.binance.routes import ROUTES
from exchange.gateway.calls import refusal
from matching.reasons import Reason


def test_a_blank_in_a_text_is_filled_in() -> None:
    error = refused(errors.MANDATORY, "symbol")
    told = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
    assert (error.status, error.body()) == (400, {"code": -1102, "msg": told})


def test_a_key_that_is_refused_is_401_and_what_goes_beside_is_told() -> None:
    assert refused(errors.KEY_FORMAT).status == refused(errors.KEY_REJECTED).status == 401
    error = BinanceError(-2022, "Order cancel-replace failed.", data={"cancelResult": "FAILURE"})
    assert error.body()["data"] == {"cancelResult": "FAILURE"}


def test_a_products_own_words_come_before_the_shared_ones() -> None:
    own = {Reason.UNKNOWN_SYMBOL: (-1, "mine")}
    assert translated(refusal(Reason.UNKNOWN_SYMBOL), own).code == -1
    assert translated(refusal(Reason.UNKNOWN_SYMBOL), {}).code == -1121


def test_a_reason_without_a_code_keeps_its_own_text() -> None:
    error = translated(refusal(Reason.LIST_ENDED), {})
    assert (error.code, error.msg, error.status) == (-1000, Reason.LIST_ENDED.value, 400)


def test_a_name_in_a_text_is_what_the_refusal_told_by_it() -> None:
    own = {Reason.NOTIONAL_TOO_SMALL: (-4164, "No smaller than {notional_min}.")}
    error = translated(refusal(Reason.NOTIONAL_TOO_SMALL, notional_min="5"), own)
    assert error.msg == "No smaller than 5."
    assert (
        translated(refusal(Reason.NOTIONAL_TOO_SMALL), own).msg == "No smaller than NOTIONAL_MIN."
    )


def test_every_text_of_every_route_can_be_filled_in() -> None:
    for route in ROUTES:
        for reason in route.refusals.keys() | errors.SHARED.keys():
            told = translated(refusal(reason), route.refusals)
            assert told.msg, (route.path, reason)
            assert "{" not in told.msg, (route.path, reason)


def test_every_text_begins_as_a_sentence_and_every_code_is_negative() -> None:
    for name, value in vars(errors).items():
        if name.isupper() and isinstance(value, tuple):
            code, text = value
            assert code < 0, name
            assert re.match(r"[A-Z].*|recvWindow.*", text), name
