"""The history of a cluster: gateways keep none, and ask the cores, over two streams.

A question goes to the stream of all gateways, which cores read as one group, so one of them
answers, into the stream of the gateway that asked. It names the seq the gateway has reached: the
core answers once its history has come as far, so whoever was told of a fill finds it. Questions
change nothing and are asked again where nobody answers. A core that leads only answers while none
stands by.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from exchange.cluster.connecting import AWAY, Connection, cancellable, patiently
from exchange.cluster.names import Names
from exchange.storage.queries import FRESH_WITHIN_S, Conditions, HistoryAway, Part, Queries
from exchange.storage.rows import PnlRow
from exchange.storage.tables import TABLES

ASK_AGAIN_AFTER_S: Final = 2.5
TIMES_ASKED_MAX: Final = 4
READ_WAIT_MS: Final = 250
ASKS_KEPT: Final = 10_000


class Ask(msgspec.Struct, array_like=True, frozen=True):
    """A question: for rows of a table, for sums of postings, or whether `seq` is written."""

    gateway: str
    number: int
    seq: int
    what: str  # rows, pnl or seq
    table: str = ""
    where: dict[str, str | int | list[str | int] | None] = {}
    part: tuple[int | None, int | None, int | None, int | None, int] = (None, None, None, None, 0)
    by: list[str] = []


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """Its answer, in rows as they are stored; `fresh` if the history had come to the seq."""

    number: int
    fresh: bool
    rows: list[list[Any]]


encode: Final = msgspec.msgpack.Encoder().encode
decode_ask: Final = msgspec.msgpack.Decoder(Ask).decode
_decode_answer: Final = msgspec.msgpack.Decoder(Answer).decode


class RemoteHistory(Queries):
    """Asks the cores; `listen` must run. HistoryAway where nobody answers.

    While `patient` it asks on until a core is there: so it is at a gateway's start.
    """

    def __init__(
        self, connection: Connection, names: Names, *, gateway: str, seq: Callable[[], int]
    ) -> None:
        self.seq = seq  # What the gateway has reached.
        self.patient = False
        self._connection = connection
        self._names = names
        self._gateway = gateway
        self._client: Redis = connection.client()
        self._number = 0
        self._asked: dict[int, asyncio.Future[Answer]] = {}

    async def rows(self, table: str, where: Conditions, part: Part, *by: str) -> list[Any]:
        """See `Queries.rows`."""
        plain = {
            name: value if value is None or isinstance(value, str | int) else list(value)
            for name, value in where.items()
        }
        bounds = (part.from_ms, part.to_ms, part.from_id, part.before_id, part.limit)
        answer = await self._ask("rows", table, plain, bounds, list(by))
        return [TABLES[table].read(row) for row in answer.rows]

    async def pnl(
        self, account_id: int, *, from_ms: int | None = None, to_ms: int | None = None
    ) -> list[PnlRow]:
        """See `Queries.pnl`."""
        where: dict[str, Any] = {"account_id": account_id}
        answer = await self._ask("pnl", "", where, (from_ms, to_ms, None, None, 0))
        return [
            PnlRow(wallet, asset, reason, int(change))
            for wallet, asset, reason, change in answer.rows
        ]

    async def caught_up(self, within_s: float = FRESH_WITHIN_S) -> bool:
        """Whether a core's history has come to where this gateway is."""
        try:
            return (await asyncio.wait_for(self._ask("seq"), within_s)).fresh
        except (HistoryAway, TimeoutError):
            return False

    async def listen(self) -> None:
        """Hear the answers, for ever."""
        client = self._connection.client()
        last_id = "0-0"
        try:
            while True:
                found: Any = await patiently(
                    lambda after=last_id: client.xread(  # type: ignore[misc]
                        {self._names.answers(self._gateway): after}, block=READ_WAIT_MS
                    ),
                    "hearing of the history",
                )
                for found_id, fields in found[0][1] if found else ():
                    self._heard(_decode_answer(fields[b"data"]))
                    last_id = found_id
        finally:
            await client.aclose()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    def _heard(self, answer: Answer) -> None:
        asked = self._asked.get(answer.number)
        if asked is not None and not asked.done():
            asked.set_result(answer)

    async def _ask(self, what: str, *more: Any) -> Answer:
        self._number += 1
        ask = Ask(self._gateway, self._number, self.seq(), what, *more)
        fields: dict[Any, Any] = {"data": encode(ask)}
        asked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[ask.number] = asked
        try:
            for times in count(1):
                with contextlib.suppress(*AWAY):
                    await cancellable(
                        self._client.xadd(
                            self._names.asks, fields, maxlen=ASKS_KEPT, approximate=True
                        )
                    )
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ASK_AGAIN_AFTER_S):
                        return await asyncio.shield(asked)
                if times >= TIMES_ASKED_MAX and not self.patient:
                    raise HistoryAway("no core answers for the history; ask again in a moment")
        finally:
            del self._asked[ask.number]
        raise AssertionError("it is asked until it is answered or given up")
