"""Tests of what a snapshot keeps of trading: books, orders, those that sleep, and their turns."""

from __future__ import annotations

import pytest

from exchange.auctioning import STANDING
from exchange.keeping import trading_state
from matching.types import OrderType, Side, TimeInForce, TriggerSource
from tests.story import Story, again

SPOT = "BTC-USDT"


@pytest.fixture
def story() -> Story:
    """Three orders of one account: one rests, one sleeps until a date, one rests behind both."""
    story = Story()
    one = story.account(spot_USDT="90000", spot_BTC="1")
    story.buy(one, SPOT, "0.1", "49000", client_id="first")
    dated = {"tif": TimeInForce.GTD, "expire_ms": story.now_ms + 60_000}
    story.sell(one, SPOT, "0.1", type=OrderType.STOP, trigger_ticks=4_900_000, **dated)
    story.sell(one, SPOT, "0.1", "51000")
    return story


def test_i13_trading_is_the_same_after_a_restart(story: Story) -> None:
    restored = again(story.engine)
    restored.check()
    assert trading_state(restored.trading) == trading_state(story.engine.trading)


def test_an_account_has_its_orders_back_in_the_order_they_were_placed(story: Story) -> None:
    person = again(story.engine).risk.accounts[100]
    assert list(person.orders) == [1, 2, 3]
    assert [order.side for order in person.orders.values()] == [Side.BUY, Side.SELL, Side.SELL]
    assert list(person.asleep[SPOT]) == [2]
    assert person.client_orders == {"first": 1}
    assert person.open_counts == {SPOT: 3}


def test_i12_a_turn_that_was_waited_for_is_still_to_come(story: Story) -> None:
    """The process ends between the trade that woke an order and the order's turn."""
    trading = story.engine.trading
    trading.last_trade[SPOT] = (4_890_000, story.now_ms)
    trading.look(SPOT, TriggerSource.LAST)
    assert story.engine.pending_work
    restored = again(story.engine)
    restored.check()
    assert restored.pending_work
    assert list(restored.trading.fired) == [(SPOT, 2)]
    assert restored.trading.triggers[SPOT].due == {2}
    story.engine = restored
    story.wait(1)
    assert 2 not in story.person(100).orders


def test_books_that_stand_are_known_to_the_money_too(story: Story) -> None:
    for state in STANDING:
        story.engine.trading.states[SPOT] = state
        assert again(story.engine).risk.halted == {SPOT}
