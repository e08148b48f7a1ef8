"""What came of a plan: who was asked when, what was answered when, and how late.

Latencies count from the planned time.  An exchange that stands still for a second delays all who
would have come in that second; counted from the sending alone, a generator that is held up with it
would forget them (coordinated omission).  What was refused is kept apart from what was done, lest
quick refusals flatter; what was never answered counts with the time it had waited in vain.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

import msgspec

from clients.load.histogram import Histogram
from clients.load.plan import KINDS, Item, Plan

SLICES: Final = 100  # Fine enough for a picture of the run.

ALL: Final = "all"
REFUSED: Final = "refused"
LIMITED: Final = "RATE_LIMITED"  # How the error of a request over a limit begins.


class Latency:
    """Latencies of one kind of request, in nanoseconds."""

    def __init__(self) -> None:
        self.from_planned = Histogram()
        self.from_sent = Histogram()

    def add(self, other: Latency) -> None:
        """All of another."""
        self.from_planned.add(other.from_planned)
        self.from_sent.add(other.from_sent)


class Slice:
    """A piece of the measured time: what was planned in it."""

    def __init__(self) -> None:
        self.planned = 0
        self.done = 0
        self.refused = 0
        self.from_planned = Histogram()

    def add(self, other: Slice) -> None:
        """All of another."""
        self.planned += other.planned
        self.done += other.done
        self.refused += other.refused
        self.from_planned.add(other.from_planned)


class OwnWork(NamedTuple):
    """What a run cost the generator: processor time, and how much of it was only for waiting."""

    cpu_ns: int
    idle_ns: int  # Spent looking at the clock, lest a request leaves late.


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A request on its way."""

    item: Item
    sent_ns: int


class Record:
    """Fed by the driver with times on the plan's clock: nanoseconds since the start."""

    def __init__(self, plan: Plan) -> None:
        self._from_ns = plan.measured_from_ns
        self._slice_ns = max(1, -(-(plan.ends_ns - plan.measured_from_ns) // SLICES))
        self.waiting: dict[int, Waiting] = {}
        self.latencies = {kind: Latency() for kind in (*KINDS, REFUSED)}
        self.slices = [Slice() for _ in range(SLICES)]
        self.lateness = Histogram()  # From planned to sent: the generator's own.
        self.errors: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        self.lost: Counter[str] = Counter()  # Connections, by what they were closed with.
        self.warm_up = 0
        self.sent = 0
        self.unsent = 0
        self.done = 0
        self.refused = 0
        self.unanswered = 0
        self.pushes = 0
        self.push_bytes = 0
        self.last_sent_ns = 0
        self.last_answer_ns = 0
        self.ended_ns = 0
        self.own = OwnWork(0, 0)

    # -- what happens --------------------------------------------------------------------------

    def send(self, number: int, item: Item, now_ns: int) -> None:
        """A request is handed to its socket."""
        self.waiting[number] = Waiting(item, now_ns)
        if self._is_measured(item):
            self.sent += 1
            self.last_sent_ns = now_ns
            self.lateness.record(now_ns - item.at_ns)
            self._slice(item).planned += 1
        else:
            self.warm_up += 1

    def take_back(self, number: int) -> None:
        """It could not be handed over: its connection is gone."""
        item = self.waiting.pop(number).item
        if self._is_measured(item):
            self.sent -= 1
            self.unsent += 1
            self.errors[item.kind]["CONNECTION_LOST"] += 1

    def answer(self, number: int, error: str, now_ns: int) -> None:
        """A reply came; `error` is its code, empty if the request was done."""
        waiting = self.waiting.pop(number, None)
        if waiting is None or not self._is_measured(waiting.item):
            return
        item = waiting.item
        self.last_answer_ns = now_ns
        if error:
            self.refused += 1
            self.errors[item.kind][error] += 1
            self._slice(item).refused += 1
        else:
            self.done += 1
            self._slice(item).done += 1
        self._time(REFUSED if error else item.kind, waiting, now_ns)

    def push(self, size: int) -> None:
        """A channel said something."""
        self.pushes += 1
        self.push_bytes += size

    def lose(self, code: str) -> None:
        """A connection was closed by the other side."""
        self.lost[code] += 1

    def end(self, now_ns: int) -> None:
        """It is over: whoever still waits has waited at least so long."""
        self.ended_ns = now_ns
        for waiting in self.waiting.values():
            if self._is_measured(waiting.item):
                self.unanswered += 1
                self.errors[waiting.item.kind]["UNANSWERED"] += 1
                self._time(waiting.item.kind, waiting, now_ns)
        self.waiting.clear()

    # -- what came of it -----------------------------------------------------------------------

    @property
    def answered(self) -> int:
        """Replies to measured requests."""
        return self.done + self.refused

    def whole(self) -> Latency:
        """The latencies of all kinds in one, without those that were refused."""
        whole = Latency()
        for kind in KINDS:
            whole.add(self.latencies[kind])
        return whole

    def pieces(self, count: int) -> list[Slice]:
        """The slices joined into as many as asked, which must divide them evenly."""
        width, rest = divmod(SLICES, count)
        assert not rest
        joined = [Slice() for _ in range(count)]
        for number, piece in enumerate(self.slices):
            joined[number // width].add(piece)
        return joined

    def _is_measured(self, item: Item) -> bool:
        return item.at_ns >= self._from_ns

    def _slice(self, item: Item) -> Slice:
        at = (item.at_ns - self._from_ns) // self._slice_ns
        return self.slices[min(at, SLICES - 1)]

    def _time(self, kind: str, waiting: Waiting, now_ns: int) -> None:
        latency = self.latencies[kind]
        latency.from_planned.record(now_ns - waiting.item.at_ns)
        latency.from_sent.record(now_ns - waiting.sent_ns)
        self._slice(waiting.item).from_planned.record(now_ns - waiting.item.at_ns)
