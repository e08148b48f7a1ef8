"""Tests of the tally: kinds by the way an order executes, shares of what came of them."""

from __future__ import annotations

from exchange.bench.tally import Tally, kind_of
from exchange.commands import CancelOrder, PlaceOrder, Tick
from matching.types import OrderType, Side, TimeInForce
from tests.story import Story


def test_orders_are_told_apart_by_the_way_they_execute() -> None:
    assert kind_of(Tick()) == "Tick"
    assert kind_of(PlaceOrder()) == "PlaceOrder.limit"
    assert kind_of(PlaceOrder(post_only=True)) == "PlaceOrder.post_only"
    assert kind_of(PlaceOrder(tif=TimeInForce.FOK)) == "PlaceOrder.fok"
    stop = PlaceOrder(type=OrderType.STOP, trigger_ticks=5, reduce_only=True)
    assert kind_of(stop) == "PlaceOrder.stop"
    market = PlaceOrder(type=OrderType.MARKET, tif=TimeInForce.IOC)
    assert kind_of(market) == "PlaceOrder.market"
    assert kind_of(PlaceOrder(reduce_only=True, tif=TimeInForce.IOC)) == "PlaceOrder.reduce_only"


def test_shares_are_of_the_commands_counted() -> None:
    story = Story()
    seller = story.account("seller", margin_BTC="1")
    buyer = story.account("buyer", spot_USDT="100000")
    sold = story.sell(seller, "BTC-USDT", "0.1", "50000", wallet="margin")
    bought = story.buy(buyer, "BTC-USDT", "0.1", "50000")
    unknown = story.do(CancelOrder, account_id=buyer, order_id=99)
    tally = Tally()
    tally.count(
        [
            PlaceOrder(side=Side.SELL, wallet="margin"),
            PlaceOrder(),
            CancelOrder(),
        ],
        [sold, bought, unknown],
    )
    mix = tally.mix()
    assert tally.events == len(sold) + len(bought) + len(unknown)
    assert mix["kinds"] == {"CancelOrder": 1, "PlaceOrder.limit": 2}
    assert mix["order_wallets"] == {"margin": 1, "spot": 1}
    assert mix["rejects_by_reason"] == {"UNKNOWN_ORDER": 1}
    assert mix["trades"] == mix["rejects"] == 1
    assert mix["share_of_fills"] == mix["share_of_rejects"] == 0.3333
    assert mix["share_of_margin_orders"] == 0.3333
    assert mix["share_of_perpetual_orders"] == 0.0
