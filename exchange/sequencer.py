"""The one writer: it stamps commands, keeps them in the journal, obeys them, and tells.

What waits is gathered into a group, stamped once with seqs and one moment of exchange time, made
durable as one frame of the journal, and only then applied; whoever asked is answered after that.
While a group is on its way to the disk the next one gathers (group commit).

Exchange time is given here and nowhere else. It never runs back, and never passes work that is
due: pending work of the engine comes first, at the time it fell due, then every moment of the
sources in its order, and only then may the stamp follow the clock.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import msgspec

from exchange.answering import Answer
from exchange.bounds import (
    COMMANDS_WAITING_MAX,
    GROUP_COMMANDS_MAX,
    SOURCES_LAG_MAX_MS,
    TICK_GAP_MAX_MS,
)
from exchange.clock import Clock, SystemClock
from exchange.commands import AnyCommand, Continue, Tick
from exchange.engine import Engine
from exchange.events import Answered, AnyEvent
from exchange.groups import encode_group
from matching.reasons import Reason

Groups = Sequence[list[AnyEvent]]
Listener = Callable[[Groups], None]
"""Told of each applied group: one list of events a command, in their order."""

OnTaken = Callable[[int, list[object]], None]
"""Told of a group about to be kept: how many commands are the house's, whose the others are."""

TICKS_PER_WALL_SECOND: Final = 4  # Where time runs fast, it is not told more often than that.

T = TypeVar("T")

log = logging.getLogger(__name__)


class Source(Protocol):
    """A house client whose commands fall due with the time: prices, agents."""

    def next_due_ms(self) -> int | None:
        """The next moment of exchange time it wants to act at; None for never."""

    def commands(self, now_ms: int, engine: Engine) -> list[AnyCommand]:
        """What it does at its moment `now_ms`; afterwards `next_due_ms` lies behind that.

        It reads the engine and changes nothing; same seed, moment and state, same commands.
        """


class Keeper(Protocol):
    """What the sequencer needs of the journal."""

    def append_and_sync(self, first_seq: int, count: int, payload: bytes) -> None:
        """Return when the group is durable; raise where that cannot be known."""


class SteppingClock(Protocol):
    """What `step` needs of a clock; those of `exchange.clock` that can be stepped have it."""

    def step(self, ms: int) -> int:
        """Move on by `ms`, at once or as fast as work permits; answers where that leads."""


class SequencerFailed(Exception):
    """The sequencer stopped over a fault: whether the command will be obeyed is not known."""


class Timing(NamedTuple):
    """What one group cost, in seconds of the wall."""

    commands: int
    keep_s: float
    obey_s: float


class _Waiting(msgspec.Struct):
    command: AnyCommand
    answer: Answer
    follows: bool = False  # It is of the same group as the one before it.
    origin: object = None  # What it was taken in with.


class _Step(NamedTuple):
    target_ms: int
    done: asyncio.Future[int]


class Sequencer:
    """Stamps, keeps and obeys what is submitted to it, and tells its `listeners`.

    `run` is the loop; it ends with `stop`, or with an exception over a fault. `resume` makes the
    sources anew, to go on behind a moment: for a real clock that has left them far behind.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Keeper,
        clock: Clock,
        sources: Iterable[Source] = (),
        *,
        grid_ms: int = 1_000,
        resume: Callable[[int], Iterable[Source]] | None = None,
    ) -> None:
        self.listeners: list[Listener] = []
        self.on_timing: Callable[[Timing], None] | None = None
        self.on_taken: OnTaken | None = None
        self.sources = list(sources)
        self.clock = clock
        self._engine = engine
        self._journal = journal
        self._grid_ms = grid_ms
        self._resume = resume
        self._time_ms = engine.time_ms
        self._waiting: deque[_Waiting] = deque()
        self._steps: deque[_Step] = deque()
        self._looks: deque[Callable[[], None]] = deque()
        self._awake = asyncio.Event()
        self._under_way = False
        self._stopping = False
        self._failure: str | None = None
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="journal")

    # -- what others ask -----------------------------------------------------------------------

    @property
    def backlog(self) -> int:
        """Commands that wait for the next group."""
        return len(self._waiting)

    @property
    def time_ms(self) -> int:
        """Exchange time of the last group obeyed."""
        return self._time_ms

    @property
    def behind_ms(self) -> int:
        """How far work that is due lies behind the clock."""
        now_ms = self.clock.now_ms()
        due_ms = self._next_due_ms()
        return 0 if due_ms is None else max(0, now_ms - due_ms)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, nothing is under way, and nothing is due at this moment."""
        due_ms = self._next_due_ms()
        if self._under_way:
            return False
        return not self._waiting and (due_ms is None or due_ms > self.clock.now_ms())

    async def submit(self, command: AnyCommand) -> list[AnyEvent]:
        """Answer with the command's events once it is durable and obeyed; `Answered` is last.

        Where too many wait it is refused as BUSY, and where the exchange stops as NOT_READY;
        it was not kept then, so nothing happens. SequencerFailed where nobody knows.
        """
        answer: asyncio.Future[list[AnyEvent]] = asyncio.get_running_loop().create_future()
        self.enqueue(command, answer)
        return await answer

    def enqueue(self, command: AnyCommand, answer: Answer) -> None:
        """The same for one who need not wait: `answer` is told, where it is refused at once."""
        reason = self._refuses(1)
        if reason is not None:
            answer.set_result(self._refused(reason))
            return
        self._waiting.append(_Waiting(command, answer))
        self._awake.set()

    async def submit_all(self, commands: Sequence[AnyCommand]) -> list[list[AnyEvent]]:
        """Submit several that are kept and obeyed in one group, in their order, nobody between.

        Answers with the events of each; where there is not room for all, all are refused.
        """
        reason = self._refuses(len(commands))
        if reason is not None:
            return [self._refused(reason) for _ in commands]
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[list[AnyEvent]]] = [loop.create_future() for _ in commands]
        for place, (command, answer) in enumerate(zip(commands, answers, strict=True)):
            self._waiting.append(_Waiting(command, answer, follows=place > 0))
        self._awake.set()
        return await asyncio.gather(*answers)

    def take_in(self, commands: Sequence[AnyCommand], origin: object) -> None:
        """Have several kept and obeyed in one group; nobody waits for them, and none is refused.

        `on_taken` tells of their `origin` when they are about to be kept.
        """
        if self._failure is not None:
            raise SequencerFailed(self._failure)
        nobody: asyncio.Future[list[AnyEvent]] = asyncio.get_running_loop().create_future()
        nobody.set_result([])
        for place, command in enumerate(commands):
            self._waiting.append(_Waiting(command, nobody, follows=place > 0, origin=origin))
        self._awake.set()

    async def step(self, ms: int) -> int:
        """Move a clock that can be stepped on by `ms`; answers the time when all due is done.

        A ValueError for a negative step, or for a clock that only runs by itself.
        """
        clock: Any = self.clock
        if not hasattr(clock, "step"):
            raise ValueError("this clock cannot be stepped")
        if self._failure is not None:
            raise SequencerFailed(self._failure)
        stepping: SteppingClock = clock
        step = _Step(stepping.step(ms), asyncio.get_running_loop().create_future())
        self._steps.append(step)
        self._awake.set()
        return await step.done

    def retime(self) -> None:
        """The clock was given another speed, paused or resumed: look at it again."""
        self._awake.set()

    async def between_groups(self, look: Callable[[], T]) -> T:
        """What `look` answers while no group is under way: engine and journal agree then."""
        if self._failure is not None:
            raise SequencerFailed(self._failure)
        seen: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def look_now() -> None:
            if not seen.done():
                try:
                    seen.set_result(look())
                except Exception as error:
                    seen.set_exception(error)

        self._looks.append(look_now)
        self._awake.set()
        return await seen

    def stop(self) -> None:
        """End `run` behind the group under way; what still waits is refused as NOT_READY."""
        self._stopping = True
        self._awake.set()

    # -- the loop ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Sequence until `stop`. Raises what went wrong, once everybody who waits was told."""
        try:
            while not self._stopping:
                while self._looks:
                    self._looks.popleft()()
                await self._turn()
        except BaseException as error:
            self._fail(_fault(error))
            raise
        finally:
            self._keeper.shutdown(wait=False)
        while self._looks:
            self._looks.popleft()()
        for waiting in self._waiting:
            if not waiting.answer.done():
                waiting.answer.set_result(self._refused(Reason.NOT_READY))
        self._fail("the exchange has stopped")

    async def _turn(self) -> None:
        """Do what comes next: pending work, then what is due, then what waits, then nothing."""
        if self._engine.pending_work:
            await self._obey([Continue()], self._time_ms)
            return
        now_ms = self.clock.now_ms()
        due_ms, step_ms = self._source_due_ms(), self._step_ms()
        if due_ms is not None and now_ms - due_ms > SOURCES_LAG_MAX_MS and self._may_leap():
            due_ms = self._leap(now_ms)
        if step_ms is not None and step_ms <= now_ms and (due_ms is None or step_ms < due_ms):
            await self._finish_step(step_ms)
        elif due_ms is not None and due_ms <= now_ms:
            await self._obey_sources(due_ms)
        elif self._waiting:
            await self._obey([], max(now_ms, self._time_ms))
        else:
            tick_ms = self._tick_due_ms()
            if tick_ms is not None and tick_ms <= now_ms:
                # Where time has leapt, one Tick leads to its newest grid point.
                leap_ms = (now_ms - tick_ms) // self._grid_ms * self._grid_ms
                await self._obey([Tick()], tick_ms + leap_ms)
            else:
                await self._rest(_least(due_ms, step_ms, tick_ms), now_ms)

    async def _obey_sources(self, due_ms: int) -> None:
        """One moment of the sources that are due: each decides on the state before it."""
        now_ms = max(due_ms, self._time_ms)
        commands: list[AnyCommand] = []
        for source in self.sources:
            if source.next_due_ms() == due_ms:
                commands += source.commands(now_ms, self._engine)
                next_ms = source.next_due_ms()
                assert next_ms is None or next_ms > due_ms, source
        if commands or self._waiting:
            await self._obey(commands, now_ms)
        else:
            self.clock.hold(now_ms)
            await asyncio.sleep(0)  # Many idle moments in a row leave room for others.

    async def _finish_step(self, step_ms: int) -> None:
        """Everything before the end of a step is done: bring the time there, then say so."""
        if self._time_ms < step_ms:
            await self._obey([Tick()], step_ms)
            return
        self.clock.hold(step_ms)
        step = self._steps.popleft()
        if not step.done.done():
            step.done.set_result(step.target_ms)

    async def _obey(self, house: list[AnyCommand], now_ms: int) -> None:
        """Keep and obey one group: the house's commands, and behind them those that wait."""
        assert now_ms >= self._time_ms, "exchange time never runs back"
        waiting = self._take(GROUP_COMMANDS_MAX - len(house))
        self._under_way = True
        try:
            commands, payload, waiting = self._stamped(house, waiting, now_ms)
            if self.on_taken is not None:
                self.on_taken(len(house), [each.origin for each in waiting])
            started_s = time.perf_counter()
            if commands:
                await asyncio.get_running_loop().run_in_executor(
                    self._keeper,
                    self._journal.append_and_sync,
                    commands[0].seq,
                    len(commands),
                    payload,
                )
            kept_s = time.perf_counter()
            groups = [self._engine.apply(command) for command in commands]
            self._time_ms = now_ms
            self._tell(groups, waiting, len(house))
        except BaseException as error:
            self._fail_all(waiting, _fault(error))
            raise
        self._under_way = False
        if not self._engine.pending_work:
            self.clock.hold(now_ms)
        if self.on_timing is not None:
            obeyed_s = time.perf_counter() - kept_s
            self.on_timing(Timing(len(commands), kept_s - started_s, obeyed_s))

    def _stamped(
        self, house: list[AnyCommand], waiting: list[_Waiting], now_ms: int
    ) -> tuple[list[AnyCommand], bytes, list[_Waiting]]:
        """The group's commands, its frame's payload, and who waits for the end of it."""
        seq = self._engine.seq
        wishes = house + [each.command for each in waiting]
        commands = [
            msgspec.structs.replace(wish, seq=seq + place, time_ms=now_ms)
            for place, wish in enumerate(wishes, start=1)
        ]
        try:
            return commands, encode_group(commands), waiting
        except OverflowError:
            # Somebody wants more than 64 bits of something. Nobody else suffers for it.
            able = [each for each in waiting if _can_be_kept(each.command)]
            if len(able) == len(waiting):
                raise
            for each in waiting:
                if each not in able and not each.answer.done():
                    each.answer.set_result(self._refused(Reason.AMOUNT_TOO_LARGE))
            return self._stamped(house, able, now_ms)

    def _tell(self, groups: Groups, waiting: Sequence[_Waiting], skip: int) -> None:
        """Listeners first, so that who is answered finds it in every view."""
        for listener in self.listeners:
            listener(groups)
        for each, events in zip(waiting, groups[skip:], strict=True):
            if not each.answer.done():  # Who asked may have gone away meanwhile.
                each.answer.set_result(events)

    async def _rest(self, due_ms: int | None, now_ms: int) -> None:
        """Nothing is due before `due_ms`: let time run there, and wait for it or for a call."""
        self._awake.clear()
        if self._waiting or self._looks or self._stopping:
            return
        if due_ms is not None:
            self.clock.hold(due_ms - 1)
        speed = self.clock.speed
        if self._steps or speed == math.inf:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        alarm = None
        if due_ms is not None and speed:
            alarm = loop.call_later((due_ms - now_ms) / 1_000 / speed, self._awake.set)
        try:
            await self._awake.wait()
        finally:
            if alarm is not None:
                alarm.cancel()

    # -- what is due ---------------------------------------------------------------------------

    def _next_due_ms(self) -> int | None:
        """When what comes next is due, or was."""
        if self._engine.pending_work:
            return self._time_ms
        return _least(self._source_due_ms(), self._step_ms(), self._tick_due_ms())

    def _source_due_ms(self) -> int | None:
        return _least(*(source.next_due_ms() for source in self.sources))

    def _may_leap(self) -> bool:
        """Whether time does not wait for the work, and the sources can be set up anew."""
        return isinstance(self.clock, SystemClock) and self._resume is not None

    def _leap(self, now_ms: int) -> int | None:
        """The machine slept, or is too slow: the sources go on from now on."""
        assert self._resume is not None
        log.warning("left out what the sources would have done up to %d", now_ms)
        self.sources = list(self._resume(now_ms))
        return self._source_due_ms()

    def _step_ms(self) -> int | None:
        return self._steps[0].target_ms if self._steps else None

    def _tick_due_ms(self) -> int | None:
        """The next grid point a Tick is due at if nothing else carries the time there.

        Where time runs fast a Tick spans several points; where it stands none is due.
        """
        speed = self.clock.speed
        if not speed:
            return None
        gap_ms = int(min(speed * 1_000 / TICKS_PER_WALL_SECOND, TICK_GAP_MAX_MS))
        more = max(gap_ms // self._grid_ms - 1, 0)
        return self._engine.next_grid_ms + more * self._grid_ms

    # -- small steps ---------------------------------------------------------------------------

    def _take(self, count: int) -> list[_Waiting]:
        """The oldest of what waits; what was submitted together is not parted."""
        taken = [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
        while self._waiting and self._waiting[0].follows:
            taken.append(self._waiting.popleft())
        return taken

    def _refuses(self, count: int) -> Reason | None:
        """Why so many commands more are not taken, or None; SequencerFailed over a fault."""
        if self._failure is not None:
            raise SequencerFailed(self._failure)
        if self._stopping:
            return Reason.NOT_READY
        too_many = len(self._waiting) + count > COMMANDS_WAITING_MAX
        return Reason.BUSY if too_many else None

    def _refused(self, reason: Reason) -> list[AnyEvent]:
        return [Answered(self._engine.seq, self._time_ms, reason, 0, {}, False)]

    def _fail(self, why: str) -> None:
        """Nothing is taken any more, and whoever waits learns why."""
        self._failure = why
        self._fail_all(self._waiting, why)
        for step in self._steps:
            if not step.done.done():
                step.done.set_exception(SequencerFailed(why))

    def _fail_all(self, waiting: Iterable[_Waiting], why: str) -> None:
        for each in waiting:
            if not each.answer.done():
                each.answer.set_exception(SequencerFailed(why))


def _can_be_kept(command: AnyCommand) -> bool:
    """Whether the journal's encoding can hold its numbers."""
    try:
        encode_group([command])
    except OverflowError:
        return False
    return True


def _fault(error: BaseException) -> str:
    return f"the exchange stopped over a fault: {str(error) or type(error).__name__}"


def _least(*moments: int | None) -> int | None:
    """The earliest of those that there are."""
    return min((moment for moment in moments if moment is not None), default=None)
