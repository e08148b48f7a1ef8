"""Tests of a refusal's numbers as text: each name's ending is its unit."""

from __future__ import annotations

from exchange.why.numbers import Amount, amounts, texts
from tests.exchange.events_by_hand import PERP, SPOT


def test_every_ending_is_a_unit() -> None:
    numbers: dict[str, int | str] = {
        "rule": "P4",
        "side": "buy",
        "fee_minor": 250_000_000,
        "mark_e8": 5_000_000_000_000,
        "asked_e16": 12_250_000_000_000_000_000,
        "rate_e12": 500_000_000,
        "owed_e18": 10**16,
        "room_e28": -(10**27),
        "up_e4": 50_000,
        "price_ticks": 500_000,
        "position_lots": -3,
        "now_ms": 1_700_000_000_000,
        "open_orders": 200,
    }
    assert texts(numbers, PERP, "USDT") == {
        "rule": "P4",
        "side": "buy",
        "fee": "2.5",
        "mark": "50000",
        "asked": "1225",
        "rate": "0.0005",
        "owed": "0.01",
        "room": "-0.1",
        "up": "5",
        "price": "50000",
        "position": "-0.003",
        "now": "1700000000000",
        "open_orders": "200",
    }


def test_an_amount_is_of_the_asset_that_is_named_and_a_size_of_the_base() -> None:
    numbers: dict[str, int | str] = {"asset": "BTC", "free_minor": 10**8, "qty_lots": 10}
    told = [each for each in amounts(numbers, SPOT, "USDT") if isinstance(each, Amount)]
    assert [(each.name, each.text, each.unit) for each in told] == [
        ("free", "1", "BTC"),
        ("qty", "0.0001", "BTC"),
    ]


def test_without_an_instrument_money_is_in_the_venues_quote() -> None:
    (told,) = amounts({"asked_minor": 10**8}, None, "USDT")
    assert isinstance(told, Amount)
    assert (told.text, told.unit) == ("1", "USDT")
