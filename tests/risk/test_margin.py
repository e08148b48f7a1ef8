"""Tests of the margin of linear perpetuals: requirements, order costs, and where it ends."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from matching.types import Side
from risk import margin
from risk.money import E12, minor_ceil
from risk.parameters import Bracket, brackets
from tests.risk.test_parameters import table
from tests.vectors import agrees, exact, vectors

E8, E16, E28 = 10**8, 10**16, 10**28
BTC = table("BTCUSDT")
SOL_LIKE = brackets([(0, 100, E12 // 200), (20_000 * E8, 50, E12 // 100)], 100_000 * E8)


def told_brackets(inputs: dict[str, Any]) -> tuple[Bracket, ...]:
    """The brackets of a vector: a table's, or one in force at every price."""
    if "bracket" in inputs:
        one = inputs["bracket"]
        return (Bracket(0, 10**30, 1, exact(one["mmr"], 12), exact(one["cum"], 20)),)
    return table(inputs["brackets"])


def signed(inputs: dict[str, Any]) -> tuple[int, int]:
    """A vector's position as signed size and cost, in minor units."""
    sign = 1 if inputs["side"] == "LONG" else -1
    cost = Fraction(inputs["quantity"]) * Fraction(inputs["entry_price"]) * E8
    assert cost.denominator == 1
    return sign * exact(inputs["quantity"]), sign * int(cost)


# -- requirements ------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors("risk_sums", ["maintenance_margin"]))
def test_maintenance_is_rate_less_amount(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    made = brackets([(exact(row[0]), 1, exact(row[2], 12)) for row in told["brackets"]], 10**15)
    notional_e16 = exact(told["notional"], 16)
    place = margin.bracket_of(made, notional_e16)
    assert place + 1 == expected["bracket"]
    assert made[place].cum_e20 == exact(expected["cum"], 20)
    assert margin.maintenance_e28(made, notional_e16) == exact(expected["maintenance_margin"], 28)


def test_a_maintenance_margin_is_shown_rounded_up() -> None:
    # 1 x 10^-16 at 0.5 % is less than one unit of 10^-16.
    assert margin.maintenance_e16(SOL_LIKE, 1) == 1


def test_a_balance_exactly_at_maintenance_is_liquidated() -> None:
    # 10000 x 0.5 % = 50.
    maintenance = margin.maintenance_e28(SOL_LIKE, 10_000 * E16)
    assert maintenance == 50 * E28
    assert margin.must_liquidate(50 * E16, maintenance)
    assert not margin.must_liquidate(50 * E16 + 1, maintenance)


def test_a_notional_beyond_the_last_cap_counts_to_the_last_bracket() -> None:
    assert margin.bracket_of(SOL_LIKE, 10**40) == 1


def test_initial_margin_is_rounded_up() -> None:
    # 100 / 3 = 33.3333333333333333...
    assert margin.initial_e16(100 * E16, 3) == 333_333_333_333_333_334


def test_a_leverage_is_allowed_up_to_its_cap_inclusive() -> None:
    assert margin.notional_cap_minor(SOL_LIKE, 100) == 20_000 * E8
    assert margin.leverage_allows(SOL_LIKE, 100, 20_000 * E16)
    assert not margin.leverage_allows(SOL_LIKE, 100, 20_000 * E16 + 1)
    assert margin.leverage_allows(SOL_LIKE, 50, 20_000 * E16 + 1)
    assert margin.leverage_allows(SOL_LIKE, 1, 100_000 * E16)
    assert not margin.leverage_allows(SOL_LIKE, 101, 1)


# -- orders and balances -----------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors("risk_sums", ["open_order_margin"]))
def test_open_orders_need_the_larger_of_both_sides(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    held = exact(told["quantity"]) * exact(told["mark_price"])
    buys, sells = (
        sum(exact(price) * exact(quantity) for price, quantity in told[side])
        for side in ("buys", "sells")
    )
    made = margin.open_order_margin(held, buys, sells, int(told["leverage"]))
    assert made.total_e16 == exact(expected["total"], 16)
    assert made.position_e16 == exact(expected["position"], 16)
    assert made.orders_e16 == exact(expected["orders"], 16)


def test_orders_that_only_reduce_need_no_margin() -> None:
    # Short 5 with buys of 4 leaves at most the short of 5: max(|-5 + 4|, |-5 - 0|) = 5.
    assert margin.open_order_margin(-5 * E16, 4 * E16, 0, 10).orders_e16 == 0


@given(st.integers(-(10**30), 10**30), st.integers(0, 10**30), st.integers(0, 10**30))
def test_orders_never_need_less_than_nothing(held: int, buys: int, sells: int) -> None:
    assert margin.open_order_margin(held, buys, sells, 7).orders_e16 >= 0


@pytest.mark.parametrize("vector", vectors("risk_sums", ["order_cost"]))
def test_an_order_costs_margin_fees_and_open_loss(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    side, quantity = Side[told["side"]], exact(told["quantity"])
    price, mark = exact(told["price"]), exact(told["mark_price"])
    loss = margin.open_loss_e16(side, quantity * price // E8, quantity * mark)
    cost = margin.order_cost(
        side,
        quantity * price // E8,
        int(told["leverage"]),
        exact(told["taker_fee_rate"], 12),
        loss,
        told["reserve_close_fee"],
    )
    assert cost.initial_minor == exact(expected["initial_margin"])
    assert cost.open_loss_minor == exact(expected["open_loss"])
    assert cost.open_fee_minor == exact(expected.get("open_fee", "0"))
    assert cost.close_fee_minor == exact(expected.get("close_fee", "0"))
    assert cost.total_minor == exact(expected["cost"])


def test_a_sellers_fee_to_close_is_at_a_higher_price() -> None:
    # 1000 x (1 + 1/10) x 0.05 % = 0.55, where a buyer's is 1000 x 0.9 x 0.05 % = 0.45.
    rate_e12 = E12 * 5 // 10_000
    sold = margin.order_cost(Side.SELL, 1_000 * E8, 10, rate_e12, 0, True)
    bought = margin.order_cost(Side.BUY, 1_000 * E8, 10, rate_e12, 0, True)
    assert sold.close_fee_minor == exact("0.55")
    assert bought.close_fee_minor == exact("0.45")


def test_each_part_of_the_cost_of_an_order_is_rounded_up() -> None:
    # 100 x 10^-8 at 3x: 33.3 margin, 0.05 fee, 100 x 4/3 x 0.0005 = 0.07 fee to close, 0.5 loss.
    cost = margin.order_cost(Side.SELL, 100, 3, E12 * 5 // 10_000, E8 // 2, True)
    assert cost == (34, 1, 1, 1)


def test_what_may_be_used_or_taken_is_rounded_down() -> None:
    half = E8 // 2  # Of a minor unit, in 10^-16.
    assert margin.withdrawable_minor(5, 3 * E8 + half, E8, E8) == 1
    assert margin.removable_minor(5, -half, E8) == 3


def test_profit_does_not_count_as_withdrawable() -> None:
    # Wallet 100, profit 50, margins 30 + 10: 60.
    assert margin.withdrawable_minor(100 * E8, 150 * E16, 30 * E16, 10 * E16) == 60 * E8


def test_a_loss_counts_against_what_is_withdrawable() -> None:
    # Wallet 100, loss 50, margins 30 + 10: 50 - 40 = 10.
    assert margin.withdrawable_minor(100 * E8, 50 * E16, 30 * E16, 10 * E16) == 10 * E8
    assert margin.withdrawable_minor(100 * E8, 39 * E16, 30 * E16, 10 * E16) == 0


def test_profit_cannot_be_taken_out_of_an_isolated_position() -> None:
    # Margin 50, initial 40: with a profit 10 is removable, with a loss of 4 only 6.
    assert margin.removable_minor(50 * E8, 20 * E16, 40 * E16) == 10 * E8
    assert margin.removable_minor(50 * E8, -4 * E16, 40 * E16) == 6 * E8
    assert margin.removable_minor(50 * E8, -14 * E16, 40 * E16) == 0


@pytest.mark.parametrize("vector", vectors("risk_sums", ["leverage_change"]))
def test_a_change_of_leverage_releases_or_needs_margin(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    quantity, mark = exact(told["quantity"]), exact(told["mark_price"])
    notional = quantity * mark
    before = exact(told["margin"])
    new_initial = margin.initial_e16(notional, int(told["new_leverage"]))
    if not expected["accepted"]:
        # 50000 / 5 - 5000 = 5000 more are needed, and 1000 are free.
        needed = minor_ceil(new_initial) - before
        assert needed == exact(expected["margin_needed"])
        assert needed > exact(told["free_balance"])
        return
    maintenance = margin.maintenance_e28(table(told["brackets"]), notional)
    after = margin.margin_after_raise_minor(before, 0, new_initial, maintenance)
    assert after == exact(expected["margin"])
    assert before - after == exact(expected["margin_released"])


def test_a_raise_of_leverage_leaves_maintenance_and_open_loss() -> None:
    # New initial 25, maintenance 4 with a loss of 30: 34 stay; never more than there was.
    stay = margin.margin_after_raise_minor(50 * E8, -30 * E16, 25 * E16, 4 * E28)
    assert stay == 34 * E8
    assert margin.margin_after_raise_minor(20 * E8, -30 * E16, 25 * E16, 4 * E28) == 20 * E8


def test_what_stays_after_a_raise_is_rounded_up() -> None:
    assert margin.margin_after_raise_minor(50, 0, E8 + 1, 0) == 2
    assert margin.margin_after_raise_minor(50, 0, 0, 10**20 + 1) == 2


def test_a_liquidation_price_is_shown_to_the_nearest() -> None:
    assert margin.LiquidationPrice(10, 3, 0).price_e8 == 3
    assert margin.LiquidationPrice(11, 3, 0).price_e8 == 4


def test_a_notional_at_a_cap_lies_in_the_bracket_below() -> None:
    assert margin.bracket_of(SOL_LIKE, 20_000 * E16) == 0
    assert margin.bracket_of(SOL_LIKE, 20_000 * E16 + 1) == 1


# -- where it ends -----------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors("risk_sums", ["linear_isolated_liquidation_price"]))
def test_an_isolated_liquidation_price_lies_in_its_own_bracket(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    base, cost = signed(told)
    found = margin.liquidation_price(base, cost, told_brackets(told), exact(told["margin"], 16))
    assert found is not None
    price = Fraction(found.numerator, found.denominator * E8)
    assert agrees(price, expected["liquidation_price"])
    for wrong in vector.get("not_expected", ()):
        assert abs(found.price_e8 - exact(wrong["liquidation_price"])) > E8 // 10
    if "bracket" in expected:
        assert found.bracket + 1 == expected["bracket"]
    if "notional_at_liquidation" in expected:
        assert agrees(abs(base) * price / E8, expected["notional_at_liquidation"])
    if "equity_at_liquidation" in expected:
        equity = Fraction(exact(told["margin"]) - cost, E8) + base * price / E8
        assert agrees(equity, expected["equity_at_liquidation"])


@pytest.mark.parametrize("vector", vectors("risk_sums", ["linear_cross_liquidation_price"]))
def test_a_cross_liquidation_price_counts_the_other_positions(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    mine, other = told["positions"]
    base, cost = signed(mine)
    other_base, other_cost = signed(other)
    profit_e16 = other_base * exact(other["mark_price"]) - other_cost * E8
    assert agrees(Fraction(profit_e16, E16), expected["other_pnl"])
    notional_e16 = abs(other_base) * exact(other["mark_price"])
    needed_e28 = margin.maintenance_e28(told_brackets(other), notional_e16)
    assert agrees(Fraction(needed_e28, E28), expected["other_maintenance_margin"])
    balance_e16 = exact(told["wallet_balance"], 16) + profit_e16
    found = margin.liquidation_price(base, cost, told_brackets(mine), balance_e16, needed_e28)
    assert found is not None
    price = Fraction(found.numerator, found.denominator * E8)
    assert agrees(price, expected["liquidation_price"])
    assert found.price_e8 == round(price * E8)


def test_a_long_whose_margin_exceeds_its_cost_has_no_liquidation_price() -> None:
    assert margin.liquidation_price(E8, 100 * E8, BTC, 101 * E16) is None
    assert margin.liquidation_price(E8, 100 * E8, BTC, 100 * E16) is None  # Only at nothing.


def test_a_short_that_has_lost_everything_at_any_price_has_none() -> None:
    # Sold 1 at 100 with a balance of -101: at a price of 0 it still owes 1.
    assert margin.liquidation_price(-E8, -100 * E8, BTC, -101 * E16) is None


@given(
    base=st.integers(10**3, 10**13),
    long=st.booleans(),
    entry_e8=st.integers(10**8, 10**13),
    share=st.integers(1, 99),
)
def test_the_closed_form_is_where_bisection_finds_balance_meet_maintenance(
    base: int, long: bool, entry_e8: int, share: int
) -> None:
    cost = base * entry_e8 // E8
    assume(cost > 0)
    base, cost = (base, cost) if long else (-base, -cost)
    balance_e16 = abs(cost) * share * E8 // 100

    def healthy(price_e8: int) -> bool:
        equity_e16 = balance_e16 + base * price_e8 - cost * E8
        needed = margin.maintenance_e28(BTC, abs(base) * price_e8)
        return not margin.must_liquidate(equity_e16, needed)

    found = margin.liquidation_price(base, cost, BTC, balance_e16)
    assert found is not None
    low, high = 0, 10**20
    assert healthy(high) is long
    while high - low > 1:
        middle = (low + high) // 2
        if healthy(middle) is long:
            high = middle
        else:
            low = middle
    # Balance crosses maintenance between two neighbouring prices, and the exact one lies there.
    assert low * found.denominator <= found.numerator <= high * found.denominator


@pytest.mark.parametrize("vector", vectors("risk_sums", ["bankruptcy_price"]))
def test_the_bankruptcy_price_leaves_nothing_after_the_fee(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    base, cost = signed(told)
    fee_e12 = exact(told["close_fee_rate"], 12)
    margin_e16 = exact(told["margin"], 16)
    numerator, denominator = margin.bankruptcy_price(base, cost, margin_e16, fee_e12)
    assert agrees(Fraction(numerator, denominator * E8), expected["bankruptcy_price"])
    if "order_price" in expected:
        tick = exact(told["tick_size"])
        ticks = margin.bankruptcy_ticks(base, cost, margin_e16, fee_e12, tick)
        assert ticks * tick == exact(expected["order_price"])


@given(
    base=st.integers(10**3, 10**12),
    long=st.booleans(),
    entry_ticks=st.integers(100, 10**6),
    share=st.integers(1, 60),
    fee_e12=st.integers(0, E12 // 100),
)
def test_a_fill_at_the_bankruptcy_ticks_never_leaves_a_debt(
    base: int, long: bool, entry_ticks: int, share: int, fee_e12: int
) -> None:
    tick_e8 = 10**7
    base = (base if long else -base) * 100  # So that ticks x size is exact in minor units.
    cost = base * entry_ticks * tick_e8 // E8
    margin_e16 = abs(cost) * E8 * share // 100
    ticks = margin.bankruptcy_ticks(base, cost, margin_e16, fee_e12, tick_e8)
    proceeds_e16 = base * ticks * tick_e8
    left_e28 = (margin_e16 - cost * E8 + proceeds_e16) * E12 - abs(proceeds_e16) * fee_e12
    assert left_e28 >= 0


def test_a_bankruptcy_price_of_less_than_a_tick_is_one_tick() -> None:
    assert margin.bankruptcy_ticks(E8, 100 * E8, 200 * E16, 0, 10**7) == 1


@pytest.mark.parametrize("vector", vectors("risk_sums", ["liquidation"]))
def test_a_partial_liquidation_steps_down_one_bracket(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    base, cost = signed(told["position"])
    made, lot = table(told["instrument"]["brackets"]), exact(told["instrument"]["lot_size"])
    marked, stepped = told["steps"][1], told["steps"][2]["expect"]
    mark = exact(marked["price"])
    balance_e16 = exact(told["position"]["margin"], 16) + base * mark - cost * E8
    assert balance_e16 == exact(marked["expect"]["margin_balance"], 16)
    needed = margin.maintenance_e28(made, base * mark)
    assert needed == exact(marked["expect"]["maintenance_margin"], 28)
    assert margin.must_liquidate(balance_e16, needed)
    lots = margin.step_down_lots(base // lot, lot, mark, made)
    assert lots * lot == exact(stepped["quantity"])
    left = base - lots * lot
    assert left == exact(expected["quantity"])
    after_e16 = balance_e16 - exact(stepped["fees"], 16)  # Sold at the mark: only fees are lost.
    assert after_e16 == exact(expected["margin_balance"], 16)
    after_needed = margin.maintenance_e28(made, left * mark)
    assert after_needed == exact(expected["maintenance_margin"], 28)
    assert not margin.must_liquidate(after_e16, after_needed)


def test_in_the_first_bracket_everything_is_closed() -> None:
    assert margin.step_down_lots(-7, E8 // 10, 100 * E8, SOL_LIKE) == 7
