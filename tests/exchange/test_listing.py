"""Tests of the venue's order lists: who is whose leg, and what is kept of it."""

from __future__ import annotations

from exchange.commands import PlaceOrder
from exchange.listing import Leg, Lists, OrderList, leg_status
from matching.lists import LegStatus, ListKind
from matching.types import Status
from tests.matching.stories import BUY, limit


def two_legs(lists: Lists) -> OrderList:
    made = OrderList(lists.next_id, 100, "BTC-USDT", ListKind.OTO, "both")
    made.legs = [Leg(PlaceOrder(lots=3, client_id="a")), Leg(PlaceOrder(lots=2, client_id="b"))]
    first = limit(7, BUY, 100, 3)
    first.list_id = made.list_id
    made.legs[0].is_now(first)
    lists.add(made)
    return made


def test_what_is_kept_of_a_list_restores_it() -> None:
    lists = Lists()
    made = two_legs(lists)
    made.legs[0].filled_lots, made.legs[0].paid_minor = 2, -7
    made.bracket, made.placed_ms = True, 1_700_000_000_000
    lists.due[made.list_id] = None
    again = Lists.restored(lists.state())
    assert again.state() == lists.state()
    wish = again.by_id[1].legs[1].wish
    assert (wish, again.count(100, "BTC-USDT")) == (PlaceOrder(lots=2, client_id="b"), 1)


def test_ids_are_not_used_again() -> None:
    lists = Lists()
    lists.remove(two_legs(lists))
    assert (lists.count(100, "BTC-USDT"), lists.next_id) == (0, 2)
    assert Lists.restored(lists.state()).next_id == 2


def test_where_an_order_stands_its_leg_stands() -> None:
    order = limit(7, BUY, 100, 3)
    assert leg_status(order) is LegStatus.OPEN
    order.filled_lots, order.status = 1, Status.PARTIALLY_FILLED
    assert leg_status(order) is LegStatus.MOVED
    for status, stands in (
        (Status.FILLED, LegStatus.FILLED),
        (Status.CANCELLED, LegStatus.PART_FILLED),
        (Status.REJECTED, LegStatus.REJECTED),
    ):
        order.status = status
        assert leg_status(order) is stands
    order.filled_lots = 0
    for status in (Status.CANCELLED, Status.EXPIRED_IN_MATCH):
        order.status = status
        assert leg_status(order) is LegStatus.ENDED
        assert leg_status(order, 1) is LegStatus.PART_FILLED  # Of what it was before.
