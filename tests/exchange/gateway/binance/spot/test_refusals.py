"""Every refusal that an order can meet on spot has a code and a text of Binance's."""

from __future__ import annotations

import re

import pytest

from exchange.gateway.binance.errors import SHARED
from exchange.gateway.binance.spot.refusals import REFUSALS
from matching.reasons import Reason

# Bots match on these, word for word.
EXACT = {
    Reason.INSUFFICIENT_BALANCE: (-2010, "Account has insufficient balance for requested action."),
    Reason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.WOULD_TRIGGER: (-2010, "Stop price would trigger immediately."),
    Reason.DUPLICATE_ID: (-2010, "Duplicate order sent."),
    Reason.SYMBOL_NOT_TRADING: (-2010, "Market is closed."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.NOTIONAL_TOO_SMALL: (-1013, "Filter failure: NOTIONAL"),
    Reason.PERCENT_PRICE: (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Reason.BORROW_LIMIT: (-3006, "Your borrow amount has exceed maximum borrow amount."),
    Reason.INSUFFICIENT_INVENTORY: (-3045, "The system doesn't have enough asset now."),
}
FILTERS = {
    *("PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "NOTIONAL", "PERCENT_PRICE_BY_SIDE"),
    *("ICEBERG_PARTS", "TRAILING_DELTA", "MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS"),
    *("MAX_NUM_ICEBERG_ORDERS", "MAX_NUM_ORDER_AMENDS", "MAX_POSITION", "MAX_ASSET"),
    "MAX_NUM_ORDER_LISTS",
}


@pytest.mark.parametrize("reason", EXACT)
def test_the_texts_that_bots_match_on(reason: Reason) -> None:
    assert REFUSALS[reason] == EXACT[reason]


def test_every_filter_is_named_and_no_other() -> None:
    texts = (text for code, text in REFUSALS.values() if code == -1013)
    named = {text.removeprefix("Filter failure: ") for text in texts if "Filter" in text}
    assert named == FILTERS


def test_no_text_has_a_blank_left_and_no_reason_two_names() -> None:
    for code, text in REFUSALS.values():
        assert code < 0
        assert not re.search(r"\{\}", text)
    assert not REFUSALS.keys() & SHARED.keys()
