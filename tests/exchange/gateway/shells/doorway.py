"""A door with a real socket for tests: either shell, before a venue whose events are by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from websockets.asyncio.client import ClientConnection, connect

from exchange.gateway.auth import RateLimiter
from exchange.gateway.calls import ApiError, Caller, refusal
from exchange.gateway.native.gate import NativeGate
from exchange.gateway.session import PACKED_PROTOCOL, Session
from exchange.gateway.shells.aiohttp_shell import WebSocketShell
from exchange.gateway.shells.carrying import Carrier
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.picows_shell import FastPort
from exchange.publisher import Publisher
from exchange.views.board import Board
from exchange.wire import LoginAsk
from matching.reasons import Reason
from tests.exchange.events_by_hand import ACCOUNT, INSTRUMENTS, DeskByHand, group

Shell = Literal["aiohttp", "picows"]
SHELLS: tuple[Shell, ...] = ("aiohttp", "picows")
PATIENCE_S = 20
CONNECTIONS_MAX = 3  # Of one address.


class Doorway:
    """The venue behind the socket. Requests are answered by what `answers` holds for their op."""

    def __init__(self) -> None:
        self.board = Board(INSTRUMENTS)
        self.desk = DeskByHand()
        self.publisher = Publisher(self.board, self.desk)
        self.asked: list[tuple[str, Any, int | None]] = []
        self.answers: dict[str, Any] = {}
        self.failures: list[BaseException] = []
        self.carrier = Carrier(self._call, self.failures.append)
        self.connections = Connections(CONNECTIONS_MAX)
        self.calm = True  # Nobody asks too often.
        self.url = ""

    def happens(self, *events: Any) -> None:
        """A group with these events, of one command."""
        for each in events:
            if hasattr(each, "n"):
                self.desk.last[each.account_id] = each.n
        self.board.on_group(group(*events))
        self.publisher.on_group(group(*events))

    def new_session(self, packed: bool, wake: Callable[[], None], address: str) -> Session:
        """What the shells are given."""
        return Session(
            self.publisher,
            _authenticate,
            RateLimiter(0, 1),
            now_ms=lambda: 0,
            wake=wake,
            packed=packed,
            address=address,
        )

    def admit(self, target: str, headers: Mapping[str, str]) -> None:
        """A stranger is who comes from another page."""
        if "evil" in headers.get("Origin", ""):
            raise ApiError("CROSS_SITE", "requests from pages of other sites are refused", {}, 403)

    async def _call(self, op: str, fields: Any, caller: Caller) -> Any:
        self.asked.append((op, fields, caller.account_id))
        answer = self.answers.get(op)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return {}
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @contextlib.asynccontextmanager
    async def client(self, packed: bool = False, **more: Any) -> AsyncIterator[Client]:
        """A connected client; its welcome frame was read."""
        protocols: Any = [PACKED_PROTOCOL] if packed else None
        async with connect(
            self.url, subprotocols=protocols, compression=None, proxy=None, **more
        ) as socket:
            client = Client(socket, packed)
            client.welcome = await client.hear()
            yield client


class Client:
    """One connection: says and hears objects."""

    def __init__(self, socket: ClientConnection, packed: bool) -> None:
        self.socket = socket
        self.packed = packed
        self.welcome: dict[str, Any] = {}
        self._codec: Any = msgspec.msgpack if packed else msgspec.json

    async def say(self, **message: Any) -> None:
        """Send a message."""
        encoded = self._codec.encode(message)
        await self.socket.send(encoded if self.packed else encoded.decode())

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(PATIENCE_S):
            frame = await self.socket.recv()
        assert isinstance(frame, bytes) is self.packed
        heard: dict[str, Any] = self._codec.decode(frame)
        return heard

    async def ask(self, **message: Any) -> dict[str, Any]:
        """Say something, and hear the reply."""
        await self.say(**message)
        return await self.hear()

    async def closed(self) -> int | None:
        """Wait until the server has closed; the code it gave."""
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.wait_closed()
        return self.socket.close_code


def _authenticate(ask: LoginAsk) -> Caller:
    if ask.signature != "good":
        raise refusal(Reason.BAD_SIGNATURE)
    return Caller(account_id=ACCOUNT, key=ask.key, permissions=frozenset({"read", "trade"}))


@contextlib.asynccontextmanager
async def open_door(shell: Shell) -> AsyncIterator[Doorway]:
    """A doorway on a free port of loopback."""
    doorway = Doorway()
    gate = NativeGate(doorway.new_session, doorway.carrier)
    if shell == "aiohttp":
        app = web.Application()
        handler = WebSocketShell(gate, doorway.connections)
        app.router.add_get("/v1/ws", handler.handle)
        async with TestServer(app) as server:
            doorway.url = f"ws://127.0.0.1:{server.port}/v1/ws"
            yield doorway
            await doorway.carrier.finish()
        return
    fast = FastPort([gate], doorway.connections, doorway.admit, lambda path, address: doorway.calm)
    await fast.open("127.0.0.1", 0)
    doorway.url = f"ws://127.0.0.1:{fast.port}/v1/ws"
    try:
        yield doorway
        await doorway.carrier.finish()
    finally:
        fast.close()
        fast.hang_up()


async def until(holds: Callable[[], bool]) -> None:
    """Return once a condition holds; fail if it never does."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - nothing tells when another side has noticed.
            await asyncio.sleep(0.005)
