"""A histogram of latencies: bounded memory, every value within 0.8 %, in the manner of HDR.

Values are whole nanoseconds.  Those below 256 have a bucket each; above, each power of two has 128
buckets of equal width.  (The `hdrhistogram` package does the same and more, but brings pbr and
setuptools to wherever it runs; what is needed here is a page.)
"""

from __future__ import annotations

from array import array
from typing import Final

SUB_BITS: Final = 7  # A bucket is at most its values / 2^7 wide.
VALUE_BITS: Final = 43  # 2^43 ns is over two hours, longer than any run may last.
VALUE_MAX: Final = (1 << VALUE_BITS) - 1
PARTS: Final = 10_000  # Percentiles are told in hundredths of a percent, exactly.

_HALF: Final = 1 << SUB_BITS
_BUCKETS: Final = (VALUE_BITS - SUB_BITS + 1) * _HALF


class Histogram:
    """Counts of values from 0 to `VALUE_MAX`; a larger one counts as that, a negative one as 0."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0
        self.min = VALUE_MAX
        self.max = 0
        self._counts = array("Q", bytes(8 * _BUCKETS))

    def record(self, value: int) -> None:
        """One more value. O(1)."""
        value = min(max(value, 0), VALUE_MAX)
        self._counts[bucket_of(value)] += 1
        self.count += 1
        self.sum += value
        self.min = min(self.min, value)
        self.max = max(self.max, value)

    def add(self, other: Histogram) -> None:
        """All the values of another."""
        for bucket, count in enumerate(other._counts):
            if count:
                self._counts[bucket] += count
        self.count += other.count
        self.sum += other.sum
        self.min = min(self.min, other.min)
        self.max = max(self.max, other.max)

    def percentile(self, parts: int) -> int:
        """The value that `parts` / 10,000 of all values do not exceed (9,990 is p99.9).

        Never below the exact one, and above it by less than 1/128 of it; 0 if there is no value.
        """
        assert 0 < parts <= PARTS
        rank = -(-self.count * parts // PARTS)
        if rank == self.count:
            return self.max  # Known exactly; and 0 of an empty histogram.
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= rank:
                return min(highest_of(bucket), self.max)
        raise AssertionError("the buckets hold every value counted")

    def above(self, value: int) -> int:
        """How many values exceed one, to the width of its bucket."""
        return sum(self._counts[bucket_of(min(value, VALUE_MAX)) + 1 :])

    @property
    def mean(self) -> float:
        """The exact mean; 0 if there is no value."""
        return self.sum / self.count if self.count else 0.0


def bucket_of(value: int) -> int:
    """The bucket of a value: its leading eight bits, and how many bits follow them."""
    shift = max(0, value.bit_length() - SUB_BITS - 1)
    return shift * _HALF + (value >> shift)


def highest_of(bucket: int) -> int:
    """The largest value of a bucket."""
    shift = max(0, bucket // _HALF - 1)
    return ((bucket - shift * _HALF + 1) << shift) - 1
