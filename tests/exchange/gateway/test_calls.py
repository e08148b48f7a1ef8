"""Refusals on their way to a client."""

from __future__ import annotations

from exchange.gateway.calls import STATUS, ApiError, refusal
from exchange.wire import ErrorSay
from matching.reasons import Reason


def test_a_reason_becomes_a_code_a_sentence_and_numbers() -> None:
    error = refusal(Reason.PRICE_NOT_ON_TICK, "as in 0.5", tick="0.1")
    assert error.say() == ErrorSay(
        code="PRICE_NOT_ON_TICK",
        message="the price must be a multiple of the instrument's tick: as in 0.5",
        details={"tick": "0.1"},
    )
    assert error.http_status == 400


def test_what_is_wrong_with_the_caller_is_no_bad_request() -> None:
    assert refusal(Reason.BAD_SIGNATURE).http_status == 401
    assert refusal(Reason.PERMISSION_DENIED).http_status == 403
    assert refusal(Reason.UNKNOWN_ORDER).http_status == 404
    assert refusal(Reason.REPLAYED).http_status == 409
    assert refusal(Reason.RATE_LIMITED).http_status == 429
    assert refusal(Reason.BUSY).http_status == 503
    assert all(400 < status < 600 for status in STATUS.values())


def test_an_error_says_itself_in_a_log() -> None:
    assert str(ApiError("NOT_FOUND", "there is nothing")) == "NOT_FOUND: there is nothing"
