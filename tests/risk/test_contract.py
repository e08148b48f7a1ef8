"""Tests of a contract's arithmetic: what lots are worth, need and cost, in quote and in coin."""

from __future__ import annotations

from fractions import Fraction

from matching.instrument import Instrument
from risk.contract import Contract
from risk.parameters import PerpParameters, brackets
from tests.story import units

INVERSE = Contract(
    Instrument(
        symbol="BTC-USD-PERP",
        kind="inverse",
        base="BTC",
        quote="USDT",
        settle="BTC",
        tick="0.1",
        lot="1",
        multiplier="100",
    ),
    PerpParameters(
        "BTC-USD-PERP",
        brackets(
            [(0, 125, 4 * 10**9), (5 * 10**8, 100, 5 * 10**9)],
            10 * 10**8,
        ),
        impact_notional_minor=units("25000"),
    ),
)


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
