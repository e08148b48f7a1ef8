"""Tests of the filters that a configuration chooses."""

from __future__ import annotations

import pytest

from exchange.filtering import Filters, with_filters
from matching.instrument import Instrument
from risk.parameters import Venue
from tests.story import small_venue, units


def of(venue: Venue, symbol: str) -> Instrument:
    return next(each for each in venue.instruments if each.symbol == symbol)


def test_only_what_is_chosen_changes() -> None:
    before = small_venue()
    after = with_filters(before, {"BTC-USDT": Filters(market_qty_max="2", orders_max=7)}, {})
    pair = of(after, "BTC-USDT")
    assert (pair.market_lots_max, pair.orders_max) == (200_000, 7)  # 2 / 0.00001.
    assert (pair.lots_max, pair.algo_orders_max) == (4_000_000_000, 20)
    assert of(after, "ETH-USDT") == of(before, "ETH-USDT")


def test_what_one_order_may_move_of_an_asset_holds_on_every_pair_of_it() -> None:
    venue = with_filters(small_venue(), {}, {"ETH": "5", "BTC": "0.5"})
    assert of(venue, "ETH-USDT").base_order_max_minor == units("5")
    cross = of(venue, "ETH-BTC")
    assert (cross.base_order_max_minor, cross.quote_order_max_minor) == (units("5"), units("0.5"))
    assert of(venue, "ETH-USDT-PERP").base_order_max_minor == 0


@pytest.mark.parametrize(
    ("symbol", "chosen", "wrong"),
    [
        ("BTC-EUR", Filters(), "no such instrument: BTC-EUR"),
        ("BTC-USDT", Filters(price_min="0.001"), r"at `\$.filters.BTC-USDT.price_min`"),
        ("BTC-USDT", Filters(qty_max="none"), r"at `\$.filters.BTC-USDT.qty_max`"),
        ("BTC-USDT", Filters(notional_min="0"), r"at `\$.filters.BTC-USDT.notional_min`"),
        ("BTC-USDT", Filters(orders_max=201), "orders_max is out of range"),
        ("BTC-USDT-PERP", Filters(position_max="1"), "only a pair bounds"),
    ],
)
def test_a_filter_that_cannot_be_used_is_refused_by_name(
    symbol: str, chosen: Filters, wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        with_filters(small_venue(), {symbol: chosen}, {})


def test_a_bound_on_an_asset_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no such asset: EUR"):
        with_filters(small_venue(), {}, {"EUR": "1"})
