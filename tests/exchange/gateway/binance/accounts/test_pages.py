"""Pages of an account's history, newest first."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.accounts.pages import page, span
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.params import Params


def call(**fields: str) -> Call:
    """A call that is nothing but its parameters."""
    return Call(dialect=None, api="sapi", params=Params(fields.items()))  # type: ignore[arg-type]


def test_a_page_is_of_the_newest_rows_and_tells_how_many_there_are() -> None:
    assert page(call(), list(range(12))) == {"total": 12, "rows": list(range(11, 1, -1))}
    assert page(call(current="2"), list(range(12)))["rows"] == [1, 0]
    assert page(call(current="3"), list(range(12)))["rows"] == []
    assert page(call(size="3", current="2"), list(range(12)))["rows"] == [8, 7, 6]


def test_a_page_has_a_hundred_rows_at_most() -> None:
    assert len(page(call(size="5000"), list(range(300)))["rows"]) == 100


@pytest.mark.parametrize("fields", [{"size": "0"}, {"current": "0"}, {"current": "-1"}])
def test_there_is_no_page_before_the_first(fields: dict[str, str]) -> None:
    with pytest.raises(BinanceError) as caught:
        page(call(**fields), [])
    assert caught.value.code == -1130


def test_the_span_is_the_times_that_were_sent() -> None:
    part = span(call(startTime="5", endTime="9"))
    assert (part.from_ms, part.to_ms) == (5, 9)
    assert not span(call()).is_oldest
