"""Where sockets are opened and what is said there: the same for every shell, whatever the dialect.

A `Gate` knows its addresses and makes a `Talk` for each socket; a shell carries the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from yarl import URL


class Talker(Protocol):
    """What a shell sends of: a session, of whichever dialect."""

    packed: bool

    def to_send(self) -> list[bytes]:
        """Frames to send, in this order."""

    @property
    def close_code(self) -> int | None:
        """Why the connection must be closed, once it must."""

    def closed(self) -> None:
        """The connection is gone."""


class Asked(NamedTuple):
    """What a client asked for as it opened a socket."""

    url: URL  # Path and query, as sent.
    address: str
    packed: bool = False
    port: int = 0  # Of ours; 0 on the fast port, which is no product's home.


class Socket(NamedTuple):
    """What a talk may do with its socket, at any time until it is over."""

    wake: Callable[[], None]  # The session has something to send, or to be closed for.
    ping: Callable[[bytes], None]  # Past all that waits.


Receive = Callable[[bytes, bool], None]  # (payload, whether it came as binary)


class Talk(NamedTuple):
    """One conversation as its shell sees it: what to call when something comes, and at the end."""

    session: Talker
    receive: Receive
    ponged: Callable[[], None]
    over: Callable[[], None]


class Gate(Protocol):
    """Addresses at which sockets of one kind are opened."""

    @property
    def paths(self) -> Sequence[str]:
        """Patterns of aiohttp's router; what they match too widely `has` sorts out."""

    @property
    def protocols(self) -> Sequence[str]:
        """The subprotocols that are spoken, the preferred first."""

    @property
    def heartbeat_s(self) -> float:
        """The silence after which the shell pings; 0 where the session does it."""

    def has(self, asked: Asked) -> bool:
        """Whether there is a socket at this address."""

    def begin(self, asked: Asked, socket: Socket) -> Talk:
        """A socket was opened at an address that `has` said yes to."""

    async def run(self) -> None:
        """What goes on beside the conversations, until cancelled."""

    async def finish(self) -> None:
        """Wait for what was begun, but not for long."""


def nothing() -> None:
    """Nobody is told."""


def gate_at(gates: Sequence[Gate], asked: Asked) -> Gate | None:
    """The gate at an address, or None where there is none."""
    return next((gate for gate in gates if gate.has(asked)), None)
