"""What every REST API of Binance answers alike: a ping, and the time."""

from __future__ import annotations

from typing import Any

from exchange.gateway.binance.calls import Call, Route


async def ping(call: Call) -> dict[str, Any]:
    """Nothing, so that a client knows somebody is there."""
    return {}


async def time(call: Call) -> dict[str, Any]:
    """Wall time, by which clients set the clock they sign with."""
    return {"serverTime": call.wall_ms}


ROUTES = (
    Route(verb="GET", path="/api/v3/ping", handler=ping, method="ping"),
    Route(verb="GET", path="/api/v3/time", handler=time, method="time"),
    Route(verb="GET", path="/fapi/v1/ping", handler=ping, method="ping"),
    Route(verb="GET", path="/fapi/v1/time", handler=time, method="time"),
    Route(verb="GET", path="/dapi/v1/ping", handler=ping, method="ping"),
    Route(verb="GET", path="/dapi/v1/time", handler=time, method="time"),
)
