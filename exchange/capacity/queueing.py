"""A sequencer simulated: how long a command waits for its answer while so much comes.

One server takes all that wait as one group, makes it durable, obeys it, answers, and takes the
next: what the sequencer does, with random arrivals and costs, from a seed.  Groups grow with the
load, so syncs cost less the more there is to do.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from exchange.bounds import GROUP_COMMANDS_MAX

COMMANDS: Final = 60_000
SEED: Final = 7
US_PER_S: Final = 1_000_000
US_PER_MS: Final = 1_000


class Serving(NamedTuple):
    """What answering takes: `sync_ms` a group, `us` of the one core a command on average.

    `outside_ms` is what lies before and behind (a way over Redis, say) and holds nobody else up.
    Where costs do not `vary` each command takes the same; else they are spread exponentially, more
    widely than any that were measured.
    """

    us: float
    sync_ms: float = 0.0
    outside_ms: float = 0.0
    vary: bool = True


class Waits(NamedTuple):
    """What came of it: milliseconds from asked to answered, and how many shared a group."""

    mean_ms: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    group: float


@cache
def simulate(
    serving: Serving, per_s: float, *, bunch: float = 1.0, commands: int = COMMANDS
) -> Waits:
    """Serve so many commands, of which `per_s` come a second, in bunches of this mean size."""
    dice = random.Random(SEED)
    arrivals = list(_arrivals(dice, per_s, bunch, commands))
    waited: list[float] = []
    free_us, groups = 0.0, 0
    while len(waited) < commands:
        first = len(waited)
        begun_us = max(free_us, arrivals[first])
        group = _group(arrivals, first, begun_us)
        free_us = begun_us + serving.sync_ms * US_PER_MS + _work_us(dice, serving, group)
        waited += [free_us - arrivals[first + place] for place in range(group)]
        groups += 1
    return _told(waited, serving.outside_ms, commands / groups)


def _arrivals(dice: random.Random, per_s: float, bunch: float, commands: int) -> Iterator[float]:
    """Moments in microseconds: bunches at random, each of a random size of this mean."""
    now_us, left = 0.0, 0
    for _ in range(commands):
        if not left:
            now_us += _spread(dice, bunch * US_PER_S / per_s)
            left = _size(dice, bunch)
        left -= 1
        yield now_us


def _size(dice: random.Random, mean: float) -> int:
    """From 1 on, geometrically spread."""
    if mean <= 1:
        return 1
    return 1 + math.floor(math.log(1 - dice.random()) / math.log(1 - 1 / mean))


def _spread(dice: random.Random, mean: float) -> float:
    """Exponentially; of `random()`, which every Python draws alike."""
    return -mean * math.log(1 - dice.random())


def _group(arrivals: list[float], first: int, begun_us: float) -> int:
    """How many wait by then, as far as a group holds them."""
    last = first + 1
    end = min(len(arrivals), first + GROUP_COMMANDS_MAX)
    while last < end and arrivals[last] <= begun_us:
        last += 1
    return last - first


def _work_us(dice: random.Random, serving: Serving, group: int) -> float:
    if not serving.vary:
        return serving.us * group
    return sum(_spread(dice, serving.us) for _ in range(group))


def _told(waited_us: list[float], outside_ms: float, group: float) -> Waits:
    ranked = sorted(waited_us)

    def at(share: float) -> float:
        return ranked[math.ceil(len(ranked) * share) - 1] / US_PER_MS + outside_ms

    mean_ms = sum(waited_us) / len(waited_us) / US_PER_MS + outside_ms
    return Waits(mean_ms, at(0.5), at(0.99), at(0.999), group)
