"""The two kinds of endpoint that `/sapi/v1` has most of: what moves money, and what is read."""

from __future__ import annotations

from exchange.gateway.binance.accounts.refusals import REFUSALS
from exchange.gateway.binance.calls import Handler, Route


def paying(path: str, handler: Handler, weight: int) -> Route:
    """A POST below `/sapi/v1/` that moves money; it weighs on the account."""
    return Route(
        verb="POST",
        path=f"/sapi/v1/{path}",
        handler=handler,
        weight=weight,
        security="M",
        by_account=True,
        refusals=REFUSALS,
    )


def reading(path: str, handler: Handler, weight: int = 1) -> Route:
    """A signed GET below `/sapi/v1/`."""
    return Route(
        verb="GET",
        path=f"/sapi/v1/{path}",
        handler=handler,
        weight=weight,
        security="U",
        refusals=REFUSALS,
    )
