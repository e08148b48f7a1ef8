"""Tests of the numbers that refusals keep: what filters, bands, books and margin compared."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import AmendOrder, Borrow, SetLeverage, SetSymbolState, Transfer
from matching.reasons import Reason
from matching.types import OrderType, Side
from tests.story import Story, answer, units

SPOT, PERP = "BTC-USDT", "BTC-USDT-PERP"


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def one(story: Story) -> int:
    return story.account(spot_USDT="1000", perp_USDT="1000")


def told(events: list[Any], reason: Reason) -> dict[str, int | str]:
    """The details of a command that was refused for this reason."""
    found = answer(events)
    assert found.reason is reason, found
    return found.details


def test_a_command_that_was_done_tells_who_asked_and_no_numbers(story: Story, one: int) -> None:
    done = answer(story.place(one, Side.BUY, SPOT, "0.001", "50000"))
    assert (done.reason, done.details, done.asker_id) == (None, {}, one)
    assert answer(story.wait(1_000)).asker_id == 0


def test_s11_a_balance_that_falls_short_tells_what_was_needed_and_free(
    story: Story, one: int
) -> None:
    details = told(story.place(one, Side.BUY, SPOT, "0.5", "50000"), Reason.INSUFFICIENT_BALANCE)
    assert details["rule"] == "S11"
    # 0.5 x 50000 = 25000, and no fee is held where it is paid in what is bought.
    assert (details["need_minor"], details["free_minor"]) == (units("25000"), units("1000"))
    assert (details["asset"], details["wallet"]) == ("USDT", "spot")


def test_p4_missing_margin_tells_what_the_order_asks_and_what_is_available(
    story: Story, one: int
) -> None:
    details = told(story.place(one, Side.BUY, PERP, "1", "50000"), Reason.INSUFFICIENT_MARGIN)
    assert details["rule"] == "P4"
    after, before = int(details["after_e16"]), int(details["before_e16"])
    assert int(details["asked_e16"]) == after - before + int(details["held_e16"])
    assert int(details["asked_e16"]) > int(details["available_e16"]) == units("1000") * 10**8


def test_p3_a_position_beyond_its_bracket_tells_size_and_cap(story: Story, one: int) -> None:
    story.ok(SetLeverage, account_id=one, symbol=PERP, leverage=125)
    details = told(story.place(one, Side.BUY, PERP, "10", "50000"), Reason.BRACKET_EXCEEDED)
    assert details["rule"] == "P3"
    assert int(details["notional_e16"]) == units("500000") * 10**8  # 10 x 50000.
    assert int(details["notional_e16"]) > int(details["cap_minor"]) * 10**8


def test_s9_a_notional_that_is_too_small_is_told_with_its_bounds(story: Story, one: int) -> None:
    details = told(story.place(one, Side.BUY, SPOT, "0.00001", "50000"), Reason.NOTIONAL_TOO_SMALL)
    assert (details["rule"], details["symbol"]) == ("S9", SPOT)
    assert details["notional_minor"] == units("0.5")  # 0.00001 x 50000.
    assert units("0.5") < int(details["notional_min_minor"])


def test_s9_a_quantity_out_of_range_is_told_with_its_bounds(story: Story, one: int) -> None:
    most = story.engine.instruments[SPOT].lots_max
    events = story.place(one, Side.BUY, SPOT, price="50000", lots=most + 1)
    details = told(events, Reason.QTY_OUT_OF_RANGE)
    assert (details["qty_lots"], details["qty_max_lots"]) == (most + 1, most)


def test_s12_a_price_beyond_the_band_tells_the_bound_and_what_made_it(
    story: Story, one: int
) -> None:
    details = told(story.place(one, Side.BUY, PERP, "0.001", "60000"), Reason.PRICE_BAND)
    assert details["rule"] == "S12"
    assert int(details["price_ticks"]) > int(details["bound_ticks"])
    # No basis was sampled, so the bound is the index and its band: 50000 x (1 + Y).
    bound_e8 = int(details["index_e8"]) * (10**12 + int(details["band_e12"])) // 10**12
    assert int(details["bound_ticks"]) == bound_e8 // int(details["tick_e8"])


def test_s12_percent_price_tells_the_reference(story: Story, one: int) -> None:
    details = told(story.place(one, Side.BUY, SPOT, "0.001", "900000"), Reason.PERCENT_PRICE)
    assert (details["rule"], details["reference_e8"]) == ("S12", units("50000"))


def test_s13_a_halted_book_tells_its_state(story: Story, one: int) -> None:
    story.ok(SetSymbolState, symbol=SPOT, state="halt")
    details = told(story.place(one, Side.BUY, SPOT, "0.001", "50000"), Reason.SYMBOL_NOT_TRADING)
    assert (details["rule"], details["state"]) == ("S13", "halt")


def test_s4_a_stop_tells_the_price_that_would_wake_it_at_once(story: Story, one: int) -> None:
    two = story.account(spot_BTC="1")
    story.place(two, Side.SELL, SPOT, "0.1", "50010")
    story.place(one, Side.BUY, SPOT, "0.001", "50010")
    more: dict[str, Any] = {"type": OrderType.STOP, "trigger_ticks": 5_001_000}
    details = told(story.place(one, Side.BUY, SPOT, "0.001", **more), Reason.WOULD_TRIGGER)
    assert (details["rule"], details["side"]) == ("S4", "rises")
    assert (details["trigger_ticks"], details["market_e8"]) == (5_001_000, units("50010"))


def test_s9_one_stop_too_many_tells_how_many_wait(story: Story, one: int) -> None:
    more: dict[str, Any] = {"type": OrderType.STOP, "trigger_ticks": 5_100_000}
    for _ in range(20):
        story.place(one, Side.BUY, SPOT, "0.0002", **more)
    details = told(story.place(one, Side.BUY, SPOT, "0.0002", **more), Reason.MAX_ALGO_ORDERS)
    assert (details["asleep"], details["asleep_max"]) == (20, 20)


def test_s2_a_post_only_order_tells_the_price_it_would_have_taken(story: Story, one: int) -> None:
    two = story.account(spot_BTC="1")
    story.place(two, Side.SELL, SPOT, "0.1", "50010")
    details = told(
        story.place(one, Side.BUY, SPOT, "0.001", "50020", post_only=True), Reason.WOULD_TAKE
    )
    assert (details["price_ticks"], details["best_ticks"]) == (5_002_000, 5_001_000)


def test_s7_an_amendment_is_refused_by_the_numbers_of_the_new_order(story: Story, one: int) -> None:
    order_id = answer(story.place(one, Side.BUY, SPOT, "0.01", "50000")).result_id
    events = story.do(AmendOrder, account_id=one, order_id=order_id, lots=10_000, price_ticks=0)
    details = told(events, Reason.INSUFFICIENT_BALANCE)
    # 0.1 x 50000; the 500 that the old order holds count as free.
    assert (details["need_minor"], details["free_minor"]) == (units("5000"), units("1000"))


def test_m5_a_loan_beyond_the_collateral_tells_the_most_there_is(story: Story) -> None:
    one = story.account(margin_USDT="1000")
    asked = units("5000")
    events = story.do(Borrow, account_id=one, wallet="margin", asset="USDT", amount_minor=asked)
    details = told(events, Reason.COLLATERAL_TOO_LOW)
    assert (details["rule"], details["asked_minor"]) == ("M5", asked)
    assert int(details["most_minor"]) < asked


def test_i5_a_transfer_of_more_than_is_free_tells_both(story: Story, one: int) -> None:
    wish: dict[str, Any] = {"source": "spot", "target": "perp", "asset": "USDT"}
    events = story.do(Transfer, account_id=one, amount_minor=units("1001"), **wish)
    details = told(events, Reason.INSUFFICIENT_BALANCE)
    assert (details["asked_minor"], details["free_minor"]) == (units("1001"), units("1000"))


def test_a_reason_that_says_it_all_has_no_numbers(story: Story, one: int) -> None:
    events = story.do(AmendOrder, account_id=one, order_id=99, lots=1)
    assert told(events, Reason.UNKNOWN_ORDER) == {}


def test_numbers_of_one_command_are_not_told_by_the_next(story: Story, one: int) -> None:
    told(story.place(one, Side.BUY, SPOT, "0.5", "50000"), Reason.INSUFFICIENT_BALANCE)
    other = story.do(Transfer, account_id=one, source="spot", target="spot", asset="USDT")
    assert told(other, Reason.SAME_WALLET) == {}
