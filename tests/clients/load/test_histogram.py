"""Tests of the histogram, against percentiles counted out."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.load.histogram import (
    PARTS,
    SUB_BITS,
    VALUE_MAX,
    Histogram,
    bucket_of,
    highest_of,
)

values = st.integers(0, 1 << 20) | st.integers(0, VALUE_MAX)
many = st.lists(values, min_size=1, max_size=60)


def exact(sample: list[int], parts: int) -> int:
    """The smallest value that `parts` in 10,000 of the sample do not exceed, counted out."""
    share = Fraction(parts, PARTS)
    return next(v for v in sorted(sample) if sum(x <= v for x in sample) >= share * len(sample))


def of(sample: list[int]) -> Histogram:
    histogram = Histogram()
    for value in sample:
        histogram.record(value)
    return histogram


@given(many, st.integers(1, PARTS))
def test_a_percentile_is_the_exact_one_or_less_than_a_128th_above(
    sample: list[int], parts: int
) -> None:
    true, told = exact(sample, parts), of(sample).percentile(parts)
    assert true <= told
    assert (told - true) << SUB_BITS < max(true, 1)


@given(many)
def test_count_sum_smallest_largest_and_mean_are_exact(sample: list[int]) -> None:
    histogram = of(sample)
    assert histogram.count == len(sample)
    assert histogram.sum == sum(sample)
    assert histogram.min == min(sample)
    assert histogram.max == histogram.percentile(PARTS) == max(sample)
    assert histogram.mean == sum(sample) / len(sample)


@given(many, many, st.integers(1, PARTS))
def test_adding_is_as_if_all_had_been_recorded_in_one(
    one: list[int], other: list[int], parts: int
) -> None:
    together, both = of(one), of(one + other)
    together.add(of(other))
    assert together.percentile(parts) == both.percentile(parts)
    assert (together.count, together.sum, together.min, together.max) == (
        both.count,
        both.sum,
        both.min,
        both.max,
    )


@given(values)
def test_every_value_lies_in_its_bucket_and_above_the_one_before(value: int) -> None:
    bucket = bucket_of(value)
    assert value <= highest_of(bucket)
    assert not bucket or value > highest_of(bucket - 1)


def test_the_first_256_values_have_a_bucket_each_and_the_next_share_by_twos() -> None:
    assert [bucket_of(value) for value in range(256)] == list(range(256))
    assert [bucket_of(value) for value in (256, 257, 258, 259)] == [256, 256, 257, 257]


def test_what_is_too_large_or_negative_counts_at_the_end_of_the_scale() -> None:
    histogram = of([VALUE_MAX + 1, -1])
    assert (histogram.min, histogram.max) == (0, VALUE_MAX)


@pytest.mark.parametrize(
    ("parts", "value"),
    # Of 1 to 10,000: 99.9 % are 9,990, and 9,990 is told as the end of its bucket. It has 14 bits,
    # so buckets are 2^6 = 64 wide: 9,990 = 156 x 64 + 6 lies in 9,984 ... 10,047, cut at the max.
    [(5_000, 5_023), (9_990, 10_000), (10_000, 10_000)],
    # 5,000 has 13 bits, buckets are 32 wide: 5,000 = 156 x 32 + 8 lies in 4,992 ... 5,023.
)
def test_percentiles_of_one_to_ten_thousand(parts: int, value: int) -> None:
    assert of(list(range(1, 10_001))).percentile(parts) == value


def test_an_empty_histogram_says_nothing_but_noughts() -> None:
    empty = Histogram()
    assert (empty.count, empty.percentile(9_900), empty.max, empty.mean) == (0, 0, 0, 0.0)


def test_how_many_are_above_a_value() -> None:
    histogram = Histogram()
    for value in (1, 100, 100, 5_000, VALUE_MAX):
        histogram.record(value)
    assert [histogram.above(value) for value in (0, 1, 100, 4_000, VALUE_MAX)] == [5, 4, 2, 2, 0]
