"""Requests of a session carried out: each is a task of its own, begun in the order it came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from exchange.gateway.calls import ApiError, Caller
from exchange.gateway.session import Pending, Session
from exchange.wire import ErrorSay
from matching.reasons import Reason

Call = Callable[[str, Any, Caller], Awaitable[Any]]  # `Api.call`: (op, fields, caller) -> a Say.


class Carrier:
    """Carries requests of all sessions to the `Api`, and its answers back.

    `failed` is told of an exception that is no refusal: a bug, which one request must not hide.
    A request that was begun is finished, also where its connection is gone by then.
    """

    def __init__(self, call: Call, failed: Callable[[BaseException], None]) -> None:
        self._call = call
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def carry(self, session: Session) -> None:
        """Begin what the session has handed over."""
        for pending in session.requests():
            task = asyncio.create_task(self._carry(session, pending))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for all that was begun."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _carry(self, session: Session, pending: Pending) -> None:
        try:
            result = await self._call(pending.op, pending.fields, pending.caller)
        except ApiError as error:
            session.refuse(pending, error.say())
        except Exception as error:
            self._failed(error)
            session.refuse(pending, ErrorSay(Reason.BUSY.name, Reason.BUSY.value))
        else:
            session.answer(pending, result)
