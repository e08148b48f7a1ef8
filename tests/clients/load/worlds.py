"""A world without wall time for tests of the load: a clock that jumps, a scheduled exchange."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from decimal import Decimal

import msgspec

from clients.load.driver import OneEach, drive
from clients.load.plan import NS_PER_S, Plan, Shape, make_plan
from clients.load.record import Record
from clients.load.wording import Market, NativeWording
from tests.clients.wire_samples import instrument

MS = 1_000_000
SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP")
MARKETS = {symbol: Market.of(instrument(symbol), Decimal(50_000)) for symbol in SYMBOLS}
NEVER: int | None = None


def shape(**changes: object) -> Shape:
    """One hundred requests a second for ten seconds, after one of warm-up, on two connections."""
    usual = Shape(seed=1, connections=2, rate=100, seconds=10, symbols=SYMBOLS, warm_up_s=1)
    return msgspec.structs.replace(usual, **changes)


class World:
    """Time, and what is to happen in it. As a Timer it jumps from one happening to the next."""

    def __init__(self) -> None:
        self._now_ns = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbered = 0

    def now_ns(self) -> int:
        return self._now_ns

    async def until(self, at_ns: int) -> None:
        self.pass_until(at_ns)

    def pass_until(self, at_ns: int) -> None:
        """Let time go on; what falls due happens at its own moment."""
        while self._due and self._due[0][0] <= at_ns:
            due_ns, _, happen = heapq.heappop(self._due)
            self._now_ns = max(self._now_ns, due_ns)
            happen()
        self._now_ns = max(self._now_ns, at_ns)

    def at(self, at_ns: int, happen: Callable[[], None]) -> None:
        """Have something happen."""
        self._numbered += 1
        heapq.heappush(self._due, (at_ns, self._numbered, happen))


# When a request of this number, heard at this time, is answered (None: never), and with what error.
Manners = Callable[[int, int], tuple[int | None, str]]


class Exchange:
    """Answers by its manners; remembers what it heard, and when."""

    def __init__(self, world: World, record: Record, manners: Manners) -> None:
        self._world = world
        self._record = record
        self._manners = manners
        self.heard: list[tuple[int, bytes]] = []
        self.alive = True

    def send(self, text: bytes) -> bool:
        now_ns = self._world.now_ns()
        self.heard.append((now_ns, text))
        number = msgspec.json.decode(text)["id"]
        at_ns, error = self._manners(number, now_ns)
        if at_ns is not None:
            self._world.at(at_ns, lambda: self._record.answer(number, error, at_ns))
        return True


def prompt(number: int, now_ns: int) -> tuple[int | None, str]:
    """Done, a millisecond later."""
    return now_ns + MS, ""


def silent(number: int, now_ns: int) -> tuple[int | None, str]:
    """Never a word."""
    return NEVER, ""


def surly(number: int, now_ns: int) -> tuple[int | None, str]:
    """Refused at once."""
    return now_ns, "INSUFFICIENT_BALANCE"


def stalling(from_s: float, to_s: float) -> Manners:
    """Prompt, but for a while nothing happens: who comes then is answered after it."""

    def manners(number: int, now_ns: int) -> tuple[int | None, str]:
        stalled = from_s * NS_PER_S <= now_ns < to_s * NS_PER_S
        return (round(to_s * NS_PER_S) if stalled else now_ns) + MS, ""

    return manners


def wording() -> NativeWording:
    """Requests at 50,000, of a run called `run`."""
    return NativeWording(MARKETS, "run")


async def driven(manners: Manners, of: Shape | None = None) -> tuple[Plan, Record, Exchange]:
    """A whole run against an exchange with these manners."""
    plan = make_plan(of or shape())
    world, record = World(), Record(plan)
    exchange = Exchange(world, record, manners)
    routes = OneEach([exchange] * plan.shape.connections)
    await drive(plan, routes, wording(), record, world)
    return plan, record, exchange
