"""Trading states, auctions and circuit breakers agree with their twin (S13, S14)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.commands import PlaceOrder, SetIndexPrice, SetSymbolState
from matching.types import Side
from tests.twin.duel import Duel
from tests.twin.lives import COLLECT, STATE, TRADE, TRIGGER, at_least, lives
from tests.twin.market import E8, PAIR, PERP

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
    expected = {"commands": 5_000, "uncrossed": 60, "indicated": 200, "order SELF_TRADE": 30}
    at_least(seen, expected | {"answer MAX_ORDERS": 20, "answer MAX_ICEBERGS": 20})


@pytest.mark.parametrize("symbol", [PAIR, PERP])
def test_s14_of_two_prices_as_near_to_the_reference_the_lower_is_the_auctions(symbol: str) -> None:
    """At 499 six are bid for and four offered, at 500 the other way round; the index is 499.5."""
    duel = Duel()
    duel.do(SetIndexPrice(base="BTC", quote="USDT", price_e8=49_950 * E8), 2_000)
    duel.do(SetSymbolState(symbol=symbol, state="auction"))
    wallet = "perp" if symbol == PERP else "spot"
    wishes = ((Side.BUY, 4, 500), (Side.BUY, 2, 499), (Side.SELL, 4, 499), (Side.SELL, 2, 500))
    for who, (side, lots, ticks) in zip(duel.people, wishes, strict=True):
        wish = PlaceOrder(account_id=who, symbol=symbol, side=side, lots=lots, wallet=wallet)
        duel.do(replace(wish, price_ticks=ticks))
    told = duel.do(SetSymbolState(symbol=symbol, state="trading"))
    assert ("uncrossed", symbol, 499, 4, 2) in told
