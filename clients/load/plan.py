"""What a load test will ask, and when: everything drawn from a seed before the first request.

An open loop: arrivals are those of independent users, who do not wait for one another's answers.
So a plan knows nothing of replies.  Items speak of "the nth order of this connection", prices are
distances from a reference, quantities are multiples of a small order; `wording` makes requests of
them when the market is known.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final, Literal

import msgspec

Kind = Literal["place", "amend", "cancel", "take", "subscribe"]
Side = Literal["buy", "sell"]

KINDS: Final[tuple[Kind, ...]] = ("place", "amend", "cancel", "take", "subscribe")
# As many cancelled as placed: else books would fill, and places give way to cancels.
DEFAULT_MIX: Final[dict[Kind, int]] = {
    "place": 35,
    "amend": 15,
    "cancel": 35,
    "take": 10,
    "subscribe": 5,
}
CHANNELS: Final = ("book", "bbo", "trades", "ticker")
NS_PER_S: Final = 1_000_000_000

REQUESTS_MAX: Final = 1_000_000  # The plan is in memory whole: about 150 MB of it.
SECONDS_MAX: Final = 3_600
CONNECTIONS_MAX: Final = 1_000
OPEN_MAX: Final = 40  # Orders of one connection meant to rest at a time; venues allow 200.

# A resting order lies from 0.5 % to 4 % away, in steps wide enough that another step is another
# tick on every instrument.
_STEP_BPS: Final = 10
_STEPS: Final = (5, 40)
_SIZES: Final = 10


class Shape(msgspec.Struct, frozen=True):
    """What kind of load: `rate` requests a second in all, after `warm_up_s` seconds unmeasured.

    With a `ramp_from` the measured phase climbs evenly from there to `rate`, and the warm-up
    keeps to `ramp_from`.  `mix` has a weight for each kind.
    """

    seed: int
    connections: int
    rate: float
    seconds: float
    symbols: tuple[str, ...]
    warm_up_s: float = 0.0
    ramp_from: float | None = None
    mix: Mapping[Kind, int] = msgspec.field(default_factory=DEFAULT_MIX.copy)

    @property
    def first_rate(self) -> float:
        """Requests a second at the beginning."""
        return self.rate if self.ramp_from is None else self.ramp_from


class Item(msgspec.Struct, frozen=True, gc=False):
    """One request: at `at_ns` after the start, on one connection.

    `order` counts the orders of the connection from 1: the one placed, amended or cancelled.  A
    `size` is a multiple of a small order.  A subscription that is to end says `leave`.
    """

    at_ns: int
    connection: int
    kind: Kind
    symbol: str
    side: Side = "buy"
    order: int = 0
    size: int = 0
    distance_bps: int = 0
    channel: str = ""
    leave: bool = False


class Plan(msgspec.Struct, frozen=True):
    """All requests in the order of their times; those before `measured_from_ns` are warm-up."""

    shape: Shape
    items: tuple[Item, ...]
    measured_from_ns: int
    ends_ns: int


def make_plan(shape: Shape) -> Plan:
    """The plan of a shape: a pure function of it. ValueError says what is wrong with the shape."""
    problem = problem_of(shape)
    if problem:
        raise ValueError(problem)
    dice = random.Random(shape.seed)
    desks = [_Desk(number, shape, dice) for number in range(shape.connections)]
    items = tuple(desks[_below(dice, len(desks))].item(at_ns) for at_ns in _arrivals(shape, dice))
    measured_from_ns = round(shape.warm_up_s * NS_PER_S)
    return Plan(shape, items, measured_from_ns, round(_lasts_s(shape) * NS_PER_S))


def problem_of(shape: Shape) -> str:
    """Why there is no plan for a shape; empty if there is one."""
    if not 1 <= shape.connections <= CONNECTIONS_MAX:
        return f"connections must be from 1 to {CONNECTIONS_MAX}"
    if not (0 < shape.rate < math.inf and 0 < shape.first_rate < math.inf):
        return "a rate must be more than nothing"
    if not (shape.seconds > 0 and shape.warm_up_s >= 0 and _lasts_s(shape) <= SECONDS_MAX):
        return f"warm-up and measured time must be from 0 to {SECONDS_MAX} seconds in all"
    warm_up, measured = _counts(shape)
    if not measured:
        return "no request falls into the measured time; raise the rate or the time"
    if warm_up + measured > REQUESTS_MAX:
        return f"{warm_up + measured:,} requests are planned; at most {REQUESTS_MAX:,} may be"
    if not shape.symbols:
        return "name at least one symbol"
    if set(shape.mix) - set(KINDS) or min(shape.mix.values(), default=0) < 0:
        return f"a mix gives weights from 0 to some of {', '.join(KINDS)}"
    if not any(shape.mix.values()):
        return "a mix needs a weight above 0"
    return ""


def _lasts_s(shape: Shape) -> float:
    return shape.warm_up_s + shape.seconds


# -- when --------------------------------------------------------------------------------------


def _counts(shape: Shape) -> tuple[int, int]:
    """How many requests warm-up and measured phase have; a ramp has its mean rate."""
    mean = (shape.first_rate + shape.rate) / 2
    return round(shape.first_rate * shape.warm_up_s), round(mean * shape.seconds)


def _arrivals(shape: Shape, dice: random.Random) -> Iterator[int]:
    """Times in nanoseconds, rising: one at a random moment of each slot of the expected gap.

    So every stretch has the planned rate, yet nothing falls into step with the exchange's clock.
    """
    warm_up, measured = _counts(shape)
    for slot in range(warm_up):
        yield int((slot + dice.random()) / warm_up * shape.warm_up_s * NS_PER_S)
    for slot in range(measured):
        moment = _moment((slot + dice.random()) / measured, shape.first_rate, shape.rate)
        yield int((shape.warm_up_s + moment * shape.seconds) * NS_PER_S)


def _moment(share: float, first: float, last: float) -> float:
    """When, from 0 to 1, `share` of all have come, at a rate that climbs from `first` to `last`.

    Until t there came first t + (last - first) t^2 / 2 of (first + last) / 2, solved for t.
    """
    if first == last:
        return share
    return (math.sqrt(first**2 + (last**2 - first**2) * share) - first) / (last - first)


# -- what --------------------------------------------------------------------------------------


class _Resting(msgspec.Struct):
    order: int
    symbol: str
    side: Side
    size: int
    step: int


class _Desk:
    """What one connection is meant to have open, so that what follows makes sense."""

    def __init__(self, number: int, shape: Shape, dice: random.Random) -> None:
        self._number = number
        self._dice = dice
        self._symbols = shape.symbols
        self._until = list(accumulate(shape.mix.get(kind, 0) for kind in KINDS))
        self._placed = 0
        self._resting: list[_Resting] = []
        self._heard: set[str] = set()

    def item(self, at_ns: int) -> Item:
        """The next request of this connection."""
        kind = self._kind()
        symbol = self._symbols[_below(self._dice, len(self._symbols))]
        if kind == "subscribe":
            return self._subscribe(at_ns, symbol)
        if kind in ("amend", "cancel"):
            return self._change(at_ns, kind)
        side: Side = "buy" if self._dice.random() < 1 / 2 else "sell"
        size = 1 + _below(self._dice, _SIZES)
        self._placed += 1
        if kind == "take":
            return Item(at_ns, self._number, kind, symbol, side, self._placed, size)
        resting = _Resting(self._placed, symbol, side, size, self._step())
        self._resting.append(resting)
        return self._item(at_ns, kind, resting)

    def _kind(self) -> Kind:
        """By weight; but who has nothing open places, and who has much open cancels."""
        kind = KINDS[bisect(self._until, _below(self._dice, self._until[-1]))]
        if kind in ("amend", "cancel") and not self._resting:
            return "place"
        if kind == "place" and len(self._resting) >= OPEN_MAX:
            return "cancel"
        return kind

    def _change(self, at_ns: int, kind: Kind) -> Item:
        """Amend or cancel one of those that rest, any of them."""
        at = _below(self._dice, len(self._resting))
        resting = self._resting[at]
        if kind == "cancel":
            self._resting[at] = self._resting[-1]
            self._resting.pop()
        else:
            resting.step = self._step(other_than=resting.step)
        return self._item(at_ns, kind, resting)

    def _item(self, at_ns: int, kind: Kind, resting: _Resting) -> Item:
        distance_bps = resting.step * _STEP_BPS
        about = (resting.symbol, resting.side, resting.order, resting.size, distance_bps)
        return Item(at_ns, self._number, kind, *about)

    def _step(self, other_than: int = 0) -> int:
        first, last = _STEPS
        if not other_than:
            return first + _below(self._dice, last - first + 1)
        step = first + _below(self._dice, last - first)
        return step + (step >= other_than)

    def _subscribe(self, at_ns: int, symbol: str) -> Item:
        """Begin to hear a channel, or end it if it is heard."""
        channel = f"{CHANNELS[_below(self._dice, len(CHANNELS))]}.{symbol}"
        leave = channel in self._heard
        self._heard ^= {channel}
        return Item(at_ns, self._number, "subscribe", symbol, channel=channel, leave=leave)


def _below(dice: random.Random, count: int) -> int:
    """A whole number from 0 to count - 1; of `random()`, which every Python draws alike."""
    return int(dice.random() * count)
