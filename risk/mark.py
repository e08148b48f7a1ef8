"""The mark price: the median of three, held near the index; and the order price band on it."""

from __future__ import annotations

from collections import deque

from risk.money import E12, ceil_div, half_even_div


def mark_price_e8(
    index_e8: int,
    funding_price_e8: int,
    basis_price_e8: int,
    contract_e8: int | None,
    band_e12: int,
) -> int:
    """Median of P1, P2 and the contract's price, within `band` of the index (P7, V58).

    A contract without a price counts as the index.
    """
    third_e8 = index_e8 if contract_e8 is None else contract_e8
    median_e8 = sorted((funding_price_e8, basis_price_e8, third_e8))[1]
    lowest_e8 = ceil_div(index_e8 * (E12 - band_e12), E12)
    highest_e8 = index_e8 * (E12 + band_e12) // E12
    return max(lowest_e8, min(highest_e8, median_e8))


def funding_price_e8(index_e8: int, last_rate_e12: int, left_ms: int, interval_ms: int) -> int:
    """P1: the index and the part of the last funding that is still ahead, half-even."""
    assert 0 <= left_ms <= interval_ms
    whole = E12 * interval_ms
    return half_even_div(index_e8 * (whole + last_rate_e12 * left_ms), whole)


def contract_price_e8(bid_e8: int | None, ask_e8: int | None, last_e8: int | None) -> int | None:
    """The contract's own price: the median of best bid, best ask and last trade (P7).

    With a side or the last trade missing it is what the others allow: the last trade held above
    the bid or below the ask, or the mid of bid and ask; None where neither is known.
    """
    if last_e8 is None:
        if bid_e8 is None or ask_e8 is None:
            return None
        return half_even_div(bid_e8 + ask_e8, 2)
    price_e8 = last_e8
    if bid_e8 is not None:
        price_e8 = max(price_e8, bid_e8)
    if ask_e8 is not None:
        price_e8 = min(price_e8, ask_e8)
    return price_e8


class BasisWindow:
    """The last samples of (bid + ask) / 2 - index, kept doubled so that they are integers (P7)."""

    __slots__ = ("_samples", "_size", "_sum")

    def __init__(self, size: int) -> None:
        assert size > 0
        self._size = size
        self._samples: deque[int] = deque()
        self._sum = 0

    def add(self, bid_e8: int, ask_e8: int, index_e8: int, times: int = 1) -> None:
        """Take a sample, `times` over where nothing changed in between; one-sided books have none.

        The work is bounded by the window, however long the stretch was.
        """
        assert times > 0
        doubled_e8 = bid_e8 + ask_e8 - 2 * index_e8
        for _ in range(min(times, self._size)):
            if len(self._samples) == self._size:
                self._sum -= self._samples.popleft()
            self._samples.append(doubled_e8)
            self._sum += doubled_e8

    def clear(self) -> None:
        """Forget every sample, as an administrator's price demands."""
        self._samples.clear()
        self._sum = 0

    @property
    def count(self) -> int:
        """How many samples are present."""
        return len(self._samples)

    def is_full_of(self, bid_e8: int, ask_e8: int, index_e8: int) -> bool:
        """Whether one more such sample would take the place of its equal, and nothing changes."""
        doubled_e8 = bid_e8 + ask_e8 - 2 * index_e8
        return len(self._samples) == self._size and set(self._samples) == {doubled_e8}

    def price_e8(self, index_e8: int) -> int:
        """P2: the index and the mean of the samples present, half-even; without one, the index."""
        twice = 2 * len(self._samples)
        if not twice:
            return index_e8
        return half_even_div(index_e8 * twice + self._sum, twice)

    def mean_e8(self) -> int:
        """The mean of the samples present, half-even: the average premium of S12."""
        return self.price_e8(0)

    def state(self) -> list[int]:
        """The samples, oldest first."""
        return list(self._samples)

    def restore(self, samples: list[int]) -> None:
        """Become what `state` told."""
        assert len(samples) <= self._size
        self._samples = deque(samples)
        self._sum = sum(samples)

    def check(self) -> None:
        """Assert that the running sum is the sum."""
        assert len(self._samples) <= self._size
        assert self._sum == sum(self._samples), (self._sum, self._samples)


def order_bounds_e8(
    index_e8: int, premium_e8: int, entry_band_e12: int, entry_limit_e12: int
) -> tuple[int, int]:
    """The highest price a perpetual may be bought at and the lowest it may be sold at (S12, V15).

    Only the aggressive direction is bounded.  Both are rounded toward the index.
    """
    up_e8 = index_e8 * (E12 + entry_band_e12) // E12 + premium_e8
    down_e8 = ceil_div(index_e8 * (E12 - entry_band_e12), E12) + premium_e8
    max_buy_e8 = min(max(index_e8, up_e8), index_e8 * (E12 + entry_limit_e12) // E12)
    lowest_e8 = ceil_div(index_e8 * (E12 - entry_limit_e12), E12)
    min_sell_e8 = max(min(index_e8, down_e8), lowest_e8)
    return max_buy_e8, min_sell_e8
