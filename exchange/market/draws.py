"""Counter-based draws: chance as a pure function of (seed, name, step), with nothing to remember.

A restart, a second process or another machine draws the same numbers for the same moment. Only
sums, products, quotients and square roots are used, which IEEE 754 rounds alike everywhere; the
logarithms and exponentials of the mathematics library are not, so the bell curve and the Poisson
counts are approximated from sums of uniform draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import sqrt
from struct import Struct
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

_BLOCK_BYTES: Final = 64
_WORDS: Final = Struct("<8Q")
_ALL_HALVES: Final = Struct("<32H")
_HALVES: Final = Struct("<8H")  # Of the first two words.
_WORD_BITS: Final = 64
_DOUBLE_BITS: Final = 53  # What a double's fraction holds.
_HALF: Final = 65_536
_BELL_DRAWS: Final = 8  # Uniform draws in one normal draw.
_BELL_MEAN: Final = _BELL_DRAWS * (_HALF - 1) / 2
# A uniform draw below n has variance (n^2 - 1) / 12.
_BELL_DEVIATION: Final = sqrt(_BELL_DRAWS * (_HALF * _HALF - 1) / 12)
# The mean of (1 - u) / (1 + 24 u) over u: 25/576 ln 25 - 1/24.
_HEAVY_MEAN: Final = 0.0980414854533129
_POISSON_TRIALS: Final = 32
_POISSON_SMALL_MAX: Final = 4


def _block(seed: int, name: str, step: int, part: int = 0) -> bytes:
    """The 64 bytes that everything about one moment is read from."""
    key = f"{seed}/{name}/{step}/{part}".encode()
    return blake2b(key, digest_size=_BLOCK_BYTES).digest()


def uniform(seed: int, name: str, step: int) -> float:
    """One draw from [0, 1)."""
    word: int = _WORDS.unpack(_block(seed, name, step))[0]
    return (word >> (_WORD_BITS - _DOUBLE_BITS)) / (1 << _DOUBLE_BITS)


class Stroke(NamedTuple):
    """What one step of a price needs: a normal draw and three uniform ones, all independent."""

    normal: float
    first: float
    second: float
    third: float


def stroke(seed: int, name: str, step: int) -> Stroke:
    """The draws of one step; the normal one lies within 4.9 of 0."""
    block = _block(seed, name, step)
    halves = _HALVES.unpack_from(block)
    words = _WORDS.unpack(block)
    return Stroke(
        (sum(halves) - _BELL_MEAN) / _BELL_DEVIATION,
        (words[2] >> (_WORD_BITS - _DOUBLE_BITS)) / (1 << _DOUBLE_BITS),
        (words[3] >> (_WORD_BITS - _DOUBLE_BITS)) / (1 << _DOUBLE_BITS),
        (words[4] >> (_WORD_BITS - _DOUBLE_BITS)) / (1 << _DOUBLE_BITS),
    )


def halves(seed: int, name: str, step: int, count: int) -> list[int]:
    """So many draws below 65536."""
    drawn: list[int] = []
    part = 0
    while len(drawn) < count:
        drawn += _ALL_HALVES.unpack(_block(seed, name, step, part))
        part += 1
    return drawn[:count]


class Draws:
    """As many draws as one decision needs, one after the other; made anew for each decision."""

    __slots__ = ("_at", "_name", "_part", "_seed", "_step", "_words")

    def __init__(self, seed: int, name: str, step: int) -> None:
        self._seed = seed
        self._name = name
        self._step = step
        self._part = 0
        self._at = 0
        self._words: tuple[int, ...] = ()

    def word(self) -> int:
        """The next 64 bits."""
        if self._at == len(self._words):
            self._words = _WORDS.unpack(_block(self._seed, self._name, self._step, self._part))
            self._part += 1
            self._at = 0
        self._at += 1
        return self._words[self._at - 1]

    def uniform(self) -> float:
        """A draw from [0, 1)."""
        return (self.word() >> (_WORD_BITS - _DOUBLE_BITS)) / (1 << _DOUBLE_BITS)

    def between(self, low: float, high: float) -> float:
        """A draw from [low, high)."""
        return low + (high - low) * self.uniform()

    def below(self, bound: int) -> int:
        """A whole number from [0, bound)."""
        assert bound > 0
        return (self.word() * bound) >> _WORD_BITS

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self.uniform() < probability

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, each as likely."""
        return choices[self.below(len(choices))]

    def normal(self) -> float:
        """A draw of mean 0 and deviation 1: the sum of eight 16-bit draws."""
        halves = 0
        for word in (self.word(), self.word()):
            halves += (word >> 48) + (word >> 32 & 0xFFFF) + (word >> 16 & 0xFFFF) + (word & 0xFFFF)
        return (halves - _BELL_MEAN) / _BELL_DEVIATION

    def heavy(self) -> float:
        """A positive draw with a long tail, of mean 1: most are small, a few are large.

        It is (1 - u) / (1 + 24 u) over its mean, so at most 10.2: no logarithm is needed.
        """
        spread = self.uniform()
        return (1 - spread) / (1 + 24 * spread) / _HEAVY_MEAN

    def poisson(self, mean: float) -> int:
        """A count of arrivals: thirty-two trials, or for a larger mean a rounded normal draw."""
        if mean <= 0:
            return 0
        if mean > _POISSON_SMALL_MAX:
            return max(0, round(mean + sqrt(mean) * self.normal()))
        bound = round(mean / _POISSON_TRIALS * _HALF)
        count = 0
        for _ in range(_POISSON_TRIALS // 4):
            word = self.word()
            count += (word & 0xFFFF) < bound
            count += (word >> 16 & 0xFFFF) < bound
            count += (word >> 32 & 0xFFFF) < bound
            count += (word >> 48) < bound
        return count
