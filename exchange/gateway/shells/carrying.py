"""Requests of a session carried out, begun in the order they came.

Those that can be begun at once and call back need no more; each of the others is a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from types import CoroutineType
from typing import Any

from exchange.gateway.calls import ApiError, Caller
from exchange.gateway.session import Pending, Session
from exchange.wire import ErrorSay
from matching.reasons import Reason

Call = Callable[[str, Any, Caller], Awaitable[Any]]  # `Api.call`: (op, fields, caller) -> a Say.
# `Api.begin`: (op, fields, caller, who hears what came of it) -> whether it was begun.
Begin = Callable[[str, Any, Caller, Callable[[Any], None]], bool]


def begins_nothing(op: str, fields: Any, caller: Caller, tell: Callable[[Any], None]) -> bool:
    """Where every request is a task."""
    return False


class Carrier:
    """Carries requests of all sessions to the `Api`, and its answers back.

    `failed` is told of an exception that is no refusal: a bug, which one request must not hide.
    A request that was begun is finished, also where its connection is gone by then.
    """

    def __init__(
        self, call: Call, failed: Callable[[BaseException], None], begin: Begin = begins_nothing
    ) -> None:
        self._call = call
        self._begin = begin
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()
        # Sessions with tasks that have not run yet: what comes behind them waits its turn.
        self._behind: dict[Session, int] = {}

    def carry(self, session: Session) -> None:
        """Begin what the session has handed over."""
        for pending in session.requests():
            if session not in self._behind:
                tell = partial(self._tell, session, pending)
                if self._begin(pending.op, pending.fields, pending.caller, tell):
                    continue
            self._behind[session] = self._behind.get(session, 0) + 1
            self._keep(self._carry(session, pending))

    async def finish(self) -> None:
        """Wait for all that was begun as a task."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, session: Session, pending: Pending) -> None:
        behind = self._behind[session] - 1
        if behind:
            self._behind[session] = behind
        else:
            del self._behind[session]
        await self._await(session, pending, self._call(pending.op, pending.fields, pending.caller))

    async def _await(self, session: Session, pending: Pending, result: Awaitable[Any]) -> None:
        try:
            outcome = await result
        except Exception as error:
            outcome = error
        self._tell(session, pending, outcome)

    def _tell(self, session: Session, pending: Pending, outcome: Any) -> None:
        """Answer with a result, with what is yet to be awaited, or with why there is none.

        It raises nothing, since the sequencer may be calling: an answer that cannot be encoded is
        a bug as any other.
        """
        try:
            if isinstance(outcome, ApiError):
                session.refuse(pending, outcome.say())
            elif isinstance(outcome, Exception):
                self._fail(session, pending, outcome)
            elif type(outcome) is CoroutineType:
                self._keep(self._await(session, pending, outcome))
            else:
                session.answer(pending, outcome)
        except Exception as error:
            self._fail(session, pending, error)

    def _fail(self, session: Session, pending: Pending, error: Exception) -> None:
        self._failed(error)
        session.refuse(pending, ErrorSay(Reason.BUSY.name, Reason.BUSY.value))
