"""The index price: a weighted median of outside feeds and the venue's own spot books (P6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from risk.money import half_even_div


class Constituent(NamedTuple):
    """One source of a price, its weight, and when it was last known to hold."""

    price_e8: int
    weight: int
    time_ms: int


def book_price_e8(bid_ticks: int | None, ask_ticks: int | None, tick_e8: int) -> int | None:
    """The mid of a spot book, half-even; None when a side is empty, so it leaves the index."""
    if not bid_ticks or not ask_ticks:
        return None
    return half_even_div((bid_ticks + ask_ticks) * tick_e8, 2)


def index_price_e8(constituents: Iterable[Constituent], now_ms: int, stale_ms: int) -> int | None:
    """The weighted median of the constituents no older than `stale_ms`; None where none is left.

    A constituent without weight or without a price is no constituent.
    """
    fresh = [
        (one.price_e8, one.weight)
        for one in constituents
        if one.weight > 0 and one.price_e8 > 0 and now_ms - one.time_ms <= stale_ms
    ]
    return weighted_median_e8(fresh) if fresh else None


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
