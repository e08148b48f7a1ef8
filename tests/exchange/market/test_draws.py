"""Draws: the same for the same moment, different for another, and distributed as they say."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.market.draws import Draws, halves, stroke, uniform

MANY = 20_000


def test_the_same_moment_draws_the_same_numbers() -> None:
    assert uniform(7, "BTC", 12) == uniform(7, "BTC", 12)
    assert stroke(7, "BTC", 12) == stroke(7, "BTC", 12)
    assert [Draws(7, "BTC", 12).word() for _ in range(2)] == [Draws(7, "BTC", 12).word()] * 2


def test_another_seed_name_or_step_draws_others() -> None:
    drawn = {uniform(7, "BTC", 12), uniform(8, "BTC", 12), uniform(7, "ETH", 12)}
    assert len(drawn | {uniform(7, "BTC", 13)}) == 4


def test_a_draw_is_known_for_ever() -> None:
    # A journal or a history made by one version must not change under the next one.
    # It is the first eight bytes of BLAKE2b of "1/name/2/0", least first.
    assert Draws(1, "name", 2).word() == 9_169_164_319_642_079_259


def test_normal_draws_have_mean_nought_and_deviation_one() -> None:
    drawn = [stroke(1, "x", step).normal for step in range(MANY)]
    mean = sum(drawn) / MANY
    # The mean of 20,000 has a deviation of 0.007, their variance one of 0.01.
    assert abs(mean) < 0.03
    assert abs(sum(d * d for d in drawn) / MANY - 1) < 0.05
    stream = Draws(1, "x", 0)
    assert abs(sum(stream.normal() for _ in range(MANY)) / MANY) < 0.03


def test_the_four_draws_of_a_stroke_are_not_correlated() -> None:
    strokes = [stroke(3, "y", step) for step in range(MANY)]
    for pick in (lambda s: s.first, lambda s: s.second, lambda s: s.third):
        covariance = sum(s.normal * (pick(s) - 0.5) for s in strokes) / MANY
        assert abs(covariance) < 0.01  # 1 x 0.29 / sqrt(20,000) = 0.002 is one deviation.


def test_poisson_counts_have_their_mean_and_spread() -> None:
    for mean in (0.05, 0.7, 3.0, 9.0):
        stream = Draws(5, "arrivals", 0)
        counts = [stream.poisson(mean) for _ in range(MANY)]
        average = sum(counts) / MANY
        assert abs(average - mean) < 0.1 * mean + 0.01
        variance = sum((count - average) ** 2 for count in counts) / MANY
        # A Poisson count varies by its mean; thirty-two trials vary a little less.
        assert 0.85 * mean < variance < 1.15 * mean


def test_nothing_arrives_at_no_rate() -> None:
    assert Draws(1, "a", 1).poisson(0) == 0


def test_heavy_draws_have_mean_one_and_a_long_tail() -> None:
    stream = Draws(1, "sizes", 0)
    drawn = [stream.heavy() for _ in range(MANY)]
    assert abs(sum(drawn) / MANY - 1) < 0.05
    assert max(drawn) > 8
    assert sorted(drawn)[MANY // 2] < 0.5  # Most are small.


@given(st.integers(0, 2**53), st.integers(1, 1_000), st.text(max_size=8))
def test_draws_keep_their_bounds(seed: int, bound: int, name: str) -> None:
    stream = Draws(seed, name, bound)
    for _ in range(20):
        assert 0 <= stream.below(bound) < bound
        assert 0 <= stream.uniform() < 1
        assert 2 <= stream.between(2, 3) < 3
        assert stream.pick("abc") in "abc"
    assert all(0 <= half < 65_536 for half in halves(seed, name, bound, 40))
    assert len(halves(seed, name, bound, 40)) == 40


def test_a_chance_of_one_half_falls_half_the_time() -> None:
    stream = Draws(2, "coin", 0)
    heads = sum(stream.chance(0.5) for _ in range(MANY))
    assert abs(heads - MANY / 2) < 400  # Five deviations of sqrt(20,000)/2 = 71, and more.
