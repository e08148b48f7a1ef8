"""What the small exchange does of order lists: places them, cancels them, looks them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from exchange.wire import ListLegSay, OrderListSay
from tests.clients.wire_samples import NOON


class FakeLists:
    """Lists whose first order is open; no order is placed for them."""

    def __init__(self, refused: Callable[[str], Exception]) -> None:
        self._refused = refused
        self._lists: list[OrderListSay] = []

    @property
    def acts(self) -> dict[str, Callable[..., Any]]:
        """Its operations over the WebSocket."""
        return {"order.list_place": self._place, "order.list_cancel": self._cancel}

    def looked_up(self, path: str, query: Mapping[str, str]) -> Any:
        """The answer to a question over REST."""
        name = path.removeprefix("/v1/order_lists").strip("/")
        if not name:
            everything = query.get("status") == "all"
            return [each for each in self._lists if everything or each.status == "executing"]
        for each in self._lists:
            if name in (str(each.list_id), f"client:{each.client_id}"):
                return each
        raise self._refused("UNKNOWN_ORDER")

    async def _place(self, kind: str, orders: list[dict[str, Any]], client_id: str) -> OrderListSay:
        list_id = len(self._lists) + 1
        legs = [
            ListLegSay(None if at else 70, "", "pending_new" if at else "open")
            for at in range(len(orders))
        ]
        fields = (list_id, kind, orders[0]["symbol"], "executing", client_id, None, NOON, legs)
        self._lists.append(OrderListSay(*fields))
        return self._lists[-1]

    async def _cancel(self, list_id: int) -> OrderListSay:
        found = self._lists[list_id - 1]
        if found.status == "done":
            raise self._refused("UNKNOWN_ORDER")
        self._lists[list_id - 1] = msgspec.structs.replace(found, status="done")
        return self._lists[list_id - 1]
