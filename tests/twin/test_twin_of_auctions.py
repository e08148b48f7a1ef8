"""Trading states, auctions and circuit breakers agree with their twin (S13, S14)."""

from __future__ import annotations

import pytest

from tests.twin.lives import COLLECT, STATE, TRADE, TRIGGER, at_least, lives

STATES = ("auction", "cancel_only", "halt", "limit_only", "post_only", "pre_open")
EXPECTED = {
    "commands": 5_000,
    "SetSymbolState": 150,
    "state trading": 70,
    **dict.fromkeys((f"state {state}" for state in STATES), 4),
    "answer SYMBOL_NOT_TRADING": 400,
    "answer BOOK_CROSSED": 2,
    "indicated": 30,
    "uncrossed": 8,
    **dict.fromkeys(("uncrossed BTC-USDT", "uncrossed BTC-USDT-PERP"), 3),
    "order triggered": 50,
    "order SYMBOL_NOT_TRADING": 1,
}


@pytest.mark.timeout(0)
def test_s13_five_thousand_commands_about_states_are_told_as_the_twin_tells_them() -> None:
    at_least(lives(3_000_000, 5_000, TRADE | TRIGGER | STATE), EXPECTED)


@pytest.mark.timeout(0)
def test_s14_five_thousand_commands_about_auctions_are_told_as_the_twin_tells_them() -> None:
    seen = lives(3_500_000, 5_000, TRADE | TRIGGER | COLLECT)
    expected = {"commands": 5_000, "uncrossed": 100, "indicated": 300, "order SELF_TRADE": 50}
    at_least(seen, expected | {"answer MAX_ORDERS": 50, "answer MAX_ICEBERGS": 50})
