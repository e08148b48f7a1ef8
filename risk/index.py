"""The index price: a weighted median of outside feeds and the venue's own spot books (P6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from risk.money import E12, half_even_div


class Constituent(msgspec.Struct, frozen=True, gc=False):
    """One source of a price, its weight, and when it was last known to hold."""

    price_e8: int
    weight: int
    time_ms: int


def book_price_e8(bid_ticks: int | None, ask_ticks: int | None, tick_e8: int) -> int | None:
    """The mid of a spot book, half-even; None when a side is empty, so it leaves the index."""
    if not bid_ticks or not ask_ticks:
        return None
    return half_even_div((bid_ticks + ask_ticks) * tick_e8, 2)


def index_price_e8(
    constituents: Iterable[Constituent], now_ms: int, stale_ms: int, outlier_e12: int = 0
) -> int | None:
    """The weighted median of the constituents no older than `stale_ms`; None where none is left.

    A constituent without weight or without a price is no constituent.  Where `outlier_e12` is
    given, it is the mean without outliers instead (V60).
    """
    fresh = [
        (one.price_e8, one.weight)
        for one in constituents
        if one.weight > 0 and one.price_e8 > 0 and now_ms - one.time_ms <= stale_ms
    ]
    if not fresh:
        return None
    return outlier_mean_e8(fresh, outlier_e12) if outlier_e12 else weighted_median_e8(fresh)


def weighted_median_e8(prices: Sequence[tuple[int, int]]) -> int:
    """The lowest price at which the cumulative weight exceeds half; pairs of (price, weight).

    Where it is exactly half, the mean of that price and the next, half-even (V59).
    """
    assert prices
    ordered = sorted(prices)
    total = sum(weight for _, weight in ordered)
    reached = 0
    for place, (price_e8, weight) in enumerate(ordered):
        assert weight > 0
        reached += weight
        if 2 * reached == total:
            return half_even_div(price_e8 + ordered[place + 1][0], 2)
        if 2 * reached > total:
            return price_e8
    raise AssertionError("the whole weight exceeds its half")


def outlier_mean_e8(prices: Sequence[tuple[int, int]], outlier_e12: int) -> int:
    """The weighted mean, half-even, of pairs of (price, weight) without the one that lies further
    from the median than a share of it; where several do, the median (V60).
    """
    median_e8 = weighted_median_e8(prices)
    near = [
        (price_e8, weight)
        for price_e8, weight in prices
        if abs(price_e8 - median_e8) * E12 <= outlier_e12 * median_e8
    ]
    if len(prices) - len(near) > 1 or not near:
        return median_e8
    total = sum(weight for _, weight in near)
    return half_even_div(sum(price_e8 * weight for price_e8, weight in near), total)
