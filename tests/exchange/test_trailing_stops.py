"""Trailing orders on the engine (S4): the design's vectors, and what befalls them as orders."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import AmendOrder
from exchange.events import OrderChanged
from matching.reasons import Reason
from matching.types import OrderType, Side, TimeInForce
from tests.exchange.stops import MARK, PERP, SPOT, happenings, last_of, long_of, stop, trade
from tests.story import Story, again, answer, of, refusal, standing, units
from tests.vectors import vectors

TRAIL = OrderType.TRAILING_STOP


def trail(story: Story, account: int, side: Side, bps: int, qty: str = "0.01", **more: Any) -> int:
    """Place a trailing stop on spot, or what `more` makes of it; its id."""
    fields: dict[str, Any] = {"symbol": SPOT, "type": TRAIL, "trailing_bps": bps} | more
    symbol, price = fields.pop("symbol"), fields.pop("price", "")
    events = story.place(account, side, symbol, qty, price, **fields)
    assert refusal(events) is None
    return answer(events).result_id


def seller(story: Story) -> int:
    return story.account(spot_BTC="1")


@pytest.fixture
def story() -> Story:
    story = Story()
    trade(story, "50000")
    return story


@pytest.mark.parametrize("vector", vectors(["trailing_stop"], on="engine"))
def test_s4_a_stop_trails_as_the_design_says(vector: dict[str, Any]) -> None:
    story = Story()
    owner = story.account(spot_BTC="1", spot_USDT="100000")
    order_id = 0
    activated_at = triggered_at = None
    for step in vector["inputs"]["steps"]:
        story.index("BTC", step["price"])  # So that no price band is in the way.
        if step["do"] == "place":
            assert step["type"] == "STOP_LOSS_LIMIT"
            stop_limit = {"type": OrderType.STOP_LIMIT, "trailing_bps": step["trailing_delta_bips"]}
            side, price = Side[step["side"]], step["price"]
            events = stop(
                story, owner, side, step["stop_price"], step["quantity"], price=price, **stop_limit
            )
            assert refusal(events) is None
            order_id = answer(events).result_id
            continue
        woken = "triggered" in happenings(trade(story, step["price"]), owner)
        if order_id:
            expected = step["expect"]
            extreme_e8 = 0 if woken else follows(story, order_id)
            assert woken == expected["triggered"], step
            if not woken:
                assert extreme_e8 == units(expected["extreme"] or "0"), step
            if extreme_e8 and activated_at is None:
                activated_at = step["price"]
            triggered_at = step["price"] if woken else triggered_at
    assert activated_at == vector["expected"]["activated_at"]
    assert triggered_at == vector["expected"]["triggered_at"]


def follows(story: Story, order_id: int, symbol: str = SPOT) -> int:
    triggers = story.engine.trading.triggers[symbol]
    return triggers.trailing.extreme_e8(triggers.orders[order_id])


def test_s4_without_an_activation_price_tracking_begins_with_the_next_trade(story: Story) -> None:
    order_id = trail(story, seller(story), Side.SELL, 100)
    assert follows(story, order_id) == 0  # The trade at 50,000 was before it.
    trade(story, "49000")
    assert follows(story, order_id) == units("49000")
    # 49,000 x 0.99 = 48,510, inclusively.
    assert "triggered" not in happenings(
        trade(story, "48510.01"), last_of(story, order_id).account_id
    )
    events = trade(story, "48510")
    assert [each.happening for each in of(events, OrderChanged) if each.order_id == order_id] == [
        "triggered",
        "expired",  # Nobody bids: what is activated into an empty book does not rest (T12).
    ]
    assert last_of(story, order_id).reason is Reason.NO_LIQUIDITY


def test_t11_a_sweep_moves_the_extreme_trade_by_trade(story: Story) -> None:
    """One buy takes 50,000, 50,600 and a low ask follows: the high in between counts."""
    order_id = trail(story, seller(story), Side.SELL, 100)
    maker, taker = seller(story), story.account(spot_USDT="100000")
    for price in ("50000", "50600"):
        story.sell(maker, SPOT, "0.01", price)
    story.buy(taker, SPOT, "0.02", "50600")
    assert follows(story, order_id) == units("50600")
    events = trade(story, "50094")  # 50,600 x 0.99 = 50,094.
    assert any(each.happening == "triggered" for each in of(events, OrderChanged))


def test_s4_a_reached_activation_price_is_refused(story: Story) -> None:
    """A sale begins once the price has risen to its activation price: here it has already."""
    someone = seller(story)
    fields = {"type": TRAIL, "trailing_bps": 100}
    assert refusal(stop(story, someone, Side.SELL, "50000", "0.01", **fields)) is (
        Reason.WOULD_TRIGGER
    )
    assert refusal(stop(story, someone, Side.SELL, "50000.01", "0.01", **fields)) is None


@pytest.mark.parametrize(("bps", "fits"), [(9, False), (10, True), (2_000, True), (2_001, False)])
def test_s9_the_trailing_distance_lies_within_its_bounds(
    story: Story, bps: int, fits: bool
) -> None:
    fields = {"type": TRAIL, "trailing_bps": bps}
    reason = refusal(story.sell(seller(story), SPOT, "0.01", **fields))
    assert reason is (None if fits else Reason.TRAILING_DELTA)


def test_s11_a_trailing_buy_holds_what_it_may_cost_if_the_price_rose_from_here(
    story: Story,
) -> None:
    buyer = story.account(spot_USDT="600")
    order_id = trail(story, buyer, Side.BUY, 100)
    # 50,000 x 1.01 x 1.10 (execution range) = 55,550 a coin, 0.01 of it: 555.50.
    assert story.person(buyer).orders[order_id].hold_minor == units("555.5")
    poor = story.account(spot_USDT="555.49")
    fields = {"type": TRAIL, "trailing_bps": 100}
    assert refusal(story.buy(poor, SPOT, "0.01", **fields)) is Reason.INSUFFICIENT_BALANCE


def test_an_order_that_follows_may_change_its_quantity_but_not_its_trigger(story: Story) -> None:
    someone = seller(story)
    order_id = trail(story, someone, Side.SELL, 100, trigger_ticks=5_100_000)
    amend = {"account_id": someone, "order_id": order_id}
    story.ok(AmendOrder, **amend, trigger_ticks=5_150_000)
    trade(story, "51500")
    assert follows(story, order_id) == units("51500")
    events = story.do(AmendOrder, **amend, trigger_ticks=5_200_000)
    assert refusal(events) is Reason.TRACKING_STARTED
    story.ok(AmendOrder, **amend, lots=500)
    assert follows(story, order_id) == units("51500")  # It goes on from where it was.


def test_p16_on_a_perpetual_it_trails_the_mark_and_closes_the_position() -> None:
    story = Story()
    long, _ = long_of(story)
    closing = {"symbol": PERP, "trigger": MARK, "close_position": True}
    order_id = trail(story, long, Side.SELL, 200, "", **closing)
    bidder = story.account(perp_USDT="100000")
    for price in ("50500", "51000"):
        story.index("BTC", price)
        assert follows(story, order_id, PERP) == story.engine.risk.mark_e8(PERP)
    high = story.engine.risk.mark_e8(PERP) or 0
    story.buy(bidder, PERP, "0.010", "49000")
    assert story.person(long).lots(PERP) == 10
    events = story.index("BTC", "49900")  # Below 51,000 x 0.98 = 49,980.
    assert (story.engine.risk.mark_e8(PERP) or 0) * 10_000 <= high * 9_800
    assert [each.happening for each in of(events, OrderChanged) if each.order_id == order_id] == [
        "triggered",
        "filled",
    ]
    assert story.person(long).lots(PERP) == 0


def test_p15_its_position_gone_a_trailing_close_is_cancelled() -> None:
    story = Story()
    long, short = long_of(story)
    closing = {"symbol": PERP, "trigger": MARK, "close_position": True}
    order_id = trail(story, long, Side.SELL, 200, "", **closing)
    story.buy(short, PERP, "0.010", "50000")
    story.sell(long, PERP, "0.010", "50000")
    assert last_of(story, order_id).happening == "cancelled"


def test_s2_a_trailing_order_ends_at_its_date(story: Story) -> None:
    dated: dict[str, Any] = {"tif": TimeInForce.GTD, "expire_ms": story.now_ms + 60_000}
    order_id = trail(story, seller(story), Side.SELL, 100, **dated)
    trade(story, "50000")
    story.wait(61_000)
    assert last_of(story, order_id).reason is Reason.EXPIRED_BY_TIME


def test_s9_trailing_orders_count_among_those_asleep(story: Story) -> None:
    someone = seller(story)
    for _ in range(20):
        trail(story, someone, Side.SELL, 100)
    fields = {"type": TRAIL, "trailing_bps": 100}
    assert refusal(story.sell(someone, SPOT, "0.01", **fields)) is Reason.MAX_ALGO_ORDERS


def test_i13_what_trails_is_the_same_after_a_restart(story: Story) -> None:
    someone = seller(story)
    trail(story, someone, Side.SELL, 100)
    trail(story, someone, Side.SELL, 300)
    trade(story, "51000")
    trail(story, someone, Side.SELL, 100)  # Begins with the next trade,
    trail(story, someone, Side.SELL, 100, trigger_ticks=5_200_000)  # and this one at 52,000.
    restored = again(story.engine)
    restored.check()
    assert standing(restored) == standing(story.engine)
    assert restored.digest() == story.engine.digest()
    story.engine = restored
    for price in ("50000", "52500", "51000"):
        trade(story, price)
    assert not story.person(someone).orders.keys() - {
        each.order_id
        for each in of(story.events, OrderChanged)
        if each.account_id == someone and each.happening == "accepted"
    }
    woken = [
        each.order_id
        for each in of(story.events, OrderChanged)
        if each.account_id == someone and each.happening == "triggered"
    ]
    assert len(woken) == len(set(woken)) == 3  # All but the one 300 points behind 52,500: 50,925.
