"""Limit and market orders, icebergs, amendments and cancellations agree with their twin (S1-S9)."""

from __future__ import annotations

import pytest

from tests.twin.lives import AMEND, TRADE, at_least, lives

EXPECTED = {
    "commands": 10_000,
    "PlaceOrder": 4_000,
    "AmendOrder": 800,
    "CancelOrder": 300,
    "CancelReplace": 300,
    "CancelAll": 100,
    "SetCountdown": 100,
    "trade": 700,
    "fill": 1_400,
    "order accepted": 1_200,
    "order filled": 1_000,
    "order cancelled": 700,
    "order amended": 100,
    "order rejected": 40,
    **dict.fromkeys(("order LIMIT", "order BUY", "order SELL", "order GTC"), 2_000),
    **dict.fromkeys(("order MARKET", "order IOC", "order FOK", "order GTD"), 150),
    **dict.fromkeys(("order EXPIRED_IN_MATCH", "order SELF_TRADE"), 100),
    **dict.fromkeys(("order FOK_UNFILLABLE", "order NO_LIQUIDITY", "answer UNKNOWN_ORDER"), 100),
    **dict.fromkeys(("answer NOTIONAL_TOO_SMALL", "answer REDUCE_ONLY_WOULD_INCREASE"), 100),
    **dict.fromkeys(("order EXPIRED_BY_TIME", "answer ICEBERG_PARTS", "answer WOULD_TAKE"), 40),
    **dict.fromkeys(("answer MARKET_QTY_OUT_OF_RANGE", "answer CANCEL_REPLACE_STOPPED"), 40),
    **dict.fromkeys(("order EXECUTION_PRICE_RANGE", "answer AMOUNT_BELOW_ONE_LOT"), 15),
    **dict.fromkeys(("order REDUCE_ONLY_TRIMMED", "answer NOTHING_TO_AMEND"), 15),
    **dict.fromkeys(("answer ICEBERG_NOT_GTC", "answer QTY_OUT_OF_RANGE", "answer MAX_ASSET"), 10),
    **dict.fromkeys(("answer EXPIRY_IN_PAST", "answer EXPIRY_MISSING"), 10),
    **dict.fromkeys(("answer NO_MARK_PRICE", "answer PRICE_NOT_ALLOWED"), 10),
    **dict.fromkeys(("answer PERCENT_PRICE", "answer PRICE_BAND", "answer AMEND_BELOW_FILLED"), 4),
    **dict.fromkeys(("answer NOTIONAL_TOO_LARGE", "answer PRICE_OUT_OF_RANGE"), 3),
    **dict.fromkeys(("answer QTY_MISSING", "answer PRICE_MISSING", "order CANCEL_ALL_AFTER"), 1),
}


@pytest.mark.timeout(0)
def test_s1_s9_ten_thousand_commands_about_orders_are_told_as_the_twin_tells_them() -> None:
    at_least(lives(0, 10_000, TRADE | AMEND), EXPECTED)
