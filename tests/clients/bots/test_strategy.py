"""Tests of what strategies are built from."""

from decimal import Decimal

import pytest

from clients.bots.strategy import Amend, Cancel, OwnOrders, Refused, Touch, against, gained, signed
from tests.clients.bots.stories import PERP, SPOT, bbo, fill, order


def test_prices_are_fitted_to_ticks_on_either_side() -> None:
    # The tick is 0.01.
    assert SPOT.price_below(Decimal("100.019")) == Decimal("100.01")
    assert SPOT.price_above(Decimal("100.011")) == Decimal("100.02")
    assert SPOT.price_above(Decimal("100.01")) == Decimal("100.01")


def test_quantities_are_whole_lots() -> None:
    assert PERP.qty_of(Decimal("0.0129")) == Decimal("0.012")  # The lot is 0.001.


@pytest.mark.parametrize(
    ("quote", "qty"),
    [
        ("1000", "0.020"),  # 1000 / 50000
        ("1", "0.001"),  # One lot at least, and 5 / 50000 = 0.0001 rounded up to one.
    ],
)
def test_a_quantity_for_an_amount_is_never_less_than_an_order_must_be(quote, qty) -> None:
    assert PERP.qty_for(Decimal(quote), Decimal(50000)) == Decimal(qty)


def test_the_least_amount_is_rounded_up_to_lots() -> None:
    # 5 / 30 = 0.1666..., in lots of 0.001 at least 0.167.
    assert PERP.qty_for(Decimal(1), Decimal(30)) == Decimal("0.167")


def test_own_orders_are_followed_from_the_wish_to_the_end() -> None:
    orders = OwnOrders("me-")
    place = orders.place(symbol="BTC-USDT", side="buy", qty=Decimal(1), price=Decimal(9))
    assert place.client_id == "me-1"
    assert orders.busy
    orders.hear(order(place, "new"))
    assert not orders.busy
    assert [each.client_id for each in orders] == ["me-1"]
    orders.hear(order(place, "cancelled"))
    assert list(orders) == []


def test_orders_of_others_are_not_ones_own() -> None:
    orders, others = OwnOrders("me-"), OwnOrders("you-")
    orders.hear(order(others.place(symbol="BTC-USDT", side="buy", qty=Decimal(1)), "new"))
    assert list(orders) == []


def test_a_refused_order_is_waited_for_no_more() -> None:
    orders = OwnOrders("me-")
    place = orders.place(symbol="BTC-USDT", side="buy", qty=Decimal(1))
    orders.refused(Refused(place, "INSUFFICIENT_BALANCE", "no"))
    assert not orders.busy


def test_a_change_under_way_is_not_asked_for_again() -> None:
    orders = OwnOrders("me-")
    place = orders.place(symbol="BTC-USDT", side="buy", qty=Decimal(1), price=Decimal(9))
    orders.hear(order(place, "new"))
    (resting,) = orders
    amend = Amend("me-1", Decimal(8))
    assert orders.amend(resting, Decimal(8)) == [amend]
    assert orders.amend(resting, Decimal(7)) == []
    assert orders.cancel(resting) == []
    orders.hear(order(place, "new", price="8"))  # It was amended: it may be changed again.
    assert orders.amend(resting, Decimal(7)) == [Amend("me-1", Decimal(7))]
    orders.refused(Refused(Amend("me-1", Decimal(7)), "RATE_LIMITED", "no"))
    assert orders.cancel(resting) == [Cancel("me-1")]


def test_a_buyer_of_spot_gains_less_by_his_fee() -> None:
    place = OwnOrders("me-").place(symbol="BTC-USDT", side="buy", qty=Decimal(1))
    assert gained(fill(place, fee="0.001", fee_asset="BTC").data, SPOT) == Decimal("0.999")
    assert gained(fill(place, fee="50", fee_asset="USDT").data, SPOT) == 1


def test_the_touch_has_a_middle_only_with_both_sides() -> None:
    touch = Touch()
    touch.hear(bbo(SPOT, "100", None))
    assert touch.mid is None
    touch.hear(bbo(SPOT, "100", "101"))
    assert touch.mid == Decimal("100.5")


def test_sides_have_signs_and_opposites() -> None:
    assert signed("sell", Decimal(2)) == -2
    assert (against("buy"), against("sell")) == ("sell", "buy")
