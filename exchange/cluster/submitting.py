"""A gateway's sequencer: commands go to the core as batches, what came of them comes by the log.

Nothing is answered before this gateway's own engine has obeyed the command at its place in the
log, so an answer is as durable as the log and agrees with every view. A batch that was sent twice,
since Redis went away before it said it had it, is obeyed once: batches are numbered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from redis.asyncio import Redis

from exchange.answering import Answer
from exchange.bounds import COMMANDS_WAITING_MAX
from exchange.cluster.connecting import Connection, patiently
from exchange.cluster.log import LogEntry
from exchange.cluster.names import Names
from exchange.commands import AnyCommand
from exchange.engine import Engine
from exchange.events import Answered, AnyEvent
from exchange.groups import encode_group
from exchange.sequencer import Groups, Listener, SequencerFailed
from matching.reasons import Reason

BATCH_COMMANDS_MAX: Final = 256

_UNKNOWN: Final = "the gateway stopped: whether the command will be obeyed is not known"


class _Asked(NamedTuple):
    """What was submitted together, and who is told what came of each."""

    commands: Sequence[AnyCommand]
    answers: Sequence[Answer]


class Submitter:
    """Sends what it is asked to the core; `on_entry` answers, and belongs to the replica.

    `paused` says why nothing is taken for now: what is asked meanwhile is refused as NOT_READY,
    and what was sent before waits. See `exchange.gateway.doors.Sequencing`.
    """

    def __init__(
        self,
        connection: Connection,
        names: Names,
        engine: Engine,
        listeners: list[Listener],
        *,
        gateway: str,
    ) -> None:
        self.listeners = listeners
        self.paused: str | None = None
        self.gateway = gateway
        self._connection = connection
        self._names = names
        self._engine = engine
        self._waiting: deque[_Asked] = deque()
        self._sent: dict[int, list[_Asked]] = {}
        self._batch = 0
        self._backlog = 0
        self._awake = asyncio.Event()
        self._stopped = False

    @property
    def time_ms(self) -> int:
        """Exchange time of the last group obeyed."""
        return self._engine.time_ms

    @property
    def backlog(self) -> int:
        """Commands that were submitted and are not answered yet."""
        return self._backlog

    async def submit(self, command: AnyCommand) -> list[AnyEvent]:
        """The command's events, once it is in the log and obeyed here; `Answered` is last."""
        answer: asyncio.Future[list[AnyEvent]] = asyncio.get_running_loop().create_future()
        self.enqueue(command, answer)
        return await answer

    def enqueue(self, command: AnyCommand, answer: Answer) -> None:
        """The same for one who need not wait: `answer` is told, where it is refused at once."""
        self._take_in([command], [answer])

    async def submit_all(self, commands: Sequence[AnyCommand]) -> list[list[AnyEvent]]:
        """The events of each, of commands that are obeyed in one group, nobody between.

        Refused as BUSY where too many wait, as NOT_READY while nobody leads: not sent then.
        SequencerFailed where nobody knows.
        """
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[list[AnyEvent]]] = [loop.create_future() for _ in commands]
        self._take_in(commands, answers)
        return await asyncio.gather(*answers)

    async def step(self, ms: int) -> int:
        """The core keeps the time: a ValueError, always."""
        raise ValueError("exchange time is kept by the core")

    def retime(self) -> None:
        """Nothing to do: the core keeps the time."""

    async def run(self) -> None:
        """Send for ever; what is asked while one batch is under way goes with the next."""
        client = self._connection.client()
        try:
            while True:
                await self._awake.wait()
                self._awake.clear()
                while self._waiting:
                    await self._send_some(client)
        finally:
            await client.aclose()

    def on_entry(self, entry: LogEntry, groups: Groups) -> None:
        """Answer whoever asked for commands of this entry."""
        for origin in entry.origins:
            if origin.gateway != self.gateway:
                continue
            told = iter(groups[origin.place : origin.place + origin.count])
            for asked in self._sent.pop(origin.batch, ()):
                self._backlog -= len(asked.commands)
                for answer, events in zip(asked.answers, told, strict=False):
                    if not answer.done():  # Who asked may have gone away meanwhile.
                        answer.set_result(events)

    def stop(self) -> None:
        """Take nothing any more: refuse what was not sent, and tell of the rest that none knows."""
        self._stopped = True
        for asked in self._waiting:
            for answer in asked.answers:
                if not answer.done():
                    answer.set_result(self._refused(Reason.NOT_READY))
        for sent in self._sent.values():
            for answer in (answer for asked in sent for answer in asked.answers):
                if not answer.done():
                    answer.set_exception(SequencerFailed(_UNKNOWN))
        self._waiting.clear()
        self._sent.clear()

    def _take_in(self, commands: Sequence[AnyCommand], answers: Sequence[Answer]) -> None:
        """Have them sent with the next batch, or refuse them all at once."""
        assert len(commands) <= BATCH_COMMANDS_MAX, "doors ask for less at once"
        reason = self._refuses(commands)
        if reason is not None:
            for answer in answers:
                answer.set_result(self._refused(reason))
            return
        self._backlog += len(commands)
        self._waiting.append(_Asked(commands, answers))
        self._awake.set()

    async def _send_some(self, client: Redis) -> None:
        """Send what was submitted first, in one batch."""
        taken = [self._waiting.popleft()]
        count = len(taken[0].commands)
        while self._waiting and count + len(self._waiting[0].commands) <= BATCH_COMMANDS_MAX:
            taken.append(self._waiting.popleft())
            count += len(taken[-1].commands)
        self._batch += 1
        self._sent[self._batch] = taken
        fields: dict[str | bytes, str | bytes | int] = {
            "g": self.gateway,
            "n": self._batch,
            "data": encode_group([command for asked in taken for command in asked.commands]),
        }

        async def send() -> None:
            await client.xadd(self._names.commands, fields)  # type: ignore[arg-type]

        await patiently(send, "sending commands")

    def _refuses(self, commands: Sequence[AnyCommand]) -> Reason | None:
        if self._stopped or self.paused is not None:
            return Reason.NOT_READY
        if self._backlog + len(commands) > COMMANDS_WAITING_MAX:
            return Reason.BUSY
        try:
            encode_group(commands)
        except OverflowError:
            return Reason.AMOUNT_TOO_LARGE  # More than 64 bits of something.
        return None

    def _refused(self, reason: Reason) -> list[AnyEvent]:
        return [Answered(self._engine.seq, self._engine.time_ms, reason, 0, {}, False)]
