"""An order of a contract is told in Binance's words, from whatever it is told."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.futures import order_shapes as shapes
from exchange.venue import default_venue
from matching.types import Order, OrderType, Side, Status, TimeInForce, TriggerSource

INSTRUMENTS = {each.symbol: each for each in default_venue(1, 0).instruments}
LINEAR = INSTRUMENTS["BTC-USDT-PERP"]
INVERSE = INSTRUMENTS["BTC-USD-PERP"]


def stop(**changed: object) -> Order:
    """A sell stop at 40,000 of 0.005 BTC, which is 5 lots."""
    order = Order(7, 100, LINEAR.symbol, Side.SELL, OrderType.STOP, 0, 5, trigger_ticks=400_000)
    for name, value in changed.items():
        setattr(order, name, value)
    return order


def test_a_waiting_stop_is_a_new_stop_market_order() -> None:
    order = stop(status=Status.PENDING_TRIGGER, trigger=TriggerSource.MARK, client_id="mine")
    said = shapes.order_json(shapes.of_order(order, 1_234), LINEAR)
    assert (said["type"], said["origType"], said["status"]) == ("STOP_MARKET", "STOP_MARKET", "NEW")
    assert (said["stopPrice"], said["workingType"]) == ("40000.0", "MARK_PRICE")
    assert (said["clientOrderId"], said["updateTime"]) == ("mine", 1_234)
    assert (said["symbol"], said["origQty"], said["avgPrice"]) == ("BTCUSDT", "0.005", "0.0")


@pytest.mark.parametrize(
    ("type_", "now"),
    [(OrderType.STOP, "MARKET"), (OrderType.STOP_LIMIT, "LIMIT"), (OrderType.LIMIT, "LIMIT")],
)
def test_a_triggered_order_is_what_it_became(type_: OrderType, now: str) -> None:
    told = shapes.of_order(stop(type=type_, triggered_ms=9), 9)
    assert shapes.type_word(told) == now
    assert shapes.orig_type_word(told) == shapes.TYPE_WORDS[type_]


def test_post_only_is_gtx_and_a_market_order_is_told_as_gtc() -> None:
    post = shapes.of_order(stop(type=OrderType.LIMIT, post_only=True), 0)
    market = shapes.of_order(stop(type=OrderType.MARKET, tif=TimeInForce.IOC), 0)
    kill = shapes.of_order(stop(type=OrderType.LIMIT, tif=TimeInForce.FOK), 0)
    assert [shapes.tif_word(each) for each in (post, market, kill)] == ["GTX", "GTC", "FOK"]


def test_an_algo_orders_mark_is_no_part_of_its_client_id() -> None:
    told = shapes.of_order(stop(client_id=shapes.marked("exit-1")), 0)
    assert shapes.is_algo(told.client_id)
    assert shapes.client_word(told) == "exit-1"


def test_orders_without_a_client_id_have_one_by_their_number() -> None:
    assert shapes.client_word(shapes.of_order(stop(), 0)) == "order-7"
    assert shapes.client_word(shapes.of_order(stop(forced=True), 0)) == "autoclose-7"


def test_a_coin_margined_order_counts_contracts_and_coins() -> None:
    # 3 contracts of 100 USD for 0.006 BTC in all: 300 / 0.006 = 50,000 on average.
    order = stop(symbol=INVERSE.symbol, lots=3, filled_lots=3, filled_minor=600_000)
    said = shapes.order_json(shapes.of_order(order, 0), INVERSE)
    assert (said["symbol"], said["pair"]) == ("BTCUSD_PERP", "BTCUSD")
    assert (said["cumBase"], said["avgPrice"], said["executedQty"]) == ("0.006", "50000", "3")
    assert "cumQuote" not in said


def test_a_linear_order_tells_what_its_fills_came_to() -> None:
    # 2 lots of 0.001 at 499,990 and 1 at 500,020 ticks of 0.1: (99,998 + 50,002) x 0.001 = 150.
    units = 2 * 499_990 + 500_020
    order = stop(filled_lots=3, filled_units=units, status=Status.PARTIALLY_FILLED)
    said = shapes.order_json(shapes.of_order(order, 0), LINEAR)
    assert (said["cumQuote"], said["avgPrice"], said["cumQty"]) == ("150", "50000", "0.003")


def test_a_trailing_stop_tells_its_distance_in_percent() -> None:
    order = stop(type=OrderType.TRAILING_STOP, trailing_bps=150)
    said = shapes.order_json(shapes.of_order(order, 0), LINEAR)
    assert (said["priceRate"], said["activatePrice"], said["stopPrice"]) == (
        "1.5",
        "40000.0",
        "0.0",
    )
