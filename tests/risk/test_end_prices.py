"""Tests of the prices at which positions end: the vectors, bisection, and both directions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exchange.commands import SetPositionMode
from risk import end_prices
from risk.account import LONG, SHORT, leg_of
from risk.contract import Contract
from risk.end_prices import Leg, LiquidationPrice
from risk.margin import must_liquidate
from risk.money import E12
from risk.parameters import Bracket
from risk.perp_report import position_report
from tests.risk.contracts import contract_of
from tests.risk.stories import BTC_PERP
from tests.risk.test_parameters import table
from tests.story import Story
from tests.vectors import agrees, exact, vectors

E8, E16, E28 = 10**8, 10**16, 10**28
LINEAR = contract_of(table("BTCUSDT"))
INVERSE = contract_of(table("BTCUSD-INV"), inverse=True)
ONE = 10**7  # Lots of one coin in LINEAR.


def told_brackets(inputs: dict[str, Any]) -> tuple[Bracket, ...]:
    """The brackets of a vector: a table's, or one in force at every price."""
    if "bracket" in inputs:
        one = inputs["bracket"]
        return (Bracket(0, 10**30, 1, exact(one["mmr"], 12), exact(one["cum"], 20)),)
    return table(inputs["brackets"])


def leg(told: dict[str, Any]) -> Leg:
    """A vector's position in lots of `contract_of`, and what it cost."""
    sign = 1 if told["side"] == "LONG" else -1
    cost = Fraction(told["quantity"]) * Fraction(told["entry_price"]) * E8
    assert cost.denominator == 1
    return sign * exact(told["quantity"], 7), sign * int(cost)


def inverse_leg(told: dict[str, Any]) -> Leg:
    """A vector's inverse position in contracts of 1 USD, and what it cost in coin."""
    sign = 1 if told["side"] == "LONG" else -1
    coins = Fraction(told["quantity"]) / Fraction(told["entry_price"]) * E8
    assert coins.denominator == 1
    return sign * int(told["quantity"]), -sign * int(coins)


def ends(
    contract: Contract, leg: Leg, balance_e16: int, mark_e8: int = E8, others: int = 0
) -> LiquidationPrice | None:
    """Where one leg ends."""
    return end_prices.liquidation_price(contract, [leg], balance_e16, mark_e8, others)


def healthy(contract: Contract, legs: list[Leg], money_minor: int, mark_e8: int) -> bool:
    """Whether legs with that much settled money are above maintenance at a mark."""
    balance = money_minor * contract.factor(mark_e8)
    balance += sum(contract.unrealised_e16(*each, mark_e8) for each in legs)
    needed = sum(contract.maintenance_e28(lots, mark_e8) for lots, _ in legs)
    return not must_liquidate(balance, needed)


# -- liquidation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "vector",
    vectors(["linear_isolated_liquidation_price"], on="function"),
)
def test_p11_an_isolated_price_lies_in_its_own_bracket(
    vector: dict[str, Any],
) -> None:
    told, expected = vector["inputs"], vector["expected"]
    position = leg(told)
    found = ends(contract_of(told_brackets(told)), position, exact(told["margin"], 16))
    assert found is not None
    price = Fraction(found.numerator, found.denominator * E8)
    assert agrees(price, expected["liquidation_price"])
    for wrong in vector.get("not_expected", ()):
        assert abs(found.price_e8 - exact(wrong["liquidation_price"])) > E8 // 10
    if "bracket" in expected:
        assert found.bracket + 1 == expected["bracket"]
    quantity = Fraction(position[0], ONE)
    if "notional_at_liquidation" in expected:
        assert agrees(abs(quantity) * price, expected["notional_at_liquidation"])
    if "equity_at_liquidation" in expected:
        equity = Fraction(exact(told["margin"]) - position[1], E8) + quantity * price
        assert agrees(equity, expected["equity_at_liquidation"])


@pytest.mark.parametrize(
    "vector", vectors(["linear_cross_liquidation_price"], on="function", ids=["V44"])
)
def test_v44_a_cross_price_counts_the_other_positions(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    mine, other = told["positions"]
    others = contract_of(told_brackets(other))
    other_mark = exact(other["mark_price"])
    profit_e16 = others.unrealised_e16(*leg(other), other_mark)
    assert agrees(Fraction(profit_e16, E16), expected["other_pnl"])
    needed_e28 = others.maintenance_e28(leg(other)[0], other_mark)
    assert agrees(Fraction(needed_e28, E28), expected["other_maintenance_margin"])
    balance_e16 = exact(told["wallet_balance"], 16) + profit_e16
    found = ends(contract_of(told_brackets(mine)), leg(mine), balance_e16, E8, needed_e28)
    assert found is not None
    price = Fraction(found.numerator, found.denominator * E8)
    assert agrees(price, expected["liquidation_price"])
    assert found.price_e8 == round(price * E8)


@pytest.mark.parametrize(
    "vector", vectors(["linear_cross_liquidation_price"], on="function", ids=["V53"])
)
def test_v53_both_legs_of_a_hedge_share_one_price(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    legs = [leg(each) for each in told["positions"]]
    balance_e16 = exact(told["wallet_balance"], 16)
    for order in (legs, legs[::-1]):
        found = end_prices.liquidation_price(LINEAR, order, balance_e16, exact("50000"))
        assert found is not None
        price = Fraction(found.numerator, found.denominator * E8)
        assert agrees(price, expected["liquidation_price"])
        side = "LONG" if order is legs else "SHORT"
        assert found.bracket + 1 == expected["bracket"][side]


@pytest.mark.parametrize("vector", vectors(["inverse_isolated_liquidation_price"], on="function"))
def test_v54_v55_v56_v57_an_inverse_price_is_solved_in_coin(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    contract = contract_of(told_brackets(told), inverse=True)
    for mark in ("50000", "48000.1"):  # The answer does not depend on the present mark.
        balance = exact(told["margin"]) * exact(mark)
        found = ends(contract, inverse_leg(told), balance, exact(mark))
        if expected["liquidation_price"] is None:
            assert found is None
            continue
        assert found is not None
        price = Fraction(found.numerator, found.denominator * E8)
        assert agrees(price, expected["liquidation_price"])
        if "bracket" in expected:
            assert found.bracket + 1 == expected["bracket"]


def test_p11_balanced_legs_end_where_their_maintenance_outgrows_the_wallet() -> None:
    """Long 1 and short 1 at 50,000 neither win nor lose; with 1,000 they end where
    2 x (0.5 % of P - 50) = 1,000, at 110,000."""
    legs = [(ONE, 50_000 * E8), (-ONE, -50_000 * E8)]
    found = end_prices.liquidation_price(LINEAR, legs, 1_000 * E16, exact("50000"))
    assert found is not None
    assert Fraction(found.numerator, found.denominator) == 110_000 * E8


def test_a_position_that_is_paid_for_has_no_liquidation_price() -> None:
    assert ends(LINEAR, (ONE, 100 * E8), 101 * E16) is None
    assert ends(LINEAR, (ONE, 100 * E8), 100 * E16) is None  # Only at nothing.


def test_a_short_that_has_lost_everything_at_any_price_has_none() -> None:
    # Sold 1 at 100 with a balance of -101: at a price of 0 it still owes 1.
    assert ends(LINEAR, (-ONE, -100 * E8), -101 * E16) is None


def test_a_liquidation_price_is_shown_to_the_nearest() -> None:
    assert LiquidationPrice(10, 3, 0).price_e8 == 3
    assert LiquidationPrice(11, 3, 0).price_e8 == 4


@given(
    lots=st.integers(10**3, 10**12),
    long=st.booleans(),
    inverse=st.booleans(),
    entry_ticks=st.integers(10, 10**7),
    share=st.integers(1, 99),
)
def test_i14_the_closed_form_is_where_bisection_finds_balance_meet_maintenance(
    lots: int, long: bool, inverse: bool, entry_ticks: int, share: int
) -> None:
    contract = INVERSE if inverse else LINEAR
    signed = lots if long else -lots
    amount = contract.amount_minor(lots, entry_ticks)
    assume(amount > 100)
    money = amount * share // 100
    one = (signed, contract.cost_minor(signed, amount))
    found = ends(contract, one, money * contract.factor(E8), E8)
    assert found is not None
    low, high = 1, 10**20
    assert healthy(contract, [one], money, high) is long
    while high - low > 1:
        middle = (low + high) // 2
        if healthy(contract, [one], money, middle) is long:
            high = middle
        else:
            low = middle
    # Balance crosses maintenance between two neighbouring prices, and the exact one lies there.
    assert low * found.denominator <= found.numerator <= high * found.denominator


# -- bankruptcy --------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["bankruptcy_price"], on="function"))
def test_v46_v47_the_bankruptcy_price_leaves_nothing_after_the_fee(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    fee_e12 = exact(told["close_fee_rate"], 12)
    margin_e16 = exact(told["margin"], 16)
    found = end_prices.bankruptcy_price(LINEAR, leg(told), margin_e16, fee_e12, E8)
    assert found is not None
    assert agrees(Fraction(found[0], found[1] * E8), expected["bankruptcy_price"])
    if "order_price" in expected:
        ticks = end_prices.bankruptcy_ticks(LINEAR, leg(told), margin_e16, fee_e12, E8)
        assert ticks * exact(told["tick_size"]) == exact(expected["order_price"])


def test_p12_an_inverse_bankruptcy_price_counts_coins() -> None:
    """10,000 USD long from 50,000 with 0.05 BTC: 10,000 / 0.25 = 40,000, and with a fee of 0.1 %
    10,010 / 0.25 = 40,040; short with as much, 10,000 / 0.15 = 66,666.67, down to 66,666.6."""
    margin_e16 = exact("0.05") * exact("50000")
    mark = exact("50000")
    long, short = (10_000, -exact("0.2")), (-10_000, exact("0.2"))
    for one, fee_e12, ticks in ((long, 0, 400_000), (long, E12 // 1000, 400_400)):
        assert end_prices.bankruptcy_ticks(INVERSE, one, margin_e16, fee_e12, mark) == ticks
    assert end_prices.bankruptcy_ticks(INVERSE, short, margin_e16, 0, mark) == 666_666
    # 0.2 BTC or more behind the short: it owes 0.2 at most, at any price.
    assert end_prices.bankruptcy_price(INVERSE, short, 4 * margin_e16, 0, mark) is None
    worst = end_prices.bankruptcy_ticks(INVERSE, short, 4 * margin_e16, 0, mark)
    assert worst == INVERSE.instrument.ticks_max


@given(
    lots=st.integers(10**3, 10**12),
    long=st.booleans(),
    inverse=st.booleans(),
    entry_ticks=st.integers(100, 10**6),
    share=st.integers(1, 60),
    fee_e12=st.integers(0, E12 // 100),
)
def test_p12_t22_a_fill_at_the_bankruptcy_ticks_never_leaves_a_debt(
    lots: int, long: bool, inverse: bool, entry_ticks: int, share: int, fee_e12: int
) -> None:
    contract = INVERSE if inverse else LINEAR
    signed = lots if long else -lots
    amount = contract.amount_minor(lots, entry_ticks)
    assume(amount > 0)
    cost = contract.cost_minor(signed, amount)
    money = amount * share // 100
    balance = money * contract.factor(E8)
    ticks = end_prices.bankruptcy_ticks(contract, (signed, cost), balance, fee_e12, E8)
    price_e8 = ticks * contract.tick_e8
    left = money * contract.factor(price_e8) + contract.unrealised_e16(signed, cost, price_e8)
    fee_e28 = contract.notional_e16(lots, price_e8) * fee_e12
    assert left * E12 - fee_e28 >= 0


def test_a_bankruptcy_price_of_less_than_a_tick_is_one_tick() -> None:
    assert end_prices.bankruptcy_ticks(LINEAR, (ONE, 100 * E8), 200 * E16, 0, E8) == 1


def test_p11_two_legs_that_only_an_absurd_price_would_liquidate_are_told_none() -> None:
    """Long 0.5 and short 0.2 from 50,000 with 100,000 behind them. Beyond the last bracket both
    legs need half their size, 0.35 of the price, and together they gain 0.3 of it: far above what
    any order can name, balance would meet maintenance."""
    story = Story()
    account = story.account(perp_USDT="100000")
    story.ok(SetPositionMode, account_id=account, hedge=True)
    maker = story.account(perp_USDT="1000000")
    story.sell(maker, BTC_PERP, "0.5", "50000")
    story.buy(account, BTC_PERP, "0.5", "50000", position_side=LONG)
    story.buy(maker, BTC_PERP, "0.2", "50000")
    story.sell(account, BTC_PERP, "0.2", "50000", position_side=SHORT)
    for side in (LONG, SHORT):
        told = position_report(story.engine.risk, story.person(account), leg_of(BTC_PERP, side))
        assert told.liquidation_e8 is None
