"""The two ports: HTTP and WebSockets on the main one, the same sessions on the fast one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Final

from aiohttp import web

from exchange.gateway.auth import RateLimiter
from exchange.gateway.binance.homes import HOMES, product_ports
from exchange.gateway.doors import Doors
from exchange.gateway.native.api import Api
from exchange.gateway.native.http import make_app
from exchange.gateway.session import Session
from exchange.gateway.shells import picows_shell
from exchange.gateway.shells.aiohttp_shell import NewSession, WebSocketShell
from exchange.gateway.shells.carrying import Carrier
from exchange.gateway.shells.connections import Connections
from exchange.publisher import Publisher

SECOND_MS: Final = 1_000
CLOSE_WITHIN_S: Final = 0.4  # How long requests under way may take once the doors close.

log = logging.getLogger(__name__)


class PortRefused(Exception):
    """A port cannot be had; the text says which, why, and what to do."""


class Ports:
    """Opens and closes the doors. `url` and `fast_url` are where they are, once open.

    So are `product_urls`, of ports that are one product's of a dialect; they serve what the main
    port serves.
    """

    def __init__(self, doors: Doors, publisher: Publisher) -> None:
        self.url = self.fast_url = ""
        self.product_urls: dict[str, str] = {}
        self._doors = doors
        api = Api(doors)
        self._carrier = Carrier(api.call, _log_fault)
        self._connections = Connections(doors.config.limits.connections_per_address)
        self._new_session = _new_session(doors, publisher)
        shell = WebSocketShell(self._new_session, self._carrier, self._connections)
        app = make_app(doors, api, shell.handle, self._connections)
        self._homes = app[HOMES]
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_WITHIN_S)
        self._fast: asyncio.Server | None = None

    async def open(self) -> None:
        """Take the two ports of the configuration, or any free one for 0; else PortRefused."""
        server = self._doors.config.server
        await self._runner.setup()
        with _refusing(server.host, server.port, "--port"):
            await web.TCPSite(self._runner, server.host, server.port).start()
        self.url = url_of(server.host, self._runner.addresses[0][1])
        for product, port in product_ports(self._doors.config.binance).items():
            before = len(self._runner.addresses)
            with _refusing(server.host, port, f"--{product}-port"):
                await web.TCPSite(self._runner, server.host, port).start()
            taken = [address[1] for address in self._runner.addresses[before:]]
            self._homes.update(dict.fromkeys(taken, product))
            self.product_urls[product] = url_of(server.host, taken[0])
        with _refusing(server.host, server.fast_port, "--fast-port"):
            self._fast = await picows_shell.listen(
                server.host,
                server.fast_port,
                self._new_session,
                self._carrier,
                admit=self._doors.admit,
                connections=self._connections,
            )
        self.fast_url = url_of(server.host, self._fast.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Take no more connections; those that are there go on."""
        for site in list(self._runner.sites):
            await site.stop()
        if self._fast is not None:
            self._fast.close()

    async def finish(self) -> None:
        """Let requests under way end, but not for long, and hang up."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._carrier.finish(), CLOSE_WITHIN_S)
        await self._runner.cleanup()


def _new_session(doors: Doors, publisher: Publisher) -> NewSession:
    limiter = RateLimiter(doors.config.limits.messages_per_second, SECOND_MS)

    def new_session(packed: bool, wake: Callable[[], None], address: str) -> Session:
        return Session(
            publisher,
            lambda ask: doors.login(ask, address),
            limiter,
            now_ms=doors.clock.wall_ms,
            wake=wake,
            packed=packed,
            address=address,
            still=doors.still,
        )

    return new_session


def _log_fault(error: BaseException) -> None:
    log.error("a fault while carrying out a request", exc_info=error)


@contextlib.contextmanager
def _refusing(host: str, port: int, flag: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PortRefused(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another with {flag}"
        ) from error


def url_of(host: str, port: int) -> str:
    """The address of a port; that of this machine where it listens on all."""
    shown = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
