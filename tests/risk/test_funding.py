"""Tests of funding: impact prices, premium, rate, and payments that sum to zero."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.venue import default_venue
from risk.funding import (
    ImpactPrice,
    PremiumAverage,
    funding_rate_e12,
    impact_price,
    premium_e12,
)
from risk.parameters import HOUR_MS, impact_notional_minor
from tests.vectors import agrees, exact, vectors

E8, E12 = 10**8, 10**12


@pytest.mark.parametrize("vector", vectors(["impact_notional"], on="function"))
def test_the_impact_notional_is_a_margin_at_the_largest_leverage(vector: dict[str, Any]) -> None:
    told = vector["inputs"]
    impact = impact_notional_minor(exact(told["base_amount"]), exact(told["imr"], 12))
    assert impact == exact(vector["expected"]["impact_notional"])


def test_a_venues_impact_notional_is_two_hundred_at_its_largest_leverage() -> None:
    # 200 USDT x 125, x 125, x 100 and x 125.
    told = {perp.symbol: perp.impact_notional_minor // E8 for perp in default_venue(1, 0).perps}
    assert told == {
        "BTC-USDT-PERP": 25_000,
        "ETH-USDT-PERP": 25_000,
        "SOL-USDT-PERP": 20_000,
        "BTC-USD-PERP": 25_000,
    }


@pytest.mark.parametrize("vector", vectors(["premium_sample"], on="function"))
def test_a_premium_is_told_by_impact_prices(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    notional, index = exact(told["impact_notional"]), exact(told["index_price"])
    impact = {
        side: impact_price(
            [(int(price), int(quantity)) for price, quantity in told[side]],
            notional,
            E8,
            E8,
            index,
        )
        for side in ("bids", "asks")
    }
    bid, ask = impact["bids"], impact["asks"]
    assert agrees(Fraction(bid.numerator, bid.denominator * E8), expected["impact_bid"])
    assert agrees(Fraction(ask.numerator, ask.denominator * E8), expected["impact_ask"])
    assert bid.price_e8 == exact(expected["impact_bid"]["shown"])
    premium = premium_e12(bid, ask, index)
    assert agrees(Fraction(premium, E12), expected["premium"])


def test_a_book_below_the_index_has_a_negative_premium() -> None:
    # Asks at 98 under an index of 100: -(100 - 98) / 100 = -2 %.
    bid = impact_price([(97, 10)], 100 * E8, E8, E8, 95 * E8)
    ask = impact_price([(98, 10)], 100 * E8, E8, E8, 105 * E8)
    assert premium_e12(bid, ask, 100 * E8) == -2 * E12 // 100


def test_a_book_around_the_index_has_no_premium() -> None:
    bid = impact_price([(99, 10)], 100 * E8, E8, E8, 95 * E8)
    ask = impact_price([(101, 10)], 100 * E8, E8, E8, 105 * E8)
    assert premium_e12(bid, ask, 100 * E8) == 0


def test_what_the_depth_lacks_executes_at_the_bands_price() -> None:
    # 100 at 100 is all there is; the other 100 at 80: 200 / (1 + 1.25) = 88.88888889.
    short = impact_price([(100, 1)], 200 * E8, E8, E8, 80 * E8)
    assert short.price_e8 == exact("88.88888889")


def test_an_empty_book_executes_at_the_bands_price_and_has_no_premium() -> None:
    bid = impact_price([], 100 * E8, E8, E8, 95 * E8)
    ask = impact_price([], 100 * E8, E8, E8, 105 * E8)
    assert (bid.price_e8, ask.price_e8) == (95 * E8, 105 * E8)
    assert premium_e12(bid, ask, 100 * E8) == 0


def test_a_premium_goes_to_the_nearest() -> None:
    # Prices that lie 1 and 2 above, then below, an index of 3 x 10^12 units of 10^-8: a premium
    # of 1/3 or 2/3 of 10^-12.
    index = 3 * E12
    far_ask, far_bid = ImpactPrice(2 * index, 1), ImpactPrice(1, 1)
    assert premium_e12(ImpactPrice(index + 1, 1), far_ask, index) == 0
    assert premium_e12(ImpactPrice(index + 2, 1), far_ask, index) == 1
    assert premium_e12(far_bid, ImpactPrice(index - 1, 1), index) == 0
    assert premium_e12(far_bid, ImpactPrice(index - 2, 1), index) == -1


def test_an_average_premium_goes_to_the_nearest() -> None:
    # Weights 1 and 2: (1 + 0) / 3 and (0 + 2) / 3.
    for samples, mean in (((1, 0), 0), ((0, 1), 1)):
        average = PremiumAverage()
        for sample in samples:
            average.add(sample)
        assert average.average_e12() == mean


def test_a_scaled_rate_goes_to_the_nearest() -> None:
    # Interest of 3 and of 5 x 10^-12 for an hour of eight: 0.375 and 0.625.
    told = {"interest_rate": "0.000000000003", "clamp": "1", "cap_factor": "1"}
    told |= {"mmr_1": "0.004", "interval_hours": "1"}
    assert rate_of(told, "0") == 0
    assert rate_of({**told, "interest_rate": "0.000000000005"}, "0") == 1


@pytest.mark.parametrize("vector", vectors(["premium_average"], on="function"))
def test_the_latest_premium_weighs_most(vector: dict[str, Any]) -> None:
    average = PremiumAverage()
    for sample in vector["inputs"]["samples"]:
        average.add(exact(sample, 12))
    assert average.average_e12() == exact(vector["expected"]["average_premium"], 12)
    for wrong in vector["not_expected"]:
        assert average.average_e12() != exact(wrong["average_premium"], 12)


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(1, 50)), max_size=20))
def test_a_sample_many_times_over_is_many_samples(told: list[tuple[int, int]]) -> None:
    folded, plain = PremiumAverage(), PremiumAverage()
    for sample, times in told:
        folded.add(sample, times)
        for _ in range(times):
            plain.add(sample)
    assert folded.state() == plain.state()
    assert folded.average_e12() == plain.average_e12()
    again = PremiumAverage()
    again.restore(folded.state())
    assert again.average_e12() == folded.average_e12()
    assert again.count == folded.count


def test_a_new_interval_begins_without_samples() -> None:
    average = PremiumAverage()
    average.add(5, 3)
    average.clear()
    assert average.state() == (0, 0)
    assert average.average_e12() == 0


def rate_of(told: dict[str, Any], premium: str) -> int:
    """The funding rate of a vector's parameters for a premium."""
    return funding_rate_e12(
        exact(premium, 12),
        interest_e12=exact(told["interest_rate"], 12),
        clamp_e12=exact(told["clamp"], 12),
        cap_k_e12=exact(told["cap_factor"], 12),
        mmr_e12=exact(told["mmr_1"], 12),
        interval_ms=int(told["interval_hours"]) * HOUR_MS,
    )


@pytest.mark.parametrize("vector", vectors(["funding_rate"], on="function"))
def test_the_rate_is_clamped_capped_and_scaled_to_its_interval(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    assert rate_of(told, told["average_premium"]) == exact(expected["funding_rate"], 12)
    if "uncapped_rate" in expected:
        uncapped = rate_of({**told, "cap_factor": "100"}, told["average_premium"])
        assert uncapped == exact(expected["uncapped_rate"], 12)


def test_the_cap_holds_in_both_directions() -> None:
    told = {"interest_rate": "0.0001", "clamp": "0.0005", "cap_factor": "0.75"}
    told |= {"mmr_1": "0.004", "interval_hours": "8"}
    assert rate_of(told, "-0.02") == -exact("0.003", 12)


def test_p8_a_weighted_sum_beyond_64_bits_is_the_same_after_a_restart() -> None:
    """Eight hours of samples of -100 %: 5,760 x 5,761 / 2 x 10^12 is 1.66 x 10^19."""
    average, copy = PremiumAverage(), PremiumAverage()
    average.add(-(10**12), times=5_760)
    copy.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(average.state())))
    assert copy.average_e12() == average.average_e12() == -(10**12)
    assert copy.count == 5_760
