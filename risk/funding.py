"""Funding: premium samples, their average, the rate, and payments that sum to zero."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from risk.money import E8, E12, half_even_div, kept
from risk.parameters import HOUR_MS

RATE_HOURS: Final = 8  # Rates, clamps and caps are told for eight hours (P9).


# -- premium -----------------------------------------------------------------------------------


class ImpactPrice(NamedTuple):
    """The average price of executing the impact notional: numerator / denominator, 10^-8."""

    numerator: int
    denominator: int

    @property
    def price_e8(self) -> int:
        """The price for display, half-even."""
        return half_even_div(self.numerator, self.denominator)


def impact_price(
    levels: Iterable[tuple[int, int]],
    notional_minor: int,
    tick_e8: int,
    lot_minor: int,
    band_price_e8: int,
    *,
    inverse: bool = False,
) -> ImpactPrice:
    """What executing a notional against levels of (price_ticks, lots), best first, averages (P8).

    The average is notional / sum of (quote / price).  Where the depth is short, what is missing
    executes at the band's price.  A lot is `lot_minor` of the base, or of the quote where the
    contract is inverse; the coins of a level are then those of a trade of it (A3).
    """
    assert notional_minor > 0
    assert band_price_e8 > 0
    base_minor, left_minor, price_e8 = 0, notional_minor, band_price_e8
    for price_ticks, lots in levels:
        size_minor = lots * lot_minor
        if inverse:
            level_minor = size_minor
            size_minor = half_even_div(level_minor * E8, price_ticks * tick_e8)
        else:
            level_minor = price_ticks * tick_e8 * size_minor // E8  # Exact by A2.
        if level_minor >= left_minor:
            price_e8 = price_ticks * tick_e8
            break
        base_minor += size_minor
        left_minor -= level_minor
    # What is left executes at `price_e8`: base in all = base_minor + left / price.
    return ImpactPrice(
        notional_minor * E8 * price_e8,
        base_minor * price_e8 + left_minor * E8,
    )


def premium_e12(bid: ImpactPrice, ask: ImpactPrice, index_e8: int) -> int:
    """(max(0, impact bid - index) - max(0, index - impact ask)) / index, half-even (P8, V62)."""
    above = bid.numerator - index_e8 * bid.denominator
    if above > 0:
        return half_even_div(above * E12, index_e8 * bid.denominator)
    below = index_e8 * ask.denominator - ask.numerator
    if below > 0:
        return -half_even_div(below * E12, index_e8 * ask.denominator)
    return 0


class PremiumAverage:
    """The time-weighted mean of an interval's premium samples: weights 1..n, latest heaviest (P8).

    Only a count and a sum are kept, and the same sample k times over is added in closed form.
    """

    __slots__ = ("_count", "_weighted_e12")

    def __init__(self) -> None:
        self._count = 0
        self._weighted_e12 = 0

    def add(self, sample_e12: int, times: int = 1) -> None:
        """Take a sample, `times` over where nothing changed in between."""
        assert times > 0
        weights = times * (2 * self._count + times + 1) // 2  # (n + 1) + ... + (n + times).
        self._weighted_e12 += sample_e12 * weights
        self._count += times

    def clear(self) -> None:
        """Begin a new interval."""
        self._count = 0
        self._weighted_e12 = 0

    @property
    def count(self) -> int:
        """How many samples were taken."""
        return self._count

    def average_e12(self) -> int:
        """The weighted mean, half-even; 0 without a sample."""
        if not self._count:
            return 0
        return half_even_div(self._weighted_e12, self._count * (self._count + 1) // 2)

    def state(self) -> tuple[int, int | str]:
        """The count and the weighted sum."""
        return self._count, kept(self._weighted_e12)

    def restore(self, state: tuple[int, int | str]) -> None:
        """Become what `state` told."""
        self._count, self._weighted_e12 = state[0], int(state[1])


# -- rate --------------------------------------------------------------------------------------


def funding_rate_e12(
    average_premium_e12: int,
    *,
    interest_e12: int,
    clamp_e12: int,
    cap_k_e12: int,
    mmr_e12: int,
    interval_ms: int,
) -> int:
    """The rate of one interval (P9, V64): premium + clamp(interest - premium), capped, scaled.

    Interest, clamp and cap (k x the first bracket's maintenance rate) are for eight hours, and
    are scaled with the rate; the result is rounded half-even.
    """
    gap_e12 = interest_e12 - average_premium_e12
    rate_e12 = average_premium_e12 + max(-clamp_e12, min(clamp_e12, gap_e12))
    cap_e12 = cap_k_e12 * mmr_e12 // E12
    capped_e12 = max(-cap_e12, min(cap_e12, rate_e12))
    return half_even_div(capped_e12 * interval_ms, RATE_HOURS * HOUR_MS)
