"""Tests of a ladder: it stays in order, and its best is at hand, whatever comes and goes."""

import random

from matching.ladder import NOTHING, Ladder
from matching.limits import PRICE_TICKS_MAX


def ladder_of(*keys: int) -> Ladder:
    ladder = Ladder()
    for key in keys:
        ladder.add(key)
    return ladder


def test_an_empty_ladder_has_a_best_that_no_price_reaches() -> None:
    ladder = Ladder()
    assert ladder.best == NOTHING
    assert ladder.best + PRICE_TICKS_MAX < 0
    assert ladder.top(1) == []


def test_the_best_key_is_the_greatest_on_either_side() -> None:
    bids, asks = ladder_of(99, 101, 100), ladder_of(-103, -102, -104)
    assert (bids.keys, bids.best) == ([99, 100, 101], 101)
    assert (asks.keys, asks.best) == ([-104, -103, -102], -102)


def test_the_next_key_is_the_best_once_the_best_has_gone() -> None:
    ladder = ladder_of(99, 101, 100)
    ladder.remove(101)
    assert (ladder.keys, ladder.best) == ([99, 100], 100)
    ladder.remove(99)
    ladder.remove(100)
    assert (ladder.keys, ladder.best) == ([], NOTHING)


def test_the_top_is_told_best_first_and_no_further_than_it_goes() -> None:
    ladder = ladder_of(99, 101, 100)
    assert [ladder.top(count) for count in (0, 1, 2, 9)] == [
        [],
        [101],
        [101, 100],
        [101, 100, 99],
    ]


def test_whatever_comes_and_goes_it_is_a_sorted_list() -> None:
    draw = random.Random(7)
    ladder, naive = Ladder(), set[int]()
    for _ in range(2_000):
        key = draw.randint(-30, 30)
        if key in naive:
            naive.remove(key)
            ladder.remove(key)
        else:
            naive.add(key)
            ladder.add(key)
        assert ladder.keys == sorted(naive)
        assert ladder.best == max(naive, default=NOTHING)
