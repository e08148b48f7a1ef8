"""Prices: fixed ones stand, walking ones depend on nothing but seed, step and last print."""

from math import sqrt

import pytest

from exchange.market.prices import (
    FOR_EVER_MS,
    STALE_MS,
    FixedPrices,
    PriceSource,
    WalkPrices,
    next_on_grid,
)
from exchange.market.regimes import regime_at

START_MS = 1_700_000_000_000
E8 = 100_000_000
START = {"BTC": 50_000 * E8, "ETH": 2_500 * E8, "CHZ": E8 // 10, "GALA": 3 * E8 // 100}


def played(
    source: PriceSource, from_ms: int, until_ms: int, standing: dict[str, int]
) -> list[tuple[int, dict[str, int]]]:
    """What a source prints from one moment to another; `standing` is carried along."""
    made = []
    now_ms = from_ms
    while (now_ms := source.next_due_ms(now_ms)) <= until_ms:
        for printed in source.prints(now_ms, standing):
            standing.update(printed.prices_e8)
            made.append((now_ms, printed.prices_e8))
    return made


def returns(seconds: int, every_s: int, seed: int = 3) -> dict[str, list[float]]:
    """Each asset's returns, sampled."""
    walk, standing = WalkPrices(seed, START), dict(START)
    found: dict[str, list[float]] = {asset: [] for asset in START}
    for at in range(0, seconds, every_s):
        before = dict(standing)
        now_ms = START_MS + at * 1_000
        played(walk, now_ms, now_ms + every_s * 1_000, standing)
        for asset, price in standing.items():
            found[asset].append(price / before[asset] - 1)
    return found


def deviation(numbers: list[float]) -> float:
    return sqrt(sum(n * n for n in numbers) / len(numbers))


def correlation(left: list[float], right: list[float]) -> float:
    product = sum(a * b for a, b in zip(left, right, strict=True)) / len(left)
    return product / (deviation(left) * deviation(right))


def test_the_first_print_is_the_start_price() -> None:
    walk = WalkPrices(1, START)
    (first,) = walk.prints(START_MS, {})
    assert first.prices_e8 == START
    assert first.stale_ms == STALE_MS


def test_the_same_seed_walks_the_same_way_and_another_does_not() -> None:
    walks = [played(WalkPrices(seed, START), START_MS, START_MS + 60_000, {}) for seed in (1, 1, 2)]
    assert walks[0] == walks[1]
    assert walks[0] != walks[2]


def test_a_walk_goes_on_from_the_standing_print_after_a_restart() -> None:
    standing: dict[str, int] = {}
    whole = played(WalkPrices(1, START), START_MS, START_MS + 40_000, standing)
    again: dict[str, int] = {}
    first = played(WalkPrices(1, START), START_MS, START_MS + 20_000, again)
    rest = played(WalkPrices(1, START), START_MS + 20_000, START_MS + 40_000, again)
    assert first + rest == whole


def test_a_price_put_elsewhere_walks_on_from_there() -> None:
    walk = WalkPrices(1, START)
    (printed,) = walk.prints(START_MS, {**START, "BTC": 60_000 * E8})
    assert abs(printed.prices_e8["BTC"] / (60_000 * E8) - 1) < 0.01


def test_no_print_grows_stale_before_the_next() -> None:
    for step_ms in (1_000, 15_000):
        walk = WalkPrices(1, START, step_ms)
        last = dict.fromkeys(START, START_MS)
        for now_ms, prices in played(walk, START_MS, START_MS + 300_000, dict(START)):
            for asset in prices:
                assert now_ms - last[asset] < walk.stale_ms
                last[asset] = now_ms
        assert min(last.values()) > START_MS + 300_000 - walk.stale_ms


def test_majors_move_together_and_small_caps_are_noisier() -> None:
    found = returns(3 * 3_600, 30)
    assert correlation(found["BTC"], found["ETH"]) > 0.6  # 0.92 x 0.88 = 0.81 in like regimes.
    assert correlation(found["BTC"], found["GALA"]) < correlation(found["BTC"], found["ETH"])
    assert deviation(found["GALA"]) > 1.5 * deviation(found["BTC"])


def test_an_hour_of_panic_is_livelier_than_a_calm_one() -> None:
    def liveliness(name: str) -> float:
        hour = next(h for h in range(472_000, 480_000) if regime_at(1, "market", h).name == name)
        walk = WalkPrices(1, START)
        steps = range(hour * 3_600, (hour + 1) * 3_600)
        return deviation([walk.market_return("BTC", step) for step in steps])

    # 2.6 against 0.55: more than four times.
    assert liveliness("panic") > 3 * liveliness("calm")


def test_prices_jump_now_and_then() -> None:
    walk = WalkPrices(1, START)
    large = 0
    for step in range(1_700_000_000, 1_700_000_000 + 86_400):
        if walk.is_turn("GALA", step):
            large += abs(walk.own_return("GALA", step)) > 250e-6 * 30
    # Five a day in usual regimes, of 0.6 to 2.2 deviations of an hour, each 60 of a second.
    assert 0 < large < 30


def test_a_price_stays_within_reason_for_a_month() -> None:
    walk, standing = WalkPrices(9, START, 60_000), dict(START)
    lows, highs = dict(START), dict(START)
    for _, prices in played(walk, START_MS, START_MS + 30 * 86_400_000, standing):
        for asset, price in prices.items():
            lows[asset], highs[asset] = min(lows[asset], price), max(highs[asset], price)
    assert START["BTC"] / 3 < lows["BTC"] <= highs["BTC"] < START["BTC"] * 3
    assert lows["GALA"] > 0


def test_what_moved_is_what_was_drawn() -> None:
    walk, standing = WalkPrices(4, START), dict(START)
    played(walk, START_MS, START_MS + 600_000, standing)
    moved = walk.moved("BTC", START_MS + 600_000, 600_000)
    # The pull to the start price and the rounding of prints are all that differ.
    assert moved == pytest.approx(standing["BTC"] / START["BTC"] - 1, abs=1e-6)


def test_fixed_prices_are_told_once_and_left_alone() -> None:
    fixed = FixedPrices(START)
    standing: dict[str, int] = {}
    made = played(fixed, START_MS, START_MS + 60_000, standing)
    assert len(made) == 1
    assert standing == START
    (printed,) = fixed.prints(START_MS, {})
    assert printed.stale_ms == FOR_EVER_MS
    # An administrator's price stands: only what never had a price is printed.
    assert fixed.prints(START_MS, {**START, "BTC": 1}) == []
    assert fixed.moved("BTC", START_MS, 1_000) == 0


def test_the_next_step_lies_after_the_moment() -> None:
    assert next_on_grid(999, 1_000) == 1_000
    assert next_on_grid(1_000, 1_000) == 2_000
