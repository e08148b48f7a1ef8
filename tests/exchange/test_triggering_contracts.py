"""Tests of stops and take-profits on perpetuals: what guards a position (P15, P16, A6)."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import SetPositionMode, SetSymbolState
from matching.reasons import Reason
from matching.types import OrderType, Side, Status
from risk.account import LONG, SHORT
from tests.exchange.stops import MARK, PERP, guard, happenings, last_of, long_of, stop, trade
from tests.story import Story, again, answer, refusal


@pytest.fixture(name="story")
def _story() -> Story:
    return Story()


def test_p16_stop_and_take_profit_of_a_position_end_together_and_follow_its_size(
    story: Story,
) -> None:
    """Both close 20 of which 10 were bought later; the mark falls, the stop closes all of them,
    and the take-profit is cancelled for want of a position."""
    long, short = long_of(story)
    loss = answer(guard(story, long, OrderType.STOP, "49500")).result_id
    gain = answer(guard(story, long, OrderType.TAKE_PROFIT, "52000")).result_id
    story.sell(short, PERP, "0.010", "50000")
    story.buy(long, PERP, "0.010", "50000")
    story.buy(short, PERP, "0.020", "49400")
    events = story.index("BTC", "49450")
    assert happenings(events, long) == ["triggered", "filled", "cancelled"]
    assert last_of(story, loss).filled_lots == 20
    assert last_of(story, gain).reason is Reason.REDUCE_ONLY_TRIMMED
    assert not story.person(long).positions
    assert not story.person(long).asleep


def test_p15_what_closes_a_position_is_cancelled_when_that_is_closed_otherwise(
    story: Story,
) -> None:
    long, short = long_of(story)
    guard(story, long, OrderType.STOP, "49500")
    story.buy(short, PERP, "0.010", "49900")
    events = story.sell(long, PERP, "0.010", "49900")
    assert happenings(events, long) == ["filled", "cancelled"]
    assert not story.person(long).orders


def test_p15_one_closing_order_a_side_and_type(story: Story) -> None:
    long, _ = long_of(story)
    guard(story, long, OrderType.STOP, "49500")
    assert refusal(guard(story, long, OrderType.STOP, "49000")) is Reason.CLOSE_POSITION_WAITS
    assert refusal(guard(story, long, OrderType.TAKE_PROFIT, "52000")) is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"qty": "0.001"}, Reason.CLOSE_POSITION_TAKES_NO_QTY),
        ({"type": OrderType.STOP_LIMIT, "price": "49000"}, Reason.COMBINATION_NOT_ALLOWED),
        ({"wallet": "spot"}, Reason.COMBINATION_NOT_ALLOWED),
    ],
)
def test_p15_a_closing_order_takes_neither_quantity_nor_price(
    story: Story, more: dict[str, Any], reason: Reason
) -> None:
    long, _ = long_of(story)
    assert refusal(guard(story, long, OrderType.STOP, "49500", **more)) is reason


def test_p15_without_an_opposite_position_there_is_nothing_to_close(story: Story) -> None:
    _, short = long_of(story)
    nobody = story.account(perp_USDT="1000")
    for account in (short, nobody):
        refused = refusal(guard(story, account, OrderType.STOP, "49500"))
        assert refused is Reason.REDUCE_ONLY_WOULD_INCREASE


def test_p15_a_reduce_only_stop_is_cut_to_the_position_when_it_wakes(story: Story) -> None:
    long, short = long_of(story)
    more = {"close_position": False, "reduce_only": True, "qty": "0.010"}
    placed = answer(guard(story, long, OrderType.STOP, "49500", **more)).result_id
    story.buy(short, PERP, "0.004", "49900")
    story.sell(long, PERP, "0.004", "49900")
    story.buy(short, PERP, "0.010", "49400")
    story.index("BTC", "49450")
    assert last_of(story, placed).filled_lots == 6
    assert story.person(long).lots(PERP) == 0


def test_an_order_on_a_perpetual_holds_nothing_asleep_and_is_refused_if_it_cannot_pay(
    story: Story,
) -> None:
    """10x: a stop to buy 0.1 needs some 505 when it wakes; 100 are there."""
    one = story.account(perp_USDT="100")
    bought = {"symbol": PERP, "trigger": MARK}
    placed = answer(stop(story, one, Side.BUY, "50500", "0.1", **bought)).result_id
    assert story.person(one).open_perp == {}
    seller = story.account(perp_USDT="90000")
    story.sell(seller, PERP, "0.1", "50600")
    story.index("BTC", "50600")
    done = last_of(story, placed)
    assert (done.status, done.reason) == (Status.REJECTED, Reason.INSUFFICIENT_MARGIN)
    assert done.triggered_ms == story.now_ms


def test_p16_a_protected_stop_sleeps_while_last_and_mark_lie_apart(story: Story) -> None:
    """The mark falls 6 % below the last trade: it sleeps on, until a trade near the mark."""
    long, short = long_of(story)
    guard(story, long, OrderType.STOP, "49500", price_protect=True)
    assert happenings(story.index("BTC", "47100"), long) == []
    assert happenings(story.wait(1_000), long) == []
    story.buy(short, PERP, "0.010", "46500")
    assert happenings(trade(story, "47000", PERP), long) == ["triggered", "filled"]


def test_a6_a_mark_wakes_orders_at_its_grid_point_before_funding(story: Story) -> None:
    """At a funding boundary the stop closes the position first, so that it pays nothing."""
    long, short = long_of(story)
    guard(story, long, OrderType.STOP, "49500")
    story.buy(short, PERP, "0.010", "49400")
    events = story.index("BTC", "49450")
    assert happenings(events, long) == ["triggered", "filled"]
    story.wait(8 * 3_600_000)
    assert "FundingCharged" not in {
        type(each).__name__ for each in story.events if getattr(each, "account_id", 0) == long
    }


def test_s13_a_book_that_stands_wakes_nobody_until_it_opens(story: Story) -> None:
    long, short = long_of(story)
    guard(story, long, OrderType.STOP, "49500")
    story.buy(short, PERP, "0.010", "49400")
    story.ok(SetSymbolState, symbol=PERP, state="halt")
    assert happenings(story.index("BTC", "49450"), long) == []
    events = story.ok(SetSymbolState, symbol=PERP, state="trading")
    assert happenings(events, long) == ["triggered", "filled"]


def test_a_liquidation_ends_what_sleeps_on_its_wallet(story: Story) -> None:
    one, short = story.account(perp_USDT="600"), story.account(perp_USDT="900000")
    story.sell(short, PERP, "0.1", "50000")
    story.buy(one, PERP, "0.1", "50000")
    placed = answer(guard(story, one, OrderType.TAKE_PROFIT, "55000")).result_id
    story.index("BTC", "44000")
    assert last_of(story, placed).reason is Reason.LIQUIDATION
    assert not story.person(one).asleep


def test_i12_i13_orders_asleep_are_the_same_after_a_restart(story: Story) -> None:
    long, short = long_of(story)
    guard(story, long, OrderType.STOP, "49500")
    guard(story, long, OrderType.TAKE_PROFIT, "52000", client_id="gain")
    one = story.account(spot_BTC="1")
    stop(story, one, Side.SELL, "49900", "0.5")
    restored = again(story.engine)
    restored.check()
    assert restored.digest() == story.engine.digest()
    story.buy(short, PERP, "0.010", "49400")
    story.engine = again(story.engine)
    assert happenings(story.index("BTC", "49450"), long) == ["triggered", "filled", "cancelled"]
    assert "gain" not in story.person(long).client_orders


def test_p15_each_leg_of_a_hedged_account_has_its_own_guard(story: Story) -> None:
    """Long 10 and short 10 at once: a stop for each; the fall ends the long leg's alone."""
    one, other = story.account(perp_USDT="90000"), story.account(perp_USDT="900000")
    story.ok(SetPositionMode, account_id=one, hedge=True)
    story.sell(other, PERP, "0.010", "50000")
    story.buy(one, PERP, "0.010", "50000", position_side=LONG)
    story.buy(other, PERP, "0.010", "50000")
    story.sell(one, PERP, "0.010", "50000", position_side=SHORT)
    falls = answer(guard(story, one, OrderType.STOP, "49500", position_side=LONG)).result_id
    more: dict[str, Any] = {"symbol": PERP, "trigger": MARK, "close_position": True}
    more["position_side"] = SHORT
    rises = answer(stop(story, one, Side.BUY, "50500", **more)).result_id
    story.buy(other, PERP, "0.010", "49400")
    events = story.index("BTC", "49450")
    assert happenings(events, one) == ["triggered", "filled"]
    assert last_of(story, falls).status is Status.FILLED
    assert list(story.person(one).positions) == [f"{PERP}/SHORT"]
    assert list(story.person(one).orders) == [rises]
