"""Tests of the filters that look at what an account has: icebergs, position; and of the engine's
road to the others (S3, S7, S9)."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import AmendOrder, CancelOrder
from matching.reasons import Reason
from matching.types import OrderType, Side
from tests.story import Story, answer, refusal, units, venue_with

SPOT = "BTC-USDT"
LOT = 100_000  # Lots in one coin.


def told(events: list[Any], reason: Reason) -> dict[str, int | str]:
    found = answer(events)
    assert found.reason is reason, found
    return found.details


def lots(qty: str) -> int:
    return units(qty) // 1_000  # Lots of 0.00001.


def stocked(**changes: Any) -> tuple[Story, int]:
    """Asks of 1 at 50,000 and of 1 at 50,100, and somebody with a million."""
    story = Story(venue_with(SPOT, **changes))
    house = story.account(spot_BTC="5")
    story.sell(house, SPOT, "1", "50000")
    story.sell(house, SPOT, "1", "50100")
    return story, story.account(spot_USDT="1000000", spot_BTC="1")


def by_amount(story: Story, someone: int, quote: str, side: Side = Side.BUY) -> list[Any]:
    return story.place(someone, side, SPOT, quote_minor=units(quote))


def test_s3_what_an_amount_buys_must_be_a_market_order_in_size() -> None:
    story, someone = stocked(market_lots_max=lots("1.5"))
    # 50000 + 25050 buy 1 + 0.5; 501 more buy 0.01 too many.
    details = told(by_amount(story, someone, "75551"), Reason.MARKET_QTY_OUT_OF_RANGE)
    assert (details["qty_lots"], details["qty_max_lots"]) == (lots("1.51"), lots("1.5"))
    assert story.person(someone).free("spot", "USDT") == units("1000000")
    assert refusal(by_amount(story, someone, "75050")) is None


def test_s3_what_an_amount_sells_must_be_a_market_order_in_size() -> None:
    story, someone = stocked(market_lots_max=lots("0.5"))
    bidder = story.account(spot_USDT="100000")
    story.buy(bidder, SPOT, "1", "49000")
    sold = by_amount(story, someone, "29400", Side.SELL)  # 0.6 at 49000.
    assert told(sold, Reason.MARKET_QTY_OUT_OF_RANGE)["qty_lots"] == lots("0.6")
    assert refusal(by_amount(story, someone, "24500", Side.SELL)) is None


def test_s3_what_an_amount_buys_must_reach_the_least_lot() -> None:
    story, someone = stocked(lots_min=lots("0.01"), market_lots_max=lots("5"))
    details = told(by_amount(story, someone, "499.99"), Reason.QTY_OUT_OF_RANGE)  # 0.00999.
    assert (details["qty_lots"], details["qty_min_lots"]) == (999, lots("0.01"))
    assert refusal(by_amount(story, someone, "500")) is None


def test_s3_an_amount_that_meets_nobody_is_left_to_the_book() -> None:
    story = Story(venue_with(SPOT, lots_min=lots("0.01")))
    someone = story.account(spot_USDT="1000")
    assert refusal(by_amount(story, someone, "499.99")) is None  # It expires: nobody is there.
    assert story.person(someone).free("spot", "USDT") == units("1000")


def iceberg(story: Story, someone: int, **more: Any) -> list[Any]:
    return story.sell(someone, SPOT, "0.2", "51000", iceberg_lots=lots("0.1"), **more)


def test_s9_only_so_many_icebergs_may_be_open() -> None:
    story, someone = stocked(icebergs_max=2)
    first = answer(iceberg(story, someone)).result_id
    assert refusal(iceberg(story, someone)) is None
    details = told(iceberg(story, someone), Reason.MAX_ICEBERGS)
    assert (details["icebergs"], details["icebergs_max"]) == (2, 2)
    assert refusal(story.sell(someone, SPOT, "0.1", "51000")) is None  # It shows all of itself.
    moved = {"account_id": someone, "order_id": first, "lots": 0, "price_ticks": 5_110_000}
    second = answer(story.ok(AmendOrder, **moved)).result_id  # In the place of the first.
    story.ok(CancelOrder, account_id=someone, order_id=second)
    assert refusal(iceberg(story, someone)) is None


def test_s9_max_position_counts_what_is_held_what_is_bid_and_the_order() -> None:
    story, someone = stocked(position_lots_max=lots("2"))
    story.sell(someone, SPOT, "0.5", "52000")  # Locked, and held all the same.
    bid = answer(story.buy(someone, SPOT, "0.4", "49000")).result_id
    # 1 held + 0.4 bid leave room for 0.6.
    details = told(story.buy(someone, SPOT, "0.60001", "49000"), Reason.MAX_POSITION)
    assert (details["has_minor"], details["qty_lots"]) == (units("1.4"), lots("0.60001"))
    assert details["position_max_lots"] == lots("2")
    assert refusal(by_amount(story, someone, "30000.5")) is Reason.MAX_POSITION  # 0.60001.
    assert refusal(story.sell(someone, SPOT, "0.5", "52000")) is None
    # Amended to 0.6 the bid itself leaves; to more than 1 in all it does not fit.
    wish = {"account_id": someone, "order_id": bid, "price_ticks": 0}
    assert refusal(story.do(AmendOrder, **wish, lots=lots("1.00001"))) is Reason.MAX_POSITION
    assert refusal(story.do(AmendOrder, **wish, lots=lots("1"))) is None


def test_s9_a_stop_that_wakes_is_not_counted_twice() -> None:
    story, someone = stocked(position_lots_max=lots("2"))
    more: dict[str, Any] = {"type": OrderType.STOP_LIMIT, "trigger_ticks": 5_005_000}
    assert refusal(story.buy(someone, SPOT, "1", "50200", **more)) is None  # 1 held + 1.
    assert refusal(story.buy(someone, SPOT, "0.001", "50200", **more)) is Reason.MAX_POSITION
    taker = story.account(spot_USDT="200000")
    story.buy(taker, SPOT, "1.1", "50100")  # It trades at 50,100 and wakes the stop.
    # 0.9 is left at 50,100; the rest of the stop rests on the bid side.
    assert story.person(someone).minor("spot", "BTC") == units("1.8991")  # 1 + 0.9 less 0.1 %.
    assert sum(each.open_lots for each in story.person(someone).orders.values()) == lots("0.1")


def test_s9_max_asset_bounds_one_orders_quantity_and_its_worth() -> None:
    story, someone = stocked(base_order_max_minor=units("2"), quote_order_max_minor=units("75000"))
    details = told(story.buy(someone, SPOT, "2.00001", "20000"), Reason.MAX_ASSET)
    assert (details["asset"], details["moved_minor"]) == ("BTC", units("2.00001"))
    # 1.6 x 49000 = 78400; at the index of 50000 a market order of 1.5001 is worth 75005.
    details = told(story.buy(someone, SPOT, "1.6", "49000"), Reason.MAX_ASSET)
    assert (details["asset"], details["moved_minor"]) == ("USDT", units("78400"))
    assert told(story.buy(someone, SPOT, "1.5001"), Reason.MAX_ASSET)["moved_minor"] == units(
        "75005"
    )
    assert refusal(by_amount(story, someone, "75000.5")) is Reason.MAX_ASSET
    assert refusal(by_amount(story, someone, "75000")) is None


def test_s9_an_order_may_be_changed_in_place_only_so_often() -> None:
    story, someone = stocked(amends_max=2)
    one = answer(story.buy(someone, SPOT, "1", "49000")).result_id

    def changed(order_id: int, qty: str, **more: Any) -> list[Any]:
        wish = {"account_id": someone, "order_id": order_id, "lots": lots(qty), "price_ticks": 0}
        return story.do(AmendOrder, **(wish | more))

    assert refusal(changed(one, "0.9")) is None
    assert refusal(changed(one, "0.8")) is None
    details = told(changed(one, "0.7"), Reason.MAX_AMENDS)
    assert (details["amends"], details["amends_max"]) == (2, 2)
    fresh = answer(changed(one, "0.7", price_ticks=4_890_000)).result_id
    assert fresh != one
    assert refusal(changed(fresh, "0.6")) is None  # A new order begins anew.


def test_s9_an_order_asleep_may_be_changed_only_so_often() -> None:
    story, someone = stocked(amends_max=1)
    more: dict[str, Any] = {"type": OrderType.STOP, "trigger_ticks": 4_900_000}
    one = answer(story.sell(someone, SPOT, "0.5", **more)).result_id
    wish = {"account_id": someone, "order_id": one, "price_ticks": 0}
    story.ok(AmendOrder, **wish, lots=lots("0.4"))
    assert refusal(story.do(AmendOrder, **wish, lots=lots("0.3"))) is Reason.MAX_AMENDS


@pytest.mark.parametrize(("price", "reason"), [("40000", None), ("39999.99", True)])
def test_s9_a_price_has_a_least(price: str, reason: bool | None) -> None:
    story, someone = stocked(ticks_min=4_000_000)
    ticks = units(price) // 10**6
    events = story.buy(someone, SPOT, "0.1", price_ticks=ticks, type=OrderType.LIMIT)
    if reason:
        details = told(events, Reason.PRICE_OUT_OF_RANGE)
        assert (details["price_ticks"], details["price_min_ticks"]) == (ticks, 4_000_000)
    else:
        assert refusal(events) is None
