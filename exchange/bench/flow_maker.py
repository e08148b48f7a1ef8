"""Makes flows from a seed: which commands follow one another, and what must come of them.

The draws and their order are those of the standard flow, so its sizes and seeds give it byte for
byte.  The price wanders by single ticks, limits stand around it at exponential distances, and
cancels keep about as many orders resting as the flow is to have.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

import msgspec

from exchange.bench.flow import CANCEL, NEW_GTC, NEW_IOC, NEW_MARKET, FlowRecord
from exchange.bench.plain_book import BUY, SELL, PlainBook

START_TICKS: Final = 100_000
OWNERS: Final = 1_000
EVEN: Final = 0.5  # Chances of a step up, and of a buyer.
WANDER: Final = 0.02  # How often the price moves by a tick.
IOC_SHARE: Final = 0.08
MARKET_SHARE: Final = 0.02
CANCEL_SHARE: Final = 0.42  # With as many orders resting as wanted,
CANCEL_SWING: Final = 0.06  # more or less with twice as many, or none.
LATE_SHARE: Final = 0.02  # Of cancels: of an order that is filled already.
CROSSING_SHARE: Final = 0.02  # Of limits: they reach the other side, and rest what is left.
GONE_KEPT: Final = 1_024  # Filled orders that a late cancel may name.
GTC_LOTS: Final = 20  # Mean quantities,
TAKER_LOTS: Final = 25
SAMPLE_COMMANDS: Final = 1_000  # How often the book's size is looked at.


class Shape(msgspec.Struct, frozen=True):
    """What a flow is made by; the same shape is the same flow, for ever."""

    commands: int
    seed: int
    resting: int  # Orders that cancels steer the book towards.
    distance: int  # Mean distance of a limit from the price, in ticks.
    prefill: int  # How many limits come first, none of which trades.


STANDARD: Final = {
    "small": Shape(commands=1_000_000, seed=20240607, resting=5_000, distance=60, prefill=5_000),
    "deep": Shape(commands=1_100_000, seed=777, resting=100_000, distance=800, prefill=100_000),
}


class FlowMaker:
    """Draws the commands of a flow one by one, and plays them on a plain book beside it."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.book = PlainBook()
        self._random = Random(shape.seed)
        self._draw = self._random.random
        self._price = START_TICKS
        self._next_id = 1
        self._resting: list[int] = []  # Any of which a cancel may name, found by its place.
        self._places: dict[int, int] = {}
        self._gone = [0] * GONE_KEPT
        self._gone_count = 0
        self.ops = [0, 0, 0, 0]
        self.cancel_rejects = 0
        self.crossing = 0
        self._samples = self._resting_sum = self._levels_sum = 0

    def records(self) -> Iterator[FlowRecord]:
        """Every command, in order; the digest is whole once they have all been drawn."""
        for number in range(self.shape.commands):
            filling = number < self.shape.prefill
            if self._draw() < WANDER:
                self._price += 1 if self._draw() < EVEN else -1
            if number % SAMPLE_COMMANDS == 0 and number > self.shape.prefill:
                self._sample()
            owner = int(self._draw() * OWNERS)
            op = NEW_GTC if filling else self._drawn_op()
            self.ops[op] += 1
            if op == CANCEL:
                yield CANCEL, 0, owner, 0, self._cancel(), 0, 0
            else:
                order_id = self._next_id
                self._next_id += 1
                side, price, lots = self._limit(filling) if op == NEW_GTC else self._taker(op)
                self._play(op, order_id, (side, price, lots))
                yield op, side, owner, 0, order_id, price, lots

    def digest(self) -> dict[str, int]:
        """What an engine that is given the flow must come to, by the names of its format."""
        samples = max(1, self._samples)
        return {
            "commands": sum(self.ops),
            **self.book.digest(),
            "cancel_rejects": self.cancel_rejects,
            "gtc": self.ops[NEW_GTC],
            "ioc": self.ops[NEW_IOC],
            "mkt": self.ops[NEW_MARKET],
            "cancel": self.ops[CANCEL],
            "gtc_marketable": self.crossing,
            "mean_resting": round(self._resting_sum / samples),
            "mean_levels_per_side": round(self._levels_sum / samples / 2),
            "best_bid": self.book.best(BUY) or 0,
            "best_ask": self.book.best(SELL) or 0,
        }

    # -- drawing -------------------------------------------------------------------------------

    def _drawn_op(self) -> int:
        drawn = self._draw()
        wanted = self.shape.resting
        off = max(-1.0, min(1.0, (len(self._resting) - wanted) / wanted))
        if drawn < IOC_SHARE:
            return NEW_IOC
        if drawn < IOC_SHARE + MARKET_SHARE:
            return NEW_MARKET
        cancels = IOC_SHARE + MARKET_SHARE + (CANCEL_SHARE + CANCEL_SWING * off)
        return CANCEL if drawn < cancels and self._resting else NEW_GTC

    def _cancel(self) -> int:
        """The order that is cancelled, one that rests or, now and then, one that is filled."""
        late = self._draw() < LATE_SHARE
        if late and self._gone_count:
            self.cancel_rejects += 1
            return self._gone[int(self._draw() * min(self._gone_count, GONE_KEPT))]
        order_id = self._resting[int(self._draw() * len(self._resting))]
        self.book.remove(order_id)
        self._forget(order_id)
        return order_id

    def _limit(self, filling: bool) -> tuple[int, int, int]:
        """Side, price and quantity of a limit that waits, or that crosses now and then."""
        bid, ask = self._best()
        side = self._drawn_side(EVEN)
        distance = int(self._random.expovariate(1.0 / self.shape.distance))
        lots = 1 + int(self._random.expovariate(1 / GTC_LOTS))
        if not filling and self._draw() < CROSSING_SHARE:
            self.crossing += 1
            price = self._reaching(side, 2)
        elif side == BUY:
            price = self._price - distance
            price = ask - 1 - distance if price >= ask else price
        else:
            price = self._price + 1 + distance
            price = bid + 1 + distance if price <= bid else price
        return side, max(1, price), lots

    def _taker(self, op: int) -> tuple[int, int, int]:
        """Side, price (0: any) and quantity of an order that takes; they pull the book along."""
        bid, ask = self._best()
        middle = (bid + ask) // 2
        pull = 0.25 if self._price > middle else -0.25 if self._price < middle - 1 else 0
        side = self._drawn_side(EVEN + pull)
        lots = 1 + int(self._random.expovariate(1 / TAKER_LOTS))
        return side, self._reaching(side, 3) if op == NEW_IOC else 0, lots

    def _drawn_side(self, buyers: float) -> int:
        return BUY if self._draw() < buyers else SELL

    def _best(self) -> tuple[int, int]:
        """Best bid and ask; of an empty side the tick beside the price."""
        bid, ask = self.book.best(BUY), self.book.best(SELL)
        return (
            self._price - 1 if bid is None else bid,
            self._price + 1 if ask is None else ask,
        )

    def _reaching(self, side: int, ticks: int) -> int:
        """A price on the other side's best, or a few ticks behind it."""
        bid, ask = self._best()
        behind = int(self._draw() * ticks)
        return max(1, ask + behind if side == BUY else bid - behind)

    # -- playing -------------------------------------------------------------------------------

    def _play(self, op: int, order_id: int, order: tuple[int, int, int]) -> None:
        side, price, lots = order
        left, filled = self.book.take(order_id, side, price or None, lots)
        for maker_id in filled:
            self._forget(maker_id)
            self._gone[self._gone_count % GONE_KEPT] = maker_id
            self._gone_count += 1
        if left and op == NEW_GTC:
            self.book.rest(order_id, side, price, left)
            self._places[order_id] = len(self._resting)
            self._resting.append(order_id)

    def _forget(self, order_id: int) -> None:
        """It rests no longer; the last of the list takes its place."""
        place, last = self._places.pop(order_id), self._resting.pop()
        if last != order_id:
            self._resting[place] = last
            self._places[last] = place

    def _sample(self) -> None:
        self._samples += 1
        self._resting_sum += len(self._resting)
        self._levels_sum += self.book.levels
