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
