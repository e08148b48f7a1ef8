"""Tests of instruments, and of decimal text as exact integers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.instrument import amount_text, fixed_text, minor
from matching.reasons import Reason
from tests.matching.stories import BUY, SELL, instrument

MALFORMED = [
    *["", ".", "1.", ".5", "-1", "+1", " 1", "1 ", "1e3", "1_000", "1,5", "0x10", "1.2.3"],
    *["\u0661", "\uff11", "\u00b2", "NaN", "-", "--1", "1.-5", "1" * 41, "\n1", "1\0"],
]


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", 0), ("1", 10**8), ("0.5", 5 * 10**7), ("007.25", 725 * 10**6), ("0.00000001", 1)],
)
def test_plain_decimal_text_is_read_exactly(text: str, amount: int) -> None:
    assert minor(text) == amount


@pytest.mark.parametrize("text", MALFORMED)
def test_anything_but_plain_decimal_text_is_refused(text: str) -> None:
    assert minor(text) is Reason.MALFORMED_NUMBER


def test_a_sign_is_read_only_where_it_is_allowed() -> None:
    assert minor("-1.5", signed=True) == -150_000_000
    assert minor("1.5", signed=True) == 150_000_000
    assert minor("--1.5", signed=True) is Reason.MALFORMED_NUMBER
    assert minor("-", signed=True) is Reason.MALFORMED_NUMBER


def test_digits_finer_than_the_scale_are_refused_unless_they_are_zeros() -> None:
    assert minor("0.000000010") == 1
    assert minor("0.000000011") is Reason.AMOUNT_TOO_FINE
    assert minor("1.25", scale=1) is Reason.AMOUNT_TOO_FINE
    assert minor("7", scale=0) == 7


@given(st.integers(-(10**30), 10**30), st.integers(0, 12))
def test_text_and_integer_are_two_faces_of_one_amount(amount: int, scale: int) -> None:
    assert minor(amount_text(amount, scale), scale, signed=True) == amount
    assert minor(fixed_text(amount, scale), scale, signed=True) == amount


def test_amounts_are_shown_without_trailing_zeros() -> None:
    assert amount_text(150_000_000) == "1.5"
    assert amount_text(-1) == "-0.00000001"
    assert amount_text(0) == "0"
    assert amount_text(10**10) == "100"
    assert fixed_text(150, 2) == "1.50"
    assert fixed_text(-5, 2) == "-0.05"


def test_an_instrument_knows_what_its_tick_and_lot_are_worth() -> None:
    market = instrument(tick="0.01", lot="0.00001")
    assert market.tick_e8 == 1_000_000  # 0.01 quote
    assert market.lot_minor == 1_000  # 0.00001 base
    assert market.unit_minor == 10  # 0.01 x 0.00001 = 0.0000001 quote
    # 50000.00 x 0.2 = 10000 quote: 5,000,000 ticks x 20,000 lots x 10
    assert market.notional_minor(5_000_000, 20_000) == 10_000 * 10**8


def test_an_instrument_whose_tick_times_lot_is_not_exact_is_refused() -> None:
    # 0.00001 x 0.0001 = 10^-9, finer than the quote's 10^-8 (A2).
    with pytest.raises(ValueError, match="BTC-USDT: tick x lot is not exact in USDT"):
        instrument(tick="0.00001", lot="0.0001")
    assert instrument(tick="0.00001", lot="0.001").unit_minor == 1


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"tick": "0"}, "greater than zero"),
        ({"lot": "-1"}, "no step"),
        ({"tick": "0.000000001"}, "no step"),
        ({"symbol": ""}, "symbol"),
        ({"base": ""}, "named"),
        ({"settle": "BTC"}, "any other instrument in its quote"),
        ({"ticks_max": 0}, "ticks_max"),
        ({"ticks_max": 10**9 + 1}, "ticks_max"),
        ({"lots_min": 0}, "lots_min"),
        ({"lots_min": 9, "lots_max": 8}, "lots_min"),
        ({"lots_max": 4 * 10**9 + 1}, "lots_max"),
        ({"lots_min": 2, "market_lots_max": 1}, "market_lots_max"),
        ({"notional_min_minor": 2, "notional_max_minor": 1}, "crossed"),
        ({"orders_max": 0}, "orders_max"),
        ({"orders_max": 201}, "orders_max"),
        ({"iceberg_parts_max": 0}, "iceberg_parts_max"),
        ({"ticks_min": 0}, "ticks_min"),
        ({"ticks_min": 9, "ticks_max": 8}, "ticks_min"),
        ({"icebergs_max": 0}, "icebergs_max"),
        ({"icebergs_max": 201}, "icebergs_max"),
        ({"amends_max": -1}, "amends_max"),
        ({"position_lots_max": -1}, "only a pair"),
        ({"kind": "linear", "quote_order_max_minor": 1}, "only a pair"),
        ({"bid_up_e4": 9_999}, "up is below 1"),
        ({"execution_down_e4": 10_001}, "down is above 1"),
    ],
)
def test_bounds_that_do_not_hang_together_are_refused(
    changed: dict[str, object], wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        instrument(**changed)


def test_a_price_must_be_on_the_tick_and_in_range() -> None:
    market = instrument(tick="0.05", ticks_max=1_000)
    assert market.ticks("1.25") == 25
    assert market.ticks("1.250000000") == 25
    assert market.ticks("50") == 1_000
    assert market.ticks("1.26") is Reason.PRICE_NOT_ON_TICK
    assert market.ticks("1.000000001") is Reason.PRICE_NOT_ON_TICK
    assert market.ticks("50.05") is Reason.PRICE_OUT_OF_RANGE
    assert market.ticks("0") is Reason.PRICE_OUT_OF_RANGE
    assert market.ticks("1e1") is Reason.MALFORMED_NUMBER


def test_a_quantity_must_be_on_the_lot_and_in_range() -> None:
    market = instrument(lot="0.1", lots_min=2, lots_max=50)
    assert market.lots("0.2") == 2
    assert market.lots("5.0") == 50
    assert market.lots("0.25") is Reason.QTY_NOT_ON_LOT
    assert market.lots("0.000000001") is Reason.QTY_NOT_ON_LOT
    assert market.lots("0.1") is Reason.QTY_OUT_OF_RANGE
    assert market.lots("5.1") is Reason.QTY_OUT_OF_RANGE
    assert market.lots("x") is Reason.MALFORMED_NUMBER


def test_prices_and_quantities_are_shown_with_the_places_of_their_step() -> None:
    market = instrument(tick="0.05", lot="1")
    assert market.price_text(25) == "1.25"
    assert market.price_text(2) == "0.10"
    assert market.qty_text(7) == "7"
    assert instrument(tick="10").price_text(3) == "30"


@given(st.integers(1, 10**9), st.sampled_from(["0.01", "0.5", "0.00025", "3", "20"]))
def test_a_shown_price_is_read_back_as_the_same_ticks(ticks: int, tick: str) -> None:
    market = instrument(tick=tick, lot="1")
    assert market.ticks(market.price_text(ticks)) == ticks


def test_amounts_become_whole_lots_and_units_rounded_down() -> None:
    market = instrument(tick="0.01", lot="0.01")  # unit: 0.0001 quote = 10^4 minor units
    assert market.whole_lots(1_999_999) == 1
    assert market.whole_units(19_999) == 1
    assert market.base_minor(3) == 3_000_000


def test_the_execution_range_rounds_inwards_to_the_tick() -> None:
    market = instrument(tick="0.5", execution_up_e4=11_000, execution_down_e4=9_000)
    # Reference 10.1: at most 11.11, so 22 ticks (11.0); at least 9.09, so 19 ticks (9.5).
    assert market.worst_ticks(BUY, 1_010_000_000) == 22
    assert market.worst_ticks(SELL, 1_010_000_000) == 19


def test_there_is_no_execution_range_without_a_reference_or_a_multiplier() -> None:
    unbounded = instrument(execution_up_e4=0, execution_down_e4=0)
    for side in (BUY, SELL):
        assert instrument().worst_ticks(side, 0) == 0
        assert unbounded.worst_ticks(side, 10**9) == 0


def test_a_buyer_near_zero_is_still_bounded() -> None:
    # Reference 0.1 at a tick of 0.5: 0.11 is below one tick, and 0 would mean no bound at all.
    assert instrument(tick="0.5").worst_ticks(BUY, 10_000_000) == 1
