"""The two ports: HTTP and WebSockets on the main one, the same sessions on the fast one."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from aiohttp import web

from exchange.gateway.auth import RateLimiter
from exchange.gateway.binance.calls import Dialect
from exchange.gateway.binance.door import new_dialect
from exchange.gateway.binance.homes import product_ports
from exchange.gateway.binance.streams.shell import StreamsGate
from exchange.gateway.binance.symbols import Product
from exchange.gateway.binance.ws_api.door import WsApiGate
from exchange.gateway.doors import Doors
from exchange.gateway.native.api import Api
from exchange.gateway.native.gate import NativeGate, NewSession
from exchange.gateway.native.http import admit, counted, make_app
from exchange.gateway.session import Session
from exchange.gateway.shells.carrying import Carrier
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.gates import Gate
from exchange.gateway.shells.picows_shell import FastPort
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
        self._homes: dict[int, Product] = {}
        api = Api(doors)
        dialect = new_dialect(doors) if doors.config.binance.enabled else None
        native = NativeGate(
            new_sessions(doors, publisher), Carrier(api.call, _log_fault, api.begin)
        )
        gates = gates_of(native, dialect, self._homes)
        connections = Connections(doors.config.limits.connections_per_address)
        doors.metrics.watch(
            "connections", "Open WebSockets of both dialects.", lambda: len(connections)
        )
        app = make_app(doors, api, gates, connections, dialect)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_WITHIN_S)
        self._fast = fast_port(doors, gates, connections)

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
            await self._fast.open(server.host, server.fast_port)
        self.fast_url = url_of(server.host, self._fast.port)

    async def close(self) -> None:
        """Take no more connections; those that are there go on."""
        for site in list(self._runner.sites):
            await site.stop()
        self._fast.close()

    async def finish(self) -> None:
        """Let requests under way end, but not for long, and hang up."""
        await self._runner.cleanup()
        self._fast.hang_up()


def gates_of(
    native: NativeGate, dialect: Dialect | None, homes: Mapping[int, Product]
) -> tuple[Gate, ...]:
    """Every gate there is, for both ports; `homes` has the ports that are one product's."""
    if dialect is None:
        return (native,)
    return (native, StreamsGate(dialect, homes), WsApiGate(dialect))


def fast_port(doors: Doors, gates: Sequence[Gate], connections: Connections) -> FastPort:
    """The fast port, which judges whoever comes as the main one does."""

    def allow(path: str, address: str) -> bool:
        allowance = counted(doors, path, address)
        return allowance is None or allowance.allowed

    return FastPort(gates, connections, partial(admit, doors), allow)


def new_sessions(doors: Doors, publisher: Publisher) -> NewSession:
    """Makes the native sessions, of both ports."""
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
