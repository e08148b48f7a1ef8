"""Tests that an order holds what its side of the venue asks for, and is refused by its rules."""

from __future__ import annotations

from matching.reasons import Reason
from tests.risk.stories import BTC_PERP
from tests.story import Story, refusal, units


def test_spot_holds_the_cost_and_a_perpetual_its_margin() -> None:
    story = Story()
    account = story.account()
    for wallet in ("spot", "perp"):
        story.deposit(account, wallet, "USDT", "1000")
    # 0.1 at 50,000 costs 5,000, which there is not; at 10x its margin is 500.
    assert refusal(story.buy(account, "BTC-USDT", "0.1", "50000")) is Reason.INSUFFICIENT_BALANCE
    assert refusal(story.buy(account, BTC_PERP, "0.1", "50000")) is None
    assert refusal(story.buy(account, "BTC-USDT", "0.02", "50000")) is None
    assert story.person(account).free("spot", "USDT") == 0
    assert story.person(account).free("perp", "USDT") == units("1000")  # Margin is no hold.
