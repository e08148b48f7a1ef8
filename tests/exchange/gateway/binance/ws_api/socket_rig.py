"""A client of the WebSocket API for tests: real sockets, requests signed as its clients sign."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from exchange.gateway import auth
from tests.exchange.gateway.binance.binance_rig import Bot
from tests.exchange.gateway.rig import Rig


class Socket:
    """One connection. Answers are told from events by their id."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, bot: Bot | None) -> None:
        self.socket = socket
        self._bot = bot
        self._count = 0
        self.events: list[dict[str, Any]] = []  # Met while waiting for an answer.

    async def send(self, text: str) -> Any:
        """Send a frame as it stands; the next one that comes back."""
        await self.socket.send_str(text)
        return await self.receive()

    async def receive(self) -> Any:
        """The next frame, which must be JSON text."""
        message = await self.socket.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def ask(self, method: str, **params: Any) -> Any:
        """One request and its answer; events that come first are kept."""
        self._count += 1
        frame = {"id": self._count, "method": method, "params": params}
        await self.socket.send_str(json.dumps(frame))
        while True:
            said = await self.receive()
            if said.get("id") == self._count:
                return said
            self.events.append(said)

    async def signed(self, method: str, **params: Any) -> Any:
        """One request signed with the bot's secret."""
        assert self._bot is not None
        trader = self._bot.trader
        params |= {"apiKey": trader.key}
        params.setdefault("timestamp", trader.rig.doors.clock.wall_ms())
        signed = "&".join(f"{name}={params[name]}" for name in sorted(params))
        params["signature"] = auth.hmac_signature(trader.secret, signed.encode())
        return await self.ask(method, **params)

    async def event(self) -> Any:
        """The next event: one that was met already, or the next frame."""
        return self.events.pop(0) if self.events else await self.receive()


@contextlib.asynccontextmanager
async def connected(
    rig: Rig, path: str = "/ws-api/v3", bot: Bot | None = None
) -> AsyncIterator[Socket]:
    """A connection to the API."""
    async with rig.http.ws_connect(rig.sockets + path) as socket:
        yield Socket(socket, bot)
