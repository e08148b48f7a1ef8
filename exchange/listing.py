"""The order lists of a venue (S5): which orders are legs of which list, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from exchange.commands import PlaceOrder
from exchange.events import OrderListChanged
from exchange.telling import Teller
from matching.lists import LegStatus, ListKind, ListStatus, list_status
from matching.reasons import Reason
from matching.types import Order, Status
from risk.ledger import FIRST_ACCOUNT


class Leg:
    """One order of a list, or what it will be: `wish` until it is placed, `order_id` from then."""

    __slots__ = ("client_id", "order_id", "status", "wish")

    def __init__(self, wish: PlaceOrder) -> None:
        self.wish: PlaceOrder | None = wish
        self.client_id = wish.client_id
        self.order_id = 0
        self.status = LegStatus.PENDING

    def is_now(self, order: Order) -> None:
        """It is this order, from now on."""
        self.order_id, self.wish = order.order_id, None
        self.status = leg_status(order)


class OrderList:
    """Orders that hang together: an OCO's are [limit, stop]; a working order comes before them."""

    __slots__ = ("account_id", "client_id", "kind", "legs", "list_id", "reason", "symbol")

    def __init__(
        self, list_id: int, account_id: int, symbol: str, kind: ListKind, client_id: str
    ) -> None:
        self.list_id, self.account_id, self.symbol = list_id, account_id, symbol
        self.kind, self.client_id = kind, client_id
        self.legs: list[Leg] = []
        self.reason: Reason | None = None  # Why a leg could not be placed.

    @property
    def statuses(self) -> list[LegStatus]:
        """Where each leg stands."""
        return [leg.status for leg in self.legs]

    @property
    def status(self) -> ListStatus:
        """Where the whole stands."""
        return list_status(self.statuses)

    def leg_of(self, order: Order) -> Leg:
        """The leg that is this order."""
        return next(leg for leg in self.legs if leg.order_id == order.order_id)


class Lists:
    """Every list of which something may still come, by id; and those whose legs have moved."""

    def __init__(self) -> None:
        self.by_id: dict[int, OrderList] = {}
        self.due: dict[int, None] = {}  # To be looked at, first come first served.
        self.next_id = 1
        self._counts: dict[tuple[int, str], int] = {}

    def count(self, account_id: int, symbol: str) -> int:
        """How many lists an account has open on an instrument."""
        return self._counts.get((account_id, symbol), 0)

    def add(self, made: OrderList) -> None:
        """Keep a list from now on."""
        self.by_id[made.list_id] = made
        self.next_id = max(self.next_id, made.list_id + 1)
        key = made.account_id, made.symbol
        self._counts[key] = self._counts.get(key, 0) + 1

    def remove(self, ended: OrderList) -> None:
        """Forget a list that is over."""
        del self.by_id[ended.list_id]
        self.due.pop(ended.list_id, None)
        key = ended.account_id, ended.symbol
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]

    def note(self, order: Order) -> None:
        """Something befell a leg: the others are looked at when the match is over."""
        found = self.by_id[order.list_id]
        found.leg_of(order).status = leg_status(order)
        self.due[order.list_id] = None

    def woke(self, order: Order) -> list[int]:
        """A leg was woken by its trigger; the order ids of the legs that must end for it first."""
        found = self.by_id[order.list_id]
        mine = found.leg_of(order)
        mine.status = LegStatus.MOVED
        self.due[order.list_id] = None
        return [
            leg.order_id
            for leg in found.legs
            if leg is not mine and leg.status in (LegStatus.OPEN, LegStatus.MOVED)
        ]

    def state(self) -> dict[str, Any]:
        """All there is to know, as plain values."""
        return {
            "next_id": self.next_id,
            "due": list(self.due),
            "lists": [
                (
                    *(each.list_id, each.account_id, each.symbol, int(each.kind), each.client_id),
                    each.reason.name if each.reason else "",
                    [
                        (int(leg.status), leg.order_id, leg.client_id, _plain(leg.wish))
                        for leg in each.legs
                    ],
                )
                for _, each in sorted(self.by_id.items())
            ],
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Lists:
        """The lists of which `state` was told."""
        lists = cls()
        for list_id, account_id, symbol, kind, client_id, reason, legs in state["lists"]:
            each = OrderList(list_id, account_id, symbol, ListKind(kind), client_id)
            each.reason = Reason[reason] if reason else None
            for status, order_id, leg_client_id, wish in legs:
                leg = Leg(msgspec.convert(wish, PlaceOrder) if wish else PlaceOrder())
                leg.wish = leg.wish if wish else None
                leg.status, leg.order_id, leg.client_id = LegStatus(status), order_id, leg_client_id
                each.legs.append(leg)
            lists.add(each)
        lists.next_id = state["next_id"]
        lists.due = dict.fromkeys(state["due"])
        return lists


def leg_status(order: Order) -> LegStatus:
    """Where a leg stands that is this order."""
    if order.is_open:
        moved = order.filled_lots or order.prevented_lots or order.triggered_ms
        return LegStatus.MOVED if moved else LegStatus.OPEN
    if order.status is Status.FILLED:
        return LegStatus.FILLED
    return LegStatus.REJECTED if order.status is Status.REJECTED else LegStatus.ENDED


def tell_list(teller: Teller, each: OrderList) -> None:
    """A list as it stands now, for its owner."""
    if each.account_id < FIRST_ACCOUNT:
        return
    teller.tell(
        OrderListChanged(
            teller.seq,
            teller.time_ms,
            each.account_id,
            teller.number(each.account_id),
            each.list_id,
            each.symbol,
            each.kind,
            each.status,
            each.client_id,
            each.reason,
            [(leg.order_id, leg.client_id, leg.status) for leg in each.legs],
        )
    )


def _plain(wish: PlaceOrder | None) -> Any:
    return msgspec.to_builtins(wish) if wish else None
