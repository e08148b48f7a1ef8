"""The native WebSocket's address, and its sessions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from exchange.bounds import HEARTBEAT_S
from exchange.gateway.session import PROTOCOLS, Session
from exchange.gateway.shells.carrying import Carrier
from exchange.gateway.shells.gates import Asked, Socket, Talk, nothing

PATH: Final = "/v1/ws"
FINISH_WITHIN_S: Final = 0.4  # How long requests under way may take once the doors close.

# (packed, wake, address) -> a session; the server knows what else one is made of.
NewSession = Callable[[bool, Callable[[], None], str], Session]


class NativeGate:
    """Opens sessions at `/v1/ws`, whose requests the `carrier` carries out."""

    paths: Sequence[str] = (PATH,)
    protocols: Sequence[str] = PROTOCOLS
    heartbeat_s: float = HEARTBEAT_S

    def __init__(self, new_session: NewSession, carrier: Carrier) -> None:
        self._new_session = new_session
        self._carrier = carrier

    def has(self, asked: Asked) -> bool:
        """Whether there is a socket at this address."""
        return asked.url.path == PATH

    def begin(self, asked: Asked, socket: Socket) -> Talk:
        """A new session."""
        session = self._new_session(asked.packed, socket.wake, asked.address)
        carry = self._carrier.carry

        def receive(payload: bytes, binary: bool) -> None:
            session.receive(payload, binary=binary)
            carry(session)

        return Talk(session, receive, nothing, session.closed)

    async def run(self) -> None:
        """There is nothing beside the conversations."""

    async def finish(self) -> None:
        """Wait for requests under way, but not for long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._carrier.finish(), FINISH_WITHIN_S)
