"""Tests of the margin of perpetuals: requirements, order costs, and what may leave."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.types import Side
from risk import margin
from risk.money import E12, ceil_div
from tests.risk.contracts import contract_of
from tests.risk.test_parameters import table
from tests.vectors import exact, vectors

E8, E16, E28 = 10**8, 10**16, 10**28


# -- requirements ------------------------------------------------------------------------------


def test_a_balance_exactly_at_maintenance_is_liquidated() -> None:
    assert margin.must_liquidate(50 * E16, 50 * E28)
    assert not margin.must_liquidate(50 * E16 + 1, 50 * E28)


def test_initial_margin_is_rounded_up() -> None:
    # 100 / 3 = 33.3333333333333333...
    assert margin.initial_e16(100 * E16, 3) == 333_333_333_333_333_334


# -- orders and balances -----------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["open_order_margin"], on="function"))
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


@pytest.mark.parametrize(
    "vector", vectors(["order_cost"], on="function", ids=["V37", "V38a", "V38b"])
)
def test_an_order_costs_margin_fees_and_open_loss(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    side, quantity = Side[told["side"]], exact(told["quantity"])
    price, mark = exact(told["price"]), exact(told["mark_price"])
    worse = quantity * (price - mark if side is Side.BUY else mark - price)
    cost = margin.order_cost(
        side,
        quantity * price // E8,
        int(told["leverage"]),
        exact(told["taker_fee_rate"], 12),
        ceil_div(max(0, worse), E8),
        reserve_close_fee=told["reserve_close_fee"],
    )
    assert cost.initial_minor == exact(expected["initial_margin"])
    assert cost.open_loss_minor == exact(expected["open_loss"])
    assert cost.open_fee_minor == exact(expected.get("open_fee", "0"))
    assert cost.close_fee_minor == exact(expected.get("close_fee", "0"))
    assert cost.total_minor == exact(expected["cost"])


def test_a_sellers_fee_to_close_is_at_a_higher_price() -> None:
    # 1000 x (1 + 1/10) x 0.05 % = 0.55, where a buyer's is 1000 x 0.9 x 0.05 % = 0.45.
    rate_e12 = E12 * 5 // 10_000
    sold = margin.order_cost(Side.SELL, 1_000 * E8, 10, rate_e12, reserve_close_fee=True)
    bought = margin.order_cost(Side.BUY, 1_000 * E8, 10, rate_e12, reserve_close_fee=True)
    assert sold.close_fee_minor == exact("0.55")
    assert bought.close_fee_minor == exact("0.45")


def test_each_part_of_the_cost_of_an_order_is_rounded_up() -> None:
    # 100 x 10^-8 at 3x: 33.3 margin, 0.05 fee, 100 x 4/3 x 0.0005 = 0.07 fee to close, 0.5 loss.
    cost = margin.order_cost(Side.SELL, 100, 3, E12 * 5 // 10_000, 1, reserve_close_fee=True)
    assert cost == (34, 1, 1, 1)


@pytest.mark.parametrize("vector", vectors(["order_cost"], on="function", ids=["V36"]))
def test_v36_the_margin_of_an_inverse_order_is_in_coin(vector: dict[str, Any]) -> None:
    told = vector["inputs"]
    coins, inexact = divmod(exact(told["quantity"]) * E8, exact(told["price"]))
    assert not inexact
    side, leverage = Side[told["side"]], int(told["leverage"])
    cost = margin.order_cost(side, coins, leverage, 0, inverse=True)
    assert cost.total_minor == cost.initial_minor == exact(vector["expected"]["initial_margin"])


def test_v36_an_inverse_order_costs_coins_and_its_fee_to_close_is_at_the_other_side() -> None:
    """12,000 USD at 8,000 are 1.5 BTC; at 50x 0.03. Long it is bankrupt below the entry, where
    the contracts are worth more coins: 1.5 x (1 + 1 / 50) x 0.1 % = 0.00153; short, 0.00147."""
    for side, close_fee in ((Side.BUY, "0.00153"), (Side.SELL, "0.00147")):
        cost = margin.order_cost(
            side, exact("1.5"), 50, E12 // 1000, reserve_close_fee=True, inverse=True
        )
        assert cost.initial_minor == exact("0.03")
        assert cost.open_fee_minor == exact("0.0015")
        assert cost.close_fee_minor == exact(close_fee)


def test_v43_orders_against_an_isolated_position_need_what_it_does_not_give_back() -> None:
    """Long 1 from 50,000 with 5,000: 3 sold at 51,000 open 2 that need 10,200, of which the
    margin and 1,000 of profit pay 6,000. Sales that only close it need nothing."""
    held = (1, 50_000 * E8, 5_000 * E8)
    flip = margin.isolated_flip_minor
    assert flip(*held, margin.Against(3, -153_000 * E8), 10) == 4_200 * E8
    assert flip(*held, margin.Against(1, -51_000 * E8), 10) == 0
    # At 46,000 closing loses 4,000 of the 5,000, and 9,200 are needed: 8,200.
    assert flip(*held, margin.Against(3, -138_000 * E8), 10) == 8_200 * E8
    # At 44,000 nothing is left of it, and no more is asked for than the new side's 8,800.
    assert flip(*held, margin.Against(3, -132_000 * E8), 10) == 8_800 * E8


def test_profit_does_not_count_as_withdrawable() -> None:
    # Wallet 100, profit 50, margins 30 + 10: 60.
    assert margin.withdrawable_e16(100 * E16, 150 * E16, 30 * E16, 10 * E16) == 60 * E16


def test_a_loss_counts_against_what_is_withdrawable() -> None:
    # Wallet 100, loss 50, margins 30 + 10: 50 - 40 = 10.
    assert margin.withdrawable_e16(100 * E16, 50 * E16, 30 * E16, 10 * E16) == 10 * E16
    assert margin.withdrawable_e16(100 * E16, 39 * E16, 30 * E16, 10 * E16) == 0


@pytest.mark.parametrize("vector", vectors(["leverage_change"], on="function"))
def test_a_change_of_leverage_releases_or_needs_margin(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    quantity, mark = exact(told["quantity"]), exact(told["mark_price"])
    notional = quantity * mark
    before = exact(told["margin"])
    new_initial = margin.initial_e16(notional, int(told["new_leverage"]))
    if not expected["accepted"]:
        # 50000 / 5 - 5000 = 5000 more are needed, and 1000 are free.
        needed = ceil_div(new_initial, E8) - before
        assert needed == exact(expected["margin_needed"])
        assert needed > exact(told["free_balance"])
        return
    contract = contract_of(table(told["brackets"]))
    maintenance = contract.maintenance_e28(exact(told["quantity"], 7), mark)
    after = margin.margin_after_raise_e16(before * E8, 0, new_initial, maintenance)
    assert after == exact(expected["margin"], 16)
    assert before * E8 - after == exact(expected["margin_released"], 16)


def test_a_raise_of_leverage_leaves_maintenance_and_open_loss() -> None:
    # New initial 25, maintenance 4 with a loss of 30: 34 stay; never more than there was.
    stay = margin.margin_after_raise_e16(50 * E16, -30 * E16, 25 * E16, 4 * E28)
    assert stay == 34 * E16
    assert margin.margin_after_raise_e16(20 * E16, -30 * E16, 25 * E16, 4 * E28) == 20 * E16


def test_what_stays_after_a_raise_is_rounded_up() -> None:
    assert margin.margin_after_raise_e16(50, 0, 0, E12 + 1) == 2
