"""Changing the orders of a list (S7, T28): together where they are an OCO, else as any order."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import AmendOrder, CancelOrder
from exchange.events import AnyEvent
from matching.lists import ListKind
from matching.reasons import Reason
from matching.types import OrderType, Side
from tests.exchange.stops import PERP, SPOT, last_of, trade
from tests.exchange.test_bracketing import (
    ENDED,
    FILLED,
    MOVED,
    OPEN,
    PENDING,
    entry,
    kept,
    legs_of,
    long,
    open_of,
    told,
)
from tests.exchange.test_list_placing import limit_maker, place, stop, wish
from tests.exchange.test_pairing import MARGIN, borrowed, owed
from tests.story import Story, answer, refusal, standing, units


@pytest.fixture
def story() -> Story:
    story = Story()
    trade(story, "50000")
    return story


def amend(story: Story, account: int, order_id: int, **more: Any) -> list[AnyEvent]:
    """Change an order in decimal text: `qty`, `price`, `trigger_price`."""
    instrument = story.engine.instruments[story.person(account).orders[order_id].symbol]
    fields: dict[str, Any] = {"account_id": account, "order_id": order_id}
    if "qty" in more:
        fields["lots"] = instrument.lots(more["qty"])
    for name, field in (("price", "price_ticks"), ("trigger_price", "trigger_ticks")):
        if name in more:
            fields[field] = instrument.ticks(more[name])
    return story.do(AmendOrder, **fields)


def sale(story: Story) -> tuple[int, list[int]]:
    """An OCO to sell one coin at 52,000 or from 48,000; two coins are there."""
    owner = story.account(spot_BTC="2")
    legs = limit_maker(story, owner, Side.SELL, "52000"), stop(story, owner, Side.SELL, "48000")
    events = place(story, owner, ListKind.OCO, *legs)
    return owner, [order_id for order_id, _, _ in told(events).legs]


@pytest.mark.parametrize("named", [0, 1])
def test_t28_less_of_one_leg_is_less_of_both_and_they_keep_their_places(
    story: Story, named: int
) -> None:
    owner, order_ids = sale(story)
    events = amend(story, owner, order_ids[named], qty="0.4")
    assert answer(events).result_id == order_ids[named]
    assert [each.order_id for each in open_of(story, owner)] == order_ids
    assert {each.lots for each in open_of(story, owner)} == {40_000}
    assert story.person(owner).free("spot", "BTC") == units("1.6")
    assert [last_of(story, each).happening for each in order_ids] == ["amended"] * 2
    befores = [last_of(story, each).before for each in order_ids]
    assert [before and before[0] for before in befores] == order_ids
    assert kept(story.engine)


def test_t28_a_stop_is_moved_and_its_rival_stays(story: Story) -> None:
    owner, (limit_id, stop_id) = sale(story)
    assert refusal(amend(story, owner, stop_id, trigger_price="49000")) is None
    trade(story, "49500")
    story.buy(story.account(spot_USDT="100000"), SPOT, "1", "48900")
    events = trade(story, "49000")
    assert legs_of(events) == [ENDED, FILLED]
    assert last_of(story, limit_id).reason is Reason.LIST_ENDED


def test_t28_a_leg_on_the_book_may_only_shrink(story: Story) -> None:
    owner, (limit_id, stop_id) = sale(story)
    before = standing(story.engine)
    for order_id, more in (
        (limit_id, {"price": "53000"}),
        (limit_id, {"qty": "1.5"}),
        (stop_id, {"qty": "1.5"}),
    ):
        assert refusal(amend(story, owner, order_id, **more)) is Reason.LIST_AMEND
    assert refusal(amend(story, owner, limit_id, trigger_price="1")) is Reason.TRIGGER_NOT_ALLOWED
    assert refusal(amend(story, owner, limit_id, qty="1")) is Reason.NOTHING_TO_AMEND
    assert standing(story.engine) == before


def test_s5_a_changed_stop_stays_on_its_side(story: Story) -> None:
    owner, (_, stop_id) = sale(story)
    before = standing(story.engine)
    crossed = amend(story, owner, stop_id, trigger_price="52500")
    assert refusal(crossed) is Reason.LIST_PRICES_CROSSED
    reached = amend(story, owner, stop_id, trigger_price="50500")
    assert refusal(reached) is Reason.WOULD_TRIGGER
    assert standing(story.engine) == before


def dear_and_cheap(story: Story, owner: int, **more: Any) -> list[int]:
    """An OCO to buy one coin at 47,000 from 48,000 down, or at 53,000 from 52,000 up."""
    gain = {"type": OrderType.TAKE_PROFIT_LIMIT, "price": "47000"} | more
    loss = {"type": OrderType.STOP_LIMIT, "price": "53000"} | more
    legs = (
        stop(story, owner, Side.BUY, "48000", **gain),
        stop(story, owner, Side.BUY, "52000", **loss),
    )
    events = place(story, owner, ListKind.OCO, *legs)
    assert refusal(events) is None
    return [order_id for order_id, _, _ in told(events).legs]


def test_s5_two_that_sleep_hold_what_the_dearer_needs_after_a_change_too(story: Story) -> None:
    owner = story.account(spot_USDT="120000")
    cheap_id, dear_id = dear_and_cheap(story, owner)
    assert refusal(amend(story, owner, cheap_id, qty="2")) is None
    assert story.person(owner).free("spot", "USDT") == units("14000")  # 120,000 - 2 x 53,000
    assert refusal(amend(story, owner, dear_id, price="55000")) is None
    assert story.person(owner).free("spot", "USDT") == units("10000")
    assert kept(story.engine)
    before = standing(story.engine)
    short = amend(story, owner, dear_id, qty="3")
    assert refusal(short) is Reason.INSUFFICIENT_BALANCE
    assert standing(story.engine) == before
    assert refusal(amend(story, owner, dear_id, qty="1")) is None
    assert story.person(owner).free("spot", "USDT") == units("65000")
    story.ok(CancelOrder, account_id=owner, order_id=dear_id)
    assert story.person(owner).free("spot", "USDT") == units("120000")


def test_m6_a_dearer_leg_borrows_what_it_lacks_and_a_cheaper_one_repays_it(story: Story) -> None:
    owner = story.account(margin_USDT="40000", margin_BTC="1")
    _, dear_id = dear_and_cheap(story, owner, **MARGIN)
    assert borrowed(story, owner) == [units("13000")]
    assert refusal(amend(story, owner, dear_id, price="54000")) is None
    assert sum(story.person(owner).order_loans.values()) == units("14000")
    assert refusal(amend(story, owner, dear_id, price="52500")) is None
    assert sum(story.person(owner).order_loans.values()) == units("12500")
    assert kept(story.engine)
    story.ok(CancelOrder, account_id=owner, order_id=dear_id)
    assert not story.person(owner).order_loans
    # Each loan's first hour at 0.00001 was paid first: 13,000 and 1,000 cost 0.14.
    assert owed(story, owner, "USDT") == units("0.14")


def test_p16_the_stop_loss_of_a_position_is_moved(story: Story) -> None:
    owner = long(story)
    gain, loss = open_of(story, owner)
    assert refusal(amend(story, owner, loss.order_id, trigger_price="49500")) is None
    assert refusal(amend(story, owner, gain.order_id, qty="0.004")) is None
    assert [each.lots for each in open_of(story, owner)] == [4, 4]
    story.buy(story.account(perp_USDT="90000"), PERP, "0.010", "49400")
    story.index("BTC", "49500")
    assert story.person(owner).lots(PERP) == 6


# -- what is alone -----------------------------------------------------------------------------


def test_s7_a_working_order_that_is_replaced_goes_on_as_the_leg(story: Story) -> None:
    owner, order_id = entry(story)
    story.sell(story.account(spot_BTC="1"), SPOT, "0.4", "49000")
    events = amend(story, owner, order_id, price="49100")
    fresh_id = answer(events).result_id
    assert fresh_id != order_id
    assert told(events).legs[0] == (fresh_id, "", MOVED)
    assert story.person(owner).orders[fresh_id].list_id == told(events).list_id
    assert kept(story.engine)
    events = story.sell(story.account(spot_BTC="1"), SPOT, "0.6", "49100")
    assert legs_of(events) == [FILLED, OPEN, OPEN]
    # Both orders count: 1 BTC less a fee of 0.001.
    assert {each.lots for each in open_of(story, owner)} == {99_900}


def test_s7_a_working_order_shrinks_in_its_place(story: Story) -> None:
    owner, order_id = entry(story)
    events = amend(story, owner, order_id, qty="0.5")
    assert answer(events).result_id == order_id
    events = story.sell(story.account(spot_BTC="1"), SPOT, "0.5", "49000")
    assert legs_of(events) == [FILLED, OPEN, OPEN]


def test_p16_an_entry_is_not_moved_past_its_exits(story: Story) -> None:
    owner, order_id = entry(story)  # Its exits lie at 48,500 and 55,000.
    before = standing(story.engine)
    assert refusal(amend(story, owner, order_id, price="48400")) is Reason.BRACKET_PRICES
    assert standing(story.engine) == before


def test_s5_an_order_that_waited_is_changed_as_any_order_once_it_is_placed(story: Story) -> None:
    owner = story.account(spot_USDT="50000", spot_BTC="1")
    working = wish(story, owner, Side.BUY, "1", price="49000")
    waits = wish(story, owner, Side.SELL, "0.9", price="55000")
    place(story, owner, ListKind.OTO, working, waits)
    assert legs_of(story.events) == [OPEN, PENDING]
    events = story.sell(story.account(spot_BTC="1"), SPOT, "1", "49000")
    order_id = told(events).legs[1][0]
    events = amend(story, owner, order_id, price="54000")
    assert told(events).legs[1][0] == answer(events).result_id != order_id
    assert kept(story.engine)


def test_s5_what_is_left_of_an_oco_is_changed_as_any_order(story: Story) -> None:
    owner, (limit_id, _) = sale(story)
    story.buy(story.account(spot_USDT="100000"), SPOT, "0.4", "52000")
    assert legs_of(story.events) == [MOVED, ENDED]
    events = amend(story, owner, limit_id, price="53000")
    assert refusal(events) is None
    assert legs_of(events) == [MOVED, ENDED]
    events = story.buy(story.account(spot_USDT="100000"), SPOT, "0.6", "53000")
    assert legs_of(events) == [FILLED, ENDED]
