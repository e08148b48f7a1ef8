"""OCO, OTO, OTOCO and brackets agree with their twin (S5, T21, T28)."""

from __future__ import annotations

import pytest

from tests.twin.lives import AMEND, LIST, TRADE, at_least, lives

EXPECTED = {
    "commands": 10_000,
    "PlaceList": 600,
    **dict.fromkeys(("list OCO", "list OTO", "list OTOCO"), 100),
    **dict.fromkeys(("list EXECUTING", "list DONE"), 300),
    "list REJECTED": 50,
    "order LIST_ENDED": 60,
    **dict.fromkeys(("answer BRACKET_PRICES", "answer LIST_PRICES_CROSSED"), 100),
    **dict.fromkeys(("answer LIST_SHAPE", "answer BRACKET_NOT_ALLOWED"), 25),
    **dict.fromkeys(("list LIST_PRICES_CROSSED", "list WOULD_TRIGGER"), 5),
    "list REDUCE_ONLY_WOULD_INCREASE": 3,
    **dict.fromkeys(("answer LIST_AMEND", "answer TRIGGER_NOT_ALLOWED", "answer MAX_AMENDS"), 1),
}


@pytest.mark.timeout(0)
def test_s5_ten_thousand_commands_about_lists_are_told_as_the_twin_tells_them() -> None:
    at_least(lives(2_000_000, 10_000, TRADE | AMEND | LIST), EXPECTED)
