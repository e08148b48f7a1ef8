"""The endpoints that open user data streams: listenKeys of every product, and listenTokens."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import BAD_VALUE, refused
from exchange.gateway.binance.user_data.feeds import TOKEN_LIFE_MAX_MS
from exchange.gateway.binance.user_data.scopes import CONTRACTS, SCOPES
from risk.account import MARGIN, isolated_wallet

LISTEN_KEY: Final = "listenKey"


def _scope(call: Call) -> str:
    return SCOPES[call.api]


def _isolated(call: Call) -> str:
    return isolated_wallet(call.instrument().symbol)


def _opened(call: Call, scope: str) -> dict[str, Any]:
    return {LISTEN_KEY: call.dialect.user_data.open_key(call.caller, scope)}


def _extended(call: Call, scope: str) -> dict[str, Any]:
    """A contract's key need not be named, and is told again."""
    named = call.params.get if scope in CONTRACTS else call.params.need
    key = call.dialect.user_data.extend_key(call.caller, scope, named(LISTEN_KEY))
    return {LISTEN_KEY: key} if scope in CONTRACTS else {}


def _closed(call: Call, scope: str) -> dict[str, Any]:
    named = call.params.get if scope in CONTRACTS else call.params.need
    call.dialect.user_data.close_key(call.caller, scope, named(LISTEN_KEY))
    return {}


async def start(call: Call) -> dict[str, Any]:
    """The present listenKey, or a new one; good for an hour."""
    return _opened(call, _scope(call))


async def ping(call: Call) -> dict[str, Any]:
    """Good for another hour."""
    return _extended(call, _scope(call))


async def stop(call: Call) -> dict[str, Any]:
    """The end of a listenKey."""
    return _closed(call, _scope(call))


async def start_isolated(call: Call) -> dict[str, Any]:
    """The same of one isolated pair."""
    return _opened(call, _isolated(call))


async def ping_isolated(call: Call) -> dict[str, Any]:
    """The same of one isolated pair."""
    return _extended(call, _isolated(call))


async def stop_isolated(call: Call) -> dict[str, Any]:
    """The same of one isolated pair."""
    return _closed(call, _isolated(call))


async def new_token(call: Call) -> dict[str, Any]:
    """A token to subscribe to margin with over the WebSocket API; `validity` in milliseconds."""
    scope = _isolated(call) if call.params.flag("isIsolated") else MARGIN
    life_ms = call.params.integer("validity", TOKEN_LIFE_MAX_MS)
    assert life_ms is not None, "there is a default"
    if not 0 < life_ms <= TOKEN_LIFE_MAX_MS:
        raise refused(BAD_VALUE, "validity")
    token, until_ms = call.dialect.user_data.new_token(call.caller, scope, life_ms)
    return {"token": token, "expirationTime": until_ms}


def _three(path: str, *, weight: int, methods: bool = False) -> tuple[Route, ...]:
    handlers = (("POST", start, "start"), ("PUT", ping, "ping"), ("DELETE", stop, "stop"))
    return tuple(
        Route(
            verb=verb,
            path=path,
            handler=handler,
            weight=weight,
            security="S",
            method=f"userDataStream.{word}" if methods else "",
        )
        for verb, handler, word in handlers
    )


_ISOLATED: Final = "/sapi/v1/userDataStream/isolated"

ROUTES: Final = (
    *_three("/api/v3/userDataStream", weight=2, methods=True),
    *_three("/sapi/v1/userDataStream", weight=1),
    *_three("/fapi/v1/listenKey", weight=1, methods=True),
    *_three("/dapi/v1/listenKey", weight=1, methods=True),
    Route(verb="POST", path=_ISOLATED, handler=start_isolated, security="S"),
    Route(verb="PUT", path=_ISOLATED, handler=ping_isolated, security="S"),
    Route(verb="DELETE", path=_ISOLATED, handler=stop_isolated, security="S"),
    Route(verb="POST", path="/sapi/v1/userListenToken", handler=new_token, security="S"),
)
