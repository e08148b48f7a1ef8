"""Where the WebSocket API is found, and what carries its requests out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from exchange.gateway.binance.calls import Api, Dialect
from exchange.gateway.binance.door import carried_out
from exchange.gateway.binance.errors import BUSY, BinanceError, refused
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.streams.session import SHUTDOWN_NOTICE_MS
from exchange.gateway.binance.ws_api.session import ApiSession, Pending
from exchange.gateway.shells.gates import Asked, Socket, Talk, nothing

HOUR_S: Final = 3_600
PING_S: Final = 120.0  # Of silence before a ping; half of it is the time to answer.
FINISH_WITHIN_S: Final = 5.0  # How long requests under way may take once the doors close.
APIS: Final[dict[str, Api]] = {
    "/ws-api/v3": "api",
    "/ws-fapi/v1": "fapi",
    "/ws-dapi/v1": "dapi",
}


class WsApiGate:
    """Opens sessions at the three addresses, and carries out what they ask."""

    paths: Sequence[str] = tuple(APIS)
    protocols: Sequence[str] = ()
    heartbeat_s: float = PING_S

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._tasks: set[asyncio.Task[None]] = set()

    def has(self, asked: Asked) -> bool:
        """Whether there is a socket at this address."""
        return asked.url.path in APIS

    def begin(self, asked: Asked, socket: Socket) -> Talk:
        """A new session, and its time."""
        params = Params.of_request(asked.url.raw_query_string, "")
        session = ApiSession(
            self._dialect,
            APIS[asked.url.path],
            wake=socket.wake,
            address=asked.address,
            tells_limits=params.get("returnRateLimits").lower() != "false",
        )
        timers = self._lifetime(session)

        def receive(payload: bytes, binary: bool) -> None:
            session.receive(payload, binary=binary)
            self._carry(session)

        def over() -> None:
            session.closed()
            for timer in timers:
                timer.cancel()

        return Talk(session, receive, nothing, over)

    async def run(self) -> None:
        """There is nothing beside the conversations."""

    async def finish(self) -> None:
        """Wait for requests under way, but not for long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_WITHIN_S)

    def _lifetime(self, session: ApiSession) -> list[asyncio.TimerHandle]:
        """A connection may stay for so long; a notice comes before."""
        life_s = self._dialect.doors.config.binance.disconnect_hours * HOUR_S
        if not life_s:
            return []
        loop = asyncio.get_running_loop()
        notice_s = min(SHUTDOWN_NOTICE_MS / 1_000, life_s / 2)
        return [
            loop.call_later(life_s - notice_s, session.warn),
            loop.call_later(life_s, session.expire),
        ]

    def _carry(self, session: ApiSession) -> None:
        """Begin what the session has handed over, in its order."""
        for pending in session.requests():
            task = asyncio.create_task(_carried(session, pending))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _carried(session: ApiSession, pending: Pending) -> None:
    """Carry a request out; one that was begun is finished also where its connection is gone."""
    try:
        result = await carried_out(pending.route, pending.call)
    except BinanceError as error:
        session.refuse(pending, error)
    except (ConnectionError, TimeoutError):
        session.refuse(pending, refused(BUSY))
    else:
        session.answer(pending, result)
