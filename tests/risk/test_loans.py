"""Tests of the sums of spot margin: collateral, levels, interest, repayment, forced sales."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk import loans
from risk.money import E12, at_least, at_most, interest_minor_ceil
from risk.parameters import CROSS_LEVELS, CollateralTier, CrossLevels
from tests.vectors import agrees, exact, vectors

E8, E16, E18, E28 = 10**8, 10**16, 10**18, 10**28
WHOLE = (CollateralTier(None, E12),)
TIERS = (CollateralTier(1_000 * E8, E12), CollateralTier(3_000 * E8, E12 * 8 // 10))


def cross_levels(leverage: str) -> CrossLevels:
    """The cross margin levels of a leverage."""
    return next(levels for levels in CROSS_LEVELS if levels.leverage == int(leverage))


# -- values and levels -------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["collateral_value"], on="function"))
def test_collateral_counts_slab_by_slab(vector: dict[str, Any]) -> None:
    told = vector["inputs"]
    tiers = [CollateralTier(exact(cap), exact(ratio, 12)) for cap, ratio in told["slabs"]]
    value_e16 = exact(told["quantity"]) * exact(told["price"])
    counted = loans.collateral_e28(value_e16, tiers)
    assert counted == exact(vector["expected"]["collateral_value"], 28)


def test_value_above_the_last_slab_counts_nothing() -> None:
    # 1000 x 1 + 2000 x 0.8 = 2600, whatever lies above 3000.
    assert loans.collateral_e28(3_000 * E16, TIERS) == 2_600 * E28
    assert loans.collateral_e28(9_000 * E16, TIERS) == 2_600 * E28


@given(st.integers(0, 2_600 * E28))
def test_the_value_needed_for_a_collateral_is_the_least_that_counts_as_much(counted: int) -> None:
    needed = loans.value_needed_e16(counted, TIERS)
    assert needed is not None
    assert loans.collateral_e28(needed, TIERS) >= counted
    assert needed == 0 or loans.collateral_e28(needed - 1, TIERS) < counted


def test_more_collateral_than_all_slabs_give_cannot_be_had() -> None:
    assert loans.value_needed_e16(2_600 * E28 + 1, TIERS) is None
    # Half of it counts, so twice as much is needed, and for one unit more another two.
    half = (CollateralTier(None, E12 // 2),)
    assert loans.value_needed_e16(E28, half) == 2 * E16
    assert loans.value_needed_e16(E28 + 1, half) == 2 * E16 + 1


@pytest.mark.parametrize("vector", vectors(["margin_level"], on="function"))
def test_the_margin_level_is_assets_over_debts(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    assets = sum(
        loans.asset_e28(exact(one["quantity"]), exact(one["price"])) for one in told["assets"]
    )
    debts = sum(
        loans.debt_e28(
            loans.owed_e18(exact(one["principal"]), exact(one["interest"], 18)),
            exact(one["price"]),
        )
        for one in told["debts"]
    )
    assert assets == exact(expected["total_assets"], 28)
    assert debts == exact(expected["total_debt"], 28)
    assert agrees(Fraction(assets, debts), expected["margin_level"])
    assert loans.level_e12(assets, debts) == assets * E12 // debts
    if "levels" in told:
        levels = cross_levels(told["leverage"])
        assert at_most(assets, debts, levels.liquidation_e12) is not expected["trade"]
        assert at_most(assets, debts, levels.borrow_e12) is not expected["borrow"]
        assert at_most(assets, debts, levels.call_e12) is expected["margin_call"]


def test_without_a_debt_there_is_no_level() -> None:
    assert loans.level_e12(E28, 0) is None


@pytest.mark.parametrize("vector", vectors(["margin_threshold"], on="function"))
def test_a_level_exactly_on_a_bound_is_on_its_bad_side(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    levels = cross_levels(told["leverage"])
    level = told.get("collateral_margin_level") or told["margin_level"]
    assets, debts = exact(level, 28), E28
    answers = {
        "transfer_out": not at_most(assets, debts, levels.transfer_e12),
        "borrow": not at_most(assets, debts, levels.borrow_e12),
        "margin_call": at_most(assets, debts, levels.call_e12),
        "liquidation": at_most(assets, debts, levels.liquidation_e12),
    }
    for name, answer in expected.items():
        assert answers[name] is answer
    # The least above the bound is on its good side.
    (name,) = expected
    bound = {
        "transfer_out": levels.transfer_e12,
        "borrow": levels.borrow_e12,
        "margin_call": levels.call_e12,
        "liquidation": levels.liquidation_e12,
    }[name]
    assert not at_most(assets + 1, debts, bound)


# -- how much ----------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["max_borrow"], on="function"))
def test_the_largest_loan_brings_the_level_to_its_bound(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    most = loans.max_borrow_minor(
        exact(told["collateral_value"], 28),
        exact(told["debt"], 28),
        exact(told["initial_risk_ratio"], 12),
        0,
        (CollateralTier(None, exact(told["loan_collateral_ratio"], 12)),),
        E8,
    )
    shown = expected.get("max_borrow_floored", expected["max_borrow"])
    assert most == exact(shown)


def test_below_its_bound_an_account_borrows_nothing() -> None:
    assert loans.max_borrow_minor(120 * E28, 100 * E28, E12 * 5 // 4, 0, WHOLE, E8) == 0


def test_a_loan_is_told_in_its_own_asset() -> None:
    # 1000 / (1.5 - 1) = 2000 USDT, at 50000 each 0.04.
    most = loans.max_borrow_minor(1_000 * E28, 0, E12 * 3 // 2, 0, WHOLE, 50_000 * E8)
    assert most == exact("0.04")


def test_t25_a_loan_that_crosses_slabs_counts_in_each_by_its_own_ratio() -> None:
    """500 held of 1,000 that count in full: 500 more take 0.5 x 500 = 250 of 1,000 of room; the
    next 2,000 at 0.8 would take 0.7 x 2,000 = 1,400, so the 750 left allow 750 / 0.7."""
    most = loans.max_borrow_minor(1_000 * E28, 0, E12 * 3 // 2, 500 * E16, TIERS, E8)
    assert most == 500 * E8 + 750 * E8 * 10 // 7
    # With 2,250 of room, 2,500 are past both slabs and the 600 left count nothing: 600 / 1.5.
    most = loans.max_borrow_minor(2_250 * E28, 0, E12 * 3 // 2, 500 * E16, TIERS, E8)
    assert most == 2_500 * E8 + 400 * E8


@given(
    st.integers(0, 5_000 * E28),
    st.integers(0, 2_000 * E28),
    st.integers(0, 4_000 * E16),
    st.integers(E8 // 10, 10 * E8),
)
def test_m5_the_largest_loan_keeps_its_level_and_one_unit_more_does_not(
    other: int, debts: int, own: int, price_e8: int
) -> None:
    initial = E12 * 5 // 4 + 1
    counted = other + loans.collateral_e28(own, TIERS)
    most = loans.max_borrow_minor(counted, debts, initial, own, TIERS, price_e8)

    def fits(minor: int) -> bool:
        value = minor * price_e8
        collateral = other + loans.collateral_e28(own + value, TIERS)
        return collateral * E12 >= initial * (debts + value * E12)

    assert fits(most) or most == 0
    assert not fits(most + 1)


@given(
    total=st.integers(0, 5_000 * E8),
    other=st.integers(0, 3_000),
    debt=st.integers(1, 3_000 * E28),
    price_e8=st.integers(E8 // 10, 10 * E8),
)
def test_what_may_be_transferred_out_keeps_the_level(
    total: int, other: int, debt: int, price_e8: int
) -> None:
    keep = 2 * E12 + 1  # So that not every bound is a round number.
    counted = other * E28 + loans.collateral_e28(total * price_e8, TIERS)
    out = loans.max_transfer_out_minor(total, total, price_e8, TIERS, counted, debt, keep)
    assert 0 <= out <= total

    def left(taken: int) -> int:
        return other * E28 + loans.collateral_e28((total - taken) * price_e8, TIERS)

    if out:
        assert at_least(left(out), debt, keep)
    if out < total:
        assert not at_least(left(out + 1), debt, keep)


def test_without_debts_all_that_is_free_may_leave() -> None:
    assert loans.max_transfer_out_minor(7, 9, E8, TIERS, 0, 0, 2 * E12) == 7


def test_an_asset_without_a_price_stays_while_there_are_debts() -> None:
    assert loans.max_transfer_out_minor(7, 9, 0, TIERS, 10 * E28, E28, 2 * E12) == 0


def test_locked_money_may_not_leave() -> None:
    # 1000 of collateral against a debt of 1 leaves room for 998, of which 5 are free.
    counted = loans.collateral_e28(1_000 * E16, TIERS)
    out = loans.max_transfer_out_minor(5, 1_000 * E8, E8, TIERS, counted, E28, 2 * E12)
    assert out == 5


# -- interest and repayment --------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["interest_accrual"], on="function"))
def test_interest_is_simple_and_rounded_up_once_it_is_paid(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    rate_e12 = exact(told["hourly_rate"], 12)
    hour = loans.hour_of_interest_e18(exact(told["principal"]), 0, rate_e12, compound=False)
    accrued = told["accruals"] * hour
    assert accrued == exact(expected["accrued"], 18)
    if "charged" in expected:
        paid = loans.split_repayment(0, accrued, E18)
        assert paid.interest_minor == interest_minor_ceil(accrued) == exact(expected["charged"])
        assert paid.excess_e18 == exact(expected["rounding_account"], 18)


def test_an_hour_of_interest_finer_than_its_accumulator_is_rounded_up() -> None:
    # 1 x 10^-8 x 1 x 10^-12 = 10^-20, the accumulator holds 10^-18.
    assert loans.hour_of_interest_e18(1, 0, 1, compound=False) == 1


def test_m7_compound_interest_bears_interest_and_simple_does_not() -> None:
    # 1,000 and 10 owed at 1 %: 10, or 10.1.
    assert loans.hour_of_interest_e18(1_000 * E8, 10 * E18, E12 // 100, compound=False) == 10 * E18
    assert loans.hour_of_interest_e18(1_000 * E8, 10 * E18, E12 // 100, compound=True) == 101 * (
        E18 // 10
    )


@pytest.mark.parametrize("vector", vectors(["debt_repayment"], on="function"))
def test_a_repayment_takes_interest_first_and_never_more_than_is_owed(
    vector: dict[str, Any],
) -> None:
    told = vector["inputs"]
    principal, interest = exact(told["principal"]), exact(told["interest"], 18)
    for step in told["steps"]:
        expect = step["expect"]
        paid = loans.split_repayment(principal, interest, exact(step["amount"]))
        assert paid.interest_minor == exact(expect["interest_paid"])
        assert paid.principal_minor == exact(expect["principal_paid"])
        assert paid.taken_minor == paid.interest_minor + paid.principal_minor
        principal -= paid.principal_minor
        interest -= paid.interest_e18
        assert (principal, interest) == (exact(expect["principal"]), exact(expect["interest"], 18))


@given(st.integers(0, 10**15), st.integers(0, 10**20), st.integers(0, 10**16))
def test_a_repayment_settles_exactly_what_it_takes(
    principal: int, interest: int, offered: int
) -> None:
    paid = loans.split_repayment(principal, interest, offered)
    assert paid.taken_minor <= offered
    assert 0 <= paid.principal_minor <= principal
    assert 0 <= paid.interest_e18 <= interest
    assert paid.interest_minor * 10**10 == paid.interest_e18 + paid.excess_e18
    assert 0 <= paid.excess_e18 < 10**10
    assert paid.interest_e18 == interest or not paid.principal_minor


# -- where it ends -----------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["isolated_margin_liquidation_price"], on="function"))
def test_the_estimated_liquidation_price_meets_the_level(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    rate, hours = exact(told["hourly_rate"], 12), told["accruals"]
    owed = {}
    for which in ("base", "quote"):
        principal = exact(told[f"debt_{which}"])
        interest = hours * loans.hour_of_interest_e18(principal, 0, rate, compound=False)
        owed[which] = loans.owed_e18(principal, interest)
    price = loans.liquidation_price_e8(
        exact(told["free_base"]),
        owed["base"],
        loans.asset_e28(exact(told["free_quote"]), E8),
        loans.debt_e28(owed["quote"], E8),
        exact(told["liquidation_ratio"], 12),
    )
    assert price is not None
    assert agrees(Fraction(price, E8), expected["liquidation_price"])


def test_an_estimated_price_goes_to_the_nearest() -> None:
    # 1 owed against 3 held at a level of 1: P = 1 / 3, and 2 owed: 2 / 3.
    assert loans.liquidation_price_e8(3 * E8, 0, 0, E28, E12) == 33_333_333
    assert loans.liquidation_price_e8(3 * E8, 0, 0, 2 * E28, E12) == 66_666_667


def test_assets_and_debts_that_move_together_have_no_liquidation_price() -> None:
    # 1.1 held against 1 owed at a level of 1.1: no price changes what is over.
    held, owed = 110_000_000, E18
    assert loans.liquidation_price_e8(held, owed, 0, E28, E12 * 11 // 10) is None


def test_a_sale_that_restores_nothing_means_selling_all() -> None:
    # Costs of 20 % at a target of 1.25: 1.25 x 0.8 - 1 = 0, each sale leaves the level as it is.
    assert loans.partial_sale(110 * E28, 100 * E28, E12 * 5 // 4, E12 // 5) is None


def test_without_a_debt_nothing_is_liquidated_at_any_price() -> None:
    assert loans.liquidation_price_e8(E8, 0, 1_000 * E28, 0, E12 * 11 // 10) is None


def test_a_debt_covered_by_cash_has_no_liquidation_price() -> None:
    # 2000 USDT cover 1000 owed even if the base were worth nothing.
    assert loans.liquidation_price_e8(E8, 0, 2_000 * E28, 1_000 * E28, E12 * 11 // 10) is None
    assert loans.liquidation_price_e8(E8, 0, 1_100 * E28, 1_000 * E28, E12 * 11 // 10) is None


@pytest.mark.parametrize("vector", vectors(["partial_spot_liquidation"], on="function"))
def test_a_partial_sale_restores_the_level_at_the_least_value(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    sale = loans.partial_sale(
        exact(told["assets"], 28),
        exact(told["debt"], 28),
        exact(told["target_margin_level"], 12),
        exact(told["cost_rate"], 12),
    )
    assert sale is not None
    assert agrees(Fraction(sale.sell_e16, E16), expected["sell_value"])
    assert agrees(Fraction(sale.repay_e16, E16), expected["repay"])


@given(st.integers(1_020, 1_249), st.integers(0, 50))
def test_after_a_partial_sale_the_level_is_reached(level_e3: int, cost_e3: int) -> None:
    assets, debts = level_e3 * E28, 1_000 * E28
    target, cost = E12 * 5 // 4, cost_e3 * E12 // 1_000
    sale = loans.partial_sale(assets, debts, target, cost)
    if sale is None:  # Only selling everything is left: x > A, or each sale lowers the level.
        gain = Fraction(5, 4) * (1 - Fraction(cost_e3, 1_000)) - 1
        assert gain <= 0 or (Fraction(5, 4) * 1_000 - level_e3) / gain > level_e3
        return
    for sold, reached in ((sale.sell_e16, True), (sale.sell_e16 - 1, False)):
        left = debts - sold * (E12 - cost)  # 10^-28, where each sale's repayment is exact.
        assert at_least(assets - sold * E12, left, target) is reached
    assert sale.repay_e16 * E12 <= sale.sell_e16 * (E12 - cost) < (sale.repay_e16 + 1) * E12


def test_a_level_that_is_already_reached_needs_no_sale() -> None:
    assert loans.partial_sale(125 * E28, 100 * E28, E12 * 5 // 4, 0) == (0, 0)
