"""Tests of the filters that instruments tell."""

from __future__ import annotations

from exchange.gateway.native.filtering import filters_say
from tests.exchange.gateway.rig import Rig
from tests.matching.stories import instrument


def test_what_does_not_bind_is_left_out() -> None:
    said = filters_say(instrument(bid_up_e4=0, execution_down_e4=9_500))
    assert "bid_up" not in said
    assert said["execution_down"] == "0.9500"
    assert not {"position_max", "base_order_max", "quote_order_max", "amends_max"} & said.keys()


def test_bounds_are_told_in_the_instruments_own_units() -> None:
    # Lots of 0.01 and ticks of 0.01: 250 lots are 2.5, 500 ticks are 5.
    said = filters_say(
        instrument(position_lots_max=250, ticks_min=500, amends_max=3, quote_order_max_minor=10**8)
    )
    assert (said["position_max"], said["price_min"]) == ("2.5", "5.00")
    assert (said["amends_max"], said["quote_order_max"]) == (3, "1")


async def test_the_door_tells_them(rig: Rig) -> None:
    said = (await rig.ask("GET", "/v1/instruments")).json["instruments"]
    filters = {each["symbol"]: each["filters"] for each in said}
    assert filters["BTC-USDT"]["orders_max"] == 200
    assert "bid_up" in filters["BTC-USDT"]
    assert "bid_up" not in filters["BTC-USDT-PERP"]  # It keeps to the index instead.
