"""A core's answers to what gateways ask the history; see `exchange.cluster.asking`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from exchange.cluster.asking import READ_WAIT_MS, Answer, Ask, decode_ask, encode
from exchange.cluster.connecting import Connection, patiently
from exchange.cluster.names import Names
from exchange.process import ended
from exchange.sequencer import Groups
from exchange.storage.history import History
from exchange.storage.queries import FRESH_WITHIN_S, Part
from exchange.storage.tables import TABLES

GROUP: Final = "cores"
GROUP_BEGINS_S: Final = 10
ASKS_PER_READ: Final = 32
ANSWERS_KEPT: Final = 256
ANSWERS_EXPIRE_S: Final = 600
STANDBY_EXPIRES_MS: Final = 1_500
STANDBY_TELLS_EVERY_S: Final = 0.5

log = logging.getLogger(__name__)


class BadQuestion(ValueError):
    """A question for what no table has."""


class HistoryServer:
    """Answers the gateways' questions from a core's own history; `run` until cancelled.

    `seq` is what the core has reached and told its history of, `leads` whether it leads.
    """

    def __init__(
        self,
        connection: Connection,
        names: Names,
        history: History,
        *,
        core: str,
        seq: Callable[[], int],
        leads: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._names = names
        self._history = history
        self._core = core
        self._seq = seq
        self._leads = leads
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def run(self) -> None:
        """Answer for ever."""
        client = self._connection.client()
        answering: set[asyncio.Task[None]] = set()
        try:
            await patiently(lambda: self._make_group(client), "answering for the history")
            async with _alongside(self._stand_by()):
                while True:
                    found = await patiently(lambda: self._next(client), "answering for the history")
                    for _, fields in found:
                        task = asyncio.create_task(self._answer(client, fields.get(b"data", b"")))
                        answering.add(task)
                        task.add_done_callback(answering.discard)
        finally:
            await ended(*answering)
            await client.aclose()

    def on_group(self, groups: Groups) -> None:
        """Belongs behind the history's own listener: answer what waited for this group."""
        if not self._waiting:
            return
        seq = self._seq()
        for wanted_seq, reached in self._waiting:
            if wanted_seq <= seq and not reached.done():
                reached.set_result(None)
        self._waiting = [each for each in self._waiting if not each[1].done()]

    async def _make_group(self, client: Redis) -> None:
        """From moments ago on: those who asked before there was a group still wait."""
        seconds, _ = await client.time()
        since = f"{(seconds - GROUP_BEGINS_S) * 1_000}-0"
        try:
            await client.xgroup_create(self._names.asks, GROUP, id=since, mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _stand_by(self) -> None:
        """Tell leaders that they need not answer."""
        client = self._connection.client()
        try:
            while True:
                if not self._leads():
                    await patiently(
                        lambda: client.set(self._names.standby, self._core, px=STANDBY_EXPIRES_MS),
                        "standing by",
                    )
                await asyncio.sleep(STANDBY_TELLS_EVERY_S)
        finally:
            await client.aclose()

    async def _next(self, client: Redis) -> list[Any]:
        if self._leads() and await client.exists(self._names.standby):
            await asyncio.sleep(STANDBY_TELLS_EVERY_S / 2)
            return []
        try:
            found: Any = await client.xreadgroup(
                GROUP,
                self._core,
                {self._names.asks: ">"},
                count=ASKS_PER_READ,
                block=READ_WAIT_MS,
                noack=True,
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._make_group(client)
            return []
        return list(found[0][1]) if found else []

    async def _answer(self, client: Redis, data: bytes) -> None:
        try:
            ask = decode_ask(data)
            answer = await self._answer_to(ask)
        except (msgspec.DecodeError, BadQuestion) as error:
            log.warning("a question to the history was passed over: %s", error)
            return
        stream = self._names.answers(ask.gateway)
        fields: dict[Any, Any] = {"data": encode(answer)}

        async def tell() -> None:
            pipeline = client.pipeline(transaction=False)
            pipeline.xadd(stream, fields, maxlen=ANSWERS_KEPT, approximate=True)
            pipeline.expire(stream, ANSWERS_EXPIRE_S)
            await pipeline.execute()

        await patiently(tell, "answering for the history")

    async def _answer_to(self, ask: Ask) -> Answer:
        fresh = await self._has_reached(ask.seq)
        if ask.what == "seq":
            return Answer(ask.number, fresh and await self._history.caught_up(), [])
        from_ms, to_ms, from_id, before_id, limit = ask.part
        if ask.what == "pnl":
            account_id = ask.where.get("account_id")
            if not isinstance(account_id, int):
                raise BadQuestion("sums of postings are an account's")
            sums = await self._history.pnl(account_id, from_ms=from_ms, to_ms=to_ms)
            rows = [[*row[:-1], str(row[-1])] for row in sums]
            return Answer(ask.number, fresh, rows)
        table = TABLES.get(ask.table)
        if table is None or not ask.by or not {*ask.where, *ask.by} <= {*table.columns, "rowid"}:
            raise BadQuestion(f"there is no such table or column: {ask}")
        part = Part(from_ms, to_ms, from_id, before_id, limit)
        where: dict[str, Any] = dict(ask.where)
        found = await self._history.rows(ask.table, where, part, *ask.by)
        return Answer(ask.number, fresh, [list(table.stored(row)) for row in found])

    async def _has_reached(self, seq: int) -> bool:
        """Wait, for a while, until this core is where the gateway was when it asked."""
        if self._seq() >= seq:
            return True
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((seq, reached))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reached, FRESH_WITHIN_S)
        return self._seq() >= seq


@contextlib.asynccontextmanager
async def _alongside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Have `work` done meanwhile."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await ended(task)
