"""Every reason that an order on futures may be refused for has a code of its own."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.errors import SHARED
from exchange.gateway.binance.futures import refusals
from matching.reasons import Reason

# What a futures order can be refused for that the door has not refused before.
OF_ORDERS = (
    Reason.SYMBOL_NOT_TRADING,
    Reason.PRICE_OUT_OF_RANGE,
    Reason.MARKET_QTY_OUT_OF_RANGE,
    Reason.NOTIONAL_TOO_SMALL,
    Reason.NOTIONAL_TOO_LARGE,
    Reason.PERCENT_PRICE,
    Reason.PRICE_BAND,
    Reason.TRAILING_DELTA,
    Reason.MAX_ORDERS,
    Reason.MAX_ALGO_ORDERS,
    Reason.WOULD_TAKE,
    Reason.WOULD_TRIGGER,
    Reason.CLOSE_POSITION_WAITS,
    Reason.INSUFFICIENT_MARGIN,
    Reason.BRACKET_EXCEEDED,
    Reason.REDUCE_ONLY_WOULD_INCREASE,
    Reason.POSITION_SIDE_MISMATCH,
    Reason.ACCOUNT_LIQUIDATING,
    Reason.NO_MARK_PRICE,
    Reason.DUPLICATE_ID,
    Reason.UNKNOWN_ORDER,
    Reason.NOTHING_TO_AMEND,
)


@pytest.mark.parametrize("reason", OF_ORDERS)
def test_a_reason_has_a_code(reason: Reason) -> None:
    code, text = refusals.ORDERS.get(reason) or SHARED[reason]
    assert code < -1000
    assert text


def test_a_mode_is_refused_in_its_own_words() -> None:
    """Open orders keep the margin type with -4047, and the position mode with -4067."""
    assert refusals.MARGIN_TYPE[Reason.ORDERS_OPEN][0] == -4047
    assert refusals.POSITION_MODE[Reason.ORDERS_OPEN][0] == -4067
    assert refusals.MARGIN_TYPE[Reason.POSITION_OPEN][0] == -4048
    assert refusals.POSITION_MODE[Reason.POSITION_OPEN][0] == -4068
