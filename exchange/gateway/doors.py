"""What every door is given: the exchange's parts, and the few things it may ask of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from exchange.answering import Answer
from exchange.audit import Auditor
from exchange.clock import Clock
from exchange.commands import AnyCommand
from exchange.config import Config
from exchange.engine import Engine
from exchange.events import AnyEvent
from exchange.gateway import auth
from exchange.gateway.calls import Caller, refusal
from exchange.gateway.sources import hosts_of, refuse_stranger
from exchange.metrics import Metrics
from exchange.publisher import Desk
from exchange.sequencer import Listener
from exchange.storage.keys import Keyring
from exchange.storage.queries import Queries
from exchange.views.board import Board
from exchange.wire import LoginAsk
from matching.reasons import Reason

LOGIN_TARGET: Final = ("GET", "/v1/ws")  # What a login signs besides its timestamp.


class Sequencing(Protocol):
    """What a door asks of the sequencer, be it in this process or in another."""

    @property
    def listeners(self) -> list[Listener]:
        """Those who are told of each applied group."""

    @property
    def time_ms(self) -> int:
        """Exchange time of the last group obeyed."""

    def enqueue(self, command: AnyCommand, answer: Answer) -> None:
        """The same as `submit` for one who need not wait: `answer` is told."""

    async def submit(self, command: AnyCommand) -> list[AnyEvent]:
        """The command's events, once it is durable and obeyed; see `Sequencer.submit`."""

    async def submit_all(self, commands: Sequence[AnyCommand]) -> list[list[AnyEvent]]:
        """The events of each, of commands that are obeyed together."""

    async def step(self, ms: int) -> int:
        """Move a clock that can be stepped."""

    def retime(self) -> None:
        """The clock was given another speed."""


@dataclass(frozen=True, kw_only=True)
class Doors:
    """The parts a door uses. It reads the engine, and changes it through the sequencer alone.

    `health` answers the body of /healthz, whose "status" is "ok" once trading. `allowed_hosts`
    are names, besides loopback's and the bound one, that requests may call the exchange by.
    """

    engine: Engine
    sequencer: Sequencing
    board: Board
    desk: Desk
    history: Queries
    keys: Keyring
    clock: Clock
    config: Config
    admin_key: str
    metrics: Metrics
    auditor: Auditor
    health: Callable[[], dict[str, Any]]
    allowed_hosts: tuple[str, ...] = ()
    limits: auth.RateLimits = field(init=False)
    hosts: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        assert self.admin_key, "without an admin key anybody would be the administrator"
        object.__setattr__(self, "limits", auth.RateLimits(self.config.limits))
        hosts = hosts_of(self.config.server.host, self.allowed_hosts)
        object.__setattr__(self, "hosts", hosts)

    def clocks_ms(self) -> tuple[int, int]:
        """Wall time and exchange time: a signature inside the window of either is accepted."""
        return self.clock.wall_ms(), self.clock.now_ms()

    def admit(self, headers: Mapping[str, str], *, page: bool = False) -> None:
        """An ApiError for a request that names another host, or comes from another's page."""
        refuse_stranger(headers, self.hosts, bound=self.config.server.host, page=page)

    def login(self, ask: LoginAsk, address: str) -> Caller:
        """Who logs in on a WebSocket; an ApiError where the signature does not hold."""
        credentials = auth.Credentials(ask.key, ask.timestamp, ask.window, ask.signature)
        return self.caller(credentials, auth.payload(ask.timestamp, *LOGIN_TARGET), address)

    def still(self, caller: Caller) -> bool:
        """Whether who logged in before may go on: the key is neither revoked nor expired."""
        key = self.keys.get(caller.key)
        return key is not None and (key.expires_ms is None or self.clock.wall_ms() < key.expires_ms)

    def caller(self, credentials: auth.Credentials, message: bytes, address: str) -> Caller:
        """Who signed that message; an ApiError where the signature does not hold."""
        key = self.keys.get(credentials.key)
        if key is None:
            raise refusal(Reason.UNKNOWN_KEY)
        reason = auth.key_refusal(
            key, credentials, message, address=address, clocks_ms=self.clocks_ms()
        )
        if reason is Reason.STALE_TIMESTAMP:
            raise refusal(reason, given=credentials.timestamp_ms, wall_time=self.clock.wall_ms())
        if reason is not None:
            raise refusal(reason)
        return Caller(
            account_id=key.account_id,
            key=key.key,
            permissions=frozenset(key.permissions),
            address=address,
        )


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The exchange once its doors are open: where it is found, and what it keeps its data in."""

    doors: Doors
    url: str  # http://host:port, of the main port
    fast_url: str
    data: Path
    ephemeral: bool = False
    data_is_default: bool = True
    product_urls: Mapping[str, str] = field(default_factory=dict)  # Of ports of one product.
