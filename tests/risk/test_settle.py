"""Tests that each fill is booked on the side of the venue it belongs to, for both of its owners."""

from __future__ import annotations

from exchange.events import Filled
from tests.risk.stories import BTC_PERP
from tests.story import Story, of, units


def test_a_fill_on_spot_exchanges_assets_and_one_on_a_perpetual_does_not() -> None:
    story = Story()
    maker, taker = story.account(), story.account()
    for account in (maker, taker):
        story.deposit(account, "spot", "USDT", "10000")
        story.deposit(account, "spot", "BTC", "1")
        story.deposit(account, "perp", "USDT", "10000")
    for symbol in ("BTC-USDT", BTC_PERP):
        story.sell(maker, symbol, "0.1", "50000")
        assert len(of(story.buy(taker, symbol, "0.1", "50000"), Filled)) == 2
    # Spot: 0.1 BTC less 0.1 % changes hands for 5,000; the contract leaves wallets but for fees.
    assert story.person(taker).minor("spot", "BTC") == units("1.0999")
    assert story.person(taker).minor("spot", "USDT") == units("5000")
    assert story.person(taker).lots(BTC_PERP) == -story.person(maker).lots(BTC_PERP) == 100
    assert story.person(taker).minor("perp", "USDT") == units("9997.5")  # 5,000 x 0.05 %
