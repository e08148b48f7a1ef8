"""Trading states, auctions and circuit breakers agree with their twin (S13, S14)."""

from __future__ import annotations

import pytest

from tests.twin.lives import STATE, TRADE, TRIGGER, at_least, lives

STATES = ("auction", "cancel_only", "halt", "limit_only", "post_only", "pre_open")
EXPECTED = {
    "commands": 10_000,
    "SetSymbolState": 250,
    "state trading": 120,
    **dict.fromkeys((f"state {state}" for state in STATES), 8),
    "answer SYMBOL_NOT_TRADING": 600,
    "answer BOOK_CROSSED": 4,
    "indicated": 60,
    "uncrossed": 15,
    **dict.fromkeys(("uncrossed BTC-USDT", "uncrossed BTC-USDT-PERP"), 5),
    "order triggered": 100,
    "order SYMBOL_NOT_TRADING": 3,
}


@pytest.mark.timeout(0)
def test_s13_ten_thousand_commands_about_states_are_told_as_the_twin_tells_them() -> None:
    at_least(lives(3_000_000, 10_000, TRADE | TRIGGER | STATE), EXPECTED)
