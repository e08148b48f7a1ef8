"""Tests of changing an open order: in place, anew, and while it sleeps (S7)."""

from __future__ import annotations

import pytest

from exchange.commands import AmendOrder
from exchange.events import OrderChanged
from matching.reasons import Reason
from matching.types import OrderType
from tests.story import Story, answer, of, refusal, standing, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"


@pytest.fixture
def story() -> Story:
    return Story()


def free(story: Story, account: int, asset: str = "USDT", wallet: str = "spot") -> int:
    return story.person(account).free(wallet, asset)


def held(story: Story, account: int, asset: str = "USDT", wallet: str = "spot") -> int:
    return story.person(account).pockets[wallet, asset].locked


# -- amending perpetuals -----------------------------------------------------------------------


def test_an_amended_perpetual_order_is_judged_without_the_one_it_replaces(story: Story) -> None:
    """10x and 505: 0.1 at 50,000 needs 500 and 2.5 of fee. At 50,100 the same needs 501, 10 of
    open loss and 2.505 more: too much. At 49,900 it needs less."""
    one = story.account(perp_USDT="505")
    order = answer(story.buy(one, PERP, "0.1", "50000")).result_id
    before = standing(story.engine)
    refused = story.do(AmendOrder, account_id=one, order_id=order, price_ticks=501_000)
    assert refusal(refused) is Reason.INSUFFICIENT_MARGIN
    assert standing(story.engine) == before
    story.ok(AmendOrder, account_id=one, order_id=order, price_ticks=499_000)
    sums = story.person(one).open_perp[PERP]
    assert (sums.buy_minor, sums.held_minor) == (units("4990"), units("2.495"))


def test_a_reduced_perpetual_order_frees_its_share(story: Story) -> None:
    one = story.account(perp_USDT="9000")
    order = answer(story.buy(one, PERP, "0.1", "50000")).result_id
    story.ok(AmendOrder, account_id=one, order_id=order, lots=40)
    sums = story.person(one).open_perp[PERP]
    assert (sums.buy_lots, sums.held_minor) == (40, units("1"))


def test_s7_a_woken_stop_limit_that_is_replaced_remembers_its_trigger(story: Story) -> None:
    """It rests at 50,100 since a trade at 50,050 woke it; moved, it is a new order."""
    one, two = story.account(spot_BTC="1"), story.account(spot_USDT="90000")
    stop = {"type": OrderType.TAKE_PROFIT_LIMIT, "trigger_ticks": 5_005_000}
    order_id = answer(story.sell(one, SPOT, "0.5", "50100", **stop)).result_id
    story.sell(one, SPOT, "0.001", "50050")
    story.buy(two, SPOT, "0.001", "50050")
    woken_ms = story.now_ms
    story.now_ms += 10
    story.ok(AmendOrder, account_id=one, order_id=order_id, price_ticks=5_020_000)
    fresh = of(story.events, OrderChanged)[-1]
    assert fresh.order_id > order_id
    assert (fresh.trigger_ticks, fresh.triggered_ms) == (5_005_000, woken_ms)
    again = story.do(AmendOrder, account_id=one, order_id=fresh.order_id, trigger_ticks=1)
    assert refusal(again) is Reason.TRIGGER_NOT_ALLOWED


# -- what it was before ------------------------------------------------------------------------


def befores(story: Story) -> list[tuple[int, tuple[int, int, int] | None]]:
    return [(each.order_id, each.before) for each in of(story.events, OrderChanged)]


def test_s7_an_amendment_tells_what_the_order_was_and_nothing_else_does(story: Story) -> None:
    """A limit at 50,000 of 0.1 is cut to 0.04, moved to 49,900, and moved where it trades."""
    one, two = story.account(perp_USDT="9000"), story.account(perp_USDT="9000")
    order_id = answer(story.buy(one, PERP, "0.1", "50000")).result_id
    assert befores(story) == [(order_id, None)]
    story.ok(AmendOrder, account_id=one, order_id=order_id, lots=40)
    assert befores(story)[1:] == [(order_id, (order_id, 500_000, 100))]
    fresh_id = answer(
        story.do(AmendOrder, account_id=one, order_id=order_id, price_ticks=499_000)
    ).result_id
    assert befores(story)[2:] == [(order_id, None), (fresh_id, (order_id, 500_000, 40))]
    story.sell(two, PERP, "0.04", "50100")
    told = len(befores(story))
    last_id = answer(
        story.do(AmendOrder, account_id=one, order_id=fresh_id, price_ticks=501_000)
    ).result_id
    mine = [(each, before) for each, before in befores(story)[told:] if each in (fresh_id, last_id)]
    assert mine == [(fresh_id, None), (last_id, (fresh_id, 499_000, 40))]
    assert of(story.events, OrderChanged)[-1].happening == "filled"  # At once, and told so once.


def test_s7_a_refused_amendment_tells_of_nothing_before(story: Story) -> None:
    one, two = story.account(perp_USDT="9000"), story.account(perp_USDT="9000")
    story.sell(two, PERP, "0.1", "50100")
    order_id = answer(story.buy(one, PERP, "0.1", "50000", post_only=True)).result_id
    story.do(AmendOrder, account_id=one, order_id=order_id, price_ticks=501_000)
    assert {before for _, before in befores(story)} == {None}


def test_s7_a_stop_that_is_moved_tells_what_it_was(story: Story) -> None:
    one = story.account(spot_BTC="1")
    stop = {"type": OrderType.STOP_LIMIT, "trigger_ticks": 4_900_000}
    order_id = answer(story.sell(one, SPOT, "0.5", "48900", **stop)).result_id
    story.ok(AmendOrder, account_id=one, order_id=order_id, price_ticks=4_880_000)
    lots = of(story.events, OrderChanged)[0].lots
    assert befores(story)[-1] == (order_id, (order_id, 4_890_000, lots))
