"""The HTTP door: native REST, health, metrics, documents, the page; everything checked first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from exchange.gateway import auth
from exchange.gateway.binance.calls import Dialect
from exchange.gateway.binance.door import BinanceDoor, is_dialect
from exchange.gateway.binance.streams.names import is_stream_path
from exchange.gateway.calls import ANYBODY, ApiError, Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.api import Api
from exchange.gateway.native.asks import RawBatchAsk
from exchange.gateway.native.batching import PLACE
from exchange.gateway.native.fields import rest_ask
from exchange.gateway.native.routes import REST_ROUTES, Route
from exchange.gateway.pages import Pages
from exchange.gateway.shells.aiohttp_shell import WebSocketShell
from exchange.gateway.shells.connections import Connections
from exchange.gateway.shells.gates import Gate
from exchange.gateway.sources import is_loopback
from exchange.metrics import CONTENT_TYPE
from exchange.wire import Ask, ReplaceAsk
from matching.reasons import Reason

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Signed = tuple[auth.Credentials, bytes]  # What a request says of itself, and what it signed.

log: Final = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 64 * 1024
TARGET_CHARS_MAX: Final = 2_048
STREAMS_CHARS_MAX: Final = 8_000  # Of a path that names the streams it wants.

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


def make_app(
    doors: Doors,
    api: Api,
    gates: Sequence[Gate],
    connections: Connections,
    dialect: Dialect | None = None,
) -> web.Application:
    """The whole main port, with the sockets of `gates`, and the REST of a `dialect`.

    `connections` counts the sockets of an address, whichever port and dialect they are of.
    """
    return HttpDoor(doors, api, gates, connections, dialect).app()


class HttpDoor:
    """The handlers and checks of the main port."""

    def __init__(
        self,
        doors: Doors,
        api: Api,
        gates: Sequence[Gate],
        connections: Connections,
        dialect: Dialect | None,
    ) -> None:
        self._doors = doors
        self._api = api
        self._gates = gates
        self._connections = connections
        self._dialect = dialect
        self._pages = Pages.load()
        self._guard = auth.ReplayGuard()
        self._open_accounts = not doors.config.server.require_admin and is_loopback(
            doors.config.server.host
        )

    def app(self) -> web.Application:
        """The application with every route."""
        app = web.Application(
            middlewares=[self._answer_errors, self._check_source],
            client_max_size=BODY_BYTES_MAX,
        )
        app.on_response_prepare.append(_secure)
        for route in REST_ROUTES:
            app.router.add_route(route.method, route.path, self._handler(route))
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._metrics)
        for path, page in self._pages.by_path.items():
            app.router.add_get(path, page.answer)
        if self._dialect is not None:
            BinanceDoor(self._dialect).register(app)
        for gate in self._gates:
            shell = WebSocketShell(gate, self._connections)
            for path in gate.paths:
                app.router.add_get(path, shell.handle, allow_head=False)
        app.cleanup_ctx.append(self._running)
        app.on_shutdown.append(self._finishing)
        return app

    async def _running(self, app: web.Application) -> AsyncIterator[None]:
        """While the application runs, so does what its gates do beside their conversations."""
        tasks = [asyncio.create_task(gate.run()) for gate in self._gates]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def _finishing(self, app: web.Application) -> None:
        await asyncio.gather(*(gate.finish() for gate in self._gates))

    # -- checks before every handler -----------------------------------------------------------

    @web.middleware
    async def _answer_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every refusal is JSON, and a fault of ours tells its reader nothing of us."""
        try:
            return await handler(request)
        except ApiError as error:
            return _refused(error)
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            return _refused(_of_http(error, request))
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            log.exception("a fault while answering %s %s", request.method, request.path)
            return _refused(ApiError("INTERNAL", "a fault of the exchange; it was logged", {}, 500))

    @web.middleware
    async def _check_source(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Size, host, origin and the rate of the address, in the order of what they cost."""
        page = request.method == "GET" and request.path in self._pages.by_path
        admit(self._doors, request.raw_path, request.headers, page=page)
        allowance = counted(self._doors, request.path, request.remote or "")
        if allowance is None:
            return await handler(request)
        if not allowance.allowed:
            raise rate_limited(allowance)
        response = await handler(request)
        if not response.prepared:  # A WebSocket's answer is long gone.
            response.headers.update(allowance.headers())
        return response

    # -- native REST ---------------------------------------------------------------------------

    def _handler(self, route: Route) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            caller, signed = self._caller(route, request, body)
            ask = rest_ask(route, request.match_info, request.query.items(), body)
            if signed is not None and route.mutates and not repeatable(route, ask):
                reason = self._guard.refusal(*signed, self._doors.clocks_ms())
                if reason is not None:
                    raise refusal(reason)
            said = await self._api.call(route.op, ask, caller)
            return _answer(said, route.status)

        return handle

    def _caller(
        self, route: Route, request: web.Request, body: bytes
    ) -> tuple[Caller, Signed | None]:
        """Who asks, as far as the route wants to know; an ApiError where it may not."""
        address = request.remote or ""
        if route.security == "public":
            return ANYBODY, None
        if route.security == "signed":
            return self._signed(request, body, address)
        if route.security == "open":
            allowance = self._doors.limits.account(address, self._doors.clock.wall_ms())
            if not allowance.allowed:
                raise rate_limited(allowance)
            if self._open_accounts:
                return Caller(address=address), None
        given = request.headers.get(auth.ADMIN_HEADER, "")
        if not given or not auth.same_secret(self._doors.admin_key, given):
            raise refusal(Reason.ADMIN_KEY_NEEDED, f"send it as {auth.ADMIN_HEADER}")
        return Caller(admin=True, address=address), None

    def _signed(self, request: web.Request, body: bytes, address: str) -> tuple[Caller, Signed]:
        credentials = auth.credentials(request.headers)
        if isinstance(credentials, Reason):
            raise refusal(credentials, _ADVICE.get(credentials, ""))
        message = auth.payload(credentials.timestamp_ms, request.method, request.raw_path, body)
        caller = self._doors.caller(credentials, message, address)
        name = f"key {credentials.key}"
        allowance = self._doors.limits.request(name, self._doors.clock.wall_ms())
        if not allowance.allowed:
            raise rate_limited(allowance)
        return caller, (credentials, message)

    # -- the rest ------------------------------------------------------------------------------

    async def _health(self, request: web.Request) -> web.Response:
        health = self._doors.health()
        return _answer(health, 200 if health["status"] in ("ok", "degraded") else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=self._doors.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def admit(doors: Doors, target: str, headers: Mapping[str, str], *, page: bool = False) -> None:
    """An ApiError for a target (path and query as sent) that is too long, or from a stranger."""
    streams = is_stream_path(target.partition("?")[0])
    chars_max = STREAMS_CHARS_MAX if streams else TARGET_CHARS_MAX
    if len(target) > chars_max:
        raise refusal(Reason.TOO_LARGE, "the address is too long", max=chars_max)
    doors.admit(headers, page=page)


def counted(doors: Doors, path: str, address: str) -> auth.Allowance | None:
    """What an address has left with this request; None where a dialect counts in its own way."""
    if doors.config.binance.enabled and (is_stream_path(path) or is_dialect(path)):
        return None
    return doors.limits.request(f"address {address}", doors.clock.wall_ms())


_ADVICE: Final = {
    Reason.NOT_AUTHENTICATED: (
        f"this needs the headers {auth.KEY_HEADER}, {auth.TIMESTAMP_HEADER} and "
        f"{auth.SIGNATURE_HEADER}"
    ),
    Reason.FIELD_OUT_OF_RANGE: f"{auth.WINDOW_HEADER} is 1 to {auth.WINDOW_MAX_MS} ms",
}


def rate_limited(allowance: auth.Allowance) -> ApiError:
    """The refusal of one who asked too often; its details say how long to wait."""
    return refusal(Reason.RATE_LIMITED, limit=allowance.limit, retry_ms=allowance.retry_ms)


def repeatable(route: Route, ask: Ask) -> bool:
    """Does a client id make a repetition of this request harmless?"""
    if not route.safe_to_repeat:
        return False
    if isinstance(ask, RawBatchAsk):
        return all(
            order.get("client_id") and order.get("op", PLACE) == PLACE for order in ask.orders
        )
    if isinstance(ask, ReplaceAsk):
        return bool(ask.place.client_id)
    return bool(getattr(ask, "client_id", ""))


def _answer(said: Any, status: int) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(said), status=status, content_type="application/json"
    )


def _refused(error: ApiError) -> web.Response:
    response = _answer({"error": error.say()}, error.http_status)
    if "retry_ms" in error.details:
        told = error.details
        allowance = auth.Allowance(False, told.get("limit", 0), 0, told["retry_ms"])
        response.headers.update(allowance.headers())
    return response


# What the web framework refuses before a handler is asked.
_OF_STATUS: Final = {
    404: (Reason.NOT_FOUND.name, "there is nothing at that address; see /docs"),
    413: (Reason.TOO_LARGE.name, f"a body has at most {BODY_BYTES_MAX} bytes"),
}


def _of_http(error: web.HTTPException, request: web.Request) -> ApiError:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = sorted(error.allowed_methods)
        return ApiError(
            "METHOD_NOT_ALLOWED",
            f"the address takes {', '.join(allowed)}",
            {"method": request.method, "allowed": allowed},
            405,
        )
    code, message = _OF_STATUS.get(error.status, ("HTTP_ERROR", error.reason))
    return ApiError(code, message, {}, error.status)


async def _secure(request: web.Request, response: web.StreamResponse) -> None:
    """Headers that every answer carries; nothing of the API is kept by caches."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "papertape"
