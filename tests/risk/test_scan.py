"""Tests of the risk scan: calls, breaches, the worst first, and nobody by a frozen price."""

from __future__ import annotations

import pytest

from exchange.commands import FeedPrices, Repay, SetMarginMode, SetSymbolState
from exchange.events import LiquidationStarted, MarginCalled
from matching.types import Side
from tests.risk.stories import (
    BTC_PERP,
    ETH_PERP,
    HOUR,
    MINUTE,
    borrow,
    position,
    rich,
    slow_venue,
    trader,
)
from tests.story import Story, again, of, units


@pytest.fixture
def story() -> Story:
    return Story()


def _owing(story: Story) -> int:
    """0.02 BTC of its own and 1,000 USDT, all of it borrowed: 1,000.01 are owed at once."""
    account = story.account(margin_BTC="0.02")
    borrow(story, account, "margin", "USDT", "1000")
    return account


# -- margin calls ------------------------------------------------------------------------------


def test_m9_a_call_tells_level_bound_and_what_to_add(story: Story) -> None:
    """BTC at 15,000: 300 + 1,000 against 1,000.01 is 1.29998... <= 1.3, and
    1.3 x 1,000.01 - 1,300 = 0.013 are missing."""
    account = _owing(story)
    (call,) = of(story.index("BTC", "15000"), MarginCalled)
    assert (call.account_id, call.scope, call.cleared) == (account, "margin", False)
    assert call.call_level_e12 == 13 * 10**11
    assert call.level_e12 == 1_300 * 10**12 * 10**6 // 1_000_010_000
    assert call.add_minor == units("0.013")


def test_m4_v20_a_level_exactly_at_the_bound_is_called(story: Story) -> None:
    """(0.02 x P + 1,000) / 1,000.01 = 1.3 at P = 15,000.65; a cent more is safe."""
    _owing(story)
    assert not of(story.index("BTC", "15000.66"), MarginCalled)
    assert of(story.index("BTC", "15000.65"), MarginCalled)


def test_m9_a_call_comes_on_a_crossing_is_cleared_and_not_told_again_that_day(
    story: Story,
) -> None:
    account = _owing(story)
    told = [
        [call.cleared for call in of(story.index("BTC", price), MarginCalled)]
        for price in ("15000", "14000", "14500", "16000", "17000", "15000")
    ]
    assert told == [[False], [], [], [True], [], []]
    assert list(story.person(account).called) == ["margin"]


def test_m9_a_call_is_repeated_after_a_day_and_not_before() -> None:
    """It is told at 00:01; interest brings the wallet up every hour, at 01:00 of the next day
    it is a day ago."""
    story = Story(slow_venue())
    story.wait(MINUTE)
    _owing(story)
    assert of(story.index("BTC", "15000"), MarginCalled)
    told_ms = story.now_ms
    calls = of(story.wait(25 * HOUR), MarginCalled)
    assert [call.time_ms - call.time_ms % HOUR for call in calls] == [story.now_ms // HOUR * HOUR]
    assert story.person(100).call_told["margin"] - told_ms >= 24 * HOUR
    assert not of(story.wait(HOUR), MarginCalled)


def test_m9_repaying_everything_ends_a_call(story: Story) -> None:
    account = _owing(story)
    story.deposit(account, "margin", "USDT", "1")  # For the interest.
    assert of(story.index("BTC", "14000"), MarginCalled)
    story.ok(Repay, account_id=account, wallet="margin", asset="USDT")
    (call,) = of(story.wait(1_000), MarginCalled)
    assert call.cleared
    assert not story.person(account).called


# -- breaches ----------------------------------------------------------------------------------


def test_a6_the_worst_ratio_is_liquidated_first_and_then_the_older_account(story: Story) -> None:
    """Longs of 1 at 50,000, at 45,000: those with 5,100 keep 90 against some 180 to maintain,
    the one with 5,010 less than nothing (5,000 of loss and 10 of fee)."""
    first = position(story, Side.BUY, "1", "50000", money="5110")
    worst = position(story, Side.BUY, "1", "50000", money="5010")
    second = position(story, Side.BUY, "1", "50000", money="5110")
    started = of(story.index("BTC", "45000"), LiquidationStarted)
    assert [each.account_id for each in started] == [worst, first, second]
    assert started[0].level_e12 == 0
    assert started[1].level_e12 == started[2].level_e12 > 0


def test_p11_balance_exactly_at_maintenance_is_liquidated(story: Story) -> None:
    """1 at 50,000 with 5,000 left after the maker fee of 10: MB = P - 45,000 meets
    MM = 0.004 P at P = 45,000 / 0.996 = 45,180.7228915..."""
    account = position(story, Side.BUY, "1", "50000", money="5010")
    assert not of(story.index("BTC", "45180.73"), LiquidationStarted)
    (started,) = of(story.index("BTC", "45180.72"), LiquidationStarted)
    assert (started.account_id, started.scope, started.symbol) == (account, "perp", BTC_PERP)
    # MB = 180.72, MM = 45,180.72 x 0.4 % = 180.72288.
    assert started.assets_e16 == 18_072 * 10**14
    assert started.debt_e16 == 18_072_288 * 10**11


def test_i9_a_loss_made_by_an_order_is_seen_at_the_next_scan(story: Story) -> None:
    """420 behind a long of 1 at 125x. To sell 0.9 of it at 49,010 loses 891 and a fee of 22.06:
    what adds no risk is admitted, and the account is far below the 20 that 0.1 must keep."""
    account = position(story, Side.BUY, "1", "50000", money="430", leverage=125)
    story.buy(rich(story), BTC_PERP, "0.9", "49010")
    assert not of(story.sell(account, BTC_PERP, "0.9", "49010"), LiquidationStarted)
    (started,) = of(story.wait(1_000), LiquidationStarted)
    # 430 - 10 - 891 - 0.9 x 49,010 x 0.05 % = -493.0545.
    assert started.assets_e16 == -4_930_545 * 10**12


def test_i9_margin_that_leaves_for_an_isolated_position_is_missed_by_the_cross_wallet(
    story: Story,
) -> None:
    """10,000 behind 10 ETH at 2,500 stand a price of 1,510; 8,000 of it go to an isolated
    position, and at 2,300 the loss of 2,000 is more than the 1,955 that are left."""
    account = story.account(perp_USDT="10000")
    other = rich(story)
    story.sell(other, ETH_PERP, "10", "2500")
    story.buy(account, ETH_PERP, "10", "2500", leverage=20)
    story.wait(1_000)
    story.ok(SetMarginMode, account_id=account, symbol=BTC_PERP, isolated=True)
    story.buy(account, BTC_PERP, "3.2", "50000", leverage=20)
    story.sell(other, BTC_PERP, "3.2", "50000")
    story.wait(1_000)
    # 10,000 - 12.5 - 32 of fees - 8,000 = 1,955.5.
    assert story.person(account).minor("perp", "USDT") == units("1955.5")
    (started,) = of(story.index("ETH", "2300"), LiquidationStarted)
    assert (started.account_id, started.scope) == (account, "perp")


# -- what holds a scan back --------------------------------------------------------------------


def _feed(story: Story, base: str, price: str, stale_ms: int = 10_000) -> None:
    feed = story.venue.feeds[0]
    story.ok(FeedPrices, feed=feed, prices_e8={base: units(price)}, stale_ms=stale_ms)


def test_p7_nobody_is_judged_by_a_frozen_index_until_it_moves_again(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="5010")
    _feed(story, "BTC", "50000")
    story.wait(11_000)  # Older than the 10 s a price stands for.
    mark_e8 = story.engine.risk.mark_e8(BTC_PERP)
    # A part of the account's money goes: the scope is due, but nobody looks at it.
    story.engine.risk.touch_position(story.person(account), BTC_PERP)
    story.wait(1_000)
    assert (account, "perp") in story.engine.risk.waiting
    assert story.engine.risk.mark_e8(BTC_PERP) == mark_e8
    _feed(story, "BTC", "40000")
    events = story.wait(1_000)
    assert [each.account_id for each in of(events, LiquidationStarted)] == [account]
    assert not story.engine.risk.waiting


def test_s13_a_liquidation_waits_for_a_halted_book(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="5010")
    story.ok(SetSymbolState, symbol=BTC_PERP, state="halt")
    assert not of(story.index("BTC", "45000"), LiquidationStarted)
    events = story.ok(SetSymbolState, symbol=BTC_PERP, state="trading")
    (started,) = of(events, LiquidationStarted)
    assert started.account_id == account


def test_an_asset_a_wallet_no_longer_holds_does_not_hold_it_back(story: Story) -> None:
    """It once held ETH, whose index is stale; a restored engine does not even know that."""
    account = story.account(margin_BTC="0.02", margin_ETH="0.01")
    borrow(story, account, "margin", "USDT", "1000")
    story.buy(trader(story), "ETH-USDT", "0.01", "2500")
    story.sell(account, "ETH-USDT", "0.01", "2500", wallet="margin")
    assert story.person(account).minor("margin", "ETH") == 0
    story.wait(1_000)
    _feed(story, "ETH", "2500")
    story.wait(11_000)
    assert not story.engine.risk.indexes["ETH-USDT"].fresh
    restored = again(story.engine)
    # 0.02 x 1,000 + 1,000 + 24.975 against 1,000.01 is 1.0449... <= 1.1.
    assert of(story.index("BTC", "1000"), LiquidationStarted)
    assert of(restored.apply(story.commands[-1]), LiquidationStarted)
