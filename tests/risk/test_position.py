"""Tests of positions: signed lots, signed cost, and the profit a fill realises."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.contract import Contract
from risk.money import ceil_div
from risk.position import FillEffect, Position, fill_effect, released_cost
from tests.risk.contracts import contract_of
from tests.risk.test_parameters import table
from tests.vectors import exact, vectors

# A lot is 10^-3 and a tick 0.1, so that one tick x one lot is 10^-4.
LINEAR = contract_of(table("BTCUSDT"), lot="0.001")
INVERSE = contract_of(table("BTCUSD-INV"), inverse=True)
LOT_MINOR = 10**5
UNIT_MINOR = 10**4


class Held:
    """A position and the contract it is of: takes fills at a price."""

    def __init__(self, lots: int = 0, cost_minor: int = 0, contract: Contract = LINEAR) -> None:
        self.lots = lots
        self.cost_minor = cost_minor
        self.contract = contract

    def fill(self, fill_lots: int, price_ticks: int) -> FillEffect:
        """What settlement does with it."""
        amount = self.contract.amount_minor(abs(fill_lots), price_ticks)
        value = self.contract.cost_minor(fill_lots, amount)
        effect = fill_effect(self.lots, self.cost_minor, fill_lots, value)
        self.lots, self.cost_minor = effect.lots, effect.cost_minor
        return effect

    def entry_e8(self) -> int:
        """Its average entry price."""
        return self.contract.entry_e8(self.lots, self.cost_minor)

    def unrealised_e16(self, mark_e8: int) -> int:
        """Its profit at a mark."""
        return self.contract.unrealised_e16(self.lots, self.cost_minor, mark_e8)


def lots(text: str) -> int:
    return exact(text, 3)


def ticks(text: str) -> int:
    return exact(text, 1)


@pytest.mark.parametrize("vector", vectors(["average_entry"], on="function"))
def test_the_entry_price_is_cost_over_size(vector: dict[str, Any]) -> None:
    position = Held()
    for price, quantity in vector["inputs"]["fills"]:
        position.fill(lots(quantity), ticks(price))
    assert position.lots == lots(vector["expected"]["quantity"])
    assert position.entry_e8() == exact(vector["expected"]["entry_price"])


@pytest.mark.parametrize("vector", vectors(["pnl"], on="function", ids=["V32a", "V32b"]))
def test_profit_that_is_not_realised_is_value_less_cost(vector: dict[str, Any]) -> None:
    told = vector["inputs"]
    sign = 1 if told["side"] == "LONG" else -1
    position = Held()
    position.fill(sign * lots(told["quantity"]), ticks(told["entry_price"]))
    profit_e16 = position.unrealised_e16(exact(told["price"]))
    assert profit_e16 == exact(vector["expected"]["pnl"], 16)


@pytest.mark.parametrize("vector", vectors(["position_flip"], on="function"))
def test_a_fill_beyond_zero_closes_then_opens_the_rest(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    before, fill = told["position"], told["fill"]
    held = Held()
    held.fill(lots(before["quantity"]), ticks(before["entry_price"]))
    effect = held.fill(-lots(fill["quantity"]), ticks(fill["price"]))
    after = expected["position"]
    assert effect.closed_lots == lots(expected["closed"])
    assert effect.realised_minor == exact(expected["realized_pnl"])
    assert held.lots == -lots(after["quantity"])
    assert held.entry_e8() == exact(after["entry_price"])
    # All of the closed side's margin is released, the new side's is 2 x 51000 / 10 (T19).
    released = released_cost(exact(before["margin"]), effect.closed_lots, lots(before["quantity"]))
    assert released == exact(expected["margin_released"])
    posted = ceil_div(abs(held.cost_minor), int(told["leverage"]))
    assert posted == exact(after["margin"])
    assert posted - released - effect.realised_minor == exact(expected["extra_margin"])


@pytest.mark.parametrize("vector", vectors(["ledger_fills"], on="function"))
def test_a_trade_leaves_the_sum_of_wallet_less_cost_alone(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    (fill,) = told["fills"]
    wallet_less_cost = 0
    for name, sign in ((fill["buyer"], 1), (fill["seller"], -1)):
        before, after = told["accounts"][name], expected["accounts"][name]
        held = Held(lots(before["quantity"]), exact(before["cost"]))
        effect = held.fill(sign * lots(fill["quantity"]), ticks(fill["price"]))
        assert (held.lots, held.cost_minor) == (lots(after["quantity"]), exact(after["cost"]))
        assert effect.realised_minor == exact(expected["realized_pnl"][name])
        wallet = exact(before["wallet"]) + effect.realised_minor
        assert wallet == exact(after["wallet"])
        wallet_less_cost += wallet - held.cost_minor
    assert wallet_less_cost == exact(expected["wallet_minus_cost"]["after"])


@pytest.mark.parametrize("vector", vectors(["cost_release"], on="function"))
def test_successive_closes_release_the_whole_cost(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    held = Held(lots(told["quantity"]), exact(told["cost"]))
    released = []
    for close in told["closes"]:
        before = held.cost_minor
        held.fill(-lots(close), 1)
        released.append(before - held.cost_minor)
    assert released == [exact(text) for text in expected["released"]]
    assert sum(released) == exact(expected["total"])
    assert held.cost_minor == exact(expected["cost_left"])


def test_a_reduction_keeps_the_entry_price() -> None:
    # Long 0.003 at 100.0; selling 0.001 at 90.0 realises 0.001 x (90 - 100) = -0.01.
    held = Held()
    held.fill(3, 1_000)
    effect = held.fill(-1, 900)
    assert effect.realised_minor == -exact("0.01")
    assert held.entry_e8() == exact("100")


def test_an_entry_price_that_does_not_end_goes_to_the_nearest() -> None:
    # Short 0.001 at 100.0 and 0.002 at 100.1: 300.2 / 3 = 100.06666667.
    held = Held()
    held.fill(-1, 1_000)
    held.fill(-2, 1_001)
    assert held.entry_e8() == exact("100.06666667")
    # Long 0.002 at 100.0 and 0.001 at 100.1: 300.1 / 3 = 100.03333333.
    held = Held()
    held.fill(2, 1_000)
    held.fill(1, 1_001)
    assert held.entry_e8() == exact("100.03333333")


def test_a_flat_position_has_no_entry_price() -> None:
    assert Held().entry_e8() == 0


def test_a3_an_inverse_flip_shares_its_coins_by_contracts() -> None:
    """Long 3 from 30,000 cost -0.00010000; sold 7 at 70,001: 0.000099998571... is 0.00010000 in
    all, of which 3 / 7, half-even, close: 0.00004286; the other 0.00005714 open short 4."""
    held = Held(contract=INVERSE)
    held.fill(3, 300_000)
    assert held.cost_minor == -10_000
    effect = held.fill(-7, 700_010)
    assert effect == FillEffect(-4, 5_714, 10_000 - 4_286, 3, 5_714)


fills = st.lists(
    st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 10**6)), min_size=1, max_size=30
)


@given(fills)
def test_realised_and_unrealised_profit_are_all_that_the_fills_earned(
    made: list[tuple[int, int]],
) -> None:
    held, realised = Held(), 0
    for fill_lots, price in made:
        realised += held.fill(fill_lots, price).realised_minor
        assert (held.lots > 0, held.lots < 0) == (held.cost_minor > 0, held.cost_minor < 0)
    mark_e8 = 123 * 10**8
    # Cash flows of the fills: -lots x price each; what is left is worth its size x mark.
    flows_minor = -sum(fill_lots * price * UNIT_MINOR for fill_lots, price in made)
    worth_e16 = held.lots * LOT_MINOR * mark_e8
    told_e16 = realised * 10**8 + held.unrealised_e16(mark_e8)
    assert told_e16 == flows_minor * 10**8 + worth_e16


@given(st.integers(1, 10**12), st.lists(st.integers(1, 1_000), min_size=1, max_size=20))
def test_released_parts_of_any_split_sum_to_the_whole(cost_minor: int, parts: list[int]) -> None:
    left_lots, left_minor = sum(parts), cost_minor
    for part in parts:
        released = released_cost(left_minor, part, left_lots)
        left_lots, left_minor = left_lots - part, left_minor - released
    assert (left_lots, left_minor) == (0, 0)


@given(fills)
def test_a5_what_a_fill_realises_enters_wallet_and_cost_alike(made: list[tuple[int, int]]) -> None:
    """Of both sides of inverse trades the wallets less the costs never change."""
    sides = (Held(contract=INVERSE), Held(contract=INVERSE))
    wallets = 0
    for fill_lots, price in made:
        one, other = (
            side.fill(sign * fill_lots, price) for side, sign in zip(sides, (1, -1), strict=True)
        )
        wallets += one.realised_minor + other.realised_minor
        assert wallets == sides[0].cost_minor + sides[1].cost_minor
        assert sides[0].lots == -sides[1].lots
        assert all(side.lots or not side.cost_minor for side in sides)


@given(fills)
def test_swapping_every_side_flips_every_sign(made: list[tuple[int, int]]) -> None:
    mine, its = Held(), Held()
    for fill_lots, price in made:
        one = mine.fill(fill_lots, price)
        other = its.fill(-fill_lots, price)
        assert one.realised_minor == -other.realised_minor
        assert (mine.lots, mine.cost_minor) == (-its.lots, -its.cost_minor)


def test_a_fill_of_nothing_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        fill_effect(1, 1, 0, 0)


def test_a_position_tells_itself() -> None:
    assert repr(Position("BTC-USDT-PERP", -2, -30)) == "<Position BTC-USDT-PERP -2 lots for -30>"
