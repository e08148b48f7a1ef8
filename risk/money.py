# cython: overflowcheck=True
"""Whole-number sums of money; each rounding is named for who keeps the remainder.

Units: minor is 10^-8 of an asset; a price `_e8` is 10^-8 of the quote for one whole base; a value
`_e16` is base minor x price, exactly; a rate `_e12` is 10^-12; interest `_e18` is 10^-18 of the
asset.  A ratio is never compared as a quotient: `at_most` and `at_least` multiply crosswise.
"""

from typing import Final

from matching.limits import MINOR_PER_UNIT

E8: Final = MINOR_PER_UNIT
E10: Final = 10**10
E12: Final = 10**12

MINOR_IN_E16: Final = 10**8  # Units of 10^-16 in one minor unit.
MINOR_IN_E18: Final = 10**10  # Units of 10^-18 in one minor unit.

_NUMBERS_END: Final = 2**63


def kept(amount: int) -> int | str:
    """An amount as a snapshot holds it: text where MessagePack, of 64 bits, has no number for it.

    `int` takes both back. For sums over many accounts: what one account has always fits.
    """
    return amount if -_NUMBERS_END <= amount < _NUMBERS_END else str(amount)


def ceil_div(amount: int, divisor: int) -> int:
    """The quotient rounded toward plus infinity."""
    assert divisor > 0
    return -(-amount // divisor)


def half_even_div(amount: int, divisor: int) -> int:
    """The quotient rounded to the nearest integer, a half to the even one (A3, A5)."""
    assert divisor > 0
    quotient, rest = divmod(amount, divisor)
    twice = 2 * rest
    if twice > divisor or (twice == divisor and quotient & 1):
        quotient += 1
    return quotient


def charged(amount_minor: int, rate_e12: int) -> int:
    """A charge, rounded up: the house keeps the remainder (A4)."""
    assert amount_minor >= 0
    assert rate_e12 >= 0
    return ceil_div(amount_minor * rate_e12, E12)


def minor_half_even(amount_e16: int) -> int:
    """A value in the nearest minor units: for display alone, since it favours nobody."""
    return half_even_div(amount_e16, MINOR_IN_E16)


def interest_minor_ceil(interest_e18: int) -> int:
    """Interest in minor units, rounded up as it is paid; the excess is the house's (M7)."""
    assert interest_e18 >= 0
    return ceil_div(interest_e18, MINOR_IN_E18)


def at_most(numerator: int, denominator: int, level_e12: int) -> bool:
    """Whether numerator / denominator <= level, multiplied crosswise; no debt is no level."""
    assert denominator >= 0
    return numerator * E12 <= level_e12 * denominator if denominator else False


def at_least(numerator: int, denominator: int, level_e12: int) -> bool:
    """Whether numerator / denominator >= level, multiplied crosswise; without a debt it is."""
    assert denominator >= 0
    return numerator * E12 >= level_e12 * denominator if denominator else True
