"""The records of questions."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from exchange.gateway.native.asks import CandlesAsk, DepthAsk, IntervalName
from exchange.wire import INTERVALS_MS, BatchAsk, BatchItemSay, ErrorSay
from matching.limits import BATCH_ORDERS_MAX, DEPTH_LEVELS_MAX


def test_the_intervals_are_those_of_the_wire() -> None:
    assert list(get_args(IntervalName)) == list(INTERVALS_MS)


def test_a_batch_is_as_long_as_the_core_allows() -> None:
    schema = msgspec.json.schema(BatchAsk)["$defs"]["BatchAsk"]
    assert schema["properties"]["orders"]["maxItems"] == BATCH_ORDERS_MAX


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (DepthAsk, {"symbol": "BTC-USDT", "limit": DEPTH_LEVELS_MAX + 1}),
        (CandlesAsk, {"symbol": "BTC-USDT", "interval": "1w"}),
        (CandlesAsk, {"symbol": "BTC-USDT", "limit": 1_001}),
    ],
)
def test_a_question_has_bounds(kind: type, fields: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, kind)


def test_one_of_a_batch_says_a_result_or_an_error() -> None:
    item = BatchItemSay(ok=False, error=ErrorSay("X", "why"))
    assert msgspec.to_builtins(item) == {
        "ok": False,
        "error": {"code": "X", "message": "why", "details": {}},
    }
