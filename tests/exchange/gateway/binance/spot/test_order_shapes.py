"""An order's names and numbers are Binance's, whatever it is to the engine."""

from __future__ import annotations

import pytest
from msgspec import structs

from exchange.events import OrderChanged
from exchange.gateway.binance.spot.order_shapes import (
    STATUSES,
    looked_up,
    money,
    order_fields,
    tif_name,
    type_name,
)
from matching.types import OrderType, Status, TimeInForce
from tests.exchange.events_by_hand import SPOT, START_MS, event

ORDER: OrderChanged = event(OrderChanged)


@pytest.mark.parametrize(
    ("kind", "post_only", "name"),
    [
        (OrderType.LIMIT, False, "LIMIT"),
        (OrderType.LIMIT, True, "LIMIT_MAKER"),
        (OrderType.MARKET, False, "MARKET"),
        (OrderType.STOP, False, "STOP_LOSS"),
        (OrderType.STOP_LIMIT, True, "STOP_LOSS_LIMIT"),
        (OrderType.TAKE_PROFIT, False, "TAKE_PROFIT"),
        (OrderType.TAKE_PROFIT_LIMIT, False, "TAKE_PROFIT_LIMIT"),
        (OrderType.TRAILING_STOP, False, "STOP_LOSS"),
    ],
)
def test_types_are_named(kind: OrderType, post_only: bool, name: str) -> None:
    assert type_name(kind, post_only=post_only) == name


def test_every_status_has_a_name_and_a_sleeping_order_is_new() -> None:
    assert set(STATUSES) == set(Status)
    assert STATUSES[Status.PENDING_TRIGGER] == STATUSES[Status.NEW] == "NEW"


def test_a_market_order_is_told_as_good_till_cancelled() -> None:
    assert tif_name(TimeInForce.IOC, OrderType.MARKET) == "GTC"
    assert tif_name(TimeInForce.IOC, OrderType.LIMIT) == "IOC"


def test_numbers_have_eight_places() -> None:
    said = order_fields(structs.replace(ORDER, filled_lots=500, filled_units=2_500_000_000), SPOT)
    assert said["price"] == "50000.00000000"  # 5,000,000 ticks of 0.01.
    assert (said["origQty"], said["executedQty"]) == ("0.01000000", "0.00500000")
    assert said["cummulativeQuoteQty"] == "250.00000000"  # 0.005 x 50,000.
    assert money(-1) == "-0.00000001"


def test_what_is_not_used_is_left_out_of_a_new_order_and_zero_when_looked_up() -> None:
    said = order_fields(ORDER, SPOT)
    assert not {"stopPrice", "icebergQty", "trailingDelta", "preventedQuantity"} & set(said)
    said = looked_up(ORDER, SPOT)
    assert said["stopPrice"] == said["icebergQty"] == "0.00000000"


def test_an_order_works_from_its_trigger_on() -> None:
    asleep = structs.replace(
        ORDER,
        type=OrderType.STOP_LIMIT,
        trigger_ticks=5_100_000,
        status=Status.PENDING_TRIGGER,
        trailing_bps=50,
        iceberg_lots=100,
        prevented_lots=200,
    )
    said = looked_up(asleep, SPOT)
    assert (said["isWorking"], said["workingTime"], said["time"]) == (False, -1, START_MS)
    assert (said["stopPrice"], said["trailingDelta"]) == ("51000.00000000", 50)
    assert (said["icebergQty"], said["preventedQuantity"]) == ("0.00100000", "0.00200000")
    said = looked_up(structs.replace(asleep, status=Status.NEW, triggered_ms=START_MS + 5), SPOT)
    assert (said["isWorking"], said["workingTime"]) == (True, START_MS + 5)


def test_an_order_by_amount_is_for_what_it_got() -> None:
    bought = structs.replace(ORDER, lots=0, quote_minor=10**10, filled_lots=200)
    said = order_fields(bought, SPOT)
    assert (said["origQuoteOrderQty"], said["origQty"]) == ("100.00000000", "0.00200000")
