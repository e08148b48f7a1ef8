"""Tests of the risk parameters: brackets whose amounts are derived, and the genesis record."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.venue import default_venue
from risk.money import E8, E12
from risk.parameters import CROSS_LEVELS, Bracket, Venue, brackets, next_cum_e20
from tests.risk.contracts import contract_of
from tests.vectors import agrees, exact, tables, vectors

E20 = 10**20


def table(name: str) -> tuple[Bracket, ...]:
    """A copied bracket table as brackets."""
    rows = tables()[name]
    return brackets(
        [(exact(floor), int(leverage), exact(mmr, 12)) for floor, leverage, mmr in rows["rows"]],
        exact(rows.get("cap", "2250")),  # The design names none for the inverse table.
    )


@pytest.mark.parametrize("vector", vectors(["maintenance_amounts"], on="function"))
def test_maintenance_amounts_follow_from_floors_and_rates(vector: dict[str, Any]) -> None:
    made = table(vector["inputs"]["brackets"])
    assert [bracket.cum_e20 for bracket in made] == [
        exact(cum, 20) for cum in vector["expected"]["cum"]
    ]


@pytest.mark.parametrize("vector", vectors(["maintenance_amount_step"], on="function"))
def test_one_maintenance_amount_follows_from_the_one_before(vector: dict[str, Any]) -> None:
    told = vector["inputs"]
    cum_e20 = next_cum_e20(
        exact(told["previous_cum"], 20),
        exact(told["floor"]),
        exact(told["previous_mmr"], 12),
        exact(told["mmr"], 12),
    )
    assert cum_e20 == exact(vector["expected"]["cum"], 20)


@pytest.mark.parametrize("vector", vectors(["leverage_tier_margin"], on="function"))
def test_rates_that_are_half_of_the_initial_margin_give_their_deductions(
    vector: dict[str, Any],
) -> None:
    told, expected = vector["inputs"], vector["expected"]
    half_e12 = exact(told["mmr_of_initial"], 12)
    made = brackets(
        [(exact(floor), int(most), half_e12 // int(most)) for floor, most in told["tiers"]],
        exact("1000000000"),
    )
    for bracket, deduction in zip(made, expected["deductions"], strict=True):
        assert agrees(Fraction(bracket.cum_e20, E20), deduction)
    margin = contract_of(made).maintenance_e28(exact(told["notional"], 7), E8)
    assert agrees(Fraction(margin, 10**28), expected["maintenance_margin"])


def test_brackets_whose_rates_do_not_rise_are_a_bug() -> None:
    with pytest.raises(AssertionError):
        brackets([(0, 10, E12 // 50), (100, 5, E12 // 50)], 1_000)


def test_a_bracket_whose_maintenance_reaches_its_initial_margin_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        brackets([(0, 10, E12 // 10)], 1_000)


def test_brackets_that_do_not_begin_at_nothing_are_a_bug() -> None:
    with pytest.raises(AssertionError):
        brackets([(1, 10, E12 // 50)], 1_000)


def slab_integral_e28(made: tuple[Bracket, ...], notional_e16: int) -> int:
    """The maintenance margin the long way: each slab at its own rate."""
    total = 0
    for place, bracket in enumerate(made):
        floor_e16 = bracket.floor_minor * 10**8
        top_e16 = made[place + 1].floor_minor * 10**8 if place + 1 < len(made) else notional_e16
        total += max(0, min(top_e16, notional_e16) - floor_e16) * bracket.mmr_e12
    return total


bracket_rows = st.lists(
    st.tuples(st.integers(1, 10**15), st.integers(1, E12 // 20)), min_size=1, max_size=8
)


@given(bracket_rows, st.integers(0, 10**17))
def test_rate_less_amount_equals_the_sum_of_slabs(steps: list[tuple[int, int]], lots: int) -> None:
    rows, floor, mmr_e12 = [], 0, 0
    for width, more_e12 in steps:
        mmr_e12 += more_e12
        rows.append((floor, 1, mmr_e12))
        floor += width
    made = brackets(rows, floor)
    contract = contract_of(made)
    notional_e16 = contract.notional_e16(lots, E8)
    assert contract.maintenance_e28(lots, E8) == slab_integral_e28(made, notional_e16)


def test_maintenance_is_continuous_at_every_floor() -> None:
    for perp in default_venue(1, 0).perps:
        for low, high in zip(perp.brackets, perp.brackets[1:], strict=False):
            at_floor_e16 = high.floor_minor * 10**8
            below = at_floor_e16 * low.mmr_e12 - low.cum_e20 * 10**8
            above = at_floor_e16 * high.mmr_e12 - high.cum_e20 * 10**8
            assert below == above
            # The boundary itself belongs to the lower bracket.
            contract = contract_of(perp.brackets)
            assert perp.brackets[contract.bracket_of(at_floor_e16, E8)] == low


def test_the_cross_levels_are_those_of_the_table() -> None:
    rows = tables()["CROSS_LEVELS"]["rows"]
    told = [[str(levels.leverage)] for levels in CROSS_LEVELS]
    assert told == [row[:1] for row in rows]
    for levels, row in zip(CROSS_LEVELS, rows, strict=True):
        numbers = [exact(text, 12) for text in row[1:]]
        assert numbers == [
            levels.transfer_e12,
            levels.borrow_e12,
            levels.call_e12,
            levels.liquidation_e12,
        ]
        assert levels.restored_e12 == levels.borrow_e12  # M10: 1.5 at 3x, 1.25 at 5x.


def test_a_contract_has_the_rules_of_the_default_configuration() -> None:
    perp = default_venue(1, 0).perps[0]
    assert perp.interval_ms == 8 * 3_600 * 1_000
    told = {
        "interest_e12": "0.0001",
        "clamp_e12": "0.0005",
        "cap_k_e12": "0.75",
        "mark_band_e12": "0.05",
        "entry_band_e12": "0.02",
        "entry_limit_e12": "0.05",
        "liquidation_fee_e12": "0.005",
    }
    assert {name: getattr(perp, name) for name in told} == {
        name: exact(text, 12) for name, text in told.items()
    }


def test_a_pair_is_liquidated_by_the_rules_of_the_default_configuration() -> None:
    spot = default_venue(1, 0).spots[0]
    assert spot.liquidation_bands_bps == (100, 300, 500)
    assert spot.liquidation_fee_e12 == exact("0.01", 12)
    assert spot.takeover_e12 == exact("1.02", 12)


def test_a_margin_call_is_repeated_once_a_day_at_most() -> None:
    assert default_venue(1, 0).call_repeat_ms == 86_400_000


def test_a_venue_passes_through_json_unchanged() -> None:
    venue = default_venue(7, 1_700_000_000_000, market={"agents": 1})
    assert msgspec.json.decode(msgspec.json.encode(venue), type=Venue) == venue


def test_a_venue_with_an_instrument_without_parameters_is_a_bug() -> None:
    venue = default_venue(7, 0)
    with pytest.raises(AssertionError):
        msgspec.structs.replace(venue, perps=venue.perps[1:])


def test_a_venue_that_samples_off_its_grid_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        msgspec.structs.replace(default_venue(7, 0), sample_ms=1_500)
