"""Stops, take-profits, trailing and protected orders agree with their twin (S4, P15, P16)."""

from __future__ import annotations

import pytest

from tests.twin.lives import AMEND, TRADE, TRIGGER, at_least, lives

EXPECTED = {
    "commands": 10_000,
    "order triggered": 250,
    "order PENDING_TRIGGER": 500,
    **dict.fromkeys(("order STOP", "order STOP_LIMIT", "order TAKE_PROFIT"), 150),
    **dict.fromkeys(("order TAKE_PROFIT_LIMIT", "order TRAILING_STOP"), 100),
    "answer WOULD_TRIGGER": 200,
    "order amended": 50,
    "order REDUCE_ONLY_TRIMMED": 50,
    **dict.fromkeys(("order NOTIONAL_TOO_SMALL", "answer CLOSE_POSITION_WAITS"), 5),
    **dict.fromkeys(("order PRICE_BAND", "answer CLOSE_POSITION_TAKES_NO_QTY"), 1),
    **dict.fromkeys(("answer TRAILING_DELTA", "answer TRACKING_STARTED"), 10),
    **dict.fromkeys(("answer TRIGGER_MISSING", "answer MAX_ALGO_ORDERS"), 2),
    "answer TRIGGER_NOT_ALLOWED": 1,
}


@pytest.mark.timeout(0)
def test_s4_ten_thousand_commands_about_triggers_are_told_as_the_twin_tells_them() -> None:
    at_least(lives(1_000_000, 10_000, TRADE | AMEND | TRIGGER), EXPECTED)
