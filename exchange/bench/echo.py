"""Bare servers, the yardsticks of `bench edge` and `bench fanout`: `python -m exchange.bench.echo`.

Each is the plainest a library lets one write: every message goes back as it came, one send a
message; and where one is told to broadcast, what comes goes to all others, as prebuilt bytes
one send a reader.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import Final

from aiohttp import WSMsgType, web
from picows import (
    WSFrame,
    WSListener,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)
from picows import WSMsgType as Kind

from exchange.process import loop_factory

LIBRARIES: Final = {"fast": "picows", "main": "aiohttp"}  # By the port they are the yardstick of.
HOST: Final = "127.0.0.1"


class Echo(WSListener):
    """picows' own example: a message goes back as it came."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A message came."""
        if frame.msg_type is Kind.CLOSE:
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_bytes())


class Broadcast(WSListener):
    """What one says, all others hear."""

    transports: Final[list[WSTransport]] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The connection stands."""
        self.transports.append(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        self.transports.remove(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A message came."""
        if frame.msg_type is Kind.CLOSE:
            transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        for each in self.transports:
            if each is not transport:
                each.send(Kind.TEXT, payload)


async def serve_picows(*, broadcast: bool) -> int:
    """Open it; the port."""

    def listener(request: WSUpgradeRequest) -> WSListener:
        return Broadcast() if broadcast else Echo()

    server = await ws_create_server(listener, HOST, 0)
    return int(server.sockets[0].getsockname()[1])


async def serve_aiohttp(*, broadcast: bool) -> int:
    """Open it; the port."""
    sockets: list[web.WebSocketResponse] = []

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                hearers = [each for each in sockets if each is not socket]
                for each in hearers if broadcast else (socket,):
                    await each.send_str(message.data)
        sockets.remove(socket)
        return socket

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    return int(runner.addresses[0][1])


async def serve(library: str, *, broadcast: bool) -> None:
    """Open, say where, and stay until told to end."""
    serve_it = serve_picows if library == "picows" else serve_aiohttp
    port = await serve_it(broadcast=broadcast)
    print(json.dumps({"url": f"http://{HOST}:{port}/"}), flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


def main(words: list[str]) -> int:
    """`echo LIBRARY [broadcast]`."""
    library, *more = words
    assert library in LIBRARIES.values(), library
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(library, broadcast=more == ["broadcast"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
