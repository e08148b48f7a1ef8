"""The REST half of the Binance door: requests in, JSON of Binance's shapes and codes out."""

from __future__ import annotations

import logging
from typing import Any, Final

import msgspec
from aiohttp import web

from exchange.config import Binance
from exchange.gateway.binance.calls import PERMISSION, SIGNED, Api, Call, Dialect, Route
from exchange.gateway.binance.errors import (
    KEY_REJECTED,
    NO_SUCH_PATH,
    UNKNOWN,
    BinanceError,
    refused,
    translated,
)
from exchange.gateway.binance.limits import Limits, Rule
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.routes import BY_PATH, ROUTES
from exchange.gateway.binance.signing import (
    KEY_HEADER,
    known_caller,
    signed_caller,
    without_signature,
)
from exchange.gateway.binance.streams.hub import Hub
from exchange.gateway.binance.symbols import Symbols
from exchange.gateway.binance.user_data.feeds import UserData
from exchange.gateway.calls import ApiError, Caller
from exchange.gateway.doors import Doors
from exchange.sequencer import Groups, Listener

log: Final = logging.getLogger(__name__)

# Options and portfolio margin too, of which nothing is served: clients read the dialect's 404.
PREFIXES: Final = ("/api/", "/sapi/", "/fapi/", "/dapi/", "/futures/data/", "/eapi/", "/papi/")
LETTERS: Final = {"SECOND": "S", "MINUTE": "M", "DAY": "D"}
OUTCOME_UNKNOWN: Final = 503


def is_dialect(path: str) -> bool:
    """Whether a path is answered in this dialect, also where there is nothing at it."""
    return path.startswith(PREFIXES)


def new_dialect(doors: Doors) -> Dialect:
    """The names, limits and streams of a venue, shared by every door of the dialect."""
    counts = doors.config.binance
    limits: dict[Api, Limits] = {
        "api": Limits(
            Rule("REQUEST_WEIGHT", "MINUTE", 1, counts.spot_weight_per_minute),
            (
                Rule("ORDERS", "SECOND", 10, counts.spot_orders_per_10_seconds),
                Rule("ORDERS", "DAY", 1, counts.spot_orders_per_day),
            ),
            Rule("RAW_REQUESTS", "MINUTE", 5, counts.spot_requests_per_5_minutes),
        ),
        "sapi": Limits(
            Rule("REQUEST_WEIGHT", "MINUTE", 1, counts.margin_weight_per_minute),
            (
                Rule("ORDERS", "SECOND", 10, counts.spot_orders_per_10_seconds),
                Rule("ORDERS", "DAY", 1, counts.spot_orders_per_day),
            ),
        ),
        "fapi": _futures_limits(counts),
        "dapi": _futures_limits(counts),
    }
    symbols = Symbols(doors.board.instruments)
    hub = Hub(doors.board, symbols)
    user_data = UserData(doors, hub.private)
    doors.sequencer.listeners.extend([unbroken(hub.on_group), unbroken(user_data.on_group)])
    return Dialect(doors=doors, symbols=symbols, limits=limits, hub=hub, user_data=user_data)


def unbroken(listen: Listener) -> Listener:
    """A listener whose fault is logged and ends nothing: no dialect may stop the exchange."""

    def on_group(groups: Groups) -> None:
        try:
            listen(groups)
        except Exception:
            log.exception("a fault while telling bots of a group")

    return on_group


def _futures_limits(counts: Binance) -> Limits:
    return Limits(
        Rule("REQUEST_WEIGHT", "MINUTE", 1, counts.futures_weight_per_minute),
        (
            Rule("ORDERS", "SECOND", 10, counts.futures_orders_per_10_seconds),
            Rule("ORDERS", "MINUTE", 1, counts.futures_orders_per_minute),
        ),
    )


class BinanceDoor:
    """The handlers of the REST paths."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def register(self, app: web.Application) -> None:
        """Add every endpoint; whatever else lies below the prefixes is answered here too."""
        for route in ROUTES:
            app.router.add_route(route.verb, route.path, self._handle)
        for prefix in PREFIXES:
            app.router.add_route("*", f"{prefix}{{rest:.*}}", self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            said = await self._answered(request, headers)
        except BinanceError as error:
            if error.retry_s is not None:
                headers["Retry-After"] = str(error.retry_s)
            return _json(error.body(), error.status, headers)
        return _json(said, 200, headers)

    async def _answered(self, request: web.Request, headers: dict[str, str]) -> Any:
        route = BY_PATH.get((request.method, request.path))
        address = request.remote or ""
        if route is None:
            self._weigh(headers, "api", address, 1)
            error = refused(NO_SUCH_PATH, request.method, request.path)
            error.status = 404
            raise error
        query, body = request.rel_url.raw_query_string, await _body(request)
        params = Params.of_request(query, body)
        if self._dialect.doors.config.binance.strict_parameters:
            params.refuse_repeated()
        # Before anything is checked, so that who cannot sign cannot go on trying for nothing.
        weight = 1 if route.by_account else route.weigh(params)
        self._weigh(headers, route.api, address, weight)
        key = request.headers.get(KEY_HEADER, "")
        caller = self.caller(route, key, query, body, params, address)
        if route.by_account:
            name = f"account {caller.account_id}"
            self._weigh(headers, route.api, name, route.weigh(params), whose="UID")
        call = Call(
            dialect=self._dialect,
            api=route.api,
            params=params,
            caller=caller,
            refusals=route.refusals,
        )
        try:
            return await carried_out(route, call)
        finally:
            headers.update(_order_counts(call))

    def caller(
        self, route: Route, key: str, query: str, body: str, params: Params, address: str
    ) -> Caller:
        """Who asks, as far as the route wants to know."""
        if route.security == "N":
            return Caller(address=address)
        if route.security in SIGNED or (params.has("signature") and route.security == "S"):
            message = without_signature(query, body)
            caller = signed_caller(self._dialect.doors, key, (message,), params, address)
        else:
            caller = known_caller(self._dialect.doors, key, address)
        refuse_unless_permitted(route, caller)
        return caller

    def _weigh(
        self, headers: dict[str, str], api: Api, name: str, weight: int, whose: str = "IP"
    ) -> None:
        """Count a weight and add the headers that tell of it; -1003 where it is too much."""
        limits, now_ms = self._dialect.limits[api], self._dialect.doors.clock.wall_ms()
        told = ["X-MBX-USED-WEIGHT", "X-MBX-USED-WEIGHT-1M"]
        if api == "sapi":
            told = [f"X-SAPI-USED-{whose}-WEIGHT-1M"]
        try:
            limits.take_weight(name, now_ms, weight)
        finally:
            headers.update(dict.fromkeys(told, str(limits.weight_used(name, now_ms)[1])))


def refuse_unless_permitted(route: Route, caller: Caller) -> None:
    """-2015 unless the key may do what the route does."""
    needed = PERMISSION.get(route.security)
    if needed is not None and needed not in caller.permissions:
        raise refused(KEY_REJECTED)


async def carried_out(route: Route, call: Call) -> Any:
    """What the route's handler answers; every refusal is a BinanceError, and so is a fault.

    For the WebSocket API as well.
    """
    try:
        said = await route.handler(call)
        call.refuse_unread()
    except ApiError as error:
        raise translated(error, route.refusals) from None
    except (BinanceError, ConnectionError, TimeoutError):
        raise
    except Exception:
        log.exception("a fault while answering %s %s", route.verb, route.path)
        raise BinanceError(*UNKNOWN, status=OUTCOME_UNKNOWN) from None
    return said


async def _body(request: web.Request) -> str:
    """The body as the text that was signed; without one the content type says nothing."""
    raw = await request.read()
    return raw.decode("utf-8", "surrogateescape")


def _order_counts(call: Call) -> dict[str, str]:
    """How many orders the account has sent, told where orders were counted."""
    return {
        f"X-MBX-ORDER-COUNT-{rule.every}{LETTERS[rule.interval]}": str(used)
        for rule, used in call.used
    }


def _json(said: Any, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(said),
        status=status,
        headers=headers,
        content_type="application/json",
    )
