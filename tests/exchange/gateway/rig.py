"""The exchange behind its main port for tests: a real engine, sequencer, history and HTTP server.

Only the disk of the journal is left out. Exchange time stands and is stepped.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from yarl import URL

from exchange.audit import Auditor
from exchange.clock import Clock, SteppedClock
from exchange.commands import AnyCommand
from exchange.config import Config, Server, default_venue
from exchange.engine import Engine
from exchange.events import AnyEvent
from exchange.gateway import auth
from exchange.gateway.binance.door import new_dialect
from exchange.gateway.doors import Doors
from exchange.gateway.native.api import Api
from exchange.gateway.native.gate import NativeGate
from exchange.gateway.native.http import make_app
from exchange.gateway.shells.carrying import Carrier
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.picows_shell import FastPort
from exchange.history_rows import HistoryRows
from exchange.metrics import Metrics
from exchange.ports import fast_port, gates_of, new_sessions
from exchange.publisher import Publisher
from exchange.sequencer import Sequencer
from exchange.storage.history import History
from exchange.storage.keys import KeyStore
from exchange.views.accounts import Accounts
from exchange.views.board import Board
from risk.parameters import HOUR_MS

START_MS = 1_700_000_000_000 // HOUR_MS * HOUR_MS
ADMIN_KEY = "the-admin-key-of-the-tests"
SYMBOLS = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP")
PORTS = ("main", "fast")
SOCKETS_AT = "main"  # Of PORTS; suites of WebSockets run on each in turn (`both_ports`).


class NoDisk:
    """A journal that keeps nothing."""

    def append_and_sync(self, first_seq: int, count: int, payload: bytes) -> None:
        """Nothing to do."""


class Rig:
    """A running exchange, and a client of its port that signs."""

    def __init__(
        self,
        doors: Doors,
        history: History,
        app: web.Application,
        server: BaseTestServer,
        http: aiohttp.ClientSession,
        fast: FastPort,
    ) -> None:
        self.doors = doors
        self.history = history
        self.app = app
        self.http = http
        self._server = server
        self._fast = fast

    @property
    def sockets(self) -> str:
        """The address that WebSockets are opened at, of either port; both must do the same."""
        if SOCKETS_AT == "main":
            return self.url.replace("http", "ws", 1)
        return f"ws://127.0.0.1:{self._fast.port}"

    @property
    def url(self) -> str:
        """The address of the port, without a slash at its end."""
        return str(self._server.make_url("/")).rstrip("/")

    def cut(self) -> None:
        """Every connection of the port breaks, as when a network does."""
        runner = self._server.runner
        assert runner is not None
        assert runner.server is not None
        for connection in list(runner.server.connections):
            assert connection.transport is not None
            connection.transport.abort()

    async def do(self, command: AnyCommand) -> list[AnyEvent]:
        """Have the engine do something."""
        return await self.doors.sequencer.submit(command)

    async def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, unsigned; a body that is not bytes becomes JSON."""
        raw = body if isinstance(body, bytes) else b"" if body is None else as_json(body)
        url = URL(self.url + target, encoded=True)
        async with self.http.request(
            method, url, data=raw or None, headers=headers, allow_redirects=False
        ) as response:
            return Answer(response.status, await response.read(), response.headers)

    async def open_account(self, label: str = "") -> Trader:
        """A new account, and who trades with it."""
        opened = await self.ask("POST", "/v1/accounts", {"label": label})
        assert opened.status == 201, opened.body
        said = opened.json
        return Trader(self, said["account_id"], said["api_key"], said["api_secret"])

    async def set_index(self, pair: str, price: str) -> None:
        """Set an index price, as an administrator does."""
        answer = await self.ask(
            "PUT",
            f"/v1/admin/index/{pair}",
            {"price": price},
            headers={auth.ADMIN_HEADER: ADMIN_KEY},
        )
        assert answer.status == 200, answer.body

    def digest(self) -> str:
        """The state of the engine, without its number and time."""
        state = self.doors.engine.state()
        for moving in ("seq", "time_ms", "next_grid_ms"):
            state.pop(moving)
        return repr(state)


class Answer:
    """An HTTP answer that was read."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        assert self.headers["Content-Type"].startswith("application/json"), self.body
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the refusal."""
        assert set(self.json) == {"error"}, self.body
        error = self.json["error"]
        assert set(error) == {"code", "message", "details"}
        assert error["message"]
        return str(error["code"])


class Trader:
    """An account's key, and requests signed with it."""

    def __init__(self, rig: Rig, account_id: int, key: str, secret: str) -> None:
        self.rig = rig
        self.account_id = account_id
        self.key = key
        self.secret = secret
        self._last_ms = 0

    def headers(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        timestamp_ms: int | None = None,
        window_ms: int | None = None,
    ) -> dict[str, str]:
        """The headers that sign a request."""
        stamp = self._fresh_ms() if timestamp_ms is None else timestamp_ms
        message = auth.payload(stamp, method, target, body)
        signed = {
            auth.KEY_HEADER: self.key,
            auth.TIMESTAMP_HEADER: str(stamp),
            auth.SIGNATURE_HEADER: auth.hmac_signature(self.secret, message),
        }
        if window_ms is not None:
            signed[auth.WINDOW_HEADER] = str(window_ms)
        return signed

    def _fresh_ms(self) -> int:
        """A moment not signed before: two equal requests in one millisecond are a replay."""
        self._last_ms = max(self._last_ms + 1, self.rig.doors.clock.wall_ms())
        return self._last_ms

    async def ask(self, method: str, target: str, body: Any = None) -> Answer:
        """One signed request."""
        raw = body if isinstance(body, bytes) else b"" if body is None else as_json(body)
        return await self.rig.ask(method, target, raw, headers=self.headers(method, target, raw))

    async def order(self, symbol: str, side: str, qty: str, **more: Any) -> Any:
        """Place an order, a limit if it names a price; answers what became of it."""
        kind = "limit" if "price" in more else "market"
        fields = {"symbol": symbol, "side": side, "type": kind, "qty": qty, **more}
        answer = await self.ask("POST", "/v1/orders", fields)
        assert answer.status == 201, answer.body
        return answer.json


def as_json(fields: Any) -> bytes:
    """Fields as a body."""
    return json.dumps(fields).encode()


def fail(error: BaseException) -> None:
    """A request met a fault: the test has found one."""
    raise error


@contextlib.asynccontextmanager
async def running(
    folder: Path,
    *,
    config: Config | None = None,
    symbols: Sequence[str] = SYMBOLS,
    clock: Clock | None = None,
    health: dict[str, Any] | None = None,
) -> AsyncIterator[Rig]:
    """An exchange on a free port, with fixed prices and nobody on its books."""
    config = config or Config(server=Server(admin_key=ADMIN_KEY))
    clock = clock or SteppedClock(START_MS)
    engine = Engine(default_venue(1, START_MS, symbols=symbols, prices="fixed"))
    board = Board(engine.instruments, engine.venue.perps)
    history = History.open(folder / "history.db")
    keys = KeyStore.open(folder / "keys.db")
    sequencer = Sequencer(engine, NoDisk(), clock)
    desk = Accounts(engine, board)
    rows = HistoryRows(history, board, desk.is_user, START_MS)
    auditor = Auditor(engine).begin()
    sequencer.listeners += [board.on_group, rows.on_group, auditor.on_group]
    doors = Doors(
        engine=engine,
        sequencer=sequencer,
        board=board,
        desk=desk,
        history=history,
        keys=keys,
        clock=clock,
        config=config,
        admin_key=ADMIN_KEY,
        metrics=Metrics(),
        auditor=auditor,
        health=lambda: health or {"status": "ok", "build": "pure", "speed": 0.0},
    )
    loop = asyncio.create_task(sequencer.run())
    async with open_ports(doors, history) as rig:
        yield rig
    sequencer.stop()
    await loop
    history.close()
    keys.close()


@contextlib.asynccontextmanager
async def open_ports(doors: Doors, history: History) -> AsyncIterator[Rig]:
    """Both ports, with everything that `exchange.ports` lets them serve."""
    publisher = Publisher(doors.board, doors.desk)
    doors.sequencer.listeners.append(publisher.on_group)
    api = Api(doors)
    dialect = new_dialect(doors) if doors.config.binance.enabled else None
    native = NativeGate(new_sessions(doors, publisher), Carrier(api.call, fail, api.begin))
    gates, connections = gates_of(native, dialect, {}), Connections(0)
    app = make_app(doors, api, gates, connections, dialect)
    fast = fast_port(doors, gates, connections)
    await fast.open("127.0.0.1", 0)
    try:
        async with TestServer(app) as server, aiohttp.ClientSession() as http:
            yield Rig(doors, history, app, server, http, fast)
    finally:
        fast.close()
        fast.hang_up()
