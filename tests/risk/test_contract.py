"""Tests of a contract's arithmetic: what lots are worth, need and cost, in quote and in coin."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.contract import Contract
from risk.margin import must_liquidate
from risk.money import E12
from risk.parameters import brackets
from tests.risk.contracts import contract_of
from tests.risk.test_parameters import table
from tests.story import units
from tests.vectors import agrees, exact, vectors

E8, E16 = 10**8, 10**16

INVERSE = contract_of(
    brackets([(0, 125, 4 * 10**9), (5 * 10**8, 100, 5 * 10**9)], 10 * 10**8),
    inverse=True,
    multiplier="100",
)
SOL_LIKE = contract_of(
    brackets([(0, 100, E12 // 200), (20_000 * E8, 50, E12 // 100)], 100_000 * E8)
)
COIN = 10**7  # Lots of one coin in a linear contract of `contract_of`.


def test_v33_an_inverse_long_wins_coins_when_the_price_rises() -> None:
    # 10 contracts of 100 USD, long from 5,000: 1,000 / 5,000 = 0.2 BTC short in cost.
    cost = INVERSE.cost_minor(10, INVERSE.amount_minor(10, 50_000))
    assert cost == -units("0.2")
    mark = units("5500")
    profit = Fraction(INVERSE.unrealised_e16(10, cost, mark), mark)
    # 0.2 - 1,000 / 5,500 = 0.0181818... BTC, exactly.
    assert profit / 10**8 == Fraction(2, 10) - Fraction(1000, 5500)
    assert INVERSE.entry_e8(10, cost) == units("5000")


def test_a3_v35_the_coins_of_an_inverse_fill_are_rounded_once_half_even() -> None:
    # 333 contracts of 1 USD would be 3.33 of 100: 33,300 / 43,217.5 = 0.77052120...
    assert INVERSE.amount_minor(333, 432_175) == units("0.77052120")


def test_p3_an_inverse_bracket_is_in_coin() -> None:
    # 2,500 contracts are 250,000 USD; at 50,000 that is 5 BTC, the cap of the first bracket.
    at, below = units("50000"), units("49999.9")
    assert INVERSE.bracket_of(INVERSE.notional_e16(2500, at), at) == 0
    assert INVERSE.bracket_of(INVERSE.notional_e16(2500, below), below) == 1
    # Maintenance at 50,000: 5 x 0.4 % = 0.02 BTC, which is 1,000 USD.
    assert INVERSE.maintenance_e28(2500, at) == 1000 * 10**28


def test_p10_v66_an_inverse_long_pays_its_funding_in_coin() -> None:
    # 10,000 USD at 16,000 and 0.01 %: 0.0000625 BTC.
    assert INVERSE.flow_minor(100, units("16000"), 10**8) == -units("0.0000625")


# -- profit and entry --------------------------------------------------------------------------


def _held(told: dict[str, Any]) -> tuple[Contract, int, int]:
    """A vector's contract, its signed lots and what they cost."""
    inverse = told["contract"] == "INVERSE"
    contract = contract_of(table("BTCUSD-INV" if inverse else "BTCUSDT"), inverse=inverse)
    size = int(told["quantity"]) if inverse else exact(told["quantity"], 7)
    lots = size if told["side"] == "LONG" else -size
    ticks = exact(told["entry_price"]) // contract.tick_e8
    return contract, lots, contract.cost_minor(lots, contract.amount_minor(size, ticks))


@pytest.mark.parametrize("vector", vectors(["pnl"], on="function", ids=["V33", "V34"]))
def test_v33_v34_profit_is_value_less_cost(vector: dict[str, Any]) -> None:
    told = vector["inputs"]
    contract, lots, cost = _held(told)
    price = exact(told["price"])
    profit = Fraction(contract.unrealised_e16(lots, cost, price), contract.factor(price) * E8)
    assert agrees(profit, vector["expected"]["pnl"])


@pytest.mark.parametrize("vector", vectors(["inverse_fill_amount"], on="function"))
def test_v35_both_sides_of_a_fill_book_the_same_coins(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    contract = contract_of(table("BTCUSD-INV"), inverse=True)
    lots = int(told["quantity"])
    amount = contract.amount_minor(lots, exact(told["price"]) // contract.tick_e8)
    assert amount == exact(expected["coin_amount"]["shown"])
    assert contract.cost_minor(lots, amount) == exact(expected["cost_change"]["buyer"])
    assert contract.cost_minor(-lots, amount) == exact(expected["cost_change"]["seller"])


def test_p1_t6_the_entry_of_an_inverse_position_is_the_harmonic_mean() -> None:
    """10 contracts of 100 USD at 10,000 and 10 at 20,000: 2,000 / (0.1 + 0.05) = 13,333.33."""
    cost = sum(INVERSE.cost_minor(10, INVERSE.amount_minor(10, t)) for t in (100_000, 200_000))
    assert INVERSE.entry_e8(20, cost) == units("13333.33333333")
    assert INVERSE.entry_e8(0, 0) == 0


def test_p4_an_order_is_reckoned_at_its_price_rounded_up() -> None:
    # 100 / 30,000 = 0.00333333...; a linear one is exact: 0.0000003 x 30,000.
    assert INVERSE.order_minor(1, 300_000) == units("0.00333334")
    assert SOL_LIKE.order_minor(3, 300_000) == units("0.009")


# -- requirements ------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["maintenance_margin"], on="function"))
def test_p3_v41_maintenance_is_rate_less_amount(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    made = brackets([(exact(row[0]), 1, exact(row[2], 12)) for row in told["brackets"]], 10**15)
    contract = contract_of(made)
    lots, mark = exact(told["notional"], 7), E8  # So many coins at 1.
    place = contract.bracket_of(contract.notional_e16(lots, mark), mark)
    assert place + 1 == expected["bracket"]
    assert made[place].cum_e20 == exact(expected["cum"], 20)
    assert contract.maintenance_e28(lots, mark) == exact(expected["maintenance_margin"], 28)


def test_p3_a_notional_at_a_cap_lies_in_the_bracket_below() -> None:
    assert SOL_LIKE.bracket_of(20_000 * E16, E8) == 0
    assert SOL_LIKE.bracket_of(20_000 * E16 + 1, E8) == 1
    assert SOL_LIKE.bracket_of(10**40, E8) == 1  # Beyond the last cap, too.


def test_p3_a_leverage_is_allowed_up_to_its_cap_inclusive() -> None:
    assert SOL_LIKE.leverage_allows(100, 20_000 * E16, E8)
    assert not SOL_LIKE.leverage_allows(100, 20_000 * E16 + 1, E8)
    assert SOL_LIKE.leverage_allows(50, 20_000 * E16 + 1, E8)
    assert SOL_LIKE.leverage_allows(1, 100_000 * E16, E8)
    assert not SOL_LIKE.leverage_allows(1, 100_000 * E16 + 1, E8)
    assert not SOL_LIKE.leverage_allows(101, 1, E8)


@pytest.mark.parametrize("vector", vectors(["liquidation"], on="function"))
def test_v73_a_partial_liquidation_steps_down_one_bracket(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    held, lot = told["position"], told["instrument"]["lot_size"]
    contract = contract_of(table(told["instrument"]["brackets"]), lot=lot)
    marked, stepped = told["steps"][1], told["steps"][2]["expect"]
    mark = exact(marked["price"])
    size = exact(held["quantity"]) // exact(lot)
    cost = contract.amount_minor(size, exact(held["entry_price"]) // contract.tick_e8)
    balance_e16 = exact(held["margin"], 16) + contract.unrealised_e16(size, cost, mark)
    assert balance_e16 == exact(marked["expect"]["margin_balance"], 16)
    needed = contract.maintenance_e28(size, mark)
    assert needed == exact(marked["expect"]["maintenance_margin"], 28)
    assert must_liquidate(balance_e16, needed)
    lots = contract.step_down_lots(size, mark)
    assert lots * exact(lot) == exact(stepped["quantity"])
    left = size - lots
    assert left * exact(lot) == exact(expected["quantity"])
    after_e16 = balance_e16 - exact(stepped["fees"], 16)  # Sold at the mark: only fees are lost.
    assert after_e16 == exact(expected["margin_balance"], 16)
    after_needed = contract.maintenance_e28(left, mark)
    assert after_needed == exact(expected["maintenance_margin"], 28)
    assert not must_liquidate(after_e16, after_needed)


def test_p13_4_in_the_first_bracket_everything_is_closed() -> None:
    assert SOL_LIKE.step_down_lots(-7, 100 * E8) == 7


def test_p13_4_an_inverse_position_steps_down_in_coin() -> None:
    # At 50,000 the cap of 5 BTC is 2,500 contracts; of 2,600 short, 100 go.
    assert INVERSE.step_down_lots(-2_600, units("50000")) == 100
    # At 49,990 it is 2,499.5: one more.
    assert INVERSE.step_down_lots(2_600, units("49990")) == 101


# -- settlement --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "vector",
    vectors(["funding_settlement"], on="function"),
)
def test_v65_v66_flows_round_down_and_the_rest_is_the_rounding_accounts(
    vector: dict[str, Any],
) -> None:
    told, expected = vector["inputs"], vector["expected"]
    inverse = told["contract"] == "INVERSE"
    contract = contract_of(table("BTCUSD-INV" if inverse else "BTCUSDT"), inverse=inverse)
    mark, rate = exact(told["mark_price"]), exact(told["funding_rate"], 12)
    flows = {
        name: contract.flow_minor(int(size) if inverse else exact(size, 7), mark, rate)
        for name, size in told["positions"].items()
    }
    assert flows == {name: exact(flow) for name, flow in expected["flows"].items()}
    if "rounding_account" in expected:
        assert -sum(flows.values()) == exact(expected["rounding_account"])


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20),
    st.integers(1, 10**13),
    st.integers(-(10**10), 10**10),
    st.booleans(),
)
def test_i4_funding_sums_to_zero_but_for_less_than_a_unit_each(
    held: list[int], mark_e8: int, rate_e12: int, inverse: bool
) -> None:
    contract = INVERSE if inverse else SOL_LIKE
    everybody = [*held, -sum(held)]  # Longs and shorts are equal (I3).
    flows = [contract.flow_minor(lots, mark_e8, rate_e12) for lots in everybody]
    residue = -sum(flows)
    assert 0 <= residue < len(everybody)
