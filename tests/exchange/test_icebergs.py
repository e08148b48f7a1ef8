"""Icebergs on the engine (S6, T28): what the public sees, what they hold, and what befalls them."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import AmendOrder, CancelOrder
from exchange.events import DepthChanged, Filled, OrderChanged, Traded
from matching.reasons import Reason
from matching.types import SelfTrade, Side, Status, TimeInForce
from tests.exchange.stops import PERP, SPOT, last_of
from tests.story import Story, again, answer, of, refusal, small_venue, standing, units


def show(story: Story, qty: str, symbol: str = SPOT) -> int:
    lots = story.engine.instruments[symbol].lots(qty)
    assert isinstance(lots, int)
    return lots


@pytest.fixture
def story() -> Story:
    return Story()


def iceberg(story: Story, account: int, shown: str = "0.2", **more: Any) -> int:
    """Sell one coin at 50,000, a part of it on view; its id."""
    fields: dict[str, Any] = {"iceberg_lots": show(story, shown)} | more
    events = story.sell(account, SPOT, "1", "50000", **fields)
    assert refusal(events) is None
    return answer(events).result_id


def test_s6_the_public_sees_a_slice_and_the_owner_all(story: Story) -> None:
    owner = story.account(spot_BTC="1")
    order_id = iceberg(story, owner)
    (depth,) = of(story.events[-4:], DepthChanged)
    ((_, lots),) = depth.asks
    assert lots == show(story, "0.2")
    told = last_of(story, order_id)
    assert (told.open_lots, told.iceberg_lots) == (show(story, "1"), show(story, "0.2"))
    assert story.person(owner).free("spot", "BTC") == 0  # All of it is held.


def test_t28_a_sweep_meets_the_others_before_the_next_slice(story: Story) -> None:
    owner, other = story.account(spot_BTC="1"), story.account(spot_BTC="1")
    taker = story.account(spot_USDT="100000")
    order_id = iceberg(story, owner)
    other_id = answer(story.sell(other, SPOT, "0.3", "50000")).result_id
    events = story.buy(taker, SPOT, "0.6")
    made = [(each.maker_order_id, each.lots) for each in of(events, Traded)]
    slices = [(order_id, "0.2"), (other_id, "0.3"), (order_id, "0.1")]
    assert made == [(maker, show(story, qty)) for maker, qty in slices]
    (depth,) = of(events, DepthChanged)
    assert depth.asks == [(5_000_000, show(story, "0.1"))]  # Of the second slice.
    assert last_of(story, order_id).status is Status.PARTIALLY_FILLED
    assert standing(again(story.engine)) == standing(story.engine)


def test_s6_the_last_slice_fills_it(story: Story) -> None:
    owner, taker = story.account(spot_BTC="1"), story.account(spot_USDT="100000")
    order_id = iceberg(story, owner, "0.3")  # 0.3 + 0.3 + 0.3 + 0.1
    events = story.buy(taker, SPOT, "1")
    lots = [each.lots for each in of(events, Filled) if each.account_id == owner]
    assert lots == [show(story, qty) for qty in ("0.3", "0.3", "0.3", "0.1")]
    assert last_of(story, order_id).status is Status.FILLED
    assert not story.person(owner).orders


def test_s6_cancelling_frees_what_nobody_saw(story: Story) -> None:
    owner, taker = story.account(spot_BTC="1"), story.account(spot_USDT="100000")
    order_id = iceberg(story, owner)
    story.buy(taker, SPOT, "0.3")
    events = story.ok(CancelOrder, account_id=owner, order_id=order_id)
    assert story.person(owner).free("spot", "BTC") == units("0.7")
    assert of(events, DepthChanged)[0].asks == [(5_000_000, 0)]


def test_s7_an_iceberg_is_amended_as_one(story: Story) -> None:
    owner = story.account(spot_BTC="1")
    order_id = iceberg(story, owner)
    fewer = {"account_id": owner, "order_id": order_id, "lots": show(story, "0.5")}
    events = story.ok(AmendOrder, **fewer)
    assert answer(events).result_id == order_id
    assert story.person(owner).free("spot", "BTC") == units("0.5")
    fields = {"account_id": owner, "order_id": order_id, "price_ticks": 5_100_000}
    moved = answer(story.ok(AmendOrder, **fields)).result_id
    assert last_of(story, moved).iceberg_lots == show(story, "0.2")
    book = story.engine.books[SPOT]
    assert book.levels(Side.SELL, 9) == [(5_100_000, show(story, "0.2"))]


@pytest.mark.parametrize(
    ("shown", "more", "reason"),
    [
        ("0.09", {}, Reason.ICEBERG_PARTS),  # 1 / 0.09 is 12 parts; 10 are allowed.
        ("0.2", {"tif": TimeInForce.IOC}, Reason.ICEBERG_NOT_GTC),
        ("1.1", {}, Reason.QTY_OUT_OF_RANGE),
    ],
)
def test_s9_an_iceberg_has_its_bounds(
    story: Story, shown: str, more: dict[str, Any], reason: Reason
) -> None:
    owner = story.account(spot_BTC="1")
    before = standing(story.engine)
    fields: dict[str, Any] = {"iceberg_lots": show(story, shown)} | more
    assert refusal(story.sell(owner, SPOT, "1", "50000", **fields)) is reason
    assert standing(story.engine) == before


def test_s6_an_iceberg_on_a_perpetual_holds_margin_for_the_whole(story: Story) -> None:
    owner, taker = story.account(perp_USDT="90000"), story.account(perp_USDT="90000")
    plain = story.account(perp_USDT="90000")
    fields = {"iceberg_lots": show(story, "0.010", PERP)}
    story.sell(owner, PERP, "0.100", "50000", **fields)
    story.sell(plain, PERP, "0.100", "50000")
    of_owner, of_plain = (story.person(each).open_perp[PERP] for each in (owner, plain))
    assert list(of_owner.values()) == list(of_plain.values())
    events = story.buy(taker, PERP, "0.120", "50000")
    # 0.010 of the iceberg, then all 0.100 of the other, then 0.010 of the next slice.
    lots = [each.lots for each in of(events, Traded)]
    assert lots == [show(story, qty, PERP) for qty in ("0.010", "0.100", "0.010")]
    assert [each.happening for each in of(events, OrderChanged)][-1] == "filled"


@pytest.mark.parametrize("taken", ["0.03", "0.04", "0.07"])
def test_p4_i5_a_sweep_through_several_slices_leaves_what_the_rest_needs(taken: str) -> None:
    """Of an inverse contract an order comes to coins, rounded up: 10 contracts of 100 at 42,159.1
    are 0.02371968.. BTC, and slices of 1 and 2 do not add up to that. What was counted for the
    order is taken out slice by slice all the same (the check behind every command sees to it)."""
    story = Story(small_venue(symbols=("BTC-USDT", "BTC-USD-PERP")))
    story.index("BTC", "42159.1")
    owner, taker = (story.account(**{"perp:BTC_BTC": "1"}) for _ in range(2))
    sold = story.buy(owner, "BTC-USD-PERP", price="42159.1", lots=10, iceberg_lots=2)
    assert refusal(sold) is None
    lots = units(taken) // 10**6
    story.sell(taker, "BTC-USD-PERP", lots=lots)
    sums = story.person(owner).open_perp["BTC-USD-PERP"]
    (order,) = story.person(owner).orders.values()
    contract = story.engine.risk.contracts["BTC-USD-PERP"]
    assert sums.buy_lots == order.open_lots == order.counted_lots == 10 - lots
    assert sums.buy_minor == contract.order_minor(10 - lots, 421_591)
    story.sell(taker, "BTC-USD-PERP", lots=10 - lots)
    assert not story.person(owner).open_perp


def test_p4_s8_slices_lost_to_a_self_trade_free_what_each_of_them_held(story: Story) -> None:
    """A bid of three slices meets its owner's own sale, slice by slice, and loses all to it: then
    nothing is held for it any more (the check behind every command sees to the sums)."""
    owner = story.account(perp_USDT="90000")
    fields = {"iceberg_lots": show(story, "0.010", PERP)}
    story.buy(owner, PERP, "0.030", "50000", **fields)
    story.sell(owner, PERP, "0.030", "50000", stp=SelfTrade.DECREMENT)
    assert not story.person(owner).orders
    assert not story.person(owner).open_perp
