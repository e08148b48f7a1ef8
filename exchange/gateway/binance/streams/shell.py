"""Where the sockets of the streams are, and what keeps their time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final

from exchange.gateway.auth import RateLimiter
from exchange.gateway.binance.calls import Dialect
from exchange.gateway.binance.streams.names import Opening, opening_of
from exchange.gateway.binance.streams.session import StreamSession
from exchange.gateway.binance.symbols import Product
from exchange.gateway.shells.gates import Asked, Socket, Talk

log: Final = logging.getLogger(__name__)

SECOND_MS: Final = 1_000
HOUR_MS: Final = 3_600_000
PULSE_S: Final = 0.1  # The finest pace of what is told at one.
PATHS: Final = tuple(
    f"{prefix}{category}/{path}"
    for prefix in ("", "/um", "/cm")
    for category in ("", "/public", "/market", "/private")
    for path in ("ws", "ws/{rest:.*}", "stream", "stream/", "stream/ws{rest:.*}")
)


class StreamsGate:
    """Opens sockets of streams, and while it runs keeps the hub's pulse.

    `homes` has the ports that are one product's.
    """

    paths: Sequence[str] = PATHS
    protocols: Sequence[str] = ()
    heartbeat_s: float = 0.0  # The session pings: how often is the product's own.

    def __init__(self, dialect: Dialect, homes: Mapping[int, Product]) -> None:
        self._doors = dialect.doors
        self._hub = dialect.hub
        self._homes = homes
        limits = self._doors.config.binance
        spot = RateLimiter(limits.spot_messages_per_second, SECOND_MS)
        futures = RateLimiter(limits.futures_messages_per_second, SECOND_MS)
        self._limiters: dict[Product, RateLimiter] = {"spot": spot, "um": futures, "cm": futures}
        self._life_ms = int(limits.disconnect_hours * HOUR_MS)
        self._numbers = count(1)

    def has(self, asked: Asked) -> bool:
        """Whether there is a socket at this address."""
        return self._opening(asked) is not None

    def begin(self, asked: Asked, socket: Socket) -> Talk:
        """A new session, and its time."""
        opening = self._opening(asked)
        assert opening is not None, "a shell asks first whether there is a socket"
        session = StreamSession(
            self._hub,
            opening,
            self._limiters[opening.product],
            name=f"stream {next(self._numbers)}",
            life_ms=self._life_ms,
            now_ms=_now_ms,
            wall_ms=self._doors.clock.wall_ms,
            wake=socket.wake,
        )
        keeper = Keeper(session, socket)

        def receive(payload: bytes, binary: bool) -> None:
            session.receive(payload, binary=binary)

        def over() -> None:
            session.closed()
            keeper.stop()

        return Talk(session, receive, session.ponged, over)

    async def run(self) -> None:
        """Keep the hub's pulse, until cancelled."""
        while True:
            await asyncio.sleep(PULSE_S)
            try:
                self._hub.pulse(_now_ms())
            except Exception:
                # One stream that cannot be told must not silence the others for ever.
                log.exception("a fault while telling streams")

    async def finish(self) -> None:
        """Nothing is ever begun that would have to be waited for."""

    def _opening(self, asked: Asked) -> Opening | None:
        return opening_of(asked.url.path, asked.url.query, self._homes.get(asked.port))


class Keeper:
    """Pings, warns and ends a connection when it is time, until it is stopped."""

    def __init__(self, session: StreamSession, socket: Socket) -> None:
        self._session = session
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._wait_s(), self._keep)

    def stop(self) -> None:
        """The connection is over."""
        self._timer.cancel()

    def _wait_s(self) -> float:
        return max(0, self._session.next_ms - _now_ms()) / SECOND_MS

    def _keep(self) -> None:
        ping = self._session.keep()
        if ping is not None:
            self._socket.ping(ping)
        if self._session.close_code is not None:
            self._socket.wake()
        else:
            self._timer = self._loop.call_later(self._wait_s(), self._keep)


def _now_ms() -> int:
    """Time that only rises."""
    return int(asyncio.get_running_loop().time() * SECOND_MS)
