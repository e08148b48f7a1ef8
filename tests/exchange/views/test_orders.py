"""When orders last changed, and their average price."""

from __future__ import annotations

from exchange.events import OrderChanged
from exchange.venue import default_venue
from exchange.views.orders import Orders, average_text
from matching.types import Order, OrderType, Side, Status
from tests.exchange.events_by_hand import SPOT, event

INSTRUMENTS = {each.symbol: each for each in default_venue(1, 0).instruments}


def an_order() -> Order:
    return Order(7, 100, SPOT.symbol, Side.BUY, OrderType.LIMIT, 5_000_000, 10, time_ms=50)


def test_an_order_was_updated_when_it_last_changed() -> None:
    orders = Orders()
    assert orders.updated_ms(an_order()) == 50
    orders.fold(event(OrderChanged, time_ms=60))
    orders.fold(event(OrderChanged, time_ms=70, status=Status.PARTIALLY_FILLED))
    assert orders.updated_ms(an_order()) == 70


def test_an_order_that_is_over_is_forgotten() -> None:
    orders = Orders()
    orders.fold(event(OrderChanged, time_ms=60))
    orders.fold(event(OrderChanged, time_ms=70, status=Status.FILLED))
    assert orders.updated_ms(an_order()) == 50


def test_an_average_price_is_rounded_down_to_eight_places() -> None:
    # 100 ticks x 1 lot + 101 ticks x 2 lots = 302 units over 3 lots: 100.666... ticks of 0.01.
    assert average_text(SPOT, 302, 3) == "1.00666666"
    assert average_text(SPOT, 0, 0) is None


def test_p1_an_average_of_inverse_contracts_is_the_harmonic_mean() -> None:
    # 50 contracts of 100 USD at 40,000 and 50 at 60,000: 0.125 + 0.08333333 BTC for 10,000 USD.
    contract = INSTRUMENTS["BTC-USD-PERP"]
    units = 50 * 400_000 + 50 * 600_000
    assert average_text(contract, units, 100, 12_500_000 + 8_333_333) == "48000.000768"
    # 20 contracts at 50,010 alone come to 0.0399920016 BTC, rounded to eight places (A3).
    assert average_text(contract, 20 * 500_100, 20, 3_999_200) == "50010"
