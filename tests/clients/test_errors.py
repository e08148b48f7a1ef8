"""Tests of the clients' error."""

from clients.errors import PapertapeError
from exchange.wire import ErrorSay


def test_a_refusal_keeps_code_sentence_and_numbers() -> None:
    error = PapertapeError.of(ErrorSay("INSUFFICIENT_MARGIN", "too little", {"needed": "5"}))
    assert (error.code, error.message) == ("INSUFFICIENT_MARGIN", "too little")
    assert error.details == {"needed": "5"}
    assert str(error) == "INSUFFICIENT_MARGIN: too little"


def test_a_refusal_without_a_reason_says_so() -> None:
    assert PapertapeError.of(None).code == "MALFORMED_REPLY"
