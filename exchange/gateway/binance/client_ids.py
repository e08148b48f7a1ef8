"""What orders and lists are called that were given no client id: Binance's always have one."""

from __future__ import annotations

from typing import Final

FORCED_PREFIX: Final = "autoclose-"  # By which clients know the order of a liquidation,
ADL_CLIENT_ID: Final = "adl_autoclose"  # and a reduction at another's bankruptcy price.


def order_name(client_id: str, order_id: int, *, forced: bool = False) -> str:
    """An order's client id; one that has none is called by its number, once it has one."""
    if client_id or not order_id:
        return client_id
    return f"{FORCED_PREFIX if forced else 'order-'}{order_id}"


def list_name(client_id: str, list_id: int) -> str:
    """The same of a list."""
    return client_id or f"list-{list_id}"
